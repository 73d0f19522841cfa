//! A batch that still takes records: changes of one collection in the order read, and the offsets they settle.

use std::sync::Arc;

use tokio::time::Instant;

use super::doubts::{Keys, Origin};
use super::letters::Passed;
use super::parts::parts;
use super::records::{At, Cover, Slice};
use super::sealed::Sealed;
use super::spare::Room;
use crate::bad_record::BadRecord;
use crate::budget::{Budget, Charge};
use crate::cause::Cause;
use crate::config::OnRecreated;
use crate::decode::change::change;
use crate::decode::change::{Change, Unfit};
use crate::key::Key;
use crate::milvus::delete::Literal;
use crate::plan::Plan;

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
    room: Room,
    records: usize,
    charge: Charge,
    pub(super) opened: Instant,
}

impl Batch {
    pub(super) fn new(
        room: Room,
        milvus_partition: Option<Arc<str>>,
        budget: &Arc<Budget>,
        opened: Instant,
    ) -> Self {
        Self {
            plan: Arc::clone(&room.plan),
            milvus_partition,
            room,
            records: 0,
            charge: budget.charge(0),
            opened,
        }
    }

    /// Reads a record, which is part of the batch when the draft is kept.
    pub(super) fn read<'b>(&'b mut self, at: At<'b>) -> Draft<'b> {
        let rows = self.room.columns.rows();
        let change = change(&self.plan, &mut self.room.columns, at.view());
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
            None => self.room.fold.row(
                self.room
                    .columns
                    .rows()
                    .checked_sub(1)
                    .and_then(|row| self.room.columns.key(row)),
            ),
            Some((key, literal)) => self.room.fold.delete(key.clone(), literal),
        }
        Ok(())
    }

    fn literal(&self, key: &Key) -> Result<Literal, BadRecord> {
        let key_field = self.plan.key_field();
        let (_, field) = key_field.ok_or_else(BadRecord::without_key_field)?;
        Literal::of(key).ok_or_else(|| BadRecord::unnameable_key(&field.name))
    }

    /// Settles a record without a change when the batch settles.
    pub(super) fn pass(&mut self, at: At<'_>, passed: Passed) {
        self.cover(at, Some(passed));
    }

    fn cover(&mut self, at: At<'_>, passed: Option<Passed>) {
        self.records += 1;
        match self.room.slices.last_mut() {
            Some(last) if last.goes_on_with(at, passed.as_ref()) => last.records.end += 1,
            _ => self.room.slices.push(Slice {
                chunk: Arc::clone(at.chunk),
                run: at.run,
                records: at.record..at.record + 1,
                passed,
            }),
        }
        let offset = at.offset();
        let covered = |cover: &&mut Cover| Arc::ptr_eq(&cover.tenure, at.tenure());
        match self.room.covers.iter_mut().rev().find(covered) {
            Some(cover) => cover.next = offset + 1,
            None => self.room.covers.push(Cover {
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
        &self.room.covers
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
        self.room.columns.bytes() + self.room.fold.delete_bytes()
    }

    /// Of its changes, as far as they are not Milvus's to make.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> + Clone {
        self.room.fold.keys()
    }

    /// Ready to be sent: no record is added any more.
    pub(super) fn seal(mut self, origin: Origin) -> Sealed {
        let (room, plan) = (&mut self.room, self.plan);
        let partition = self.milvus_partition.as_deref().unwrap_or_default();
        let fold = &room.fold;
        Sealed {
            parts: parts(
                &plan,
                partition,
                &mut room.columns,
                fold.dead(),
                fold.deletes(),
            ),
            superseded: fold.superseded(),
            keys: Keys::of(fold.keys()),
            origin,
            plan,
            milvus_partition: self.milvus_partition,
            slices: std::mem::take(&mut room.slices),
            covers: std::mem::take(&mut room.covers),
            room: self.room,
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
            Ok(Change::Row) => self.batch.room.columns.has_strayed(),
            Ok(Change::Delete(_) | Change::Nothing(_)) => false,
            Err(Unfit::Bad(bad) | Unfit::Halts(bad)) => bad.field.is_some(),
        }
    }

    /// Whether its row would make the batch's rows larger than `max_bytes`. A row alone never is: whether Milvus takes it
    /// is for Milvus to say.
    pub(super) fn is_too_much(&self, max_bytes: usize) -> bool {
        let is_row = matches!(self.change, Ok(Change::Row));
        is_row && self.rows > 0 && self.batch.room.columns.bytes() > max_bytes
    }

    /// Leaves the batch as it was.
    pub(super) fn discard(self) {
        self.batch.room.columns.truncate(self.rows);
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
            batch.room.columns.truncate(rows);
            return Err(refusal);
        }
        batch.charge.resize(batch.bytes());
        // What is no change is not sent, so no refusal is about it.
        let passed = matches!(change, Change::Nothing(_)).then_some(Passed::Skipped);
        batch.cover(at, passed);
        Ok(change)
    }
}
