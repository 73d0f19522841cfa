//! Three sinks of one group, whatever becomes of each, and what all of them have done together.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Plan, Store};
use crate::kafka::{Cluster, Topic};
use crate::services;
use crate::sink::{Sink, SinkCommand};

pub(super) const SINKS: usize = 3;

const SETTINGS: [(&str, &str); 17] = [
    ("behavior.on.null.values", "delete"),
    ("errors.tolerance", "all"),
    ("errors.deadletterqueue.context.headers.enable", "true"),
    ("tasks.max", "2"),
    ("linger.ms", "20"),
    ("batch.max.rows", "200"),
    ("buffer.max.bytes", "8388608"),
    ("offset.flush.interval.ms", "200"),
    ("consumer.session.timeout.ms", "10000"),
    ("consumer.heartbeat.interval.ms", "1000"),
    // So soon are new partitions seen.
    ("consumer.metadata.max.age.ms", "3000"),
    ("consumer.socket.connection.setup.timeout.ms", "5000"),
    ("milvus.request.timeout.ms", "3000"),
    ("milvus.retry.backoff.max.ms", "500"),
    // Longer than a request is kept back by a network or a server that stands still.
    ("late.landing.grace.ms", "8000"),
    ("shutdown.timeout.ms", "20000"),
    ("log.level", "info"),
];
/// What [`SETTINGS`] say, and what a process needs besides.
pub(super) const SESSION: Duration = Duration::from_secs(10);
const SHUTDOWN: Duration = Duration::from_secs(20 + 5);

pub(super) struct Fleet {
    binary: PathBuf,
    config: String,
    endpoints: Vec<String>,
    name: String,
    state: Mutex<State>,
}

struct State {
    sinks: Vec<Arc<Sink>>,
    past: Tally,
}

/// What processes have done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) processes: u64,
    pub(super) read: i64,
    pub(super) written: i64,
    pub(super) assignments: u64,
    pub(super) given_up: u64,
    pub(super) most_memory_kib: u64,
}

impl Fleet {
    pub(super) fn start(
        plan: &Plan<'_>,
        cluster: &Cluster,
        store: &Store,
        topic: &Topic,
        collection: &str,
    ) -> Fleet {
        let name = services::unique("chaos");
        let token = store.token().map(|token| format!("token={token}\n"));
        let config = format!(
            "name={name}\nbootstrap.servers={}\ntopics={}\ncollection.name={collection}\n\
             errors.deadletterqueue.topic.name={name}-dead\n{}",
            cluster.proxied_bootstrap(),
            topic.name(),
            token.unwrap_or_default(),
        );
        let fleet = Fleet {
            binary: plan.binary.to_owned(),
            config,
            endpoints: store.endpoints(),
            name,
            state: Mutex::new(State {
                sinks: Vec::new(),
                past: Tally::default(),
            }),
        };
        let sinks = (0..SINKS).map(|which| Arc::new(fleet.command(which).start()));
        let sinks = sinks.collect();
        fleet.state().sinks = sinks;
        fleet
    }

    pub(super) fn group(&self) -> String {
        format!("connect-{}", self.name)
    }

    pub(super) fn dead_letters(&self) -> String {
        format!("{}-dead", self.name)
    }

    /// `verify`, with the configuration that the sinks have.
    pub(super) fn verify(&self) -> SinkCommand {
        let command = Sink::new(&self.binary).arg("verify").arg("--json");
        self.configured(command, 0)
    }

    fn command(&self, which: usize) -> SinkCommand {
        self.configured(Sink::new(&self.binary), which)
    }

    /// Through its own proxy to Milvus.
    fn configured(&self, command: SinkCommand, which: usize) -> SinkCommand {
        let endpoint = format!("public.endpoint={}\n", self.endpoints[which]);
        let command = command.config(&(self.config.clone() + &endpoint));
        let set = |command: SinkCommand, (key, value): (&str, &str)| command.set(key, value);
        SETTINGS.into_iter().fold(command, set)
    }

    pub(super) fn sink(&self, which: usize) -> Arc<Sink> {
        Arc::clone(&self.state().sinks[which])
    }

