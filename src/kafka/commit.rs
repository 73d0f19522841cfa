//! The commit thread: commits, and the look-ups that must come after them, off the poll loop. What else Kafka is asked is
//! for a thread beside it, since a commit may not wait for that.
//!
//! A synchronous commit is the only one whose result is seen (librdkafka reports an asynchronous manual one to nobody
//! through rdkafka 0.39), and it has no time-out of its own: so it waits here, and nobody waits for it without a deadline.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::look_up::{Found, LookUps, committed};
use super::questions::{self, Question};
use super::rebalance::{Context, names};
use super::topic_ids;
use crate::config::KafkaConfig;
use crate::ledger::{Asked, Commit, CommitResult};
use crate::topic_partition::TopicPartition;
use crate::wake::Wake;

/// Pause after a failure, so that a broken broker is not asked without end.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Request {
    LookUp(Vec<Asked>),
    /// Commit what is stored, these offsets among it.
    Commit(u64, Vec<Commit>),
    /// Commit these by name, though Kafka has higher ones.
    CommitDown(u64, TopicPartitionList),
}

/// Of both threads.
#[derive(Debug)]
pub(super) enum Answer {
    LookedUp(Found),
    Committed(u64, CommitResult, Option<KafkaError>),
    /// The place, or why it was not looked for.
    Searched(Asked, Result<Option<i64>, String>),
    Ids(Result<topic_ids::Topics, KafkaError>),
    /// The topics that are not there, and why.
    Topics(Result<Vec<(String, RDKafkaErrorCode)>, KafkaError>),
    Listing(Result<Vec<String>, KafkaError>),
    /// Of those that have a leader.
    Ends(Result<HashMap<TopicPartition, i64>, KafkaError>),
    MayRead(TopicPartition, bool),
}

/// Where both threads leave their answers.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    answers: Sender<Answer>,
    wake: Arc<Wake>,
}

impl Outbox {
    pub(super) fn put(&self, answer: Answer) {
        // A loop that is gone asks nothing more either, which ends the threads.
        self.answers.send(answer).ok();
        self.wake.wake();
    }
}

#[derive(Debug)]
pub(super) struct CommitThread {
    pub(super) requests: Sender<Request>,
    /// To the thread beside it.
    pub(super) questions: Sender<Question>,
    pub(super) answers: Receiver<Answer>,
    pub(super) handles: [JoinHandle<()>; 2],
}

impl CommitThread {
    pub(super) fn start(
        client: Arc<BaseConsumer<Context>>,
        config: KafkaConfig,
        wake: Arc<Wake>,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = channel();
        let (answers_in, answers) = channel();
        let outbox = Outbox {
            answers: answers_in,
            wake,
        };
        let (questions, asking) = questions::start(Arc::clone(&client), config, outbox.clone())?;
        let server = Server {
            client,
            inbox,
            outbox,
            look_ups: LookUps::default(),
        };
        let committing = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || server.serve())?;
        Ok(Self {
            requests,
            questions,
            answers,
            handles: [committing, asking],
        })
    }
}

struct Server {
    client: Arc<BaseConsumer<Context>>,
    inbox: Receiver<Request>,
    outbox: Outbox,
    look_ups: LookUps,
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
                Some(Request::LookUp(asked)) => {
                    let failed = self.look_ups.queue(&self.client, asked);
                    self.found(failed)
                }
                None => {
                    let found = self.look_ups.next(&self.client);
                    self.found(found)
                }
            };
            if failed {
                std::thread::park_timeout(PAUSE);
            }
        }
    }

    /// What the loop asks comes before the look-ups that are still to be made: `Some(None)` is the turn of one of these,
    /// `None` the end.
    #[expect(clippy::option_option, reason = "end, or a turn without a request")]
    fn next(&self) -> Option<Option<Request>> {
        if self.look_ups.is_empty() {
            return self.inbox.recv().ok().map(Some);
        }
        match self.inbox.try_recv() {
            Ok(request) => Some(Some(request)),
            Err(TryRecvError::Empty) => Some(None),
            Err(TryRecvError::Disconnected) => None,
        }
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
        self.outbox.put(Answer::Committed(number, result, error));
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

    fn found(&self, found: Found) -> bool {
        let failed = found.iter().any(|(_, look)| look.is_err());
        if !found.is_empty() {
            self.outbox.put(Answer::LookedUp(found));
        }
        failed
    }
}
