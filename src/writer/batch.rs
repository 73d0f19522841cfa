//! A batch that still takes records: changes of one collection in the order read, and the offsets they settle.

use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use super::fold::Fold;
use super::parts::parts;
use super::sealed::Sealed;
use crate::bad_record::BadRecord;
use crate::budget::{Budget, Charge};
use crate::cause::Cause;
use crate::columns::Columns;
use crate::config::OnRecreated;
use crate::decode::change::change;
use crate::decode::change::{Change, Unfit};
use crate::key::Key;
use crate::milvus::delete::Literal;
use crate::plan::Plan;
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
    /// A policy has passed them over, once and for all.
    pub(super) skipped: bool,
}

impl Slice {
    /// Records of it that a refusal may be about.
    pub(super) fn sent(&self) -> usize {
        if self.skipped { 0 } else { self.records.len() }
    }

    /// Its first `count` records, and the others.
    pub(super) fn split(self, count: usize) -> (Self, Self) {
        let at = self.records.start + count;
        let before = Self {
            chunk: Arc::clone(&self.chunk),
            records: self.records.start..at,
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

/// Why a record does not become a change of the batch.
#[derive(Debug)]
pub(super) enum Refusal {
    /// `errors.tolerance` decides.
    Bad(BadRecord),
    /// Its partition halts, whatever is tolerated.
    Halts(Cause),
}

#[derive(Debug)]
pub(super) struct Batch {
    plan: Arc<Plan>,
    /// Keys are compared within one Milvus partition only, as Milvus does.
    milvus_partition: Option<Arc<str>>,
    columns: Columns,
    fold: Fold,
    slices: Vec<Slice>,
    covers: Vec<Cover>,
    records: usize,
    charge: Charge,
    pub(super) opened: Instant,
}

impl Batch {
    pub(super) fn new(
        plan: Arc<Plan>,
        milvus_partition: Option<Arc<str>>,
        budget: &Arc<Budget>,
        opened: Instant,
    ) -> Self {
        Self {
            columns: Columns::new(&plan),
            fold: Fold::new(plan.operation),
            plan,
            milvus_partition,
            slices: Vec::new(),
            covers: Vec::new(),
            records: 0,
            charge: budget.charge(0),
            opened,
        }
    }

    /// Reads a record, which is part of the batch when the draft is kept.
    pub(super) fn read<'b>(&'b mut self, at: At<'b>) -> Draft<'b> {
        let rows = self.columns.rows();
        let change = change(&self.plan, &mut self.columns, at.view());
        Draft {
            batch: self,
            at,
            rows,
            change,
        }
    }

    fn fold(&mut self, at: At<'_>, change: &Change, recreated: OnRecreated) -> Result<(), Refusal> {
        let literal = match change {
            Change::Nothing(_) => return Ok(()),
            Change::Row => None,
            Change::Delete(key) => Some((key, self.literal(key).map_err(Refusal::Bad)?)),
        };
        let target = &self.plan.target;
        at.tenure()
            .write_to(target, recreated)
            .map_err(Refusal::Halts)?;
        match literal {
            None => self.fold.row(
                self.columns
                    .rows()
                    .checked_sub(1)
                    .and_then(|row| self.columns.key(row)),
            ),
            Some((key, literal)) => self.fold.delete(key.clone(), literal),
        }
        Ok(())
    }

    fn literal(&self, key: &Key) -> Result<Literal, BadRecord> {
        let key_field = self.plan.key_field();
        let (_, field) = key_field.ok_or_else(BadRecord::without_key_field)?;
        Literal::of(key).ok_or_else(|| BadRecord::unnameable_key(&field.name))
    }

    /// Settles a record without a change when the batch settles.
    pub(super) fn skip(&mut self, at: At<'_>) {
        self.cover(at, true);
    }

    fn cover(&mut self, at: At<'_>, skipped: bool) {
        self.records += 1;
        match self.slices.last_mut() {
            Some(last)
                if Arc::ptr_eq(&last.chunk, at.chunk)
                    && last.run == at.run
                    && last.records.end == at.record
                    && last.skipped == skipped =>
            {
                last.records.end += 1;
            }
            _ => self.slices.push(Slice {
                chunk: Arc::clone(at.chunk),
                run: at.run,
                records: at.record..at.record + 1,
                skipped,
            }),
        }
        let offset = at.offset();
        let covered = |cover: &&mut Cover| Arc::ptr_eq(&cover.tenure, at.tenure());
        match self.covers.iter_mut().rev().find(covered) {
            Some(cover) => cover.next = offset + 1,
            None => self.covers.push(Cover {
                tenure: Arc::clone(at.tenure()),
                from: at.from(),
                next: offset + 1,
            }),
        }
    }

    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(super) fn covers(&self) -> &[Cover] {
        &self.covers
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Full by records (rows, deletes and skipped ones, so that what it holds is bounded) or by encoded bytes.
    /// The first record always fits.
    pub(super) fn is_full(&self, max_records: usize, max_bytes: usize) -> bool {
        self.records >= max_records || self.bytes() >= max_bytes
    }

    fn bytes(&self) -> usize {
        self.columns.bytes() + self.fold.delete_bytes()
    }

    /// Ready to be sent: no record is added any more.
    pub(super) fn seal(self) -> Sealed {
        let (fold, plan) = (self.fold, self.plan);
        let partition = self.milvus_partition.as_deref().unwrap_or_default();
        Sealed {
            parts: parts(&plan, partition, self.columns, fold.dead(), fold.deletes()),
            superseded: fold.superseded(),
            plan,
            milvus_partition: self.milvus_partition,
            slices: self.slices,
            covers: self.covers,
            _charge: self.charge,
        }
    }
}

/// A record that has been read, and what it says.
#[derive(Debug)]
#[must_use]
pub(super) struct Draft<'b> {
    batch: &'b mut Batch,
    at: At<'b>,
    /// Before it.
    rows: usize,
    change: Result<Change, Unfit>,
}

impl Draft<'_> {
    /// Whether another schema than the plan's might mean another thing by it.
    pub(super) fn doubts_the_plan(&self) -> bool {
        match &self.change {
            Ok(Change::Row) => self.batch.columns.has_strayed(),
            Ok(Change::Delete(_) | Change::Nothing(_)) => false,
            Err(Unfit::Bad(bad) | Unfit::Halts(bad)) => bad.field.is_some(),
        }
    }

    /// Leaves the batch as it was.
    pub(super) fn discard(self) {
        self.batch.columns.truncate(self.rows);
    }

    /// Makes it part of the batch: an earlier change of its key is superseded. Refused, it leaves the batch as it was.
    pub(super) fn keep(self, recreated: OnRecreated) -> Result<Change, Refusal> {
        let Self {
            batch,
            at,
            rows,
            change,
        } = self;
        let change = change.map_err(|unfit| match unfit {
            Unfit::Bad(bad) => Refusal::Bad(bad),
            Unfit::Halts(bad) => Refusal::Halts(at.bad(bad)),
        })?;
        if let Err(refusal) = batch.fold(at, &change, recreated) {
            batch.columns.truncate(rows);
            return Err(refusal);
        }
        batch.charge.resize(batch.bytes());
        batch.cover(at, false);
        Ok(change)
    }
}
