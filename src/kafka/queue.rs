//! One assigned partition: its own queue of librdkafka's, and the records taken from it into a chunk.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::BaseConsumer;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message, OwnedHeaders, OwnedMessage};

use super::header_list;
use super::peek;
use super::rebalance::{Context, End};
use crate::budget::Room;
use crate::headers;
use crate::ledger::Start;
use crate::record::{KeptHeaders, Record};
use crate::tenure::Tenure;
use crate::wake::Wake;
use crate::writer::Inlet;

/// At most this much of one partition in a turn, so that the others have theirs.
const TURN_BYTES: usize = 64 * 1024;
const TURN_RECORDS: usize = 256;
/// What a record costs beside its bytes, and a place for a header.
const RECORD_OVERHEAD: usize = size_of::<Record>() + 8;
const HEADER_OVERHEAD: usize = size_of::<Option<Range<usize>>>();

/// The queue is polled only while its writer has room: that is all the backpressure there is.
pub(super) struct Queue {
    queue: PartitionQueue<Context>,
    /// librdkafka says that there is something to poll.
    flagged: Arc<AtomicBool>,
    pub(super) tenure: Arc<Tenure>,
    pub(super) inlet: Inlet,
    /// The offset after the last record taken.
    next: i64,
    end: Option<i64>,
    reading: bool,
    /// The first record after the log was cut off: taken from the client, so it is lost if it is not kept. Nothing more is
    /// taken until the tenure comes that begins with it.
    kept: Option<OwnedMessage>,
    /// Something is wrong with the log: nothing is taken until the tenure comes that follows.
    waits: bool,
    /// Of the leader that wrote the last record taken.
    epoch: Option<i32>,
    had_room: bool,
    keeps: KeptHeaders,
    /// The look in which it last had records for its writer.
    pub(super) took_at: u64,
}

/// Where room is scarce everybody has the same share of it: who has had none for longest comes first.
pub(super) fn longest_waiting_first<T>(queues: &mut [T], took_at: impl FnMut(&T) -> u64) {
    queues.sort_by_key(took_at); // hardly anything moves: it was sorted the last time
}

/// What one turn brought.
#[derive(Default)]
pub(super) struct Turn {
    /// Handed to the writer: how many, and the offset after the last.
    pub(super) handed: Option<(usize, i64)>,
    /// Of these records.
    pub(super) bytes: usize,
    /// The end to read to was passed.
    pub(super) ended: bool,
    pub(super) error: Option<ClientError>,
    /// The log was cut off, and goes on with this offset.
    pub(super) rewound: Option<i64>,
    /// From which offset on which leader's epoch wrote the records.
    pub(super) led: Vec<(i64, i32)>,
}

impl Queue {
    /// Splits the partition's queue off; must happen before the partition is assigned.
    pub(super) fn split(
        client: &Arc<BaseConsumer<Context>>,
        start: &Start,
        inlet: Inlet,
        wake: &Arc<Wake>,
        keeps: &KeptHeaders,
    ) -> Option<Self> {
        let partition = &start.tenure.topic_partition;
        let mut queue = client.split_partition_queue(&partition.topic, partition.partition)?;
        let flagged = Arc::new(AtomicBool::new(true));
        let (flag, wake) = (Arc::clone(&flagged), Arc::clone(wake));
        queue.set_nonempty_callback(move || {
            flag.store(true, Ordering::Release);
            wake.wake();
        });
        Some(Self {
            queue,
            flagged,
            tenure: Arc::clone(&start.tenure),
            inlet,
            next: start.offset,
            end: start.end,
            reading: true,
            kept: None,
            waits: start.waits,
            epoch: None,
            had_room: true,
            keeps: keeps.clone(),
            took_at: 0,
        })
    }

    /// The offset after the last record handed to the writer.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Where `--until-end` stops.
    pub(super) fn end(&self) -> Option<i64> {
        self.end
    }