    /// SIGKILL.
    pub(super) fn kill(&self, which: usize) {
        let sink = self.running(which);
        let tally = Tally::of(&sink);
        sink.kill();
        self.state().past.add(tally);
    }

    /// SIGTERM: it ends in time, and with 0 if and only if it gave nothing up.
    pub(super) fn terminate(&self, which: usize) -> i32 {
        let sink = self.running(which);
        let tally = Tally::of(&sink);
        let code = sink.terminate(SHUTDOWN);
        let output = sink.output();
        let end = output.split_once(ASKED_TO_STOP).map_or("", |(_, end)| end);
        let has_left = end.contains(GIVEN_UP);
        let is_as_said = matches!((code, has_left), (0, false) | (1, _));
        assert!(is_as_said, "sink {which} ended with {code}: {output}");
        let after = Tally::of_log(&sink);
        self.state().past.add(Tally {
            read: after.read.max(tally.read),
            written: after.written.max(tally.written),
            most_memory_kib: tally.most_memory_kib,
            ..after
        });
        code
    }

    /// In the place of one that has ended.
    pub(super) fn start_again(&self, which: usize) {
        let sink = Arc::new(self.command(which).start());
        self.state().sinks[which] = sink;
    }

    /// The sink, of which nobody has asked to end.
    pub(super) fn running(&self, which: usize) -> Arc<Sink> {
        let sink = self.sink(which);
        if !sink.runs() {
            let code = sink.wait_exit(Duration::from_secs(1));
            panic!(
                "sink {which} ended by itself with {code}: {}",
                sink.output()
            );
        }
        sink
    }

    /// Grows with every change in who has which partition.
    pub(super) fn tenures(&self) -> u64 {
        let tally = self.tally(Tally::of_log);
        tally.assignments + tally.processes
    }

    pub(super) fn total(&self) -> Tally {
        self.tally(Tally::of)
    }

    fn tally(&self, of: fn(&Sink) -> Tally) -> Tally {
        let state = self.state();
        let mut tally = state.past;
        let running = state.sinks.iter().filter(|sink| sink.runs());
        for sink in running {
            tally.add(of(sink));
        }
        tally
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// What it says last, where it ends well: `in all: 9 records read, 7 rows written, 1 deleted in 2.5 s`.
const TOTALS: &str = "in all: ";
const ASSIGNED: &str = "partitions assigned: ";
const ASKED_TO_STOP: &str = "asked to stop; draining";
const GIVEN_UP: &str = "given up before everything read was written and committed";

impl Tally {
    fn of(sink: &Sink) -> Tally {
        Tally {
            read: sink.metric("milvus_sink_records_read_total"),
            written: sink.metric("milvus_sink_rows_written_total")
                + sink.metric("milvus_sink_rows_deleted_total"),
            most_memory_kib: sink.peak_rss_kib(),
            ..Tally::of_log(sink)
        }
    }

    fn of_log(sink: &Sink) -> Tally {
        let output = sink.output();
        let count = |what: &str| output.lines().filter(|line| line.contains(what)).count();
        let totals = sink.find_line(TOTALS).unwrap_or_default();
        let totals = totals.split_once(TOTALS).map_or("", |(_, totals)| totals);
        let total = |what: &str| {
            let part = totals.split(", ").find(|part| part.contains(what));
            let number = part.and_then(|part| part.split(' ').next()?.parse().ok());
            number.unwrap_or(0)
        };
        Tally {
            processes: 1,
            read: total("records read"),
            written: total("rows written") + total("deleted"),
            assignments: u64::try_from(count(ASSIGNED)).unwrap(),
            given_up: u64::try_from(count(GIVEN_UP)).unwrap(),
            ..Tally::default()
        }
    }

    fn add(&mut self, other: Tally) {
        self.processes += other.processes;
        self.read += other.read;
        self.written += other.written;
        self.assignments += other.assignments;
        self.given_up += other.given_up;
        self.most_memory_kib = self.most_memory_kib.max(other.most_memory_kib);
    }
}
