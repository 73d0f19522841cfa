//! Counts of everything, for `/metrics`, `/status` and the activity line. Names begin with `milvus_sink_`.

mod register;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::clock;
pub use super::positions::Position;
use super::positions::{Positions, Sums};
use super::requests::Requests;
use crate::budget::Budget;
use crate::cause::Cause;
use crate::data_loss::DataLoss;
use crate::topic_partition::TopicPartition;
use crate::watchdog::Kind as Watchdog;

const PREFIX: &str = "milvus_sink";

type Label = [(&'static str, &'static str); 1];
/// By a name that is not ours.
type OwnLabel = [(&'static str, String); 1];

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

/// What the consumer group did with our partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalanced {
    Assigned,
    Revoked,
    /// Without being asked.
    Lost,
}

impl Rebalanced {
    const ALL: [Self; 3] = [Self::Assigned, Self::Revoked, Self::Lost];

    fn label(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
        }
    }
}

/// What Milvus acknowledged of one collection; one for all of its writers.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    written: Counter,
    deleted: Counter,
    bytes: Counter,
}

/// What a request has done when it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Wrote,
    Deleted,
}

/// One per process. Counting never waits.
#[derive(Debug)]
pub struct Metrics {
    pub records_read: Counter,
    /// Of their keys, values and headers.
    pub(super) bytes_read: Counter,
    /// Of all collections together.
    pub rows_written: Counter,
    pub rows_deleted: Counter,
    pub rows_superseded: Counter,
    /// Of acknowledged requests, encoded.
    pub(super) bytes_sent: Counter,
    pub batches_settled: Counter,
    pub dead_letters: Counter,
    pub dead_letters_failed: Counter,
    partitions_lost: Counter,
    pub assigned_partitions: Gauge,
    pub requests: Arc<Requests>,
    /// Requests that ended, those of them that were acknowledged, and how long all together took.
    pub(super) attempts: Counter,
    pub(super) acknowledged: Counter,
    pub(super) attempt_seconds: Counter<f64, AtomicU64>,
    written: Family<OwnLabel, Counter>,
    deleted: Family<OwnLabel, Counter>,
    bytes_written: Family<OwnLabel, Counter>,
    skipped: Family<Label, Counter>,
    last_bad_record: Gauge<f64, AtomicU64>,
    attempts_failed: Family<Label, Counter>,
    data_losses: Family<Label, Counter>,
    records_lost: Family<[(&'static str, String); 2], Counter>,
    request_duration: Histogram,
    request_rows: Histogram,
    request_bytes: Histogram,
    event_latency: Histogram,
    commits: Family<Label, Counter>,
    rebalances: Family<Label, Counter>,
    held: Family<Label, Gauge>,
    holds: Family<Label, Counter>,
    halted: Family<Label, Gauge>,
    connected: Family<Label, Gauge>,
    watchdog_alarms: Family<Label, Counter>,
    positions: Arc<Positions>,
    registry: Registry,
}

impl Flow {
    pub(super) fn rows_written(&self) -> u64 {
        self.written.get()
    }

    pub(super) fn rows_deleted(&self) -> u64 {
        self.deleted.get()
    }
}

impl Metrics {
    /// Of a sink without a name.
    pub fn new(budget: Arc<Budget>) -> Arc<Self> {
        Self::build(Registry::with_prefix(PREFIX), usize::MAX, budget)
    }

    /// Every series says whose it is. With more partitions than `most_partitions` none is named.
    pub fn of(sink: &str, most_partitions: usize, budget: Arc<Budget>) -> Arc<Self> {
        let label = (Cow::Borrowed("sink"), Cow::Owned(sink.to_owned()));
        let registry = Registry::with_prefix_and_labels(PREFIX, std::iter::once(label));
        Self::build(registry, most_partitions, budget)
    }

    pub fn read(&self, records: usize, bytes: usize) {
        self.records_read.inc_by(records as u64);
        self.bytes_read.inc_by(bytes as u64);
    }

    pub fn skip(&self, why: Skipped, records: u64) {
        self.skipped
            .get_or_create(&[("reason", why.label())])
            .inc_by(records);
        if why == Skipped::BadRecord {
            self.last_bad_record.set(clock::now().as_secs_f64());
        }
    }

    /// Records passed over, for whatever reason.
    pub fn records_skipped(&self) -> u64 {
        Skipped::ALL.map(|why| self.skipped(why)).iter().sum()
    }

    pub fn skipped(&self, why: Skipped) -> u64 {
        self.skipped.get_or_create(&[("reason", why.label())]).get()
    }

    /// Rows and deletes that Milvus acknowledged.
    pub fn changes_written(&self) -> u64 {
        self.rows_written.get() + self.rows_deleted.get()
    }

    /// What goes to one collection.
    pub fn flow(&self, collection: &str) -> Flow {
        let label = [("collection", collection.to_owned())];
        Flow {
            written: self.written.get_or_create_owned(&label),
            deleted: self.deleted.get_or_create_owned(&label),
            bytes: self.bytes_written.get_or_create_owned(&label),
        }
    }

    /// One request was acknowledged, with so many rows or keys, encoded in so many bytes.
    pub fn acknowledged(&self, flow: &Flow, done: Done, rows: u32, bytes: usize) {
        let (of_all, of_collection) = match done {
            Done::Wrote => (&self.rows_written, &flow.written),
            Done::Deleted => (&self.rows_deleted, &flow.deleted),
        };
        self.acknowledged.inc();
        of_all.inc_by(u64::from(rows));
        of_collection.inc_by(u64::from(rows));
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX); // far above what a message may have
        self.bytes_sent.inc_by(u64::from(bytes));
        flow.bytes.inc_by(u64::from(bytes));
        self.request_rows.observe(f64::from(rows));
        self.request_bytes.observe(f64::from(bytes));
    }

    /// A batch was acknowledged whose oldest record has this timestamp of Kafka's, in milliseconds since 1970.
    pub fn arrived(&self, oldest_ms: i64) {
        let latency = clock::since(oldest_ms, clock::now());
        self.event_latency.observe(latency.as_secs_f64());
    }

    /// One request to Milvus ended, well or not.
    pub fn request_took(&self, duration: Duration) {
        self.attempts.inc();
        self.attempt_seconds.inc_by(duration.as_secs_f64());
        self.request_duration.observe(duration.as_secs_f64());
    }

    pub fn attempt_failed(&self, cause: &Cause) {
        self.attempts_failed
            .get_or_create(&[("cause", cause.label())])
            .inc();
    }

    /// Kafka answered a commit.
    pub fn committed(&self, succeeded: bool) {
        let result = if succeeded { "ok" } else { "failed" };
        self.commits.get_or_create(&[("result", result)]).inc();
    }

    /// And took so many partitions unasked.
    pub fn rebalanced(&self, what: Rebalanced, lost: usize) {
        self.partitions_lost.inc_by(lost as u64);
        self.rebalances
            .get_or_create(&[("event", what.label())])
            .inc();
    }

    /// How often a watchdog saw a standstill and said the state.
    pub fn watchdog_alarms(&self, watchdog: Watchdog) -> impl Deref<Target = Counter> {
        self.watchdog_alarms
            .get_or_create(&[("watchdog", watchdog.label())])
    }

    /// Of all partitions that are assigned.
    pub fn positions(&self) -> Vec<(TopicPartition, Position)> {
        self.positions.all()
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
            .set(topic_partition, position, Instant::now());
    }

    /// The partition is no longer ours.
    pub fn forget(&self, topic_partition: &TopicPartition) {
        self.positions.forget(topic_partition);
    }

    /// Of all partitions whose end is known.
    pub fn lag(&self) -> i64 {
        self.sums(Instant::now()).lag
    }

    pub(super) fn sums(&self, now: Instant) -> Sums {
        self.positions.sums(now)
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

    /// A hold of this kind has begun.
    pub(super) fn begin_hold(&self, cause: &'static str) {
        self.held(cause).inc();
        self.holds.get_or_create(&[("cause", cause)]).inc();
    }

    pub(super) fn halted(&self, cause: &'static str) -> Gauge {
        self.halted.get_or_create_owned(&[("cause", cause)])
    }

    pub(super) fn connected(&self, peer: &'static str) -> Gauge {
        self.connected.get_or_create_owned(&[("peer", peer)])
    }
}
