//! One assignment of one partition to this process: what its writers and the consumer share about it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cause::Cause;
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
        }
    }

    /// Says that every record below `next` is settled. Never lowers, and never passes a halt.
    pub fn settle(&self, next: i64) {
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

    /// Stands still at `at` until a person comes. The lowest offset stays: a batch under way may be refused after
    /// a record behind it was found to be bad. Says whether this one is it.
    pub fn halt(&self, at: i64, cause: Cause) -> bool {
        let mut halt = self.lock();
        if halt.as_ref().is_some_and(|known| known.at <= at) {
            return false;
        }
        *halt = Some(Halt { at, cause });
        self.halted_at.store(at, Ordering::Release);
        true
    }

    pub fn halted(&self) -> Option<Halt> {
        self.lock().clone()
    }

    pub fn halted_at(&self) -> Option<i64> {
        Some(self.halted_at.load(Ordering::Acquire)).filter(|at| *at != NOWHERE)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Halt>> {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}
