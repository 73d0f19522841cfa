//! Counts of everything, for `/metrics` and the activity line. Names begin with `milvus_sink_`.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use super::collectors::Position;
use super::collectors::{Buffer, Positions};
use super::requests::Requests;
use crate::budget::Budget;
use crate::cause::Cause;
use crate::data_loss::DataLoss;
use crate::topic_partition::TopicPartition;
use crate::watchdog::Kind as Watchdog;

/// From 1 ms, a small insert on a near server, to the longest sensible time-out.
const REQUEST_SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

type Label = [(&'static str, &'static str); 1];

/// Why a record was passed over by policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    Tombstone,
    BadRecord,
}

impl Skipped {
    const ALL: [Self; 2] = [Self::Tombstone, Self::BadRecord];

    fn label(self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::BadRecord => "bad_record",
        }
    }
}

/// One per process. Counting never waits.
#[derive(Debug)]
pub struct Metrics {
    pub records_read: Counter,
    pub rows_written: Counter,
    pub rows_deleted: Counter,
    pub rows_superseded: Counter,
    pub batches_settled: Counter,
    pub dead_letters: Counter,
    pub halted_partitions: Gauge,
    pub assigned_partitions: Gauge,
    pub requests: Arc<Requests>,
    skipped: Family<Label, Counter>,
    attempts_failed: Family<Label, Counter>,
    data_losses: Family<Label, Counter>,
    records_lost: Family<[(&'static str, String); 2], Counter>,
    request_duration: Histogram,
    held: Family<Label, Gauge>,
    connected: Family<Label, Gauge>,
    watchdog_alarms: Family<Label, Counter>,
    positions: Arc<Positions>,
    registry: Registry,
}

impl Metrics {
    pub fn new(budget: Arc<Budget>) -> Arc<Self> {
        let mut metrics = Self {
            records_read: Counter::default(),
            rows_written: Counter::default(),
            rows_deleted: Counter::default(),
            rows_superseded: Counter::default(),
            batches_settled: Counter::default(),
            dead_letters: Counter::default(),
            halted_partitions: Gauge::default(),
            assigned_partitions: Gauge::default(),
            requests: Arc::default(),
            skipped: Family::default(),
            attempts_failed: Family::default(),
            data_losses: Family::default(),
            records_lost: Family::default(),
            request_duration: Histogram::new(REQUEST_SECONDS),
            held: Family::default(),
            connected: Family::default(),
            watchdog_alarms: Family::default(),
            positions: Arc::default(),
            registry: Registry::with_prefix("milvus_sink"),
        };
        // So that a count of 0 is there before the first.
        for skipped in Skipped::ALL {
            drop(
                metrics
                    .skipped
                    .get_or_create(&[("reason", skipped.label())]),
            );
        }
        for watchdog in Watchdog::ALL {
            drop(metrics.watchdog_alarms(watchdog));
        }
        metrics.register_counts();
        metrics.register_troubles();
        metrics.register_states(budget);
        Arc::new(metrics)
    }

    pub fn skip(&self, why: Skipped, records: u64) {
        self.skipped
            .get_or_create(&[("reason", why.label())])
            .inc_by(records);
    }

    /// Records passed over, for whatever reason.
    pub fn records_skipped(&self) -> u64 {
        let of = |why: Skipped| self.skipped.get_or_create(&[("reason", why.label())]).get();
        Skipped::ALL.map(of).iter().sum()
    }

    /// Rows and deletes that Milvus acknowledged.
    pub fn changes_written(&self) -> u64 {
        self.rows_written.get() + self.rows_deleted.get()
    }

    /// One request to Milvus ended, well or not.
    pub fn request_took(&self, duration: Duration) {
        self.request_duration.observe(duration.as_secs_f64());
    }

    pub fn attempt_failed(&self, cause: &Cause) {
        self.attempts_failed
            .get_or_create(&[("cause", cause.label())])
            .inc();
    }

    /// How often a watchdog saw a standstill and said the state.
    pub fn watchdog_alarms(&self, watchdog: Watchdog) -> impl Deref<Target = Counter> {
        self.watchdog_alarms
            .get_or_create(&[("watchdog", watchdog.label())])
    }

    /// Of all partitions that are assigned.
    pub fn positions(&self) -> Vec<(TopicPartition, Position)> {
        let positions = self.positions.lock();
        let copied = positions
            .iter()
            .map(|(at, position)| (at.clone(), *position));
        copied.collect()
    }

    pub fn lost(&self, loss: &DataLoss) {
        let labels = [("cause", loss.label())];
        self.data_losses.get_or_create(&labels).inc();
        let partition = loss.at.partition.to_string();
        let labels = [
            ("topic", loss.at.topic.to_string()),
            ("partition", partition),
        ];
        let records = self.records_lost.get_or_create(&labels);
        records.inc_by(loss.offsets());
    }

    pub fn set_position(&self, topic_partition: &TopicPartition, position: Position) {
        self.positions
            .lock()
            .insert(topic_partition.clone(), position);
    }

    /// The partition is no longer ours.
    pub fn forget(&self, topic_partition: &TopicPartition) {
        self.positions.lock().remove(topic_partition);
    }

    /// Of all partitions whose end is known.
    pub fn lag(&self) -> i64 {
        self.positions
            .lock()
            .values()
            .filter_map(|position| position.lag)
            .sum()
    }

    /// In the OpenMetrics text format.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }

    pub(super) fn held(&self, cause: &'static str) -> Gauge {
        self.held.get_or_create_owned(&[("cause", cause)])
    }

    pub(super) fn connected(&self, peer: &'static str) -> Gauge {
        self.connected.get_or_create_owned(&[("peer", peer)])
    }

    fn register_counts(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "records_read",
            "Kafka records read",
            self.records_read.clone(),
        );
        registry.register(
            "rows_written",
            "Rows that Milvus acknowledged",
            self.rows_written.clone(),
        );
        registry.register(
            "rows_deleted",
            "Keys whose delete Milvus acknowledged",
            self.rows_deleted.clone(),
        );
        registry.register(
            "rows_superseded",
            "Rows and deletes left out because a newer change of their key was acknowledged",
            self.rows_superseded.clone(),
        );
        registry.register(
            "records_skipped",
            "Records passed over by policy",
            self.skipped.clone(),
        );
        registry.register(
            "batches_settled",
            "Batches settled",
            self.batches_settled.clone(),
        );
        registry.register(
            "dead_letters",
            "Bad records whose dead letter Kafka confirmed",
            self.dead_letters.clone(),
        );
    }

    fn register_troubles(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "watchdog_alarms",
            "Standstills that a watchdog noticed, by watchdog",
            self.watchdog_alarms.clone(),
        );
        registry.register(
            "attempts_failed",
            "Requests to Milvus that did not succeed, by cause",
            self.attempts_failed.clone(),
        );
        registry.register(
            "data_losses",
            "Times that Kafka no longer had records to be read, or could not give them, by cause",
            self.data_losses.clone(),
        );
        registry.register(
            "records_lost",
            "Offsets of those records, where it is known which",
            self.records_lost.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time of one request to Milvus, successful or not",
            Unit::Seconds,
            self.request_duration.clone(),
        );
    }

