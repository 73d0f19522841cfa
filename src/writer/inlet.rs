//! The consumer's end of a writer.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::flags::Flagstaff;
use super::plans::Plans;
use super::spare::{EmptyChunk, Spare};
use crate::budget::Budget;
use crate::record::Chunk;

/// Chunks that wait for a writer. A full channel means that its partitions are not polled.
pub(super) const CHANNEL_CHUNKS: usize = 32;
/// With so many left the consumer is woken to bring more.
pub(super) const HALF_FULL: usize = CHANNEL_CHUNKS / 2;

#[derive(Debug, Clone)]
pub struct Inlet {
    pub chunks: mpsc::Sender<Arc<Chunk>>,
    pub(super) flags: Flagstaff,
    /// The share that what it takes is charged to.
    pub budget: Arc<Budget>,
    pub(super) plans: Plans,
    pub(super) spare: Arc<Spare>,
}

impl Inlet {
    /// Chunks that wait in its channel.
    pub fn waiting(&self) -> usize {
        self.chunks.max_capacity() - self.chunks.capacity()
    }

    /// A chunk to fill.
    pub fn empty_chunk(&self) -> EmptyChunk {
        self.spare.chunk()
    }

    /// Nothing came to be put into it.
    pub fn give_back(&self, chunk: EmptyChunk) {
        self.spare.put_chunk(chunk);
    }

    /// Have it send what it was given, without waiting for company or for the next attempt.
    pub fn flush(&self) {
        self.flags.flush();
    }

    /// Tenures were closed: have it stop what it sends of them.
    pub fn closed(&self) {
        self.flags.closed();
    }

    /// Before there is a plan nothing is read: what nobody can decode would only stand in the way of a rebalance.
    pub fn is_open(&self) -> bool {
        !self.plans.is_waiting()
    }
}

#[cfg(test)]
impl Inlet {
    /// One without a writer.
    pub(crate) fn bare(budget: Arc<Budget>, plans: Plans) -> (Self, mpsc::Receiver<Arc<Chunk>>) {
        let (chunks, inbox) = mpsc::channel(CHANNEL_CHUNKS);
        let (flags, _) = super::flags::flags();
        let inlet = Self {
            chunks,
            flags,
            spare: Spare::new(&budget),
            budget,
            plans,
        };
        (inlet, inbox)
    }
}
