//! What the writers of one destination share, and what they all do alike: halting, skipping, looking again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::backoff::Backoff;
use super::batch::Refusal;
use super::letters::Passed;
use super::plans::{Doubt, Plans};
use super::records::At;
use super::sealed::Fate;
use super::{Rules, Stations};
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::config::Tolerance;
use crate::milvus::Milvus;
use crate::ops::board::{Board, Fate as Noted, Scope};
use crate::ops::metrics::{Flow, Skipped};
use crate::plan::Plan;
use crate::routing::Destination;
use crate::tenure::Tenure;

/// A record waits for a look at its collection's schema; the next one is not long after Milvus is back.
const MAX_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Shared<M> {
    pub collection: Arc<str>,
    /// Where in it every change of theirs goes.
    pub milvus_partition: Option<Arc<str>>,
    pub milvus: Arc<M>,
    pub rules: Rules,
    pub stations: Stations,
    pub(super) flow: Flow,
    /// Topics whose first tombstone has been said.
    tombstones: Mutex<BTreeSet<Arc<str>>>,
    /// How many batches and records wait for Milvus now.
    standing: Mutex<usize>,
    /// Milvus did not know the collection, and has not been asked since.
    missing: AtomicBool,
}

impl<M> Shared<M> {
    pub fn new(destination: Destination, milvus: Arc<M>, rules: Rules, stations: Stations) -> Self {
        Self {
            flow: stations.metrics.flow(&destination.collection),
            collection: destination.collection,
            milvus_partition: destination.milvus_partition,
            milvus,
            rules,
            stations,
            tombstones: Mutex::default(),
            standing: Mutex::default(),
            missing: AtomicBool::new(false),
        }
    }

    /// Who asks waits; `held` is whether it does so already.
    pub(super) fn stand(&self, held: &mut bool, cause: Cause) {
        let mut standing = lock(&self.standing);
        *standing += usize::from(!*held);
        *held = true;
        self.stations.board.hold(self.scope(), cause);
    }

    /// The board says so when nobody waits any more.
    pub(super) fn go_on(&self, held: &mut bool) {
        self.wait_no_more(held, Board::clear);
    }

    /// What waited is nobody's any more.
    pub(super) fn let_go(&self, held: &mut bool) {
        self.wait_no_more(held, Board::forget);
    }

    fn wait_no_more(&self, held: &mut bool, say: fn(&Board, &Scope)) {
        if std::mem::take(held) {
            let mut standing = lock(&self.standing);
            *standing -= 1;
            if *standing == 0 {
                say(&self.stations.board, &self.scope());
            }
        }
    }

    /// From now on nothing is sent before a look has [found](Self::found) the collection.
    pub(super) fn miss(&self) {
        self.missing.store(true, Ordering::Release);
    }

    pub(super) fn found(&self) {
        self.missing.store(false, Ordering::Release);
    }

    pub(super) fn misses_its_collection(&self) -> bool {
        self.missing.load(Ordering::Acquire)
    }

    /// What is held while these writers wait.
    pub(super) fn scope(&self) -> Scope {
        let collection = Arc::clone(&self.collection);
        match &self.milvus_partition {
            Some(name) => Scope::MilvusPartition(collection, Arc::clone(name)),
            None => Scope::Collection(collection),
        }
    }

    pub(super) fn halt(&self, tenure: &Tenure, at: i64, cause: Cause) {
        if tenure.is_open() && tenure.halt(at, cause.clone()) {
            let (board, partition) = (&self.stations.board, &tenure.topic_partition);
            board.halt(partition.clone(), cause);
            // Closed meanwhile: the consumer may have cleared the board before this halt was on it.
            if !tenure.is_open() {
                board.unhalt(partition);
            }
        }
    }

    /// A record that does not become a change: skipped and counted, or its partition stands at it.
    pub(super) fn refuse(&self, at: At<'_>, refusal: Refusal) -> Fate {
        let cause = match refusal {
            Refusal::Bad(bad) if self.rules.tolerance == Tolerance::All => {
                self.stations.metrics.skip(Skipped::BadRecord, 1);
                if self.stations.dead_letters.is_some() {
                    return Fate::Pass(Passed::letter(bad)); // said when it is kept
                }
                self.say_passed(Noted::Skipped, at, bad);
                return Fate::Pass(Passed::Skipped);
            }
            Refusal::Bad(bad) => at.bad(bad),
            Refusal::Halts(cause) => cause,
        };
        self.halt(at.tenure(), at.from(), cause);
        Fate::Leave
    }

    pub(super) fn say_passed(&self, fate: Noted, at: At<'_>, bad: BadRecord) {
        self.stations.board.pass(self.scope(), fate, &at.bad(bad));
    }

    pub(super) fn tombstone(&self, topic: &Arc<str>) {
        self.stations.metrics.skip(Skipped::Tombstone, 1);
        if lock(&self.tombstones).insert(Arc::clone(topic)) {
            tracing::warn!(%topic, "a record without a value (tombstone) deletes nothing; such records are skipped and counted (behavior.on.null.values=ignore)");
        }
    }
}

impl<M: Milvus> Shared<M> {
    /// Has the planner look whether `plan` is still the one, because of a record of `tenure`; held for as long as
    /// Milvus does not say, and nobody else wants the record.
    pub(super) async fn look(&self, plans: &Plans, plan: &Arc<Plan>, tenure: &Tenure) {
        let mut backoff = Backoff::new(self.rules.retry_backoff, MAX_PAUSE);
        let mut held = false;
        while let Err(error) = plans.look(plan, Doubt::Record).await {
            if !tenure.is_open() {
                return self.let_go(&mut held);
            }
            self.stand(&mut held, error.cause);
            sleep(backoff.pause()).await;
        }
        self.go_on(&mut held);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
