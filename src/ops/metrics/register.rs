//! The name, unit and meaning of everything that is counted, as `/metrics` has them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::{Metrics, Rebalanced, Skipped};
use crate::budget::Budget;
use crate::cause::Cause;
use crate::data_loss::DataLoss;
use crate::ops::buffer::Buffer;
use crate::ops::clock;
use crate::ops::positions::Positions;
use crate::ops::scope::Peer;
use crate::watchdog::Kind as Watchdog;

/// From 1 ms, a small insert on a near server, to the longest sensible time-out.
const REQUEST_SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// From a lonely row to a hundred times the default of `batch.max.rows`.
const REQUEST_ROWS: [f64; 13] = [
    1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6,
];
/// From 1 KiB to 64 MiB, which is more than Milvus takes.
const REQUEST_BYTES: [f64; 9] = [
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// From what `linger.ms` alone may take to records of yesterday, which a back-fill reads.
const EVENT_SECONDS: [f64; 15] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 7200.0, 86_400.0,
];

impl Metrics {
    pub(super) fn build(
        registry: Registry,
        most_partitions: usize,
        budget: Arc<Budget>,
    ) -> Arc<Self> {
        let mut metrics = Self {
            records_read: Counter::default(),
            bytes_read: Counter::default(),
            rows_written: Counter::default(),
            rows_deleted: Counter::default(),
            rows_superseded: Counter::default(),
            bytes_sent: Counter::default(),
            batches_settled: Counter::default(),
            dead_letters: Counter::default(),
            dead_letters_failed: Counter::default(),
            partitions_lost: Counter::default(),
            assigned_partitions: Gauge::default(),
            requests: Arc::default(),
            attempts: Counter::default(),
            acknowledged: Counter::default(),
            attempt_seconds: Counter::default(),
            written: Family::default(),
            deleted: Family::default(),
            bytes_written: Family::default(),
            skipped: Family::default(),
            last_bad_record: Gauge::default(),
            attempts_failed: Family::default(),
            data_losses: Family::default(),
            records_lost: Family::default(),
            request_duration: Histogram::new(REQUEST_SECONDS),
            request_rows: Histogram::new(REQUEST_ROWS),
            request_bytes: Histogram::new(REQUEST_BYTES),
            event_latency: Histogram::new(EVENT_SECONDS),
            commits: Family::default(),
            rebalances: Family::default(),
            held: Family::default(),
            holds: Family::default(),
            halted: Family::default(),
            connected: Family::default(),
            watchdog_alarms: Family::default(),
            positions: Arc::new(Positions::showing(most_partitions)),
            registry,
        };
        metrics.begin_with_nothing();
        metrics.register_records();
        metrics.register_rows();
        metrics.register_requests();
        metrics.register_troubles();
        metrics.register_kafka();
        metrics.register_states(budget);
        Arc::new(metrics)
    }

    /// A count of 0 is there before the first, or nobody could see it rise.
    fn begin_with_nothing(&self) {
        for skipped in Skipped::ALL {
            drop(self.skipped.get_or_create(&[("reason", skipped.label())]));
        }
        for watchdog in Watchdog::ALL {
            drop(self.watchdog_alarms(watchdog));
        }
        for cause in DataLoss::LABELS {
            drop(self.data_losses.get_or_create(&[("cause", cause)]));
        }
        for cause in Cause::HELD_BY_KAFKA
            .into_iter()
            .chain(Cause::HELD_BY_MILVUS)
        {
            self.held(cause).set(0);
            drop(self.holds.get_or_create(&[("cause", cause)]));
        }
        for cause in Cause::HALTED.into_iter().chain(DataLoss::LABELS) {
            self.halted(cause).set(0);
        }
        let of_requests = ["refused", "short_count"];
        for cause in Cause::HELD_BY_MILVUS.into_iter().chain(of_requests) {
            drop(self.attempts_failed.get_or_create(&[("cause", cause)]));
        }
        for result in ["ok", "failed"] {
            drop(self.commits.get_or_create(&[("result", result)]));
        }
        for event in Rebalanced::ALL {
            drop(self.rebalances.get_or_create(&[("event", event.label())]));
        }
        for peer in [Peer::Kafka, Peer::Milvus] {
            self.connected(peer.label()).set(0);
        }
    }

