//! What a process has for Milvus: calls into the model, each with a fate of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::group::Pid;
use super::log::{Kind, Logs, Refused};
use super::rng::Rng;
use super::store::{COLLECTION, Landing, Sent, deleted, rows};
use super::world::{Shared, World};
use crate::cause::Cause;
use crate::config::{OnRecreated, Tolerance};
use crate::milvus::schema::Schema;
use crate::milvus::status::{Action, MilvusError};
use crate::milvus::{Milvus, WriteRequest};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) pid: Pid,
    pub(super) world: Shared,
}

type Answer = Result<(), MilvusError>;

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

fn error(action: Action, outcome_unknown: bool) -> MilvusError {
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

    /// A request that nothing is wrong with comes to grief: how long that takes, what is said, what is applied when.
    fn fate(&mut self, sent: &[Sent], rng: &mut Rng) -> Fate {
        let timeout = self.scenario.times.request;
        let soon = rng.part_of(timeout);
        let some: Vec<Sent> = sent.iter().filter(|_| rng.chance(50)).copied().collect();
        let all = sent.to_vec();
        let unknown = |action| Err(error(action, true));
        let grace = if super::LATE {
            self.scenario.writer.late_landing_grace
        } else {
            Duration::ZERO
        };
        let (name, fate): (_, Fate) = match rng.within(0, 21) {
            0..=2 => ("held", (soon, Err(error(Action::Hold, false)), None)),
            3..=4 => ("slow", (soon, Ok(()), Some((rng.part_of(soon), all)))),
            5..=6 => (
                "applied and failed",
                (soon, unknown(Action::Hold), Some((rng.part_of(soon), all))),
            ),
            7..=8 => (
                "applied in part and failed",
                (soon, unknown(Action::Hold), Some((rng.part_of(soon), some))),
            ),
            9..=10 => (
                "answers lost",
                (timeout, unknown(Action::Hold), Some((soon, all))),
            ),
            11 => (
                "time-outs without effect",
                (timeout, unknown(Action::Hold), None),
            ),
            12..=14 => (
                "late landings",
                (
                    timeout,
                    unknown(Action::Hold),
                    Some((timeout + rng.part_of(grace), all)),
                ),
            ),
            15..=16 => (
                "resets",
                (
                    soon,
                    unknown(Action::Hold),
                    Some((soon + rng.part_of(grace), all)),
                ),
            ),
            17..=18 if self.may_doubt(sent) => (
                "doubtful",
                (
                    soon,
                    unknown(Action::RepeatThenHalt),
                    Some((rng.part_of(soon), some)),
                ),
            ),
            19 => (
                "short counts",
                (soon, Err(short_count()), Some((rng.part_of(soon), some))),
            ),
            20 if self.may_doubt(sent) => (
                "lagging proxies",
                (soon, Err(error(Action::RefreshThenRepeat, false)), None),
            ),
            21 if rng.chance(10) => (
                "refused for good",
                (soon, Err(error(Action::Halt, false)), None),
            ),
            _ => ("held", (soon, Err(error(Action::Hold, false)), None)),
        };
        self.count(name);
        fate
    }

    /// After five repeats an answer is no longer taken for an accident, so there are no six.
    fn may_doubt(&mut self, sent: &[Sent]) -> bool {
        let few = sent.iter().all(|change| {
            self.store
                .doubted
                .get(&change.uid)
                .is_none_or(|times| *times < 4)
        });
        if few {
            for change in sent {
                *self.store.doubted.entry(change.uid).or_default() += 1;
            }
        }
        few
    }

    /// Whether what is sent may be, by what the model knows of the partitions.
    fn witness(&mut self, pid: Pid, request: &WriteRequest) -> Vec<Sent> {
        let mut sent: Vec<Sent> = Vec::new();
        for (key, uid) in rows(request) {
            let tenure = self.witness_row(pid, uid);
            let anew = self.is_anew(key, uid, tenure);
            sent.push(Sent {
                key,
                uid,
                at_least: uid,
                is_row: true,
                anew,
                tenure,
            });
        }
        for key in deleted(request) {
            sent.extend(self.witness_delete(pid, key));
        }
        let keys: BTreeSet<i64> = sent.iter().map(|change| change.key).collect();
        if keys.len() < sent.len() && self.scenario.style != super::scenario::Style::AutoId {
            self.violated(&format!("a request names a key twice: {sent:?}"));
        }
        sent
    }

    fn witness_row(&mut self, pid: Pid, uid: i64) -> usize {
        let entry = self.logs.entry(uid).clone();
        let tolerant =
            self.oracle.skips && self.scenario.writer.tolerance == Tolerance::All || self.calm;
        let is_another = self.group.belongs_to_another(entry.partition, pid);
        let was_cut = !self.logs.partitions[entry.partition].cuts.is_empty();
        let committed = self.group.committed[entry.partition]
            .as_ref()
            .map(|(offset, _)| *offset);
        let committed = committed.filter(|_| !was_cut);
        let Some(holder) = self.holders.get(&(pid, entry.partition)) else {
            self.violated(&format!(
                "process {pid} sends what it has not read: {entry:?}"
            ));
            return 0;
        };
        let number = holder.number;
        let fault = if !holder.tenure.is_open()
            || entry.offset < holder.start
            || entry.offset >= holder.handed
        {
            Some("I10: is not of an open tenure")
        } else if is_another {
            Some("I10: belongs to another process")
        } else if committed.is_some_and(|offset| entry.offset < offset) {
            Some("I2: is committed already")
        } else if holder
            .tenure
            .halted_at()
            .is_some_and(|at| at <= entry.offset)
        {
            Some("lies behind a halt")
        } else if holder
            .follows
            .is_some_and(|id| id != self.store.schema.collection_id)
            && self.described.get(&pid) == Some(&self.store.schema.collection_id)
            && self.scenario.writer.recreated == OnRecreated::Fail
            && !self.calm
        {
            Some("follows offsets of another collection")
        } else if self.was_inserted(uid, number) {
            Some("I1: is acknowledged already")
        } else if !tolerant
            && !was_cut
            && self
                .logs
                .between(entry.partition, holder.start, entry.offset)
                .any(|entry| entry.kind.is_bad())
        {
            Some("lies behind a bad record")
        } else {
            None
        };
        if let Some(fault) = fault {
            self.violated(&format!(
                "process {pid} sends a row that {fault} (tenure {number}): {entry:?}"
            ));
        }
        number
    }

    fn is_anew(&self, key: i64, uid: i64, tenure: usize) -> bool {
        let Some((newer, acked_in)) = self.certain(key) else {
            return false;
        };
        let newer = self.logs.entry(newer);
        let mut holders = self
            .holders
            .values()
            .filter(|holder| holder.number == tenure);
        newer.uid > uid
            && acked_in == tenure
            && holders.any(|holder| newer.offset >= holder.tenure.settled())
    }

    /// A delete names its key alone.
    fn witness_delete(&mut self, pid: Pid, key: i64) -> Option<Sent> {
        let partition = Logs::partition_of(key);
        let holder = self.holders.get(&(pid, partition));
        let open = holder.filter(|holder| {
            holder.tenure.is_open() && !self.group.belongs_to_another(partition, pid)
        });
        let sent = open.and_then(|holder| {
            let deletes = self.logs.deletes(key, holder.start, holder.handed);
            let settled = holder.tenure.settled();
            let first = *deletes
                .iter()
                .find(|uid| self.logs.entry(**uid).offset >= settled)?;
            Some(Sent {
                key,
                uid: deletes.last().copied().unwrap_or(first),
                at_least: first,
                is_row: false,
                anew: false,
                tenure: holder.number,
            })
        });
        if sent.is_none() {
            self.violated(&format!(
                "process {pid} deletes {key}, which no record of an open tenure says"
            ));
        }
        sent
    }
}

/// How long it takes, the answer, and what is applied after how long.
type Fate = (Duration, Answer, Option<(Duration, Vec<Sent>)>);

fn short_count() -> MilvusError {
    MilvusError {
        cause: Cause::ShortCount {
            collection: COLLECTION.to_owned(),
            sent: 2,
            acked: 1,
        },
        ..error(Action::RepeatThenHalt, true)
    }
}

fn micros(now: Duration) -> u64 {
    u64::try_from(now.as_micros()).unwrap()
}
