//! One batch until it is settled or halted: attempts, and what follows each.

use std::sync::Arc;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::doubts::Doubts;
use super::flags::Lookout;
use super::in_flight::Turn;
use super::isolate::{InARow, Isolation, is_of_content};
use super::plans::{PlanState, Plans};
use super::records::{At, Cover};
use super::sealed::{Fate, Sealed, Unsealed};
use super::spare::Spare;
use super::{Shared, Stations};
use crate::budget::Budget;
use crate::milvus::status::MilvusError;
use crate::milvus::{Milvus, WriteRequest};
use crate::ops::board::Peer;
use crate::ops::metrics::Done;
use crate::plan::Plan;

/// What the batches of one writer share.
#[derive(Debug)]
pub(super) struct Common<M> {
    pub(super) shared: Arc<Shared<M>>,
    /// The writer's share.
    pub(super) budget: Arc<Budget>,
    pub(super) plans: Plans,
    pub(super) in_a_row: InARow,
    pub(super) doubts: Doubts,
    pub(super) spare: Arc<Spare>,
}

/// Sends `batch` until all of it is settled or halted: acknowledged, or found to be refused.
pub(super) async fn write<M: Milvus>(
    common: &Common<M>,
    batch: Sealed,
    turn: Turn,
    lookout: Lookout,
) {
    let mut course = Course::new(common, turn, lookout);
    let mut batch = Some(batch);
    while let Some(sealed) = batch {
        batch = match course.step(sealed).await {
            Some(sealed) => Some(sealed),
            None => course.next().await,
        };
    }
    course.turn.come().await; // or a younger one would have its turn before an older one
}

pub(super) struct Course<'a, M> {
    pub(super) common: &'a Common<M>,
    pub(super) shared: &'a Shared<M>,
    /// Nothing of it is settled before.
    pub(super) turn: Turn,
    pub(super) lookout: Lookout,
    /// The rest of the batch, where that has been taken apart.
    pub(super) isolation: Isolation,
    pub(super) backoff: Backoff,
    pub(super) repeats: u32,
    pub(super) held: bool,
    /// A part of the batch has been.
    acked: bool,
    /// What Milvus said that may come of another schema: looked into before anything more is sent.
    pub(super) doubt: Option<MilvusError>,
    /// A delete ended without an answer: an insert of its key could be deleted until then.
    delete_in_doubt: Option<Instant>,
}

impl<'a, M: Milvus> Course<'a, M> {
    fn new(common: &'a Common<M>, turn: Turn, lookout: Lookout) -> Self {
        let shared = &*common.shared;
        Self {
            common,
            shared,
            turn,
            lookout,
            isolation: Isolation::default(),
            backoff: shared.patient(),
            repeats: 0,
            held: false,
            acked: false,
            doubt: None,
            delete_in_doubt: None,
        }
    }

    /// What must not be sent any more is taken out before each attempt. `None` at the end.
    async fn step(&mut self, batch: Sealed) -> Option<Sealed> {
        let mut batch = match self.common.plans.current() {
            PlanState::Impossible(cause) => return self.halt(batch, &cause).await,
            PlanState::Ready(plan) if plan.target.differs(&batch.plan.target) => {
                self.rebuild(batch, &plan).await
            }
            _ if batch.is_stale() => {
                let plan = Arc::clone(&batch.plan);
                self.rebuild(batch, &plan).await
            }
            _ => batch,
        };
        let Some(part) = batch.parts.front() else {
            return self.finish(batch).await;
        };
        if self.shared.misses_its_collection() {
            return self.look_for_collection(batch).await;
        }
        if let Some(doubt) = self.doubt.take() {
            return self.look(batch, doubt).await;
        }
        if self.waited_to_send(&batch, part).await {
            return Some(batch); // much may have changed meanwhile
        }
        match self.send(&batch, part).await {
            Some(Ok(())) => {
                batch.taken();
                // At once: whatever becomes of a tenure or a plan now, an insert must not be made a second time.
                if batch.parts.is_empty() {
                    return self.finish(batch).await;
                }
                Some(batch)
            }
            Some(Err(error)) => self.failed(batch, error).await,
            None => Some(batch),
        }
    }

    /// What comes after a part of a batch: nothing of what was said about that is true of it.
    async fn next(&mut self) -> Option<Sealed> {
        let records = self.isolation.next()?;
        (self.repeats, self.acked, self.doubt) = (0, false, None);
        let plan = match self.common.plans.current() {
            PlanState::Ready(plan) => plan,
            PlanState::Waiting | PlanState::Impossible(_) => Arc::clone(&records.plan),
        };
        Some(self.seal_by(records, &plan).await)
    }

    /// A refusal of what it was says nothing about what it becomes: the record at fault may be gone.
    pub(super) async fn rebuild(&mut self, batch: Sealed, plan: &Arc<Plan>) -> Sealed {
        self.doubt = self.doubt.take().filter(|doubt| !is_of_content(doubt));
        self.repeats = 0;
        self.seal_by(batch.unsealed(), plan).await
    }

