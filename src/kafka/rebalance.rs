//! What librdkafka calls back into: rebalances are only queued here (the loop answers them), errors keep their reason,
//! statistics keep the ends of the logs.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::lock;
use crate::ops::metrics::{Metrics, Rebalanced};
use crate::topic_partition::TopicPartition;

/// librdkafka's word for a broken connection. One that the broker closed, as a TLS listener does with a plain client, is
/// only logged, not reported as an error.
const BROKEN: &str = "FAIL";

/// librdkafka's word for a broker that is connected and may be asked.
const UP: &str = "UP";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rebalance {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

impl Rebalance {
    pub(super) fn count(&self, metrics: &Metrics) {
        match self {
            Self::Assigned(_) => metrics.rebalanced(Rebalanced::Assigned, 0),
            Self::Revoked(_) => metrics.rebalanced(Rebalanced::Revoked, 0),
            Self::Lost(lost) => metrics.rebalanced(Rebalanced::Lost, lost.len()),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Context {
    rebalances: Mutex<VecDeque<Rebalance>>,
    /// From here on nobody answers from the loop: revokes are granted on the spot, or the client never closes.
    closing: AtomicBool,
    /// See [`Context::lost`].
    lost: AtomicBool,
    reason: Mutex<String>,
    ends: Mutex<HashMap<TopicPartition, End>>,
}

/// Where the client stands in a partition's log, as of the last statistics.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    /// The offset after the last record that can be read: as the last answer to a fetch said, if there was one.
    pub(super) offset: Option<i64>,
    /// What is fetched next: also behind markers and aborted records, which nobody gets to see.
    pub(super) fetched: i64,
    /// Nothing that was fetched waits to be taken from the client.
    pub(super) is_taken: bool,
    /// There is a leader, and it is connected.
    pub(super) is_led: bool,
}

impl Context {
    pub(super) fn next_rebalance(&self) -> Option<Rebalance> {
        lock(&self.rebalances).pop_front()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// librdkafka's own words about the last error, without control characters.
    pub(super) fn reason(&self) -> String {
        lock(&self.reason).clone()
    }

    pub(super) fn end(&self, partition: &TopicPartition) -> Option<End> {
        lock(&self.ends).get(partition).copied()
    }

    /// The client has lost its partitions, and is about to be told something after which it says so no longer.
    pub(super) fn lost(&self) {
        self.lost.store(true, Ordering::Release);
    }

    fn rebalanced(&self, assign: bool, is_lost: bool, partitions: Vec<TopicPartition>) {
        // What is assigned anew is not lost any more.
        let was_lost = self.lost.swap(false, Ordering::AcqRel);
        let rebalance = match (assign, is_lost || was_lost) {
            (true, _) => Rebalance::Assigned(partitions),
            (false, true) => Rebalance::Lost(partitions),
            (false, false) => Rebalance::Revoked(partitions),
        };
        lock(&self.rebalances).push_back(rebalance);
    }

    fn answer_closing(
        &self,
        consumer: &BaseConsumer<Self>,
        assign: bool,
        list: &TopicPartitionList,
    ) {
        let cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        let result = match (cooperative, assign) {
            (true, true) => consumer.incremental_assign(&TopicPartitionList::new()),
            (true, false) => consumer.incremental_unassign(list),
            (false, _) => consumer.unassign(),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "rebalance while closing was not answered");
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = printable(message);
        if facility == BROKEN {
            lock(&self.reason).clone_from(&message);
        }
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "librdkafka: {message}");
            }
            // Broken connections are said once, by the board, with what to do.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
                tracing::debug!(facility, "librdkafka: {message}");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::trace!(facility, "librdkafka: {message}");
            }
        }
    }

    /// That all brokers are down comes on top of each one's own error, and only that says why.
    fn error(&self, error: KafkaError, reason: &str) {
        let mut kept = lock(&self.reason);
        if kept.is_empty() || error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *kept = printable(reason);
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = lock(&self.ends);
        ends.clear();
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values().filter(|p| p.partition >= 0) {
                let offset = if partition.ls_offset >= 0 {
                    partition.ls_offset
                } else {
                    partition.hi_offset
                };
                let mut brokers = statistics.brokers.values();
                // Brokers that are known by their address alone have -1, too.
                let leader = brokers.find(|b| b.nodeid >= 0 && b.nodeid == partition.leader);
                let is_led = leader.is_some_and(|broker| broker.state == UP);
                let name = TopicPartition::new(topic.topic.as_str(), partition.partition);
                let end = End {
                    offset: (offset >= 0).then_some(offset),
                    fetched: partition.next_offset,
                    is_taken: partition.fetchq_cnt == 0,
                    is_led,
                };
                ends.insert(name, end);
            }
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let assign = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.is_closing() {
            self.answer_closing(consumer, assign, list);
            return;
        }
        let is_lost = consumer.assignment_lost();
        self.rebalanced(assign, is_lost, names(list));
    }

    fn commit_callback(&self, _result: KafkaResult<()>, _offsets: &TopicPartitionList) {}
}

pub(super) fn names(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    let name = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        TopicPartition::new(element.topic(), element.partition())
    };
    elements.iter().map(name).collect()
}

/// Words of others go into our log: no control characters, and not without end.
pub(super) fn printable(text: &str) -> String {
    let safe = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    safe.take(512).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_of_which_the_client_says_nothing_any_more_is_remembered_until_the_next_rebalance() {
        let context = Context::default();
        let partitions = || vec![TopicPartition::new("t", 0)];
        for (lost, assign, is_lost, expected) in [
            (false, false, false, Rebalance::Revoked(partitions())),
            (false, false, true, Rebalance::Lost(partitions())),
            (true, false, false, Rebalance::Lost(partitions())),
            (false, false, false, Rebalance::Revoked(partitions())),
            (true, true, false, Rebalance::Assigned(partitions())),
            (false, false, false, Rebalance::Revoked(partitions())),
        ] {
            if lost {
                context.lost();
            }
            context.rebalanced(assign, is_lost, partitions());
            assert_eq!(context.next_rebalance(), Some(expected));
        }
    }
}
