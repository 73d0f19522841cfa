//! Where stations report what is held, halted, assigned and connected; each change is logged here, once.

pub(super) mod answers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::bad_records::BadRecords;
pub use super::bad_records::Fate;
use super::metrics::Metrics;
use super::pulse::Pulses;
use super::rate_limit::RateLimit;
pub use super::scope::{Peer, Scope, Standing};
use super::standstill::Standstill;
use crate::cause::Cause;
use crate::plan::Plan;
use crate::topic_partition::TopicPartition;

/// How often a hold is said again while it lasts.
const REMIND_HELD: Duration = Duration::from_secs(30);
const REMIND_HALTED: Duration = Duration::from_secs(60);

/// One per process, shared by all stations.
#[derive(Debug)]
pub struct Board {
    metrics: Arc<Metrics>,
    start: Instant,
    /// Milliseconds from `start` to the consumer loop's last turn.
    last_turn: AtomicU64,
    /// To the runtime's.
    last_run: AtomicU64,
    /// Of the writers.
    pub(crate) pulses: Pulses,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<Scope, Standstill>,
    /// What nothing needs now.
    ignored: BTreeSet<Scope>,
    halted: BTreeMap<TopicPartition, Standstill>,
    steps: BTreeMap<Scope, u64>,
    /// Bad records that were passed over.
    passed: BTreeMap<Scope, RateLimit>,
    bad_records: BadRecords,
    /// Collections that Milvus was asked for and has not described yet.
    asked: BTreeSet<Arc<str>>,
    plans: BTreeMap<Arc<str>, Arc<Plan>>,
    /// `None` until the group gave a first assignment, which may be empty.
    assigned: Option<usize>,
    connected: BTreeMap<Peer, bool>,
    /// Peers that were connected at least once.
    met: BTreeSet<Peer>,
}

