//! Records on their way from the consumer to a writer: chunks of raw bytes and the runs that index them.

use std::ops::Range;
use std::sync::Arc;

use crate::budget::Charge;
use crate::headers::Headers;
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

/// Where one Kafka message lies in its chunk. Ranges index [`Chunk::bytes`].
#[derive(Debug, Clone, Default)]
pub struct Record {
    pub offset: i64,
    /// Milliseconds since 1970; `None` where Kafka has none.
    pub timestamp: Option<i64>,
    pub key: Option<Range<usize>>,
    /// `None` is a tombstone; an empty range is an empty value.
    pub value: Option<Range<usize>>,
}

/// A record with all that a plan may ask of it.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    pub topic_partition: &'a TopicPartition,
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    bytes: &'a [u8],
    /// As in [`Run::headers`], in `bytes`.
    headers: &'a [Option<Range<usize>>],
}

impl<'a> RecordView<'a> {
    /// The value of the wanted header `index`; `None` where the record has none, or a null.
    pub fn header(&self, index: usize) -> Option<&'a [u8]> {
        self.bytes.get(self.headers.get(index)?.clone()?)
    }

    /// All headers in their order, where [`KeptHeaders::all`] are kept.
    pub fn headers(&self) -> Headers<'a> {
        let all = self.headers.last().cloned().flatten();
        Headers::of(all.and_then(|all| self.bytes.get(all)).unwrap_or_default())
    }
}

/// Which headers a record keeps.
#[derive(Debug, Clone, Default)]
pub struct KeptHeaders {
    /// Names of those that plans ask for.
    pub wanted: Arc<[String]>,
    /// Every one besides, for dead letters.
    pub all: bool,
}

impl KeptHeaders {
    pub fn is_any(&self) -> bool {
        self.all || !self.wanted.is_empty()
    }
}

/// The records of one tenure in a chunk, in the order read.
#[derive(Debug)]
pub struct Run {
    pub tenure: Arc<Tenure>,
    /// The offset after the record before the first one: less than the first one's where the log has a gap.
    pub from: i64,
    pub records: Vec<Record>,
    /// Of each record as many as the configuration wants, in its order, and then, where all are kept, the piece that
    /// holds all; empty where neither is so.
    pub headers: Vec<Option<Range<usize>>>,
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
        let places = run.headers.len() / run.records.len().max(1);
        let headers = run.headers.get(record * places..(record + 1) * places);
        let record = &run.records[record];
        let bytes = |range: &Option<Range<usize>>| self.bytes.get(range.clone()?);
        RecordView {
            topic_partition: &run.tenure.topic_partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: bytes(&record.key),
            value: bytes(&record.value),
            bytes: &self.bytes,
            headers: headers.unwrap_or_default(),
        }
    }

    pub fn records(&self) -> usize {
        self.runs.iter().map(|run| run.records.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    #[test]
    fn every_record_has_its_own_headers_in_the_order_they_are_wanted() {
        let run = |headers| Run {
            tenure: Arc::new(Tenure::new(TopicPartition::new("t", 0), 0)),
            from: 0,
            records: vec![Record::default(); 2],
            headers,
        };
        let chunk = Chunk {
            bytes: b"abc".to_vec(),
            runs: vec![
                run(vec![Some(0..1), None, Some(1..1), Some(1..3)]),
                run(Vec::new()),
            ],
            charge: Budget::new(1).charge(0),
        };
        let header = |run, record, index| chunk.view(run, record).header(index);
        assert_eq!(
            [0, 1, 2].map(|index| header(0, 0, index)),
            [Some(&b"a"[..]), None, None]
        );
        assert_eq!(
            [0, 1].map(|index| header(0, 1, index)),
            [Some(&b""[..]), Some(&b"bc"[..])]
        );
        assert_eq!(header(1, 1, 0), None);
    }
    #[test]
    fn all_headers_are_there_beside_those_that_are_wanted() {
        let mut bytes = b"value".to_vec();
        let trace = crate::headers::put(b"trace", Some(b"t1"), &mut bytes);
        crate::headers::put(b"null", None, &mut bytes);
        let all = Some(5..bytes.len());
        let run = |headers| Run {
            tenure: Arc::new(Tenure::new(TopicPartition::new("t", 0), 0)),
            from: 0,
            records: vec![Record::default(); 2],
            headers,
        };
        let chunk = Chunk {
            bytes,
            runs: vec![run(vec![trace, all, None, None]), run(Vec::new())],
            charge: Budget::new(1).charge(0),
        };
        let headers = |run, record| chunk.view(run, record).headers().collect::<Vec<_>>();
        assert_eq!(chunk.view(0, 0).header(0), Some(&b"t1"[..]));
        assert_eq!(
            headers(0, 0),
            [(&b"trace"[..], Some(&b"t1"[..])), (b"null", None)]
        );
        assert_eq!((headers(0, 1), headers(1, 0)), (vec![], vec![]));
    }
}
