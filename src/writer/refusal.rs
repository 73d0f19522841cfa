//! What follows an attempt that failed: a pause, a look at the schema, the search for a record, a halt.

use std::sync::Arc;

use super::attempt::Course;
use super::isolate::is_of_content;
use super::patience::REPEATS;
use super::plans::{Doubt, PlanState};
use super::sealed::{Fate, Sealed};
use crate::cause::Cause;
use crate::milvus::Milvus;
use crate::milvus::status::{Action, MilvusError};

impl<M: Milvus> Course<'_, M> {
    pub(super) async fn failed(&mut self, batch: Sealed, error: MilvusError) -> Option<Sealed> {
        if self.isolation.splits_at_once(&batch, &error) {
            return self.refused(batch, error).await;
        }
        match error.action {
            Action::Hold => {
                // When it is back, it may be another one.
                if matches!(error.cause, Cause::CollectionMissing { .. }) {
                    self.shared.miss();
                }
                self.hold(error.cause, &batch.covers).await;
            }
            Action::RepeatThenHalt if self.repeats < REPEATS => {
                self.repeat(error.cause, &batch.covers).await;
            }
            Action::Isolate | Action::Split | Action::Halt => {
                return self.refused(batch, error).await;
            }
            Action::RepeatThenHalt | Action::Refresh | Action::RefreshThenRepeat => {
                self.doubt = Some(error);
            }
        }
        Some(batch)
    }

    /// Looks whether another schema explains `doubt`: then the batch is rebuilt by the new plan.
    pub(super) async fn look(&mut self, batch: Sealed, doubt: MilvusError) -> Option<Sealed> {
        match self.common.plans.look(&batch.plan, Doubt::Milvus).await {
            Ok(PlanState::Ready(plan)) if !Arc::ptr_eq(&plan, &batch.plan) => {
                return Some(self.rebuild(batch, &plan).await);
            }
            Ok(PlanState::Impossible(cause)) => return self.halt(batch, &cause).await,
            Ok(_) => match doubt.action {
                Action::RefreshThenRepeat if self.repeats < REPEATS => {
                    self.repeat(doubt.cause, &batch.covers).await;
                }
                _ => return self.refused(batch, doubt).await,
            },
            Err(error) => {
                self.doubt = Some(doubt);
                self.hold(error.cause, &batch.covers).await;
            }
        }
        Some(batch)
    }

    /// The collection was missing. The next look says whether it is there again, and the same.
    pub(super) async fn look_for_collection(&mut self, batch: Sealed) -> Option<Sealed> {
        match self.common.plans.look(&batch.plan, Doubt::Milvus).await {
            Ok(state) => {
                self.shared.found();
                match state {
                    PlanState::Ready(plan) if !Arc::ptr_eq(&plan, &batch.plan) => {
                        Some(self.rebuild(batch, &plan).await)
                    }
                    _ => Some(batch),
                }
            }
            Err(error) => {
                self.hold(error.cause, &batch.covers).await;
                Some(batch)
            }
        }
    }

    /// The refusal stands. Where it is the content's, the record it is about is looked for, or is this one.
    async fn refused(&mut self, mut batch: Sealed, error: MilvusError) -> Option<Sealed> {
        if !is_of_content(&error) {
            return self.halt(batch, &error.cause).await;
        }
        let Some(at) = batch.alone() else {
            self.isolation.split(batch);
            return None;
        };
        let most = self.shared.rules.refused_max_consecutive;
        let verdict = self.isolation.verdict(error, &self.common.in_a_row, most);
        if let Fate::Pass(passed) = self.shared.refuse(at, verdict) {
            batch.pass(passed);
        }
        self.finish(batch).await
    }

    /// Every partition with a record in the request stands at its first one; what is behind is dropped by the writer.
    pub(super) async fn halt(&mut self, batch: Sealed, cause: &Cause) -> Option<Sealed> {
        for at in batch.firsts() {
            self.shared.halt(at.tenure(), at.from(), cause.clone());
        }
        self.finish(batch).await
    }
}
