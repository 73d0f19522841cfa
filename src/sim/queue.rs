//! One assigned partition of a process: what the consumer's queue does, over the model's log.

use std::sync::Arc;

use super::world::World;
use crate::ledger::Start;
use crate::record::{Chunk, Record, Run};
use crate::tenure::Tenure;
use crate::writer::Inlet;

const RECORD_OVERHEAD: usize = size_of::<Record>() + 8;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) tenure: Arc<Tenure>,
    inlet: Inlet,
    next: i64,
    pub(super) reading: bool,
    had_room: bool,
}

impl Queue {
    pub(super) fn new(start: &Start, inlet: Inlet) -> Self {
        Self {
            tenure: Arc::clone(&start.tenure),
            inlet,
            next: start.offset,
            reading: true,
            had_room: true,
        }
    }

    pub(super) fn has_room(&mut self) -> bool {
        let has_room = self.inlet.budget.has_room();
        if self.had_room && !has_room {
            self.inlet.flush();
        }
        self.had_room = has_room;
        has_room
    }

    pub(super) fn is_due(&self, world: &World, sweep: bool) -> bool {
        let wanted = self.reading && self.tenure.halted_at().is_none() && self.inlet.is_open();
        wanted && (sweep || world.logs.partitions[self.partition()].end > self.next)
    }

    fn partition(&self) -> usize {
        usize::try_from(self.tenure.topic_partition.partition).unwrap()
    }

    /// Hands a turn's records to the writer, if it has room; the offset after the last one.
    pub(super) fn turn(&mut self, world: &World) -> Option<i64> {
        let permit = self.inlet.chunks.try_reserve().ok()?;
        let mut bytes = Vec::new();
        let mut records = Vec::new();
        let log = world.logs.between(self.partition(), self.next, i64::MAX);
        for entry in log.take(world.scenario.turn) {
            let start = bytes.len();
            let value = entry.value();
            bytes.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
            records.push(Record {
                offset: entry.offset,
                value: value.is_some().then_some(start..bytes.len()),
                ..Record::default()
            });
        }
        let next = records.last()?.offset + 1;
        let charge = self.inlet.budget.charge(bytes.len() + records.len() * RECORD_OVERHEAD);
        permit.send(Chunk {
            bytes,
            runs: vec![Run {
                tenure: Arc::clone(&self.tenure),
                from: std::mem::replace(&mut self.next, next),
                records,
                headers: Vec::new(),
            }],
            charge,
        });
        Some(next)
    }
}
