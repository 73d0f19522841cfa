//! The commit thread: every call to Kafka that waits for an answer (commits, look-ups, metadata), off the poll loop.
//!
//! A synchronous commit is the only one whose result is seen (librdkafka reports an asynchronous manual one to nobody
//! through rdkafka 0.39), and it has no time-out of its own: so it waits here, and nobody waits for it without a deadline.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::look_up::{LookUps, QUESTION, committed};
use super::peek::Peeker;
use super::rebalance::{Context, names};
use super::search::{self, Quest};
use super::topic_ids;
use crate::config::KafkaConfig;
use crate::ledger::{Asked, Commit, CommitResult, Look, Search};
use crate::wake::Wake;

/// Pause after a failure, so that a broken broker is not asked without end.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Request {
    LookUp(Vec<Asked>),
    /// Commit what is stored, these offsets among it.
    Commit(u64, Vec<Commit>),
    /// Commit these by name, though Kafka has higher ones.
    CommitDown(u64, TopicPartitionList),
    /// Where in the log is that?
    Search(Asked, Search),
    /// Which making of these topics is there?
    Ids(Vec<String>),
    /// Which of these topics are there?
    Topics(Vec<String>),
    /// Which topics are there?
    Listing,
    /// A subscribed topic has come: have the group join with it.
    Rejoin,
}

#[derive(Debug)]
pub(super) enum Answer {
    LookedUp(Asked, Result<Look, KafkaError>),
    Committed(u64, CommitResult, Option<KafkaError>),
    Searched(Asked, Result<Option<i64>, ()>),
    Ids(Result<topic_ids::Topics, KafkaError>),
    /// The topics that are not there, and why.
    Topics(Result<Vec<(String, RDKafkaErrorCode)>, KafkaError>),
    Listing(Result<Vec<String>, KafkaError>),
}

#[derive(Debug)]
pub(super) struct CommitThread {
    pub(super) requests: Sender<Request>,
    pub(super) answers: Receiver<Answer>,
    pub(super) handle: JoinHandle<()>,
}

impl CommitThread {
    pub(super) fn start(
        client: Arc<BaseConsumer<Context>>,
        config: KafkaConfig,
        wake: Arc<Wake>,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = channel();
        let (outbox, answers) = channel();
        let server = Server {
            client,
            inbox,
            outbox,
            wake,
            config,
            look_ups: LookUps::default(),
            quests: VecDeque::new(),
            peeker: None,
        };
        let handle = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || server.serve())?;
        Ok(Self {
            requests,
            answers,
            handle,
        })
    }
}

struct Server {
    client: Arc<BaseConsumer<Context>>,
    inbox: Receiver<Request>,
    outbox: Sender<Answer>,
    wake: Arc<Wake>,
    config: KafkaConfig,
    look_ups: LookUps,
    quests: VecDeque<Quest>,
    /// For the first of them.
    peeker: Option<Peeker>,
}

impl Server {
    /// Until the loop drops its end, or closes.
    fn serve(mut self) {
        while let Some(request) = self.next() {
            if self.client.context().is_closing() {
                return;
            }
            let failed = match request {
                Some(Request::Commit(number, offsets)) => self.commit_stored(number, &offsets),
                Some(Request::CommitDown(number, list)) => self.commit_down(number, &list),
                Some(Request::LookUp(asked)) => self.look_ups.queue(&self.client, asked),
                Some(Request::Search(asked, search)) => {
                    self.quests.push_back(Quest::new(asked, &search));
                    false
                }
                Some(Request::Ids(topics)) => {
                    let ids = topic_ids::ask(&self.client, &topics, QUESTION);
                    let failed = ids.is_err();
                    self.answer(Answer::Ids(ids));
                    failed
                }
                Some(Request::Topics(topics)) => {
                    let missing = missing_topics(&self.client, &topics);
                    let failed = missing.is_err();
                    self.answer(Answer::Topics(missing));
                    failed
                }
                Some(Request::Listing) => {
                    let names = self.client.fetch_metadata(None, QUESTION);
                    let failed = names.is_err();
                    self.answer(Answer::Listing(names.map(|found| topic_names(&found))));
                    failed
                }
                Some(Request::Rejoin) => {
                    rejoin(&self.client);
                    false
                }
                None if self.look_ups.is_empty() => self.search(),
                None => self.look_up(),
            };
            if failed {
                std::thread::park_timeout(PAUSE);
            }
        }
    }

    /// What the loop asks comes before the look-ups and looks into logs that are still to be made: `Some(None)` is the
    /// turn of one of these, `None` the end.
    #[expect(clippy::option_option, reason = "end, or a turn without a request")]
    fn next(&self) -> Option<Option<Request>> {
        if self.look_ups.is_empty() && self.quests.is_empty() {
            return self.inbox.recv().ok().map(Some);
        }
        match self.inbox.try_recv() {
            Ok(request) => Some(Some(request)),
            Err(TryRecvError::Empty) => Some(None),
            Err(TryRecvError::Disconnected) => None,
        }
    }

