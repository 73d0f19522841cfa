//! Three sinks, three brokers and a Milvus, among which everything fails that can, by a seed; then it heals, and what is
//! there is compared with what was produced.
//!
//! `make test` runs a minute of it, `make chaos` as much as is asked for.

mod audit;
mod fleet;
mod hands;
mod history;
mod journal;
mod monitor;
mod producer;
mod report;
mod store;
mod stream;

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Collection;
use crate::kafka::{Cluster, Topic};
use crate::{services, wait};

use fleet::{Fleet, SINKS};
use hands::{KafkaHand, MilvusHand, SinkHand};
use journal::Journal;
use monitor::{Counts, Monitor, Offsets};
use producer::Producer;
pub use report::Report;
pub use store::Kind;
use store::Store;

/// At the start; more are added on the way.
const PARTITIONS: i32 = 4;
/// At the end at most.
const MOST_PARTITIONS: i32 = 12;
const NO_LAG: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(60);

/// What is to be done to whom.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The sink: the faults of a debug build are those of a release.
    pub binary: &'a Path,
    pub seed: u64,
    /// How long faults are made; healing and the audit come on top.
    pub length: Duration,
    pub milvus: Kind,
    /// Records a second.
    pub rate: u32,
    /// Is told what happens.
    pub say: fn(&str),
}

/// Panics, with the seed and the place of the story, when anything is not as it must be.
pub fn run(plan: &Plan<'_>, cluster: Cluster) -> (Report, Cluster) {
    let journal = Journal::new(plan);
    let topic = cluster.topic("chaos", PARTITIONS, &[]);
    let store = Store::start(plan.milvus);
    let collection = services::unique_collection("chaos");
    let schema = Collection::new(&collection).int64_key("id");
    let schema = schema.varchar("title", 64).float_vector("vector", 4);
    store.client().create(&schema);
    let fleet = Fleet::start(plan, &cluster, &store, &topic, &collection);
    let world = World {
        offsets: Offsets::new(&cluster.bootstrap(), topic.name(), &fleet.group()),
        producer: Producer::start(&topic, plan.seed, plan.rate),
        stop: Stop::default(),
        journal,
        fleet,
        topic,
        collection,
    };
    let watching = Stop::default();
    let monitor = Monitor::new(&world, plan, store.client());
    let (cluster, store, counts) = std::thread::scope(|scope| {
        let monitor = scope.spawn(|| monitor.watch(&watching));
        let until_the_end = SetAtEnd(&watching);
        let (cluster, store) = world.suffer(plan, cluster, store, || monitor.is_finished());
        world.await_no_lag();
        drop(until_the_end);
        (cluster, store, world.unless_failed(monitor.join()))
    });
    let report = world.finish(plan, &store, counts);
    (report, cluster)
}

/// What all threads of a run look at.
struct World {
    topic: Topic,
    collection: String,
    offsets: Offsets,
    producer: Producer,
    fleet: Fleet,
    journal: Journal,
    stop: Stop,
}

impl World {
    /// Three hands break things, each its own, until the time is over; each heals what it broke.
    fn suffer(
        &self,
        plan: &Plan<'_>,
        cluster: Cluster,
        store: Store,
        has_failed: impl Fn() -> bool,
    ) -> (Cluster, Store) {
        let mut kafka = KafkaHand::new(self, plan.seed, cluster);
        let mut milvus = MilvusHand::new(self, plan.milvus, plan.seed, store);
        let mut sinks = SinkHand::new(self, plan.seed);
        std::thread::scope(|scope| {
            let (sinks, kafka, milvus) = (&mut sinks, &mut kafka, &mut milvus);
            let hands = [
                scope.spawn(move || sinks.work()),
                scope.spawn(move || kafka.work()),
                scope.spawn(move || milvus.work()),
            ];
            let end = Instant::now() + plan.length;
            let one_is_over = || has_failed() || hands.iter().any(|hand| hand.is_finished());
            while Instant::now() < end && !one_is_over() {
                self.stop.wait(Duration::from_millis(200));
            }
            self.stop.set();
            for hand in hands {
                self.unless_failed(hand.join());
            }
        });
        self.journal.healed();
        (kafka.cluster, milvus.store)
    }

    /// By itself everything is written and committed.
    fn await_no_lag(&self) {
        let ends = self.producer.finish();
        let what = format_args!("{ends:?} to be committed");
        wait::until(NO_LAG, what, || self.is_committed(&ends));
        self.journal.no_lag();
        for sink in 0..SINKS {
            self.fleet.running(sink).await_readyz(200, SOON);
        }
    }

    fn is_committed(&self, ends: &[i64]) -> bool {
        let committed = self.offsets.committed(ends.len());
        committed.is_some_and(|committed| committed == ends)
    }

    fn unless_failed<T>(&self, end: std::thread::Result<T>) -> T {
        end.unwrap_or_else(|panic| {
            (self.journal).say("failed");
            std::panic::resume_unwind(panic)
        })
    }

    fn finish(&self, plan: &Plan<'_>, store: &Store, counts: Counts) -> Report {
        let audit = audit::Audit::new(self, plan, store);
        audit.rows();
        audit.dead_letters();
        audit.verify();
        let total = audit.end_sinks();
        Report::new(self, plan, counts, total)
    }
}

/// Ends a thread also where the one that waits for it panics.
struct SetAtEnd<'a>(&'a Stop);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Tells threads to end, and lets them wait until then.
#[derive(Debug, Default)]
struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn is_set(&self) -> bool {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, and says whether it is not set.
    fn goes_on(&self, duration: Duration) -> bool {
        self.wait(duration);
        !self.is_set()
    }

    /// Waits so long, or until it is set.
    fn wait(&self, duration: Duration) {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.changed
                .wait_timeout_while(is_set, duration, |set| !*set),
        );
    }
}
