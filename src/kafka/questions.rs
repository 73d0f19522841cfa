//! The question thread: what Kafka is asked about topics, logs and permissions. Nothing is committed after its answers, so
//! no commit waits for one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaRespErr;

use super::commit::{Answer, Outbox, PAUSE};
use super::look_up::{self, QUESTION};
use super::peek::Peeker;
use super::rebalance::Context;
use super::search::{self, Quest};
use super::topic_ids;
use crate::config::KafkaConfig;
use crate::ledger::{Asked, Search, Sought};
use crate::topic_partition::TopicPartition;

#[derive(Debug)]
pub(super) enum Question {
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
    /// Where do these logs end?
    Ends(Vec<TopicPartition>),
    /// Is this user permitted to read, there in the log?
    MayRead(TopicPartition, i64),
}

/// Until the loop drops its end, or closes.
pub(super) fn start(
    client: Arc<BaseConsumer<Context>>,
    config: KafkaConfig,
    outbox: Outbox,
) -> std::io::Result<(Sender<Question>, JoinHandle<()>)> {
    let (questions, inbox) = channel();
    let server = Server {
        client,
        inbox,
        outbox,
        config,
        quests: VecDeque::new(),
        peeker: None,
    };
    let handle = std::thread::Builder::new()
        .name("questions".to_owned())
        .spawn(move || server.serve())?;
    Ok((questions, handle))
}

struct Server {
    client: Arc<BaseConsumer<Context>>,
    inbox: Receiver<Question>,
    outbox: Outbox,
    config: KafkaConfig,
    quests: VecDeque<Quest>,
    /// For the first of them.
    peeker: Option<Peeker>,
}

impl Server {
    fn serve(mut self) {
        while let Some(question) = self.next() {
            if self.client.context().is_closing() {
                return;
            }
            let failed = match question {
                Some(question) => self.answer(question),
                None => self.search(),
            };
            if failed {
                std::thread::park_timeout(PAUSE);
            }
        }
    }

    /// What the loop asks comes before the looks into logs that are still to be made: `Some(None)` is the turn of one of
    /// these, `None` the end.
    #[expect(clippy::option_option, reason = "end, or a turn without a question")]
    fn next(&self) -> Option<Option<Question>> {
        if self.quests.is_empty() {
            return self.inbox.recv().ok().map(Some);
        }
        match self.inbox.try_recv() {
            Ok(question) => Some(Some(question)),
            Err(TryRecvError::Empty) => Some(None),
            Err(TryRecvError::Disconnected) => None,
        }
    }

    /// Whether it failed, as all of these.
    fn answer(&mut self, question: Question) -> bool {
        match question {
            Question::Search(asked, search) => {
                self.quests.push_back(Quest::new(asked, &search));
                false
            }
            Question::Ids(topics) => {
                let ids = topic_ids::ask(&self.client, &topics, QUESTION);
                self.put(ids, Answer::Ids)
            }
            Question::Topics(topics) => {
                let missing = missing_topics(&self.client, &topics);
                self.put(missing, Answer::Topics)
            }
            Question::Listing => {
                let names = self.client.fetch_metadata(None, QUESTION);
                self.put(names.map(|found| topic_names(&found)), Answer::Listing)
            }
            Question::Rejoin => {
                rejoin(&self.client);
                false
            }
            Question::Ends(partitions) => {
                let ends = look_up::at(&self.client, partitions.iter(), Offset::End);
                self.put(ends, Answer::Ends)
            }
            Question::MayRead(partition, offset) => {
                let may = may_read(&self.config, &partition, offset);
                self.outbox.put(Answer::MayRead(partition, may));
                false
            }
        }
    }

    fn put<T>(
        &self,
        found: Result<T, KafkaError>,
        answer: fn(Result<T, KafkaError>) -> Answer,
    ) -> bool {
        let failed = found.is_err();
        self.outbox.put(answer(found));
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
        let seen = self.peeker(quest.sought).and_then(|peeker| {
            peeker
                .peek(&quest.asked.partition, at, search::LOOK)
                .map_err(|error| error.to_string())
        });
        match seen {
            Ok(seen) => {
                quest.saw(at, seen);
                self.quests.push_front(quest);
                false
            }
            Err(why) => {
                self.found(&quest, Err(why));
                true
            }
        }
    }

    fn peeker(&mut self, sought: Sought) -> Result<&Peeker, String> {
        match &mut self.peeker {
            Some(peeker) => Ok(peeker),
            none => {
                let peeker = Peeker::new(&self.config, sought);
                Ok(none.insert(peeker.map_err(|error| error.to_string())?))
            }
        }
    }

    /// The next one may want another client.
    fn found(&mut self, quest: &Quest, found: Result<Option<i64>, String>) {
        self.outbox
            .put(Answer::Searched(quest.asked.clone(), found));
        self.peeker = None;
    }
}

/// Only to read tells: who may ask where a log ends may not always see what lies in it.
fn may_read(config: &KafkaConfig, partition: &TopicPartition, offset: i64) -> bool {
    let Ok(peeker) = Peeker::new(config, Sought::EndOfCorrupt) else {
        return false;
    };
    match peeker.peek(partition, offset, QUESTION) {
        Ok(_) => true,
        // Asked for another place, it would have been let in.
        Err(error) => error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset),
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