    async fn seal_by(&mut self, records: Unsealed, plan: &Arc<Plan>) -> Sealed {
        if Arc::ptr_eq(&records.plan, plan) {
            return self.seal(records, plan);
        }
        // By another plan its keys may be those of a batch beside it.
        self.turn.come().await;
        self.seal(records.remade(), plan)
    }

    fn seal(&self, records: Unsealed, plan: &Arc<Plan>) -> Sealed {
        let fate = |at: At<'_>| match at.is_wanted() {
            true => Fate::Keep,
            false => Fate::Leave,
        };
        records.seal(
            plan,
            &self.common.budget,
            self.shared.rules.recreated,
            fate,
            |at, refusal| self.shared.refuse(at, refusal),
        )
    }

    /// One attempt. `None`: it was cancelled, since a tenure of the batch was closed.
    async fn send(
        &mut self,
        batch: &Sealed,
        part: &WriteRequest,
    ) -> Option<Result<(), MilvusError>> {
        let started = Instant::now();
        let request = |cover: &Cover| cover.tenure.request();
        let metrics = &self.shared.stations.metrics;
        let request_to_milvus = metrics.requests.begin(started.into_std());
        // Until what is said of its end below has been said.
        let _under_way: Vec<_> = batch.covers.iter().map(request).collect();
        let answer = tokio::select! {
            biased;
            answer = self.shared.milvus.write(part) => Some(answer),
            () = cancelled(&mut self.lookout, part, &batch.covers) => None,
        };
        drop(request_to_milvus);
        metrics.request_took(started.elapsed());
        if answer.is_some() && self.isolation.is_begun() {
            self.shared.stations.board.step(self.shared.scope());
        }
        match &answer {
            Some(Ok(())) => self.taken(part),
            Some(Err(error)) => {
                metrics.attempt_failed(&error.cause);
                if error.outcome_unknown {
                    self.in_doubt(batch, part);
                }
            }
            None => self.in_doubt(batch, part),
        }
        answer
    }

    /// Whether the request was applied is not known; it may still be.
    fn in_doubt(&mut self, batch: &Sealed, part: &WriteRequest) {
        let until = Instant::now() + self.shared.rules.late_landing_grace;
        self.common.doubts.add(&batch.origin, &batch.keys, until);
        if !batch.keys.is_empty() {
            for cover in &batch.covers {
                cover.tenure.doubt(until.into_std());
            }
        }
        if matches!(part, WriteRequest::Delete(_)) {
            self.delete_in_doubt = Some(until);
        }
    }

    /// Until when `part` would be overtaken by an older request.
    pub(super) fn overtaken_until(&self, batch: &Sealed, part: &WriteRequest) -> Option<Instant> {
        let by_others = self.common.doubts.until(&batch.origin, &batch.keys);
        let by_deletes = self
            .delete_in_doubt
            .filter(|_| matches!(part, WriteRequest::Insert(_)));
        by_others.max(by_deletes)
    }

    fn taken(&mut self, part: &WriteRequest) {
        self.go_on();
        let Stations { metrics, board, .. } = &self.shared.stations;
        board.set_connected(Peer::Milvus, true);
        let done = match part {
            WriteRequest::Delete(_) => Done::Deleted,
            WriteRequest::Insert(_) | WriteRequest::Upsert(_) => Done::Wrote,
        };
        metrics.acknowledged(&self.shared.flow, done, part.rows(), part.bytes());
        (self.repeats, self.acked) = (0, true);
        self.isolation.taken();
        self.common.in_a_row.taken();
        self.backoff = self.shared.patient();
    }

    /// Nothing is left to be sent: it settles once what was filled before has settled and its dead letters are kept.
    pub(super) async fn finish(&mut self, mut batch: Sealed) -> Option<Sealed> {
        self.end_hold(&batch.covers); // nothing of it will find out when Milvus is back
        let metrics = &self.shared.stations.metrics;
        if self.acked {
            metrics.rows_superseded.inc_by(batch.superseded as u64);
            metrics.batches_settled.inc();
            if let Some(oldest) = batch.oldest() {
                metrics.arrived(oldest);
            }
        }
        // An older batch may halt the partition before a letter of this one.
        self.turn.come().await;
        loop {
            batch.covers.retain(|cover| cover.tenure.is_open());
            let kept = tokio::select! {
                biased;
                kept = self.shared.put_letters(&batch) => kept,
                () = self.lookout.closed(&batch.covers) => continue,
            };
            match kept {
                Ok(()) => break,
                Err(cause) => self.hold(cause, &batch.covers).await,
            }
        }
        self.end_hold(&batch.covers);
        batch.settle();
        self.common.spare.put(batch);
        None
    }
}

/// Ends when a request is not worth its answer any more. What is cancelled may be applied nevertheless, and is repeated
/// without the closed tenures; inserts would make rows twice by that, so they have their time.
async fn cancelled(lookout: &mut Lookout, part: &WriteRequest, covers: &[Cover]) {
    match part {
        WriteRequest::Insert(_) => lookout.all_closed(covers).await,
        WriteRequest::Upsert(_) | WriteRequest::Delete(_) => lookout.closed(covers).await,
    }
}
