//! One assigned partition of a process: what the consumer's queue does, over the model's log.

use std::sync::Arc;

use super::log::Entry;
use super::world::World;
use crate::budget::Room;
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
    /// The offset that the client fetches next; lower than `next` after a cut.
    fetched: i64,
    /// Cuts of the log that the client knows of.
    pub(super) cuts: usize,
    /// A record that came although it is not above the last one.
    kept: bool,
    pub(super) reading: bool,
    /// Until it is known what is wrong with the log.
    waits: bool,
    had_room: bool,
}

/// What one turn brought.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The offset after the last record handed to the writer.
    pub(super) handed: Option<i64>,
    /// The log was cut off, and goes on with this offset.
    pub(super) rewound: Option<i64>,
    /// What is fetched next has expired.
    pub(super) out_of_range: bool,
}

impl Queue {
    pub(super) fn new(start: &Start, inlet: Inlet, cuts: usize) -> Self {
        Self {
            tenure: Arc::clone(&start.tenure),
            inlet,
            next: start.offset,
            fetched: start.offset,
            cuts,
            kept: false,
            reading: true,
            waits: start.waits,
            had_room: true,
        }
    }

    pub(super) fn room(&mut self) -> Room {
        let room = self.inlet.budget.room();
        let has_room = room != Room::Nothing;
        if self.had_room && !has_room {
            self.inlet.flush();
        }
        self.had_room = has_room;
        room
    }

    pub(super) fn is_due(&self, world: &World, sweep: bool) -> bool {
        let wanted = self.reading
            && !self.waits
            && !self.kept
            && self.tenure.halted_at().is_none()
            && self.inlet.is_open();
        wanted && (sweep || world.logs.partitions[self.partition()].end > self.fetched)
    }

    fn partition(&self) -> usize {
        usize::try_from(self.tenure.topic_partition.partition).unwrap()
    }

    /// Goes on in a new tenure, with the record that was kept.
    pub(super) fn follow(&mut self, start: Start) {
        self.tenure = start.tenure;
        (self.next, self.fetched, self.kept) = (start.offset, start.offset, false);
    }

    pub(super) fn wait(&mut self) {
        self.waits = true;
    }

    /// Goes on in a new tenure, with what is fetched from its start.
    pub(super) fn restart(&mut self, start: Start) {
        self.waits = false;
        self.follow(start);
    }

    /// Hands a turn's records to the writer, if it has room.
    pub(super) fn turn(&mut self, room: Room, world: &World) -> Turn {
        let mut turn = Turn::default();
        let chunks = self.inlet.chunks.clone();
        let Ok(permit) = chunks.try_reserve() else {
            return turn;
        };
        let log = &world.logs.partitions[self.partition()];
        for cut in &log.cuts[self.cuts..] {
            self.fetched = self.fetched.min(*cut);
        }
        self.cuts = log.cuts.len();
        turn.out_of_range = self.fetched < log.low;
        if turn.out_of_range {
            return turn;
        }
        let mut bytes = Vec::new();
        let mut records: Vec<Record> = Vec::new();
        let fetched = world.logs.between(self.partition(), self.fetched, i64::MAX);
        for entry in fetched.take(room.records(world.scenario.turn)) {
            if entry.offset < records.last().map_or(self.next, |last| last.offset + 1) {
                turn.rewound = Some(entry.offset);
                self.kept = true;
                break;
            }
            records.push(record(entry, &mut bytes));
        }
        let Some(last) = records.last() else {
            return turn;
        };
        let next = last.offset + 1;
        self.fetched = next;
        turn.handed = Some(next);
        let charge = self
            .inlet
            .budget
            .charge(bytes.len() + records.len() * RECORD_OVERHEAD);
        permit.send(Arc::new(Chunk {
            bytes,
            runs: vec![Run {
                tenure: Arc::clone(&self.tenure),
                from: std::mem::replace(&mut self.next, next),
                records,
                headers: Vec::new(),
            }],
            charge,
        }));
        turn
    }
}

fn record(entry: &Entry, bytes: &mut Vec<u8>) -> Record {
    let start = bytes.len();
    let value = entry.value();
    bytes.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
    Record {
        offset: entry.offset,
        // By which a dead letter is recognised.
        timestamp: Some(entry.uid),
        key: None,
        value: value.is_some().then_some(start..bytes.len()),
    }
}