    fn register_states(&mut self, budget: Arc<Budget>) {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "The running version",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "held",
            "Standing still until the world allows, by cause",
            self.held.clone(),
        );
        registry.register(
            "halted_partitions",
            "Partitions that need a person",
            self.halted_partitions.clone(),
        );
        registry.register(
            "assigned_partitions",
            "Partitions that the consumer group gave to this process",
            self.assigned_partitions.clone(),
        );
        registry.register(
            "connected",
            "1 while the peer answers",
            self.connected.clone(),
        );
        registry.register_collector(Box::new(Buffer(budget)));
        registry.register_collector(Box::new(Arc::clone(&self.positions)));
        registry.register_collector(Box::new(Arc::clone(&self.requests)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_on_the_page_under_its_name() {
        let budget = Budget::new(100);
        let _charge = budget.charge(40);
        let metrics = Metrics::new(budget);
        metrics.records_read.inc_by(5);
        metrics.rows_written.inc_by(3);
        metrics.rows_deleted.inc_by(2);
        metrics.rows_superseded.inc();
        metrics.batches_settled.inc();
        metrics.dead_letters.inc_by(4);
        metrics.skip(Skipped::BadRecord, 2);
        metrics.attempt_failed(&Cause::NotAssigned);
        metrics.request_took(Duration::from_millis(30));
        metrics.held("milvus_busy").inc();
        metrics.connected("kafka").set(1);
        metrics.halted_partitions.set(1);
        metrics.watchdog_alarms(Watchdog::Commit).inc();
        metrics.assigned_partitions.set(4);
        let page = metrics.encode().unwrap();
        for line in [
            "milvus_sink_records_read_total 5",
            "milvus_sink_rows_written_total 3",
            "milvus_sink_rows_deleted_total 2",
            "milvus_sink_rows_superseded_total 1",
            "milvus_sink_batches_settled_total 1",
            "milvus_sink_dead_letters_total 4",
            "milvus_sink_records_skipped_total{reason=\"tombstone\"} 0",
            "milvus_sink_records_skipped_total{reason=\"bad_record\"} 2",
            "milvus_sink_attempts_failed_total{cause=\"not_assigned\"} 1",
            "milvus_sink_request_duration_seconds_count 1",
            "milvus_sink_request_duration_seconds_bucket{le=\"0.025\"} 0",
            "milvus_sink_request_duration_seconds_bucket{le=\"0.05\"} 1",
            "milvus_sink_held{cause=\"milvus_busy\"} 1",
            "milvus_sink_connected{peer=\"kafka\"} 1",
            "milvus_sink_halted_partitions 1",
            "milvus_sink_assigned_partitions 4",
            "milvus_sink_buffer_used_bytes 40",
            "milvus_sink_buffer_limit_bytes 100",
            "milvus_sink_watchdog_alarms_total{watchdog=\"poll_loop\"} 0",
            "milvus_sink_watchdog_alarms_total{watchdog=\"commit\"} 1",
            "milvus_sink_requests_under_way 0",
            "milvus_sink_oldest_request_seconds 0.0",
            "# HELP milvus_sink_lag_records Records not settled yet.",
            "# EOF",
        ] {
            assert!(
                page.lines().any(|found| found == line),
                "no line {line:?} in\n{page}"
            );
        }
    }

    #[test]
    fn a_partition_is_on_the_page_while_it_is_ours_with_what_is_known_of_it() {
        let metrics = Metrics::new(Budget::new(1));
        let first = TopicPartition::new("t", 0);
        let second = TopicPartition::new("t", 1);
        let position = |lag| Position {
            settled: Some(40),
            lag: Some(lag),
            ..Position::default()
        };
        metrics.set_position(&first, position(10));
        metrics.set_position(&second, position(5));
        assert_eq!(metrics.lag(), 15);
        let page = metrics.encode().unwrap();
        assert!(
            page.contains("milvus_sink_lag_records{topic=\"t\",partition=\"0\"} 10\n"),
            "{page}"
        );
        assert!(
            page.contains("milvus_sink_settled_offset{topic=\"t\",partition=\"1\"} 40\n"),
            "{page}"
        );
        assert!(!page.contains("committed_offset{"), "{page}");
        metrics.forget(&first);
        assert_eq!(metrics.lag(), 5);
        assert!(!metrics.encode().unwrap().contains("partition=\"0\""));
    }
}
