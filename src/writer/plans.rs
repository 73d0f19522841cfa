//! The plan of a collection, between its planner and its writers: the current one, and requests to look again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::cause::Cause;
use crate::milvus::status::MilvusError;
use crate::plan::Plan;

/// What records alone give reason to doubt is looked at no more often than this.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// Requests that wait for the planner; each writer has two at most.
const REQUESTS: usize = 64;

/// The plan of a collection, as far as it is known.
#[derive(Debug, Clone)]
pub enum PlanState {
    Waiting,
    Ready(Arc<Plan>),
    /// No plan can be made: the collection's partitions halt.
    Impossible(Cause),
}

/// What makes a writer doubt its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A record does not fit the plan, or brings a field that it does not know. A look within [`LOOK_INTERVAL`] is
    /// fresh enough.
    Record,
    /// Milvus refused rows, or did not know the collection: only a look from now on tells.
    Milvus,
}

#[derive(Debug, Clone)]
struct Known {
    state: PlanState,
    /// When a writer's doubt was last looked into.
    looked: Option<Instant>,
}

/// A writer's end.
#[derive(Debug, Clone)]
pub struct Plans {
    known: watch::Receiver<Known>,
    requests: mpsc::Sender<Request>,
}

impl Plans {
    pub fn current(&self) -> PlanState {
        self.known.borrow().state.clone()
    }

    /// Whether there is no plan yet, nor a reason why there never will be.
    pub fn is_waiting(&self) -> bool {
        matches!(self.known.borrow().state, PlanState::Waiting)
    }

    /// Ends when there is news. `false` when the planner is gone.
    pub(super) async fn changed(&mut self) -> bool {
        self.known.changed().await.is_ok()
    }

    /// Whether a record's doubt would be looked into now.
    pub(super) fn is_look_due(&self) -> bool {
        !self.requests.is_closed() && is_due(self.known.borrow().looked)
    }

    /// Has the planner look whether `plan` is still the one, once: an error is one failed attempt.
    pub(super) async fn look(
        &self,
        plan: &Arc<Plan>,
        doubt: Doubt,
    ) -> Result<PlanState, MilvusError> {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            plan: Arc::clone(plan),
            doubt,
            answer,
        };
        if self.requests.send(request).await.is_ok()
            && let Ok(answer) = answered.await
        {
            answer?;
        }
        // Without a planner the process is ending, and what is known stays.
        Ok(self.current())
    }
}

fn is_due(looked: Option<Instant>) -> bool {
    looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL)
}

#[derive(Debug)]
struct Request {
    /// The plan in doubt.
    plan: Arc<Plan>,
    doubt: Doubt,
    answer: oneshot::Sender<Result<(), MilvusError>>,
}

/// The planner's end.
#[derive(Debug)]
pub struct Desk {
    known: watch::Sender<Known>,
    requests: mpsc::Receiver<Request>,
}

/// The two ends of one collection.
pub fn plans() -> (Plans, Desk) {
    let (known, receiver) = watch::channel(Known {
        state: PlanState::Waiting,
        looked: None,
    });
    let (sender, requests) = mpsc::channel(REQUESTS);
    let plans = Plans {
        known: receiver,
        requests: sender,
    };
    (plans, Desk { known, requests })
}

impl Desk {
    pub fn publish(&self, state: PlanState) {
        self.known.send_modify(|known| known.state = state);
    }

    /// Waits until a look is wanted that nothing known yet answers: whoever waits for it. `None` when no writer is left.
    pub async fn wanted(&mut self) -> Option<Waiting> {
        loop {
            let mut waiting = Waiting(Vec::new());
            let first = self.requests.recv().await?;
            self.sort(first, &mut waiting);
            // One look serves all that ask before it begins.
            while let Ok(request) = self.requests.try_recv() {
                self.sort(request, &mut waiting);
            }
            if !waiting.0.is_empty() {
                return Some(waiting);
            }
        }
    }

    fn sort(&self, request: Request, waiting: &mut Waiting) {
        let known = self.known.borrow();
        let is_current =
            matches!(&known.state, PlanState::Ready(plan) if Arc::ptr_eq(plan, &request.plan));
        let is_fresh = request.doubt == Doubt::Record && !is_due(known.looked);
        if is_current && !is_fresh {
            waiting.0.push(request.answer);
        } else {
            request.answer.send(Ok(())).ok(); // who asked may be gone
        }
    }

    /// Says how the look ended. `state` is what it found, where that is news.
    pub fn looked(&self, waiting: Waiting, found: Result<Option<PlanState>, MilvusError>) {
        let answer = match found {
            Ok(news) => {
                self.known.send_modify(|known| {
                    known.looked = Some(Instant::now());
                    known.state = news.unwrap_or_else(|| known.state.clone());
                });
                Ok(())
            }
            Err(error) => Err(error),
        };
        for waiter in waiting.0 {
            waiter.send(answer.clone()).ok(); // who asked may be gone
        }
    }
}

/// Who waits for a look.
#[derive(Debug)]
pub struct Waiting(Vec<oneshot::Sender<Result<(), MilvusError>>>);