    fn register_records(&mut self) {
        let registry = &mut self.registry;
        let counter = self.records_read.clone();
        registry.register("records_read", "Kafka records read", counter);
        let help = "Bytes of their keys, values and headers";
        registry.register_with_unit("read", help, Unit::Bytes, self.bytes_read.clone());
        registry.register(
            "records_skipped",
            "Records passed over by policy, by reason",
            self.skipped.clone(),
        );
        registry.register_with_unit(
            "last_bad_record_timestamp",
            "When a bad record was passed over last, since 1970; 0: never",
            Unit::Seconds,
            self.last_bad_record.clone(),
        );
        registry.register(
            "dead_letters",
            "Bad records whose dead letter Kafka confirmed",
            self.dead_letters.clone(),
        );
        registry.register(
            "dead_letters_failed",
            "Attempts to keep a dead letter that did not succeed",
            self.dead_letters_failed.clone(),
        );
        registry.register_with_unit(
            "event_latency",
            "From the timestamp of a batch's oldest record to its acknowledgement",
            Unit::Seconds,
            self.event_latency.clone(),
        );
    }

    fn register_rows(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "rows_written",
            "Rows that Milvus acknowledged, by collection",
            self.written.clone(),
        );
        registry.register(
            "rows_deleted",
            "Keys whose delete Milvus acknowledged, by collection",
            self.deleted.clone(),
        );
        registry.register(
            "rows_superseded",
            "Rows and deletes left out because a newer change of their key was acknowledged",
            self.rows_superseded.clone(),
        );
        registry.register_with_unit(
            "written",
            "Encoded bytes of acknowledged requests, by collection",
            Unit::Bytes,
            self.bytes_written.clone(),
        );
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let counter = self.batches_settled.clone();
        registry.register("batches_settled", "Batches settled", counter);
        registry.register(
            "attempts",
            "Requests to Milvus that ended, successful or not",
            self.attempts.clone(),
        );
        registry.register(
            "attempts_failed",
            "Requests to Milvus that did not succeed, by cause",
            self.attempts_failed.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time of one request to Milvus, successful or not",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        registry.register(
            "request_rows",
            "Rows or keys of one acknowledged request",
            self.request_rows.clone(),
        );
        registry.register_with_unit(
            "request",
            "Encoded bytes of one acknowledged request",
            Unit::Bytes,
            self.request_bytes.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(&self.requests)));
    }

    fn register_troubles(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "held",
            "Standing still until the world allows, by cause",
            self.held.clone(),
        );
        registry.register(
            "holds",
            "Times that something began to stand still until the world allows, by cause",
            self.holds.clone(),
        );
        registry.register(
            "halted_partitions",
            "Partitions that need a person, by cause",
            self.halted.clone(),
        );
        registry.register(
            "watchdog_alarms",
            "Standstills that a watchdog noticed, by watchdog",
            self.watchdog_alarms.clone(),
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
    }

    fn register_kafka(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "assigned_partitions",
            "Partitions that the consumer group gave to this process",
            self.assigned_partitions.clone(),
        );
        registry.register(
            "rebalances",
            "Times that the consumer group gave partitions, asked for them, or took them unasked",
            self.rebalances.clone(),
        );
        registry.register(
            "partitions_lost",
            "Partitions that were taken unasked",
            self.partitions_lost.clone(),
        );
        registry.register(
            "commits",
            "Commits that Kafka took or did not take",
            self.commits.clone(),
        );
        registry.register_collector(Box::new(Arc::clone(&self.positions)));
    }

    fn register_states(&mut self, budget: Arc<Budget>) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", version);
        let start = Gauge::<f64, AtomicU64>::default();
        start.set(clock::now().as_secs_f64());
        let help = "When the process started, since 1970";
        registry.register_with_unit("start_time", help, Unit::Seconds, start);
        registry.register(
            "connected",
            "1 while the peer answers",
            self.connected.clone(),
        );
        registry.register_collector(Box::new(Buffer(budget)));
    }
}
