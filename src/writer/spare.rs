//! What a settled batch leaves to the next ones of its writer: room that is allocated already. It is kept within a part of
//! `buffer.max.bytes`, and what is beyond that is given back.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fold::Fold;
use super::records::{Cover, Slice};
use super::sealed::Sealed;
use crate::budget::{Budget, Charge, Empty, Kept};
use crate::columns::Columns;
use crate::plan::Plan;
use crate::record::{Chunk, Record, Run};
use crate::tenure::Tenure;

/// A chunk of many records has a quarter of it.
const MOST_OF_A_CHUNK: usize = 256 << 10;

/// Of one writer.
#[derive(Debug)]
pub(super) struct Spare {
    budget: Arc<Budget>,
    rooms: Mutex<Vec<(Room, Kept)>>,
    chunks: Mutex<Vec<(EmptyChunk, Kept)>>,
}

/// A batch with nothing in it.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) plan: Arc<Plan>,
    pub(super) columns: Columns,
    pub(super) fold: Fold,
    pub(super) slices: Vec<Slice>,
    pub(super) covers: Vec<Cover>,
}

impl Room {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            columns: Columns::new(plan),
            fold: Fold::new(plan.operation),
            slices: Vec::new(),
            covers: Vec::new(),
        }
    }

    /// That are allocated, whatever the last batch took of them.
    fn bytes(&self) -> usize {
        let slices = self.slices.capacity() * size_of::<Slice>();
        let covers = self.covers.capacity() * size_of::<Cover>();
        self.columns.room() + self.fold.room() + slices + covers
    }
}

/// A chunk with nothing in it.
#[derive(Debug, Default)]
pub struct EmptyChunk {
    shell: Option<Arc<Chunk>>,
    pub bytes: Vec<u8>,
    runs: Vec<Run>,
    pub records: Vec<Record>,
    /// As in [`Run::headers`].
    pub headers: Vec<Option<Range<usize>>>,
}

impl EmptyChunk {
    /// Takes a chunk apart that nobody else has any more.
    fn of(mut shell: Arc<Chunk>) -> Option<Self> {
        let chunk = Arc::get_mut(&mut shell)?;
        chunk.charge.resize(0);
        let mut bytes = std::mem::take(&mut chunk.bytes);
        let mut runs = std::mem::take(&mut chunk.runs);
        let (mut records, mut headers) = match runs.pop() {
            Some(run) => (run.records, run.headers),
            None => (Vec::new(), Vec::new()),
        };
        bytes.clear();
        runs.clear();
        records.clear();
        headers.clear();
        Some(Self {
            shell: Some(shell),
            bytes,
            runs,
            records,
            headers,
        })
    }

    /// Bytes that are allocated.
    fn room(&self) -> usize {
        self.bytes.capacity()
            + self.records.capacity() * size_of::<Record>()
            + self.headers.capacity() * size_of::<Option<Range<usize>>>()
    }

    /// A chunk of what has been put into it, which is one run.
    pub fn fill(self, tenure: Arc<Tenure>, from: i64, charge: Charge) -> Arc<Chunk> {
        let mut runs = self.runs;
        runs.push(Run {
            tenure,
            from,
            records: self.records,
            headers: self.headers,
        });
        let filled = Chunk {
            bytes: self.bytes,
            runs,
            charge,
        };
        let Some(mut shell) = self.shell else {
            return Arc::new(filled);
        };
        match Arc::get_mut(&mut shell) {
            Some(chunk) => *chunk = filled,
            None => shell = Arc::new(filled),
        }
        shell
    }
}

impl Spare {
    pub(super) fn new(budget: &Arc<Budget>) -> Arc<Self> {
        Arc::new(Self {
            budget: Arc::clone(budget),
            rooms: Mutex::default(),
            chunks: Mutex::default(),
        })
    }

    /// Room for a batch by `plan`.
    pub(super) fn room(&self, plan: &Arc<Plan>) -> Room {
        let mut rooms = lock(&self.rooms);
        rooms.retain(|(room, _)| Arc::ptr_eq(&room.plan, plan));
        let spare = rooms.pop().map(|(room, _)| room);
        spare.unwrap_or_else(|| Room::new(plan))
    }

    pub(super) fn chunk(&self) -> EmptyChunk {
        let spare = lock(&self.chunks).pop().map(|(chunk, _)| chunk);
        spare.unwrap_or_default()
    }

    /// Of a chunk into which nothing was put, after all. One that a large record has blown up is not kept: filled again it
    /// is charged by what is in it.
    pub(super) fn put_chunk(&self, chunk: EmptyChunk) {
        let room = chunk.room();
        if room <= MOST_OF_A_CHUNK
            && let Some(kept) = self.budget.keep(Empty::Chunk, room)
        {
            lock(&self.chunks).push((chunk, kept));
        }
    }

    /// Takes a batch apart that has been settled.
    pub(super) fn put(&self, batch: Sealed) {
        let mut room = batch.room;
        (room.slices, room.covers) = (batch.slices, batch.covers);
        for slice in room.slices.drain(..) {
            if let Some(chunk) = EmptyChunk::of(slice.chunk) {
                self.put_chunk(chunk);
            }
        }
        room.covers.clear();
        room.fold.clear();
        room.columns.truncate(0); // rows that deletes superseded were never taken out
        if let Some(kept) = self.budget.keep(Empty::Batch, room.bytes()) {
            lock(&self.rooms).push((room, kept));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_partition::TopicPartition;

    #[test]
    fn a_chunk_is_filled_again_when_nobody_has_it_any_more() {
        let budget = Budget::new(1 << 20);
        let spare = Spare::new(&budget);
        let fill = |offset: i64, value: &[u8]| {
            let mut chunk = spare.chunk();
            chunk.bytes.extend_from_slice(value);
            let value = Some(0..value.len());
            chunk.records.push(Record {
                offset,
                value,
                ..Record::default()
            });
            let tenure = Arc::new(Tenure::new(TopicPartition::new("t", 0), 0));
            chunk.fill(tenure, offset, budget.charge(10))
        };
        let first = fill(7, b"first");
        let place = Arc::as_ptr(&first);
        assert!(EmptyChunk::of(Arc::clone(&first)).is_none());
        assert_eq!((first.view(0, 0).offset, budget.used()), (7, 10));
        spare.put_chunk(EmptyChunk::of(first).unwrap());
        assert_eq!(budget.used(), 0);

        let second = fill(8, b"2nd");
        assert_eq!(Arc::as_ptr(&second), place);
        assert_eq!(
            (second.records(), second.runs[0].from, budget.used()),
            (1, 8, 10)
        );
        assert_eq!(second.view(0, 0).value, Some(&b"2nd"[..]));
        assert_ne!(Arc::as_ptr(&fill(9, b"")), place);
    }
}
