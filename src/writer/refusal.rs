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
            return self.refused(batch, error);
        }
        match error.action {
            Action::Hold => {
                // When it is back, it may be another one.
                if matches!(error.cause, Cause::CollectionMissing { .. }) {
                    self.doubt = Some(error.clone());
                }
                self.hold(error.cause, &batch.covers).await;
            }
            Action::RepeatThenHalt if self.repeats < REPEATS => {
                self.repeat(error.cause, &batch.covers).await;
            }
            Action::Isolate | Action::Split | Action::Halt => {
                return self.refused(batch, error);
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
                return Some(self.rebuild(batch, &plan));
            }
            Ok(PlanState::Impossible(cause)) => return self.halt(&batch, &cause),
            Ok(_) => match doubt.action {
                Action::Hold => {} // it is there again, and the same
                Action::RefreshThenRepeat if self.repeats < REPEATS => {
                    self.repeat(doubt.cause, &batch.covers).await;
                }
                _ => return self.refused(batch, doubt),
            },
            Err(error) => {
                self.doubt = Some(doubt);
                self.hold(error.cause, &batch.covers).await;
            }
        }
        Some(batch)
    }

    /// The refusal stands. Where it is the content's, the record it is about is looked for, or is this one.
    fn refused(&mut self, mut batch: Sealed, error: MilvusError) -> Option<Sealed> {
        if !is_of_content(&error) {
            return self.halt(&batch, &error.cause);
        }
        let Some(at) = batch.alone() else {
            self.isolation.split(batch);
            return None;
        };
        let most = self.shared.rules.refused_max_consecutive;
        let verdict = self.isolation.verdict(error, &self.common.in_a_row, most);
        self.shared.stations.board.clear(&self.scope);
        match self.shared.refuse(at, verdict) {
            Fate::Pass(passed) => {
                batch.pass(passed);
                Some(batch)
            }
            // What is around it has nothing to be sent, but dead letters, perhaps.
            Fate::Keep | Fate::Leave => {
                let plan = Arc::clone(&batch.plan);
                Some(self.rebuild(batch, &plan))
            }
        }
    }

    /// Every partition of the batch stands at its first record in it; what is behind is dropped by the writer.
    pub(super) fn halt(&self, batch: &Sealed, cause: &Cause) -> Option<Sealed> {
        for cover in &batch.covers {
            self.shared.halt(&cover.tenure, cover.from, cause.clone());
        }
        self.shared.stations.board.clear(&self.scope);
        None
    }
}