    /// How many records before the end are not settled; where records behind an end of its own are not read, before
    /// that one. What cannot be read is no record.
    /// `asked` is where Kafka said that the log ends, since the client has stood still. `None` while nothing is known.
    pub(super) fn lag(&self, end: End, asked: Option<i64>) -> Option<i64> {
        let offset = end.offset.max(asked)?;
        let settled = self.tenure.settled();
        let reached = end.fetched >= offset && end.is_taken;
        let is_over = reached || (self.end.is_some() && !self.reading);
        if is_over && settled >= self.next {
            return Some(0);
        }
        Some((self.end.unwrap_or(i64::MAX).min(offset) - settled).max(0))
    }

    /// Takes no more records.
    pub(super) fn stop_reading(&mut self) {
        self.reading = false;
    }

    /// Goes on in a new tenure, with the record that was kept.
    pub(super) fn follow(&mut self, start: Start) {
        self.tenure = start.tenure;
        self.next = start.offset;
        self.flagged.store(true, Ordering::Release);
    }

    /// What the client has of it is not taken any more.
    pub(super) fn wait(&mut self) {
        self.waits = true;
    }

    /// Goes on in a new tenure, with what the client brings from its start. What it has brought is dropped: an error of it
    /// would be taken for one of what comes.
    pub(super) fn restart(&mut self, start: Start) {
        while self.queue.poll(Duration::ZERO).is_some() {}
        self.end = start.end;
        (self.kept, self.waits, self.reading, self.epoch) = (None, false, true, None);
        self.follow(start);
    }

    /// The client begins anew and brings the record again.
    pub(super) fn drop_kept(&mut self) {
        self.kept = None;
    }

    /// What memory allows its writer now.
    pub(super) fn room(&mut self) -> Room {
        let room = self.inlet.budget.room();
        let has_room = room != Room::Nothing;
        if self.had_room && !has_room {
            // What waits for company gives its room back the sooner.
            self.inlet.flush();
        }
        self.had_room = has_room;
        room
    }

    pub(super) fn is_due(&self, sweep: bool) -> bool {
        let cut_off = self
            .kept
            .as_ref()
            .is_some_and(|kept| kept.offset() < self.next);
        let wanted = self.reading && !self.waits && !cut_off && self.tenure.is_open();
        let wanted = wanted && self.tenure.halted_at().is_none() && self.inlet.is_open();
        wanted && (sweep || self.flagged.load(Ordering::Acquire))
    }

    /// Polls up to a turn's worth into one chunk and hands it to the writer, if the writer has room.
    pub(super) fn turn(&mut self, room: Room) -> Turn {
        let chunks = self.inlet.chunks.clone();
        let Ok(permit) = chunks.try_reserve() else {
            return Turn::default();
        };
        // Lowered before the poll that finds nothing, or a record that comes just after would not be seen.
        self.flagged.store(false, Ordering::Release);
        let mut turn = Turn::default();
        let mut chunk = self.inlet.empty_chunk();
        let (bytes, records) = (&mut chunk.bytes, &mut chunk.records);
        let headers = &mut chunk.headers;
        if let Some(kept) = self.kept.take() {
            records.push(copy(&kept, bytes));
            let list = kept.headers().map(OwnedHeaders::as_borrowed);
            copy_headers(|| list, &self.keeps, bytes, headers);
        }
        loop {
            if bytes.len() >= TURN_BYTES || records.len() >= room.records(TURN_RECORDS) {
                self.flagged.store(true, Ordering::Release); // more to come, perhaps
                break;
            }
            match self.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) if message.offset() < after(records, self.next) => {
                    turn.rewound = Some(message.offset());
                    self.kept = Some(message.detach());
                    break;
                }
                Some(Ok(message)) if self.end.is_some_and(|end| message.offset() >= end) => {
                    (self.reading, turn.ended) = (false, true);
                    break;
                }
                Some(Ok(message)) => {
                    turn.led.extend(new_epoch(&message, &mut self.epoch));
                    records.push(copy(&message, bytes));
                    copy_headers(|| message.headers(), &self.keeps, bytes, headers);
                }
                Some(Err(error)) => {
                    self.flagged.store(true, Ordering::Release);
                    turn.error = Some(error);
                    break;
                }
            }
        }
        let Some(last) = records.last() else {
            self.inlet.give_back(chunk);
            return turn;
        };
        turn.handed = Some((records.len(), last.offset + 1));
        turn.bytes = bytes.len();
        let overhead = records.len() * RECORD_OVERHEAD + headers.len() * HEADER_OVERHEAD;
        let charge = self.inlet.budget.charge(bytes.len() + overhead);
        let tenure = Arc::clone(&self.tenure);
        let from = std::mem::replace(&mut self.next, last.offset + 1);
        permit.send(chunk.fill(tenure, from, charge));
        turn
    }
}

