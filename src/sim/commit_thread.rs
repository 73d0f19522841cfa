//! A process's commit thread: look-ups and commits, one after the other, each with a fate of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::group::{Offsets, Pid};
use super::process::index;
use super::world::Shared;
use crate::ledger::{Asked, CommitResult, Look};

#[derive(Debug)]
pub(super) enum Request {
    LookUp(Vec<Asked>),
    /// What is stored, these offsets among it.
    Commit(u64, Vec<(usize, i64)>),
    /// These, by name.
    CommitDown(u64, Offsets),
}

#[derive(Debug)]
pub(super) enum Answer {
    LookedUp(Asked, Option<Box<Look>>),
    Committed(u64, CommitResult),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<Mutex<VecDeque<Answer>>>);

impl Answers {
    fn push(&self, answer: Answer) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(answer);
    }

    pub(super) fn next(&self) -> Option<Answer> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

#[derive(Debug)]
pub(super) struct CommitThread {
    pub(super) pid: Pid,
    pub(super) world: Shared,
    pub(super) inbox: mpsc::Receiver<Request>,
    pub(super) answers: Answers,
}

impl CommitThread {
    pub(super) async fn serve(mut self) {
        let mut look_ups: VecDeque<Asked> = VecDeque::new();
        loop {
            let request = match look_ups.is_empty() {
                true => self.inbox.recv().await,
                false => self.inbox.try_recv().ok(),
            };
            match request {
                Some(Request::LookUp(asked)) => look_ups.extend(asked),
                Some(Request::Commit(number, offsets)) => {
                    let result = self.commit_stored(&offsets).await;
                    self.answers.push(Answer::Committed(number, result));
                }
                Some(Request::CommitDown(number, offsets)) => {
                    let result = self.commit_down(&offsets).await;
                    self.answers.push(Answer::Committed(number, result));
                }
                None => match look_ups.pop_front() {
                    Some(asked) => self.look_up(asked).await,
                    None => return,
                },
            }
        }
    }

    async fn look_up(&self, asked: Asked) {
        let (takes, fails) = {
            let mut world = self.world.lock();
            let fails = world.scenario.kafka.look_up;
            let fails = !world.calm && world.rng.chance(fails);
            let most = if fails { 3_000 } else { 50 };
            (world.rng.millis(1, most), fails)
        };
        sleep(takes).await;
        let look = (!fails).then(|| Box::new(self.world.lock().look_up(index(&asked.partition))));
        self.answers.push(Answer::LookedUp(asked, look));
    }

    async fn commit_stored(&self, offsets: &[(usize, i64)]) -> CommitResult {
        let (generation, stored) = self.world.lock().group.stored(self.pid);
        if stored.is_empty() {
            return self.verify(offsets);
        }
        self.send(generation, &stored, false).await
    }

    /// By name, which asks nobody whose they are: so they must be its own still.
    async fn commit_down(&self, offsets: &Offsets) -> CommitResult {
        let generation = {
            let world = self.world.lock();
            let mut offsets = offsets.iter();
            if !offsets.all(|(partition, ..)| world.group.is_assigned(self.pid, *partition)) {
                return CommitResult::Failed;
            }
            world.group.stored(self.pid).0
        };
        self.send(generation, offsets, true).await
    }

    async fn send(&self, generation: u64, stored: &Offsets, down: bool) -> CommitResult {
        let (before, after, fate) = self.fate();
        sleep(before).await;
        let taken = fate != Fate::Fails
            && self
                .world
                .lock()
                .take_commit(self.pid, generation, stored, down);
        sleep(after).await;
        if taken && fate == Fate::Done {
            self.world
                .lock()
                .group
                .was_committed(self.pid, stored, down);
            return CommitResult::Done;
        }
        self.world.lock().count("commits failed");
        CommitResult::Failed
    }

    fn fate(&self) -> (Duration, Duration, Fate) {
        let mut world = self.world.lock();
        let any = world.scenario.kafka.commit;
        if world.calm || !world.rng.chance(any) {
            return (world.rng.millis(1, 20), world.rng.millis(1, 20), Fate::Done);
        }
        let late = world.rng.millis(0, 4_000);
        match world.rng.within(0, 3) {
            0 => (late, Duration::ZERO, Fate::Done),
            1 => (Duration::ZERO, late, Fate::Done),
            2 => (late, Duration::ZERO, Fate::Fails),
            _ => (Duration::ZERO, late, Fate::SaysItFailed),
        }
    }

    /// The client says that nothing is new, so Kafka is asked.
    fn verify(&self, offsets: &[(usize, i64)]) -> CommitResult {
        let world = self.world.lock();
        let mut known = offsets.iter().map(|(partition, offset)| {
            let committed = world.group.committed[*partition].as_ref();
            committed.is_some_and(|(committed, _)| committed >= offset)
        });
        match known.all(|there| there) {
            true => CommitResult::Nothing,
            false => CommitResult::Failed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Fails,
    /// It was done.
    SaysItFailed,
}
