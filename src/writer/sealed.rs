//! A batch on its way: the parts that are still to be acknowledged, and the records it could be rebuilt from.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::batch::{Batch, Refusal};
use super::doubts::{Keys, Origin};
use super::letters::Passed;
use super::records::{At, Cover, Slice};
use super::spare::Room;
use crate::budget::{Budget, Charge};
use crate::config::OnRecreated;
use crate::milvus::WriteRequest;
use crate::plan::Plan;

/// It holds its raw records until it is settled.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) plan: Arc<Plan>,
    pub(super) milvus_partition: Option<Arc<str>>,
    /// Not acknowledged yet; none where every record was skipped.
    pub(super) parts: VecDeque<WriteRequest>,
    /// Changes left out.
    pub(super) superseded: usize,
    pub(super) keys: Keys,
    pub(super) origin: Origin,
    pub(super) slices: Vec<Slice>,
    pub(super) covers: Vec<Cover>,
    /// What its records were made in, for the next batch.
    pub(super) room: Room,
    /// For what is encoded, until it is dropped.
    pub(super) _charge: Charge,
}

/// Records of a batch in the order read, to be made a batch again.
#[derive(Debug)]
pub(super) struct Unsealed {
    pub(super) plan: Arc<Plan>,
    milvus_partition: Option<Arc<str>>,
    origin: Origin,
    slices: Vec<Slice>,
}

/// What becomes of a record in a rebuild.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    Keep,
    /// A policy passes it over: it settles with the batch.
    Pass(Passed),
    /// It is no longer the batch's: neither sent nor settled.
    Leave,
}

impl Sealed {
    /// Its next part has been acknowledged.
    pub(super) fn taken(&mut self) {
        let fields = self.parts.pop_front().and_then(WriteRequest::into_fields);
        self.room.columns.reuse_fields(fields.unwrap_or_default());
    }

    /// Every record of it is settled.
    pub(super) fn settle(&self) {
        for cover in &self.covers {
            cover.tenure.settle(cover.next);
        }
    }

    /// The timestamp of its oldest record that was sent, in milliseconds since 1970.
    pub(super) fn oldest(&self) -> Option<i64> {
        let sent = self.slices.iter().filter(|slice| slice.passed.is_none());
        let records =
            sent.flat_map(|slice| &slice.chunk.runs[slice.run].records[slice.records.clone()]);
        records.filter_map(|record| record.timestamp).min()
    }

    /// Some of its records must not be sent (again): their tenure is closed, or stands before them.
    pub(super) fn is_stale(&self) -> bool {
        !self.covers.iter().all(Cover::is_wanted)
    }

    /// Without what was made of its records.
    pub(super) fn unsealed(self) -> Unsealed {
        Unsealed {
            plan: self.plan,
            milvus_partition: self.milvus_partition,
            origin: self.origin,
            slices: self.slices,
        }
    }

    /// Whether there are records to tell apart; those that a policy has skipped are not asked about.
    pub(super) fn is_divisible(&self) -> bool {
        self.slices.iter().map(Slice::sent).sum::<usize>() > 1
    }

    /// Its one record, where it is alone.
    pub(super) fn alone(&self) -> Option<At<'_>> {
        let slice = self.slices.iter().find(|slice| slice.passed.is_none())?;
        (!self.is_divisible()).then(|| slice.first())
    }

    /// Its one record is not to be sent again: a policy passes it over.
    pub(super) fn pass(&mut self, passed: Passed) {
        if let Some(slice) = self.slices.iter_mut().find(|slice| slice.passed.is_none()) {
            slice.passed = Some(passed);
        }
    }

    /// Of each tenure the first of its records that were sent.
    pub(super) fn firsts(&self) -> Vec<At<'_>> {
        let mut firsts: Vec<At<'_>> = Vec::new();
        for slice in self.slices.iter().filter(|slice| slice.passed.is_none()) {
            let at = slice.first();
            let is_known = |first: &At<'_>| Arc::ptr_eq(first.tenure(), at.tenure());
            if !firsts.iter().any(is_known) {
                firsts.push(at);
            }
        }
        firsts
    }
}

impl Unsealed {
    /// Rows made by another plan are other rows: they wait for what is in doubt of these.
    pub(super) fn remade(self) -> Self {
        Self {
            origin: self.origin.remade(),
            ..self
        }
    }

    /// Front and back, each with half of the records that were sent.
    pub(super) fn halves(self) -> (Self, Self) {
        let half = self.slices.iter().map(Slice::sent).sum::<usize>() / 2;
        let (mut front, mut back) = (Vec::new(), Vec::new());
        let mut sent = 0;
        for slice in self.slices {
            let whole = slice.sent();
            if sent >= half {
                back.push(slice);
            } else if sent + whole <= half {
                front.push(slice);
            } else {
                let (before, behind) = slice.split(half - sent);
                front.push(before);
                back.push(behind);
            }
            sent += whole;
        }
        let like = |slices, origin| Self {
            plan: Arc::clone(&self.plan),
            milvus_partition: self.milvus_partition.clone(),
            origin,
            slices,
        };
        let (first, second) = self.origin.halves();
        (like(front, first), like(back, second))
    }

    /// The slow path: decodes its records anew by `plan`, those that `fate` keeps, folding keys anew, so that a record
    /// superseded by one that is gone takes its place again. `refuse` says what becomes of one that is refused.
    /// What a policy has skipped stays skipped. Parts acknowledged before are made again: upserts and deletes may be
    /// repeated, and an insert is a batch's last part.
    pub(super) fn seal(
        self,
        plan: &Arc<Plan>,
        budget: &Arc<Budget>,
        recreated: OnRecreated,
        mut fate: impl FnMut(At<'_>) -> Fate,
        mut refuse: impl FnMut(At<'_>, Refusal) -> Fate,
    ) -> Sealed {
        let room = Room::new(plan);
        let mut batch = Batch::new(room, self.milvus_partition, budget, Instant::now());
        for slice in &self.slices {
            for record in slice.records.clone() {
                let at = At {
                    chunk: &slice.chunk,
                    run: slice.run,
                    record,
                };
                let fate = match (fate(at), &slice.passed) {
                    (Fate::Keep, Some(passed)) => Fate::Pass(passed.clone()),
                    (Fate::Keep, None) => match batch.read(at).keep(recreated) {
                        Ok(_) => Fate::Keep,
                        Err(refusal) => refuse(at, refusal),
                    },
                    (otherwise, _) => otherwise,
                };
                if let Fate::Pass(passed) = fate {
                    batch.pass(at, passed);
                }
            }
        }
        batch.seal(self.origin)
    }
}
