//! Records on their way from the consumer to a writer: chunks of raw bytes and the runs that index them.

use std::ops::Range;
use std::sync::Arc;

use crate::budget::Charge;
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

/// Where one Kafka message lies in its chunk. Ranges index [`Chunk::bytes`].
#[derive(Debug, Clone)]
pub struct Record {
    pub offset: i64,
    pub key: Option<Range<usize>>,
    /// `None` is a tombstone; an empty range is an empty value.
    pub value: Option<Range<usize>>,
}

/// A record with all that a plan may ask of it.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    pub topic_partition: &'a TopicPartition,
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// The records of one tenure in a chunk, in the order read.
#[derive(Debug)]
pub struct Run {
    pub tenure: Arc<Tenure>,
    /// The offset after the record before the first one: less than the first one's where the log has a gap.
    pub from: i64,
    pub records: Vec<Record>,
}

/// Records handed to a writer in one piece.
#[derive(Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    pub runs: Vec<Run>,
    /// Gives the chunk's bytes back to the process-wide budget when the last batch that holds it is gone.
    pub charge: Charge,
}

impl Chunk {
    /// Record `record` of run `run`; both must be there.
    pub fn view(&self, run: usize, record: usize) -> RecordView<'_> {
        let run = &self.runs[run];
        let record = &run.records[record];
        let bytes = |range: &Option<Range<usize>>| self.bytes.get(range.clone()?);
        RecordView {
            topic_partition: &run.tenure.topic_partition,
            offset: record.offset,
            key: bytes(&record.key),
            value: bytes(&record.value),
        }
    }

    pub fn records(&self) -> usize {
        self.runs.iter().map(|run| run.records.len()).sum()
    }
}