impl Board {
    pub fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Self::at(metrics, Instant::now())
    }

    /// The consumer loop counts as having turned at `start`.
    pub(super) fn at(metrics: Arc<Metrics>, start: Instant) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            start,
            last_turn: AtomicU64::new(0),
            last_run: AtomicU64::new(0),
            pulses: Pulses::new(start),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world is in the way of `scope`. Said when it begins and when it becomes a hold of another kind.
    pub fn hold(&self, scope: Scope, cause: Cause) {
        let mut state = self.lock();
        if state.ignored.contains(&scope) {
            return;
        }
        let standstill = Standstill::new(cause);
        let label = standstill.cause.label();
        if let Some(known) = state.held.get_mut(&scope) {
            if known.cause.label() == label {
                known.cause = standstill.cause;
                return;
            }
            self.metrics.held(known.cause.label()).dec();
            warn!(%scope, cause = label, why = %standstill.cause, "held");
            (known.cause, known.said) = (standstill.cause, standstill.said);
        } else {
            warn!(%scope, cause = label, why = %standstill.cause, "held");
            state.held.insert(scope, standstill);
        }
        self.metrics.begin_hold(label);
    }

    /// `scope` goes on. Nothing happens where nothing was held.
    pub fn clear(&self, scope: &Scope) {
        if let Some(standstill) = self.lock().held.remove(scope) {
            let label = standstill.cause.label();
            self.metrics.held(label).dec();
            let held_ms = standstill.since.elapsed().as_millis();
            info!(%scope, cause = label, held_ms, "goes on");
        }
    }

    /// Nothing needs `scope` any more: that it waits is no longer said.
    pub fn ignore(&self, scope: Scope) {
        self.forget(&scope);
        self.lock().ignored.insert(scope);
    }

    /// Who waited for `scope` is gone.
    pub fn forget(&self, scope: &Scope) {
        if let Some(standstill) = self.lock().held.remove(scope) {
            let label = standstill.cause.label();
            self.metrics.held(label).dec();
            info!(%scope, cause = label, "nothing needs it any more");
        }
    }

    /// It is needed, again perhaps.
    pub fn heed(&self, scope: &Scope) {
        self.lock().ignored.remove(scope);
    }

    /// A person is needed for this partition. Said again only when the cause is another one.
    pub fn halt(&self, topic_partition: TopicPartition, cause: Cause) {
        let mut state = self.lock();
        let known = state.halted.get(&topic_partition);
        if known.is_some_and(|known| known.cause == cause) {
            return;
        }
        error!(partition = %topic_partition, cause = cause.label(), why = %cause, "halted");
        state.bad_records.note(&cause, Fate::Halted);
        self.metrics.halted(cause.label()).inc();
        let before = state.halted.insert(topic_partition, Standstill::new(cause));
        if let Some(before) = before {
            self.metrics.halted(before.cause.label()).dec();
        }
    }

    /// The halt ended with the partition's assignment.
    pub fn unhalt(&self, topic_partition: &TopicPartition) {
        if let Some(standstill) = self.lock().halted.remove(topic_partition) {
            self.metrics.halted(standstill.cause.label()).dec();
            info!(partition = %topic_partition, "no longer halted here: its assignment ended");
        }
    }

    /// A bad record that `scope` does not stand still for: said once in a while, with how many were not.
    pub fn pass(&self, scope: Scope, fate: Fate, record: &Cause) {
        let mut state = self.lock();
        state.bad_records.note(record, fate);
        let what = fate.said();
        match state.passed.entry(scope).or_default().allow(Instant::now()) {
            None => {}
            Some(0) => warn!("{what}: {record}"),
            Some(more) => warn!("{what}: {record}; and {more} more since the last of these lines"),
        }
    }

    /// At the end: what was left unsaid until now.
    pub fn say_rest(&self) {
        say_more(&mut self.lock().passed, RateLimit::rest);
    }

    /// Says again what still stands; called every second or so.
    pub fn tick(&self, now: Instant) {
        let mut state = self.lock();
        for (scope, standstill) in &mut state.held {
            if standstill.is_due(now, REMIND_HELD) {
                let (cause, held_s) = (&standstill.cause, standstill.seconds(now));
                warn!(%scope, cause = cause.label(), held_s, why = %cause, "still held");
            }
        }
        for (partition, standstill) in &mut state.halted {
            if standstill.is_due(now, REMIND_HALTED) {
                let (cause, halted_s) = (&standstill.cause, standstill.seconds(now));
                error!(%partition, cause = cause.label(), halted_s, why = %cause, "still halted");
            }
        }
        say_more(&mut state.passed, |limit| limit.due(now));
    }

    /// The group assigned this many partitions in all; 0 is an answer too.
    pub fn set_assigned(&self, partitions: usize) {
        self.lock().assigned = Some(partitions);
        self.metrics
            .assigned_partitions
            .set(i64::try_from(partitions).unwrap_or(i64::MAX));
    }

    pub fn set_connected(&self, peer: Peer, connected: bool) {
        let mut state = self.lock();
        let was = state.connected.insert(peer, connected);
        if connected {
            state.met.insert(peer);
        }
        drop(state);
        if was.unwrap_or(false) != connected {
            let peer = peer.label();
            self.metrics.connected(peer).set(i64::from(connected));
            info!(peer, connected, "connection changed");
        }
    }

    /// Whether `peer` was ever connected, and so took our login.
    pub fn was_connected(&self, peer: Peer) -> bool {
        self.lock().met.contains(&peer)
    }

    /// Milvus is asked for the collection: nothing is written to it before it [is described](Self::described).
    pub fn ask(&self, collection: &Arc<str>) {
        self.lock().asked.insert(Arc::clone(collection));
    }

    /// Milvus has answered, whatever it said.
    pub fn described(&self, collection: &Arc<str>) {
        self.lock().asked.remove(collection);
    }

    /// From now on its collection is written by this plan.
    pub fn planned(&self, plan: &Arc<Plan>) {
        let (collection, plan) = (Arc::clone(&plan.collection), Arc::clone(plan));
        self.lock().plans.insert(collection, plan);
    }

    /// A step towards an end was done of something that may take long, though nothing is settled by it.
    pub fn step(&self, scope: Scope) {
        *self.lock().steps.entry(scope).or_default() += 1;
    }

    /// The consumer loop takes another turn.
    pub fn beat(&self) {
        self.last_turn.store(self.millis(), Ordering::Relaxed);
    }

    /// When the consumer loop took its last turn.
    pub fn last_turn(&self) -> Instant {
        self.start + Duration::from_millis(self.last_turn.load(Ordering::Relaxed))
    }

    /// The runtime has run a task that asks for nothing but that.
    pub fn ran(&self) {
        self.last_run.store(self.millis(), Ordering::Relaxed);
    }

    pub fn last_run(&self) -> Instant {
        self.start + Duration::from_millis(self.last_run.load(Ordering::Relaxed))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How long the consumer loop has not taken a turn.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_turn())
    }
}

fn say_more(passed: &mut BTreeMap<Scope, RateLimit>, count: impl Fn(&mut RateLimit) -> u64) {
    for (scope, limit) in passed {
        let more = count(limit);
        if more > 0 {
            warn!(%scope, "and {more} more bad records since the last of these lines");
        }
    }
}
