//! One batch until it is settled or halted: attempts, pauses between them, and what a refusal leads to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::batch::At;
use super::isolate::{InARow, Isolation, is_of_content};
use super::plans::{Doubt, PlanState, Plans};
use super::sealed::{Fate, Sealed, Unsealed};
use super::{Shared, Stations};
use crate::cause::Cause;
use crate::milvus::status::{Action, MilvusError};
use crate::milvus::{Milvus, WriteRequest};
use crate::ops::board::{Peer, Scope};
use crate::plan::Plan;

/// An answer that may be the server's or the request's fault is repeated this often before it counts as a refusal.
const REPEATS: u32 = 5;
const REPEAT_PAUSE: Duration = Duration::from_secs(6);

/// Sends `batch` until all of it is settled or halted: acknowledged, or found to be refused. `hurry` cuts a hold's pause
/// short.
pub(super) async fn write<M: Milvus>(
    shared: &Shared<M>,
    plans: &Plans,
    batch: Sealed,
    hurry: &Notify,
    in_a_row: &InARow,
) {
    let scope = shared.scope();
    let mut course = Course {
        backoff: patient(shared),
        shared,
        plans,
        hurry,
        in_a_row,
        isolation: Isolation::default(),
        scope,
        repeats: 0,
        held: false,
        acked: false,
        doubt: None,
    };
    let mut batch = Some(batch);
    while let Some(sealed) = batch {
        batch = match course.step(sealed).await {
            Some(sealed) => Some(sealed),
            None => course.next(),
        };
    }
}

fn patient<M>(shared: &Shared<M>) -> Backoff {
    Backoff::new(shared.rules.retry_backoff, shared.rules.retry_backoff_max)
}

struct Course<'a, M> {
    shared: &'a Shared<M>,
    plans: &'a Plans,
    hurry: &'a Notify,
    in_a_row: &'a InARow,
    /// The rest of the batch, where that has been taken apart.
    isolation: Isolation,
    scope: Scope,
    backoff: Backoff,
    repeats: u32,
    held: bool,
    /// A part of the batch has been.
    acked: bool,
    /// What Milvus said that may come of another schema: looked into before anything more is sent.
    doubt: Option<MilvusError>,
}

