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
    halted: OnceLock<Cause>,
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

    /// Stands still at `settled` until a person comes. The first cause stays; says whether this one was it.
    pub fn halt(&self, cause: Cause) -> bool {
        self.halted.set(cause).is_ok()
    }

    pub fn halted(&self) -> Option<&Cause> {
        self.halted.get()
    }
}
