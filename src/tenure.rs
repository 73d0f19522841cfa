//! One assignment of one partition to this process: what its writers and the consumer share about it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::cause::Cause;
use crate::config::OnRecreated;
use crate::target::{self, Target};
use crate::topic_partition::TopicPartition;

/// Writers raise `settled` and may set `halted`; the consumer reads both and closes the tenure.
/// An ack that arrives for a closed tenure raises a cell that nobody reads.
#[derive(Debug)]
pub struct Tenure {
    pub topic_partition: TopicPartition,
    /// The next offset to commit: every record below it is settled. Starts at the offset assigned.
    settled: AtomicI64,
    open: AtomicBool,
    /// Where it is halted, or [`NOWHERE`]. Beside `halt`, since it is looked at for every record.
    halted_at: AtomicI64,
    halt: Mutex<Option<Halt>>,
    /// What the settled offset belongs to: what the group committed for, then what the changes are written to.
    target: Mutex<Option<Arc<Target>>>,
    /// Requests with rows of it that are under way.
    requests: AtomicUsize,
    /// A request with rows of it ended without an answer: until then it may still be applied.
    in_doubt: Mutex<Option<Instant>>,
    /// The address of the target that was compared last. Beside `target`, since it is looked at for every record.
    compared: AtomicPtr<Target>,
}

const NOWHERE: i64 = i64::MAX;

/// A person is needed: nothing at or behind `at` is written in this tenure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// The offset it stands at; what is below may still be settled by a batch under way.
    pub at: i64,
    pub cause: Cause,
}

impl Tenure {
    /// A tenure that begins to read at `start`.
    pub fn new(topic_partition: TopicPartition, start: i64) -> Self {
        Self {
            topic_partition,
            settled: AtomicI64::new(start),
            open: AtomicBool::new(true),
            halted_at: AtomicI64::new(NOWHERE),
            halt: Mutex::new(None),
            target: Mutex::new(None),
            requests: AtomicUsize::new(0),
            in_doubt: Mutex::new(None),
            compared: AtomicPtr::default(),
        }
    }

    /// The offset it starts at was committed for `target`.
    pub fn following(self, target: Option<Target>) -> Self {
        Self {
            target: Mutex::new(target.map(Arc::new)),
            ..self
        }
    }

    /// Must be asked before a change of it is written to `target`; from then on its offsets belong to that.
    ///
    /// # Errors
    /// Why not: its changes so far went to another collection, and only a person can say what that means.
    pub fn write_to(&self, target: &Arc<Target>, recreated: OnRecreated) -> Result<(), Cause> {
        let address = Arc::as_ptr(target).cast_mut();
        if self.compared.load(Ordering::Acquire) == address {
            return Ok(());
        }
        let mut known = lock(&self.target);
        if let Some(before) = &*known {
            target::may_follow(&self.topic_partition, before, target, recreated)?;
        }
        // Kept for as long as the address is: no other target can have it.
        *known = Some(Arc::clone(target));
        self.compared.store(address, Ordering::Release);
        Ok(())
    }

    /// What a commit of its settled offset says that this belongs to.
    pub fn target(&self) -> Option<Arc<Target>> {
        lock(&self.target).clone()
    }

    /// Says that every record below `next` is settled. Never lowers, never passes a halt, and ends with the tenure: what
    /// came before in it may have been dropped by then.
    pub fn settle(&self, next: i64) {
        if !self.is_open() {
            return;
        }
        let next = next.min(self.halted_at.load(Ordering::Acquire));
        self.settled.fetch_max(next, Ordering::AcqRel);
    }

