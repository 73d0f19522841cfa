//! Memory held between Kafka and the ack (`buffer.max.bytes`): one counter, and every destination's share of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Process-wide, or a share. The consumer asks for room before it polls and never waits for it.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// What it is a share of.
    whole: Option<Arc<Budget>>,
    shares: AtomicUsize,
}

impl Budget {
    /// `limit` in bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            whole: None,
            shares: AtomicUsize::new(0),
        })
    }

    /// Counts on its own and in the whole.
    pub fn share(self: &Arc<Self>) -> Arc<Self> {
        self.shares.fetch_add(1, Ordering::AcqRel);
        Arc::new(Self {
            limit: self.limit,
            used: AtomicUsize::new(0),
            whole: Some(Arc::clone(self)),
            shares: AtomicUsize::new(0),
        })
    }

    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether more may be read. A record that is larger than what is left still passes whole:
    /// the counter then stands above its limit until it is settled.
    ///
    /// One share of several holds no more than it leaves free. So where the world is in the way of one, or of many,
    /// there is still as much room for another as for each of them.
    pub fn has_room(&self) -> bool {
        let Some(whole) = &self.whole else {
            return self.used() < self.limit;
        };
        let free = whole.limit.saturating_sub(whole.used());
        let alone = whole.shares.load(Ordering::Acquire) == 1;
        free > 0 && (alone || self.used() < free)
    }

    /// Takes `bytes` and gives them back when the charge is dropped.
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        self.take(bytes);
        Charge {
            budget: Arc::clone(self),
            bytes,
        }
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
        if let Some(whole) = &self.whole {
            whole.take(bytes);
        }
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
        if let Some(whole) = &self.whole {
            whole.give(bytes);
        }
    }
}

/// Bytes taken from the budget, for as long as it lives.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes the charge `bytes` large, up or down.
    pub fn resize(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.budget.take(bytes - self.bytes);
        } else {
            self.budget.give(self.bytes - bytes);
        }
        self.bytes = bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.give(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_comes_back_when_dropped_and_follows_its_size() {
        let budget = Budget::new(100);
        let mut charge = budget.charge(60);
        assert!(budget.has_room());
        charge.resize(150);
        assert_eq!((budget.used(), budget.has_room()), (150, false));
        charge.resize(10);
        assert_eq!(budget.used(), 10);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_share_alone_has_all_and_beside_others_leaves_as_much_as_it_holds() {
        let budget = Budget::new(100);
        let first = budget.share();
        let charge = first.charge(99);
        assert!(first.has_room());
        drop(charge);
        let second = budget.share();
        // Both stand still with all they may hold.
        let held = [first.charge(50), second.charge(25)];
        assert!(!first.has_room() && !second.has_room());
        let third = budget.share();
        assert!(third.has_room());
        assert_eq!(budget.used(), 75);
        drop(held);
        assert_eq!((budget.used(), first.used()), (0, 0));
    }
}