impl<M: Milvus> Course<'_, M> {
    /// Before each attempt the gate is asked: what must not be sent any more is taken out first. `None` at the end.
    async fn step(&mut self, batch: Sealed) -> Option<Sealed> {
        let mut batch = match self.plans.current() {
            PlanState::Impossible(cause) => return self.halt(&batch, &cause),
            PlanState::Ready(plan) if plan.target.differs(&batch.plan.target) => {
                self.rebuild(batch, &plan)
            }
            _ if batch.is_stale() => {
                let plan = Arc::clone(&batch.plan);
                self.rebuild(batch, &plan)
            }
            _ => batch,
        };
        let Some(part) = batch.parts.front() else {
            return self.finish(&batch);
        };
        if let Some(doubt) = self.doubt.take() {
            return self.look(batch, doubt).await;
        }
        match self.send(part).await {
            Ok(()) => {
                batch.parts.pop_front();
                // At once: whatever becomes of a tenure or a plan now, an insert must not be made a second time.
                if batch.parts.is_empty() {
                    return self.finish(&batch);
                }
                Some(batch)
            }
            Err(error) => self.failed(batch, error).await,
        }
    }

    /// What comes after a part of a batch: nothing of what was said about that is true of it.
    fn next(&mut self) -> Option<Sealed> {
        let records = self.isolation.next()?;
        (self.repeats, self.acked, self.doubt) = (0, false, None);
        let plan = match self.plans.current() {
            PlanState::Ready(plan) => plan,
            PlanState::Waiting | PlanState::Impossible(_) => Arc::clone(&records.plan),
        };
        Some(self.seal(records, &plan))
    }

    /// A refusal of what it was says nothing about what it becomes: the record at fault may be gone.
    fn rebuild(&mut self, batch: Sealed, plan: &Arc<Plan>) -> Sealed {
        self.doubt = self.doubt.take().filter(|doubt| !is_of_content(doubt));
        self.repeats = 0;
        self.seal(batch.unsealed(), plan)
    }

    fn seal(&self, records: Unsealed, plan: &Arc<Plan>) -> Sealed {
        let fate = |at: At<'_>| match at.is_wanted() {
            true => Fate::Keep,
            false => Fate::Leave,
        };
        records.seal(
            plan,
            &self.shared.stations.budget,
            self.shared.rules.recreated,
            fate,
            |at, refusal| self.shared.refuse(at, refusal),
        )
    }

    async fn send(&mut self, part: &WriteRequest) -> Result<(), MilvusError> {
        let started = Instant::now();
        let answer = self.shared.milvus.write(part).await;
        let metrics = &self.shared.stations.metrics;
        metrics.request_took(started.elapsed());
        if let Err(error) = answer {
            metrics.attempt_failed(&error.cause);
            return Err(error);
        }
        let board = &self.shared.stations.board;
        board.set_connected(Peer::Milvus, true);
        board.clear(&self.scope);
        let written = match part {
            WriteRequest::Delete(_) => &metrics.rows_deleted,
            WriteRequest::Insert(_) | WriteRequest::Upsert(_) => &metrics.rows_written,
        };
        written.inc_by(u64::from(part.rows()));
        (self.repeats, self.held, self.acked) = (0, false, true);
        self.isolation.taken();
        self.in_a_row.taken();
        self.backoff = patient(self.shared);
        Ok(())
    }

    /// Nothing is left to be sent.
    fn finish(&self, batch: &Sealed) -> Option<Sealed> {
        let Stations { metrics, board, .. } = &self.shared.stations;
        if self.acked {
            metrics.rows_superseded.inc_by(batch.superseded as u64);
            metrics.batches_settled.inc();
        }
        // Nothing of it is wanted any more, so nothing will find out when Milvus is back.
        if self.held {
            board.clear(&self.scope);
        }
        batch.settle();
        None
    }

    async fn failed(&mut self, batch: Sealed, error: MilvusError) -> Option<Sealed> {
        if self.isolation.splits_at_once(&batch, &error) {
            return self.refused(batch, error);
        }
        match error.action {
            Action::Hold => {
                // When it is back, it may be another one.
                if matches!(error.cause, Cause::CollectionMissing { .. }) {
                    self.doubt = Some(error.clone());
                }
                self.hold(error.cause).await;
            }
            Action::RepeatThenHalt if self.repeats < REPEATS => self.repeat(error.cause).await,
            Action::Isolate | Action::Split | Action::Halt => return self.refused(batch, error),
            Action::RepeatThenHalt | Action::Refresh | Action::RefreshThenRepeat => {
                self.doubt = Some(error);
            }
        }
        Some(batch)
    }

    /// Looks whether another schema explains `doubt`: then the batch is rebuilt by the new plan.
    async fn look(&mut self, batch: Sealed, doubt: MilvusError) -> Option<Sealed> {
        match self.plans.look(&batch.plan, Doubt::Milvus).await {
            Ok(PlanState::Ready(plan)) if !Arc::ptr_eq(&plan, &batch.plan) => {
                return Some(self.rebuild(batch, &plan));
            }
            Ok(PlanState::Impossible(cause)) => return self.halt(&batch, &cause),
            Ok(_) => match doubt.action {
                Action::Hold => {} // it is there again, and the same
                Action::RefreshThenRepeat if self.repeats < REPEATS => {
                    self.repeat(doubt.cause).await;
                }
                _ => return self.refused(batch, doubt),
            },
            Err(error) => {
                self.doubt = Some(doubt);
                self.hold(error.cause).await;
            }
        }
        Some(batch)
    }

    /// The refusal stands. Where it is the content's, the record it is about is looked for, or is this one.
    fn refused(&mut self, batch: Sealed, error: MilvusError) -> Option<Sealed> {
        if !is_of_content(&error) {
            return self.halt(&batch, &error.cause);
        }
        let Some(at) = batch.alone() else {
            self.isolation.split(batch);
            return None;
        };
        let most = self.shared.rules.refused_max_consecutive;
        let verdict = self.isolation.verdict(error, self.in_a_row, most);
        match self.shared.refuse(at, verdict) {
            Fate::Skip => batch.settle(),
            Fate::Keep | Fate::Leave => batch.settle_but(at),
        }
        self.shared.stations.board.clear(&self.scope);
        None
    }

    async fn hold(&mut self, cause: Cause) {
        let pause = self.backoff.pause();
        self.stand(cause);
        tokio::select! {
            () = sleep(pause) => {}
            () = self.hurry.notified() => self.backoff = patient(self.shared),
        }
    }

    async fn repeat(&mut self, cause: Cause) {
        self.repeats += 1;
        self.stand(while_repeated(cause));
        sleep(REPEAT_PAUSE).await;
    }

    fn stand(&mut self, cause: Cause) {
        let board = &self.shared.stations.board;
        if matches!(cause, Cause::MilvusUnreachable { .. }) {
            board.set_connected(Peer::Milvus, false);
        }
        board.hold(self.scope.clone(), cause);
        self.held = true;
    }

    /// Every partition of the batch stands at its first record in it; what is behind is dropped by the writer.
    fn halt(&self, batch: &Sealed, cause: &Cause) -> Option<Sealed> {
        for cover in &batch.covers {
            self.shared.halt(&cover.tenure, cover.from, cause.clone());
        }
        self.shared.stations.board.clear(&self.scope);
        None
    }
}

/// What may pass is not called a refusal before it has stayed: a server that stops or starts answers so, too.
fn while_repeated(cause: Cause) -> Cause {
    match cause {
        Cause::Refused { reason, .. } => Cause::MilvusBusy { reason },
        other => other,
    }
}