/// The offset after the last record read.
fn after(records: &[Record], next: i64) -> i64 {
    records.last().map_or(next, |last| last.offset + 1)
}

/// Where another leader begins, and its epoch.
fn new_epoch(message: &BorrowedMessage<'_>, last: &mut Option<i32>) -> Option<(i64, i32)> {
    let epoch = peek::epoch(message)?;
    let is_new = last.replace(epoch) != Some(epoch);
    is_new.then(|| (message.offset(), epoch))
}

/// Copies a message into the chunk: what librdkafka lends is given back at once.
pub(super) fn copy(message: &impl Message, bytes: &mut Vec<u8>) -> Record {
    Record {
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().map(|key| put(key, bytes)),
        value: message.payload().map(|value| put(value, bytes)),
    }
}

fn put(part: &[u8], bytes: &mut Vec<u8>) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(part);
    start..bytes.len()
}

/// The wanted headers, each where it is wanted, the last one of a name; then all in one piece, where all are kept.
pub(super) fn copy_headers<'a>(
    list: impl FnOnce() -> Option<&'a BorrowedHeaders>,
    keeps: &KeptHeaders,
    bytes: &mut Vec<u8>,
    places: &mut Vec<Option<Range<usize>>>,
) {
    // Only to ask for the list has the client make it.
    if !keeps.is_any() {
        return;
    }
    let (first, start) = (places.len(), bytes.len());
    places.resize(first + keeps.wanted.len(), None);
    for (name, value) in header_list::of(list()) {
        let wanted = keeps.wanted.iter().position(|n| n.as_bytes() == name);
        let wanted = wanted.and_then(|index| places.get_mut(first + index));
        let place = match (keeps.all, &wanted) {
            (true, _) => headers::put(name, value, bytes),
            (false, Some(_)) => value.map(|value| put(value, bytes)),
            (false, None) => None,
        };
        if let Some(wanted) = wanted {
            *wanted = place;
        }
    }
    if keeps.all {
        places.push((bytes.len() > start).then_some(start..bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKS: u64 = 420;

    /// How many each takes, where a look has room for one record of each letter.
    fn taken(writers: &str) -> Vec<(char, u64)> {
        let mut queues: Vec<(char, u64, u64)> = writers.chars().map(|w| (w, 0, 0)).collect();
        for look in 1..=LOOKS {
            longest_waiting_first(&mut queues, |(_, _, took_at)| *took_at);
            let mut full = String::new();
            for (writer, taken, took_at) in &mut queues {
                if !full.contains(*writer) {
                    full.push(*writer);
                    (*taken, *took_at) = (*taken + 1, look);
                }
            }
        }
        queues
            .iter()
            .map(|(writer, taken, _)| (*writer, *taken))
            .collect()
    }

    #[test]
    fn where_room_is_scarce_every_partition_of_a_writer_has_the_same_share() {
        for writers in ["aaaaa", "aaab", "baa", "abab", "aaabbbc", "a"] {
            for (writer, taken) in taken(writers) {
                let share = LOOKS / writers.matches(writer).count() as u64;
                assert_eq!(taken, share, "{writer} of {writers}");
            }
        }
    }
}
