//! A batch on its way: the parts that are still to be acknowledged, and the records it could be rebuilt from.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::batch::{At, Batch, Cover, Refusal, Slice};
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
    pub(super) slices: Vec<Slice>,
    pub(super) covers: Vec<Cover>,
    pub(super) charge: Charge,
}

/// What becomes of a record in a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    /// A policy passes it over: it settles with the batch.
    Skip,
    /// It is no longer the batch's: neither sent nor settled.
    Leave,
}

impl Sealed {
    /// Every record of it is settled.
    pub(super) fn settle(&self) {
        for cover in &self.covers {
            cover.tenure.settle(cover.next);
        }
    }

    /// Some of its records must not be sent (again): their tenure is closed, or stands before them.
    pub(super) fn is_stale(&self) -> bool {
        !self.covers.iter().all(Cover::is_wanted)
    }

    /// The slow path: decodes its records anew by `plan`, those that `fate` keeps, folding keys anew, so that a record
    /// superseded by one that is gone takes its place again. `refuse` says what becomes of one that is refused.
    /// What a policy has skipped stays skipped. Parts acknowledged before are made again: upserts and deletes may be
    /// repeated, and an insert is a batch's last part.
    pub(super) fn rebuild(
        self,
        plan: &Arc<Plan>,
        budget: &Arc<Budget>,
        recreated: OnRecreated,
        mut fate: impl FnMut(At<'_>) -> Fate,
        mut refuse: impl FnMut(At<'_>, Refusal) -> Fate,
    ) -> Self {
        let mut batch = Batch::new(
            Arc::clone(plan),
            self.milvus_partition,
            budget,
            Instant::now(),
        );
        drop(self.parts);
        drop(self.charge);
        for slice in &self.slices {
            for record in slice.records.clone() {
                let at = At {
                    chunk: &slice.chunk,
                    run: slice.run,
                    record,
                };
                let fate = match fate(at) {
                    Fate::Keep if slice.skipped => Fate::Skip,
                    Fate::Keep => match batch.read(at).keep(recreated) {
                        Ok(_) => Fate::Keep,
                        Err(refusal) => refuse(at, refusal),
                    },
                    otherwise => otherwise,
                };
                if fate == Fate::Skip {
                    batch.skip(at);
                }
            }
        }
        batch.seal()
    }
}