    fn answer(&self, answer: Answer) {
        // A loop that is gone asks nothing more either, which ends the server.
        self.outbox.send(answer).ok();
        self.wake.wake();
    }

    /// Whether it failed, as all of these.
    fn commit_stored(&self, number: u64, offsets: &[Commit]) -> bool {
        let result = match self.client.commit_consumer_state(CommitMode::Sync) {
            Ok(()) => Ok(CommitResult::Done),
            // Nothing was stored above what is committed, says the client; so Kafka is asked.
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => self.verify(offsets),
            Err(error) => Err(error),
        };
        self.committed(number, result)
    }

    /// What is stored is committed only if it is higher. The list must be of partitions that are ours, and of nothing else.
    fn commit_down(&self, number: u64, list: &TopicPartitionList) -> bool {
        // It has waited for others: what was given up meanwhile is somebody else's to commit.
        let result = self.client.assignment().and_then(|ours| {
            let ours = names(&ours);
            if names(list).iter().all(|name| ours.contains(name)) {
                self.client.commit(list, CommitMode::Sync)
            } else {
                let code = RDKafkaErrorCode::AssignmentLost;
                Err(KafkaError::ConsumerCommit(code))
            }
        });
        self.committed(number, result.map(|()| CommitResult::Done))
    }

    fn committed(&self, number: u64, result: Result<CommitResult, KafkaError>) -> bool {
        let (result, error) = match result {
            Ok(result) => (result, None),
            Err(error) => (CommitResult::Failed, Some(error)),
        };
        let failed = error.is_some();
        self.answer(Answer::Committed(number, result, error));
        failed
    }

    fn verify(&self, offsets: &[Commit]) -> Result<CommitResult, KafkaError> {
        let partitions: Vec<_> = offsets
            .iter()
            .map(|commit| commit.partition.clone())
            .collect();
        let found = committed(&self.client, &partitions)?;
        let is_there = |commit: &Commit| {
            let found = found.get(&commit.partition);
            found.is_some_and(|found| found.offset >= commit.offset)
        };
        if offsets.iter().all(is_there) {
            Ok(CommitResult::Nothing)
        } else {
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset))
        }
    }

    fn look_up(&mut self) -> bool {
        let Some((asked, look)) = self.look_ups.next(&self.client) else {
            return false;
        };
        let failed = look.is_err();
        self.answer(Answer::LookedUp(asked, look));
        failed
    }

    /// One look into a log, or the answer.
    fn search(&mut self) -> bool {
        let Some(mut quest) = self.quests.pop_front() else {
            return false;
        };
        let at = match quest.next() {
            Ok(at) => at,
            Err(found) => {
                self.found(&quest, Ok(found));
                return false;
            }
        };
        let peeker = match self.peeker.take() {
            Some(peeker) => Ok(peeker),
            None => Peeker::new(&self.config, quest.sought),
        };
        let Ok(peeker) = peeker else {
            self.found(&quest, Err(()));
            return true;
        };
        let seen = peeker.peek(&quest.asked.partition, at, search::LOOK);
        self.peeker = Some(peeker);
        match seen {
            Ok(seen) => {
                quest.saw(at, seen);
                self.quests.push_front(quest);
                false
            }
            Err(error) => {
                search::failed(&error);
                self.found(&quest, Err(()));
                true
            }
        }
    }

    /// The next one may want another client.
    fn found(&mut self, quest: &Quest, found: Result<Option<i64>, ()>) {
        self.answer(Answer::Searched(quest.asked.clone(), found));
        self.peeker = None;
    }
}

/// librdkafka compares the subscription with what is there only once in `topic.metadata.refresh.interval.ms`, and with
/// every listing of all topics.
fn rejoin(client: &BaseConsumer<Context>) {
    if let Err(error) = client.fetch_metadata(None, QUESTION) {
        tracing::debug!(%error, "topics were not listed; the new one is found a little later");
    }
}

fn topic_names(metadata: &Metadata) -> Vec<String> {
    let there = metadata.topics().iter().filter(|topic| is_there(topic));
    there.map(|topic| topic.name().to_owned()).collect()
}

/// A topic just made has no leader yet.
pub(super) fn is_there(topic: &MetadataTopic) -> bool {
    let error = topic.error();
    error.is_none_or(|error| error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
}

fn missing_topics(
    client: &BaseConsumer<Context>,
    topics: &[String],
) -> Result<Vec<(String, RDKafkaErrorCode)>, KafkaError> {
    let mut missing = Vec::new();
    for name in topics {
        let metadata = client.fetch_metadata(Some(name), QUESTION)?;
        for topic in metadata.topics() {
            if let Some(error) = topic.error()
                && error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
            {
                missing.push((name.clone(), error.into()));
            }
        }
    }
    Ok(missing)
}