    pub fn settled(&self) -> i64 {
        self.settled.load(Ordering::Acquire)
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// After this nothing of the tenure is committed or sent again.
    pub fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// A request with rows of it is under way for as long as the answer lives.
    pub fn request(self: &Arc<Self>) -> RequestUnderWay {
        self.requests.fetch_add(1, Ordering::AcqRel);
        RequestUnderWay(Arc::clone(self))
    }

    /// Whether no request with rows of it is under way. One that halted may still have some behind the halt.
    pub fn is_quiet(&self) -> bool {
        self.requests.load(Ordering::Acquire) == 0
    }

    /// A request with rows of it, answered or not, may be applied as late as `until`.
    pub fn doubt(&self, until: Instant) {
        let mut in_doubt = lock(&self.in_doubt);
        *in_doubt = (*in_doubt).max(Some(until));
    }

    /// Until when a request of it may still be applied: who writes the partition next must not write before.
    pub fn in_doubt(&self) -> Option<Instant> {
        *lock(&self.in_doubt)
    }

    /// Stands still at `at` until a person comes. The lowest offset stays: a batch under way may be refused after
    /// a record behind it was found to be bad. Says whether this one is it.
    pub fn halt(&self, at: i64, cause: Cause) -> bool {
        let mut halt = lock(&self.halt);
        if halt.as_ref().is_some_and(|known| known.at <= at) {
            return false;
        }
        *halt = Some(Halt { at, cause });
        self.halted_at.store(at, Ordering::Release);
        true
    }

    pub fn halted(&self) -> Option<Halt> {
        lock(&self.halt).clone()
    }

    pub fn halted_at(&self) -> Option<i64> {
        Some(self.halted_at.load(Ordering::Acquire)).filter(|at| *at != NOWHERE)
    }
}

/// See [`Tenure::request`].
#[derive(Debug)]
pub struct RequestUnderWay(Arc<Tenure>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenure() -> Tenure {
        Tenure::new(TopicPartition::new("t", 0), 5)
    }

    #[test]
    fn settled_starts_at_the_assigned_offset_and_never_falls() {
        let tenure = tenure();
        assert_eq!(tenure.settled(), 5);
        tenure.settle(9);
        tenure.settle(7);
        assert_eq!(tenure.settled(), 9);
    }

    #[test]
    fn the_lowest_halt_stays_and_nothing_is_settled_behind_it() {
        let tenure = tenure();
        assert_eq!(tenure.halted_at(), None);
        assert!(tenure.halt(8, Cause::NotAssigned));
        assert!(!tenure.halt(8, Cause::NotAssigned));
        assert!(!tenure.halt(9, Cause::NotAssigned));
        assert!(tenure.halt(6, Cause::NotAssigned));
        assert_eq!(tenure.halted_at(), Some(6));
        assert_eq!(tenure.halted().map(|halt| halt.at), Some(6));
        tenure.settle(8);
        assert_eq!(tenure.settled(), 6);
    }

    fn target(id: i64) -> Arc<Target> {
        Arc::new(Target {
            database: "d".to_owned(),
            collection: "c".to_owned(),
            id,
            endpoint: "http://m:19530".to_owned(),
        })
    }

    #[test]
    fn a_tenure_belongs_to_what_was_committed_until_its_first_change() {
        assert_eq!(tenure().target(), None);
        let tenure = tenure().following(Some((*target(0)).clone()));
        assert_eq!(tenure.target(), Some(target(0)));
        assert_eq!(tenure.write_to(&target(7), OnRecreated::Fail), Ok(()));
        assert_eq!(tenure.target(), Some(target(7)));
    }

    #[test]
    fn another_collection_is_refused_until_it_is_allowed() {
        let tenure = tenure().following(Some((*target(6)).clone()));
        let recreated = target(7);
        for _ in 0..2 {
            let refused = tenure.write_to(&recreated, OnRecreated::Fail).unwrap_err();
            assert_eq!(refused.label(), "collection_recreated");
            assert_eq!(tenure.target(), Some(target(6)));
        }
        assert_eq!(tenure.write_to(&recreated, OnRecreated::Continue), Ok(()));
        assert_eq!(tenure.target(), Some(target(7)));
        // What was allowed once is not asked again; the next one is.
        assert_eq!(tenure.write_to(&recreated, OnRecreated::Fail), Ok(()));
        assert!(tenure.write_to(&target(8), OnRecreated::Fail).is_err());
    }
}
