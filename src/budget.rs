//! Memory held between Kafka and the ack (`buffer.max.bytes`): one counter, every destination's share of it, and every
//! writer's share of that.
//!
//! Why somebody can always go on:
//! 1. A writer that holds nothing is never refused, whatever the others hold. So who is refused holds something.
//! 2. What a writer holds comes back without room for more: its channel runs into its batch; a batch goes out when it is
//!    full, flushed or has waited its linger, and is then acknowledged, halted or dropped.
//! 3. Nothing waits in here: bytes are charged at once, above the limit if need be, and a refusal is an answer.
//! 4. So unless the world is in the way, who is refused holds nothing some time later, and is not refused then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};

/// One writer of several holds no more than this part of the limit while others wait that hold less than it.
const PART: usize = 4;

/// The process's, a destination's share of it, or a writer's share of that.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Of the process's: bytes of empty room that is kept beside it.
    kept: Empties,
    /// What it is a share of.
    whole: Option<Arc<Budget>>,
    shares: AtomicUsize,
    /// It was refused below its part, and has neither got room since nor given back all that it holds.
    waits: AtomicBool,
    /// Of the process's: how many writers wait.
    waiting: AtomicIsize,
}

/// What is empty. The many chunks leave the few batches their half of a [`PART`] of the limit.
#[derive(Debug, Clone, Copy)]
pub enum Empty {
    Chunk,
    Batch,
}

#[derive(Debug, Default)]
struct Empties {
    chunks: AtomicUsize,
    batches: AtomicUsize,
}

impl Empties {
    fn of(&self, what: Empty) -> &AtomicUsize {
        match what {
            Empty::Chunk => &self.chunks,
            Empty::Batch => &self.batches,
        }
    }
}

/// What a writer may be given now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Nothing,
    /// It holds nothing: one record passes, however large, and whatever the others hold.
    OneRecord,
    Turn,
}

impl Room {
    /// Where a turn takes at most `turn`.
    pub fn records(self, turn: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::OneRecord => turn.min(1),
            Self::Turn => turn,
        }
    }
}

impl Budget {
    /// `limit` in bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Self::with(limit, None)
    }

    /// Counts on its own and in the whole.
    pub fn share(self: &Arc<Self>) -> Arc<Self> {
        self.shares.fetch_add(1, Ordering::AcqRel);
        Self::with(self.limit, Some(Arc::clone(self)))
    }

    fn with(limit: usize, whole: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            kept: Empties::default(),
            whole,
            shares: AtomicUsize::new(0),
            waits: AtomicBool::new(false),
            waiting: AtomicIsize::new(0),
        })
    }

    pub fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The consumer asks for a writer before every poll, and never waits. A turn that begins below the limit may end above
    /// it, by that turn and by what its records become: columns.
    pub fn room(&self) -> Room {
        let room = match (self.has_room(), self.used()) {
            (true, _) => Room::Turn,
            (false, 0) => Room::OneRecord,
            (false, _) => Room::Nothing,
        };
        self.set_waits(room == Room::Nothing && !self.has_its_part());
        // It may have given back the last of it meanwhile, before it was said to wait.
        if self.used() == 0 {
            self.set_waits(false);
        }
        room
    }

    fn has_room(&self) -> bool {
        let process = self.process();
        let free = process.limit.saturating_sub(process.used());
        free > 0 && self.leaves_enough(free) && !(self.has_its_part() && self.others_wait())
    }

    fn has_its_part(&self) -> bool {
        self.used() >= self.limit / PART
    }

    /// One destination of several holds no more than it leaves free. So where the world is in the way of one, or of many,
    /// there is still as much room for another as for each of them.
    fn leaves_enough(&self, free: usize) -> bool {
        match &self.whole {
            None => true,
            Some(whole) if whole.whole.is_some() => whole.leaves_enough(free),
            Some(process) => process.shares.load(Ordering::Acquire) == 1 || self.used() < free,
        }
    }

    fn others_wait(&self) -> bool {
        let itself = isize::from(self.waits.load(Ordering::SeqCst));
        self.process().waiting.load(Ordering::SeqCst) > itself
    }

    fn process(&self) -> &Self {
        self.whole.as_ref().map_or(self, |whole| whole.process())
    }

    fn set_waits(&self, waits: bool) {
        if self.waits.swap(waits, Ordering::SeqCst) != waits {
            let more = if waits { 1 } else { -1 };
            self.process().waiting.fetch_add(more, Ordering::SeqCst);
        }
    }

    /// Takes `bytes` and gives them back when the charge is dropped.
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        self.take(bytes);
        Charge {
            budget: Arc::clone(self),
            bytes,
        }
    }

    /// Leave to keep `bytes` of empty room for what comes next: it need not be allocated again. `None` where enough is
    /// kept. Nobody waits for it, and it is not what a writer holds.
    pub fn keep(self: &Arc<Self>, what: Empty, bytes: usize) -> Option<Kept> {
        let process = self.process();
        let most = process.limit / (2 * PART);
        let more = |kept: usize| kept.checked_add(bytes).filter(|kept| *kept <= most);
        let order = (Ordering::SeqCst, Ordering::SeqCst);
        let kept = process.kept.of(what);
        kept.fetch_update(order.0, order.1, more).ok()?;
        Some(Kept {
            budget: Arc::clone(self),
            what,
            bytes,
        })
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::SeqCst);
        if let Some(whole) = &self.whole {
            whole.take(bytes);
        }
    }

    fn give(&self, bytes: usize) {
        if self.used.fetch_sub(bytes, Ordering::SeqCst) == bytes {
            self.set_waits(false);
        }
        if let Some(whole) = &self.whole {
            whole.give(bytes);
        }
    }
}

/// Bytes of empty room, for as long as it is kept.
#[derive(Debug)]
pub struct Kept {
    budget: Arc<Budget>,
    what: Empty,
    bytes: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget
            .process()
            .kept
            .of(self.what)
            .fetch_sub(self.bytes, Ordering::SeqCst);
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
mod tests;
