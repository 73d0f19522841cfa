//! Records on their way from the consumer to a writer: chunks of raw bytes and the runs that index them.

use std::ops::Range;
use std::sync::Arc;

use crate::budget::Charge;
use crate::tenure::Tenure;

/// Where one Kafka message lies in its chunk. Ranges index [`Chunk::bytes`].
#[derive(Debug, Clone)]
pub struct Record {
    pub offset: i64,
    pub key: Option<Range<usize>>,
    /// `None` is a tombstone; an empty range is an empty value.
    pub value: Option<Range<usize>>,
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
    /// The value of `record`, or `None` for a tombstone. `record` is one of this chunk's.
    pub fn value(&self, record: &Record) -> Option<&[u8]> {
        record.value.clone().and_then(|range| self.bytes.get(range))
    }

    pub fn records(&self) -> usize {
        self.runs.iter().map(|run| run.records.len()).sum()
    }
}
