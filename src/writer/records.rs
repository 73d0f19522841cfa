//! The records of a batch: where they lie, and which offsets they settle.

use std::ops::Range;
use std::sync::Arc;

use super::letters::Passed;
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::record::{Chunk, RecordView};
use crate::tenure::Tenure;

/// One record of one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) chunk: &'a Arc<Chunk>,
    pub(super) run: usize,
    pub(super) record: usize,
}

impl<'a> At<'a> {
    pub(super) fn tenure(&self) -> &'a Arc<Tenure> {
        &self.chunk.runs[self.run].tenure
    }

    pub(super) fn offset(&self) -> i64 {
        self.chunk.runs[self.run].records[self.record].offset
    }

    /// The offset after the record before it. A partition that halts at this record stands there: `settled` gets no
    /// further where compaction or a transaction's marker leaves a gap.
    pub(super) fn from(&self) -> i64 {
        let run = &self.chunk.runs[self.run];
        let before = self.record.checked_sub(1);
        before.map_or(run.from, |before| run.records[before].offset + 1)
    }

    pub(super) fn view(&self) -> RecordView<'a> {
        self.chunk.view(self.run, self.record)
    }

    /// Whether it may be sent: its tenure is open and does not stand before it.
    pub(super) fn is_wanted(&self) -> bool {
        let tenure = self.tenure();
        let halted_before = |at| at <= self.offset();
        tenure.is_open() && !tenure.halted_at().is_some_and(halted_before)
    }

    pub(super) fn bad(&self, bad: BadRecord) -> Cause {
        Cause::BadRecord {
            at: self.tenure().topic_partition.clone(),
            offset: self.offset(),
            bad,
        }
    }
}

/// Neighbouring records of one run: what a rebuild decodes anew.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) chunk: Arc<Chunk>,
    pub(super) run: usize,
    pub(super) records: Range<usize>,
    /// A policy has passed them over, once and for all; one alone where it becomes a dead letter.
    pub(super) passed: Option<Passed>,
}

impl Slice {
    /// Records of it that a refusal may be about.
    pub(super) fn sent(&self) -> usize {
        match self.passed {
            Some(_) => 0,
            None => self.records.len(),
        }
    }

    pub(super) fn first(&self) -> At<'_> {
        At {
            chunk: &self.chunk,
            run: self.run,
            record: self.records.start,
        }
    }

    /// Whether the record is its next one, with the same fate.
    pub(super) fn goes_on_with(&self, at: At<'_>, passed: Option<&Passed>) -> bool {
        let alike = matches!(
            (&self.passed, passed),
            (None, None) | (Some(Passed::Skipped), Some(Passed::Skipped))
        );
        let next = self.run == at.run && self.records.end == at.record;
        alike && next && Arc::ptr_eq(&self.chunk, at.chunk)
    }

    /// Its first `count` records, and the others.
    pub(super) fn split(self, count: usize) -> (Self, Self) {
        let at = self.records.start + count;
        let before = Self {
            chunk: Arc::clone(&self.chunk),
            records: self.records.start..at,
            passed: self.passed.clone(),
            ..self
        };
        let behind = Self {
            records: at..self.records.end,
            ..self
        };
        (before, behind)
    }
}

/// The records of one tenure in a batch: `from..next` by offset.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) tenure: Arc<Tenure>,
    pub(super) from: i64,
    pub(super) next: i64,
}

impl Cover {
    /// Whether its records may still be sent: the tenure is open and does not stand before them.
    pub(super) fn is_wanted(&self) -> bool {
        let halted_before = |at| at <= self.from;
        self.tenure.is_open() && !self.tenure.halted_at().is_some_and(halted_before)
    }
}
