//! One assignment of one partition to this process: what its writers and the consumer share about it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::cause::Cause;
use crate::record::TopicPartition;

/// Writers raise `settled` and may set `halted`; the consumer reads both and closes the tenure.
/// An ack that arrives for a closed tenure raises a cell that nobody reads.
#[derive(Debug)]
pub struct Tenure {
    pub topic_partition: TopicPartition,
    /// The next offset to commit: every record below it is settled. Starts at the offset assigned.
    settled: AtomicI64,
    open: AtomicBool,
    halted: OnceLock<Halt>,
}

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
            halted: OnceLock::new(),
        }
    }

    /// Says that every record below `next` is settled. Never lowers.
    pub fn settle(&self, next: i64) {
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

    /// Stands still at `at` until a person comes. The first halt stays; says whether this one was it.
    pub fn halt(&self, at: i64, cause: Cause) -> bool {
        self.halted.set(Halt { at, cause }).is_ok()
    }

    pub fn halted(&self) -> Option<&Halt> {
        self.halted.get()
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
    fn the_first_halt_stays() {
        let tenure = tenure();
        assert!(tenure.halt(6, Cause::NotAssigned));
        assert!(!tenure.halt(8, Cause::NotAssigned));
        assert_eq!(tenure.halted().map(|halt| halt.at), Some(6));
    }
}
