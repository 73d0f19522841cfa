//! Lost data as the consumer sees it: says and counts it, begins to read anew, and asks now and then which making of the
//! topics there is.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use super::KafkaError;
use super::assignment::list;
use super::consumer::Consumer;
use super::questions::Question;
use super::queue::Queue;
use super::topic_ids::Topics as Found;
use crate::data_loss::DataLoss;
use crate::ledger::Start;
use crate::routing::Topics;
use crate::topic_partition::TopicPartition;

/// Topics are asked about this often: Kafka does not say that one was made again, and takes old offsets for it.
const ASK: Duration = Duration::from_secs(3);

/// What is known of the topics that are read.
#[derive(Debug, Default)]
pub(super) struct Known {
    asked: bool,
    ask_at: Option<Instant>,
    partitions: HashMap<String, i32>,
    said_nameless: bool,
}

impl Known {
    /// Something says that a topic is not what it was.
    pub(super) fn doubt(&mut self) {
        self.ask_at = None;
    }
}

impl Consumer {
    pub(super) fn ask_for_ids(&mut self, now: Instant) {
        let due = self.known.ask_at.is_none_or(|at| now >= at);
        if !due || self.known.asked || self.queues.is_empty() {
            return;
        }
        self.known.ask_at = Some(now + ASK);
        self.known.asked = true;
        let topics = self
            .queues
            .iter()
            .map(|queue| &queue.tenure.topic_partition.topic);
        let topics: BTreeSet<String> = topics.map(ToString::to_string).collect();
        self.inquire(Question::Ids(topics.into_iter().collect()));
    }

    /// A failure says nothing: the answers to other questions do.
    pub(super) fn ids(&mut self, found: Result<Found, ClientError>) {
        self.known.asked = false;
        let found = match found {
            Ok(found) => found,
            Err(error) => return tracing::debug!(%error, "topics were not described"),
        };
        for (name, topic) in found {
            match topic {
                Ok(topic) => {
                    let before = self.known.partitions.insert(name.clone(), topic.partitions);
                    if before.is_some_and(|before| before < topic.partitions) {
                        tracing::info!(
                            topic = name,
                            partitions = topic.partitions,
                            "partitions were added"
                        );
                        self.inquire(Question::Rejoin);
                    }
                    match topic.id {
                        Some(id) => self.ledger.topic_is(&name, &id),
                        None => self.say_nameless(),
                    }
                }
                Err(Code::UnknownTopicOrPartition) if self.is_listed() => {
                    self.topic_missing(name);
                }
                Err(error) => tracing::debug!(topic = name, %error, "topic was not described"),
            }
        }
    }

    fn is_listed(&self) -> bool {
        matches!(self.station.topics, Topics::Listed(_))
    }

    fn say_nameless(&mut self) {
        if !self.known.said_nameless {
            self.known.said_nameless = true;
            tracing::warn!(
                "Kafka gives no topic ids (brokers before 2.8): a topic that is deleted and made again is noticed by its offsets alone"
            );
        }
    }

    pub(super) fn wait(&mut self, partition: &TopicPartition) {
        let of_it = |queue: &&mut Queue| queue.tenure.topic_partition == *partition;
        if let Some(queue) = self.queues.iter_mut().find(of_it) {
            queue.wait();
        }
    }

    pub(super) fn lost(&self, loss: &DataLoss, goes_on: Option<i64>) {
        self.stations.metrics.lost(loss);
        match goes_on {
            None => self.report_halts(),
            Some(offset) => {
                let (partition, cause) = (&loss.at, loss.label());
                let fact = loss.fact();
                tracing::error!(%partition, cause, "data loss: {fact}; going on at offset {offset}, as set");
            }
        }
    }

    /// Only a new assignment moves a client that has given up a partition's log.
    pub(super) fn restart(&mut self, start: Start) -> Result<(), KafkaError> {
        let (partition, offset) = (start.tenure.topic_partition.clone(), start.offset);
        let of_it = |queue: &&mut Queue| queue.tenure.topic_partition == partition;
        let Some(queue) = self.queues.iter_mut().find(of_it) else {
            return Ok(());
        };
        self.stations.board.unhalt(&partition);
        queue.restart(start);
        if !self.is_cooperative() {
            self.queues.iter_mut().for_each(Queue::drop_kept);
            let all = list(self.ledger.positions())?;
            let assigned = self.client.assign(&all);
            return assigned.map_err(|error| KafkaError::Fatal(format!("assign: {error}")));
        }
        let one = list([(&partition, offset)].into_iter())?;
        if let Err(error) = self.client.incremental_unassign(&one) {
            tracing::debug!(%partition, %error, "is being given up already");
            return Ok(());
        }
        let assigned = self.client.incremental_assign(&one);
        assigned.map_err(|error| KafkaError::Fatal(format!("assign: {error}")))
    }
}
