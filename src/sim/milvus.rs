//! What a process has for Milvus: calls into the model, each with a fate of its own.

use std::time::Duration;

use tokio::time::sleep;

use super::group::Pid;
use super::log::{Kind, Refused};
use super::rng::Rng;
use super::store::{COLLECTION, Landing, Sent};
use super::world::{Shared, World};
use crate::cause::Cause;
use crate::milvus::schema::Schema;
use crate::milvus::status::{Action, MilvusError};
use crate::milvus::{Milvus, WriteRequest};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) pid: Pid,
    pub(super) world: Shared,
}

pub(super) type Answer = Result<(), MilvusError>;

/// So many requests do not come at one instant.
const RUSH: u64 = 1_000;

/// What is decided of a request when it comes.
#[derive(Debug)]
struct Call {
    number: u64,
    takes: Duration,
    answer: Answer,
    sent: Vec<Sent>,
    jitter: u64,
}

/// A call that is not waited for to the end.
struct Waits<'a> {
    connection: &'a Connection,
    call: Option<u64>,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            let mut world = self.connection.world.lock();
            let by = world.now() + world.scenario.writer.late_landing_grace;
            world.count("requests cancelled");
            world.store.abandon(call, by);
        }
    }
}

impl Milvus for Connection {
    async fn describe(&self, collection: &str) -> Result<Schema, MilvusError> {
        assert_eq!(collection, COLLECTION);
        let (takes, answer) = self.world.lock().describe(self.pid);
        sleep(takes).await;
        fastrand::seed(self.pid);
        if let Ok(schema) = &answer {
            let id = schema.collection_id;
            self.world.lock().described.insert(self.pid, id);
        }
        answer
    }

    async fn write(&self, request: &WriteRequest) -> Answer {
        let call = self.world.lock().write(self.pid, request);
        if self.world.lock().violation.is_some() {
            // Whoever sends what may not be sent may do so without end.
            std::panic::resume_unwind(Box::new("the run is over"));
        }
        let mut waits = Waits {
            connection: self,
            call: Some(call.number),
        };
        sleep(call.takes).await;
        waits.call = None;
        let mut world = self.world.lock();
        world.land();
        world.tell(|| {
            format!(
                "call {} of process {} is answered {:?}",
                call.number, self.pid, call.answer
            )
        });
        if call.answer.is_ok() {
            world.acked(&call.sent);
        }
        // The pause that follows a failure is drawn from this, whoever else drew before.
        fastrand::seed(call.jitter);
        call.answer
    }

    fn endpoint(&self) -> String {
        "http://model:19530".to_owned()
    }
}

pub(super) fn error(action: Action, outcome_unknown: bool) -> MilvusError {
    MilvusError {
        action,
        cause: match action {
            Action::Hold => Cause::MilvusBusy {
                reason: "because".to_owned(),
            },
            _ => Cause::Refused {
                collection: COLLECTION.to_owned(),
                reason: "because".to_owned(),
            },
        },
        outcome_unknown,
    }
}

fn missing() -> MilvusError {
    MilvusError {
        cause: Cause::CollectionMissing {
            database: "default".to_owned(),
            collection: COLLECTION.to_owned(),
        },
        ..error(Action::Hold, false)
    }
}

impl World {
    fn describe(&mut self, pid: Pid) -> (Duration, Result<Schema, MilvusError>) {
        let now = self.now();
        let mut rng = Rng::about(&[self.scenario.seed, 2, pid, micros(now)]);
        let takes = rng.millis(1, 50);
        let fails = !self.calm && rng.chance(self.scenario.milvus.describe);
        let answer = if now < self.store.gone_until {
            Err(missing())
        } else if now < self.store.out_until || fails {
            Err(error(Action::Hold, false))
        } else {
            Ok(self.store.schema.clone())
        };
        (takes, answer)
    }

    fn write(&mut self, pid: Pid, request: &WriteRequest) -> Call {
        self.land();
        self.count("requests");
        let now = self.now();
        let sent = self.witness(pid, request);
        self.store.calls += 1;
        let (last, calls) = self.store.rush;
        self.store.rush = (now, if last == now { calls + 1 } else { 1 });
        if calls > RUSH {
            self.violated(&format!("process {pid} sends without end"));
        }
        let number = self.store.calls;
        let first = sent.first().map_or(0, |change| change.uid.unsigned_abs());
        let mut rng = Rng::about(&[self.scenario.seed, 3, pid, micros(now), first]);
        self.tell(|| format!("process {pid} sends call {number}: {sent:?}"));
        let quick = rng.millis(1, 60);
        let (takes, answer, landing) = if let Some(refused) = self.refuses(request, &sent, now) {
            (quick, Err(refused), None)
        } else if !self.calm && rng.chance(self.scenario.milvus.any) {
            self.fate(&sent, &mut rng)
        } else {
            (quick, Ok(()), Some((rng.part_of(quick), sent.clone())))
        };
        if let Some((after, sent)) = landing {
            let landing = Landing {
                call: number,
                pid,
                sent,
                replaces: self.replaces_rows(),
            };
            self.store.schedule(now + after, landing);
        }
        Call {
            number,
            takes,
            answer,
            sent,
            jitter: rng.draw(),
        }
    }

    /// What the request is answered with for what it is. Nothing of it is applied then.
    fn refuses(
        &mut self,
        request: &WriteRequest,
        sent: &[Sent],
        now: Duration,
    ) -> Option<MilvusError> {
        if now < self.store.out_until {
            return Some(error(Action::Hold, false));
        }
        if now < self.store.gone_until {
            return Some(missing());
        }
        let known = match request {
            WriteRequest::Insert(request) => request.schema_timestamp,
            WriteRequest::Upsert(request) => request.schema_timestamp,
            WriteRequest::Delete(_) => self.store.schema.timestamp,
        };
        if self.scenario.milvus.compares_schema && known != self.store.schema.timestamp {
            self.count("requests of an old schema");
            return Some(error(Action::RefreshThenRepeat, false));
        }
        if !self.store.fits(request) {
            self.count("requests of an old schema");
            return Some(error(Action::Refresh, false));
        }
        let rows = sent.iter().filter(|change| change.is_row).count();
        let action = self
            .dislikes(sent)
            .or_else(|| (rows > self.scenario.milvus.most_rows).then_some(Action::Split))?;
        if let [alone] = sent {
            self.logs.entry_mut(alone.uid).refused = true;
            self.count("records refused alone");
        }
        Some(error(action, false))
    }

    fn dislikes(&self, sent: &[Sent]) -> Option<Action> {
        let mut kinds = sent
            .iter()
            .filter(|change| change.is_row)
            .map(|change| self.logs.entry(change.uid).kind);
        let refused = kinds.find_map(|kind| match kind {
            Kind::Refused(refused) => Some(refused),
            _ => None,
        })?;
        Some(match refused {
            // A person has found out.
            _ if self.calm => Action::Refresh,
            Refused::Misfit => Action::Refresh,
            Refused::Content => Action::Isolate,
            Refused::Doubtful => Action::RepeatThenHalt,
            Refused::TooLarge => Action::Split,
        })
    }
}

fn micros(now: Duration) -> u64 {
    u64::try_from(now.as_micros()).unwrap()
}
