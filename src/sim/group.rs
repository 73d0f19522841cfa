//! The model of the consumer group: its coordinator, the members' clients, and the committed offsets.
//!
//! The protocol is the cooperative one. A rebalance is a round: each member is told what it gives up, or what it gets;
//! the next round begins when all have answered. Who has not been heard of for a session's time is thrown out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::rng::Rng;
use super::scenario::Times;
use crate::target::Target;

/// A process, among all of a run.
pub(super) type Pid = u64;

/// Who was thrown out hears of it before anybody else is given what it had.
const HAND_OVER: Duration = Duration::from_millis(1_500);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Assigned(Vec<usize>),
    Revoked(Vec<usize>),
    Lost(Vec<usize>),
}

/// An offset and its metadata.
pub(super) type Committed = (i64, Option<Target>);

/// What a client would commit: partition, offset, metadata.
pub(super) type Offsets = Vec<(usize, i64, Option<Target>)>;

/// A client, and what the coordinator knows of it.
#[derive(Debug, Default)]
struct Member {
    /// In the group; otherwise thrown out, and not yet aware of it.
    joined: bool,
    heard: Duration,
    polled: Duration,
    frozen: bool,
    /// Its process has ended without a word.
    dead: bool,
    notices: Option<Duration>,
    told: VecDeque<(Duration, Told)>,
    /// Since when the coordinator waits for an answer.
    unanswered: Option<Duration>,
    /// What the process was told and has not answered.
    answering: Option<Answering>,
    /// The group's, as the client knows it.
    given: BTreeSet<usize>,
    assigned: BTreeMap<usize, Position>,
    generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answering {
    Assign,
    Revoke,
}

impl Member {
    /// One thing is told at a time.
    fn answered(&mut self) {
        self.answering = None;
        if self.told.is_empty() {
            self.unanswered = None;
        }
    }
}

#[derive(Debug, Default)]
struct Position {
    stored: Option<Committed>,
    /// As far as the client knows.
    committed: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    members: BTreeMap<Pid, Member>,
    owners: Vec<Option<Pid>>,
    pub(super) committed: Vec<Option<Committed>>,
    generation: u64,
    /// Who gets what changes with it.
    shift: usize,
    wanting: bool,
    not_before: Duration,
    pub(super) rounds: u64,
    pub(super) thrown_out: u64,
}

impl Group {
    pub(super) fn new(partitions: usize) -> Self {
        Self {
            owners: vec![None; partitions],
            committed: vec![None; partitions],
            ..Self::default()
        }
    }

    pub(super) fn join(&mut self, pid: Pid, now: Duration) {
        let member = Member {
            joined: true,
            heard: now,
            polled: now,
            ..Member::default()
        };
        self.members.insert(pid, member);
        self.wanting = true;
    }

    /// A goodbye that the coordinator hears.
    pub(super) fn leave(&mut self, pid: Pid) {
        self.members.remove(&pid);
        self.free(pid);
    }

    /// It ends without a word: its session runs on.
    pub(super) fn die(&mut self, pid: Pid) {
        if let Some(member) = self.members.get_mut(&pid) {
            (member.frozen, member.dead) = (true, true);
        }
        self.members
            .retain(|_, member| member.joined || !member.dead);
    }

    pub(super) fn freeze(&mut self, pid: Pid) {
        if let Some(member) = self.members.get_mut(&pid) {
            member.frozen = true;
        }
    }

    /// It goes on, and hears at `hears` what became of it meanwhile: the coordinator may be away just then.
    pub(super) fn thaw(&mut self, pid: Pid, hears: Duration) {
        if let Some(member) = self.members.get_mut(&pid) {
            member.frozen = false;
            member.notices = member.notices.max(member.notices.map(|_| hears));
        }
    }

    pub(super) fn reshuffle(&mut self) {
        self.shift += 1;
        self.wanting = true;
    }

    pub(super) fn owner(&self, partition: usize) -> Option<Pid> {
        self.owners[partition]
    }

    pub(super) fn belongs_to_another(&self, partition: usize, pid: Pid) -> bool {
        self.owners[partition].is_some_and(|owner| owner != pid)
    }

    fn free(&mut self, pid: Pid) {
        for owner in self.owners.iter_mut().filter(|owner| **owner == Some(pid)) {
            *owner = None;
        }
        self.wanting = true;
    }

    /// As when the coordinator has changed: not while it is being told of a rebalance, since the client keeps that to
    /// itself then, and not so that others write before requests under way have landed. Against both the sink can do
    /// nothing.
    pub(super) fn evict(&mut self, pid: Pid, now: Duration, notices: Duration, landed: Duration) {
        let is_steady = |member: &Member| member.unanswered.is_none();
        if self.members.get(&pid).is_some_and(is_steady) {
            self.not_before = self.not_before.max(landed);
            self.throw_out(pid, now, notices);
        }
    }

    fn throw_out(&mut self, pid: Pid, now: Duration, notices: Duration) {
        let Some(member) = self.members.get_mut(&pid).filter(|member| member.joined) else {
            return;
        };
        member.joined = false;
        member.notices = Some(notices);
        member.told.clear();
        if member.answering.is_none() {
            member.unanswered = None;
        }
        self.thrown_out += 1;
        if member.dead {
            self.members.remove(&pid);
        }
        self.not_before = self.not_before.max(now + HAND_OVER);
        self.free(pid);
    }

    /// What passes without anybody's doing.
    pub(super) fn tick(&mut self, now: Duration, times: &Times, rng: &mut Rng) {
        let pids: Vec<Pid> = self.members.keys().copied().collect();
        for pid in pids {
            self.tick_member(pid, now, times, rng);
        }
        let mut joined = self.members.values().filter(|member| member.joined);
        if self.wanting
            && now >= self.not_before
            && joined.all(|member| member.unanswered.is_none())
        {
            self.round(now, rng);
        }
    }

    fn tick_member(&mut self, pid: Pid, now: Duration, times: &Times, rng: &mut Rng) {
        let Some(member) = self.members.get_mut(&pid) else {
            return;
        };
        if !member.frozen {
            member.heard = now;
        }
        let silent = now > member.heard + times.session;
        // The client itself leaves when it is not polled; and who does not answer is not waited for any longer.
        let unpolled = !member.frozen && now > member.polled + times.max_poll;
        let late = member
            .unanswered
            .is_some_and(|since| now > since + times.max_poll);
        if member.joined && (silent || unpolled || late) {
            let notices = now + rng.millis(0, 800);
            return self.throw_out(pid, now, notices);
        }
        // While a rebalance is being answered, the client does not report the loss.
        if !member.frozen
            && member.unanswered.is_none()
            && member.notices.is_some_and(|at| now >= at)
        {
            member.notices = None;
            let had = member.given.iter().copied().collect();
            member.told.push_back((now, Told::Lost(had)));
            member.unanswered = Some(now);
        }
    }

    fn round(&mut self, now: Duration, rng: &mut Rng) {
        self.wanting = false;
        self.rounds += 1;
        self.generation += 1;
        let pids: Vec<Pid> = self.joined().collect();
        let Some(most) = pids.len().checked_sub(1) else {
            return;
        };
        let target = |partition: usize| pids[(partition + self.shift) % (most + 1)];
        let mut gets: BTreeMap<Pid, Vec<usize>> = BTreeMap::new();
        let mut gives: BTreeMap<Pid, Vec<usize>> = BTreeMap::new();
        for (partition, owner) in self.owners.iter_mut().enumerate() {
            match *owner {
                None => {
                    *owner = Some(target(partition));
                    gets.entry(target(partition)).or_default().push(partition);
                }
                Some(pid) if pid != target(partition) => {
                    gives.entry(pid).or_default().push(partition);
                }
                Some(_) => {}
            }
        }
        self.wanting = !gives.is_empty();
        for pid in pids {
            let Some(member) = self.members.get_mut(&pid) else {
                continue;
            };
            member.generation = self.generation;
            let at = now + rng.millis(0, 300);
            if let Some(gives) = gives.remove(&pid) {
                member.told.push_back((at, Told::Revoked(gives)));
            }
            member
                .told
                .push_back((at, Told::Assigned(gets.remove(&pid).unwrap_or_default())));
            member.unanswered = Some(now);
        }
    }

    fn joined(&self) -> impl Iterator<Item = Pid> {
        let joined = self.members.iter().filter(|(_, member)| member.joined);
        joined.map(|(pid, _)| *pid)
    }

    // What follows is the client's.

    pub(super) fn poll(&mut self, pid: Pid, now: Duration) -> Option<Told> {
        let member = self.members.get_mut(&pid)?;
        member.polled = now;
        let due = member.told.front().is_some_and(|(at, _)| *at <= now);
        if !due || member.answering.is_some() {
            return None;
        }
        let (_, told) = member.told.pop_front()?;
        member.answering = Some(match &told {
            Told::Assigned(partitions) => {
                member.given.extend(partitions);
                Answering::Assign
            }
            Told::Revoked(_) | Told::Lost(_) => Answering::Revoke,
        });
        Some(told)
    }

    /// Answers an assign, or adds to it later.
    pub(super) fn assign(&mut self, pid: Pid, partitions: impl Iterator<Item = usize>) {
        let Some(member) = self.members.get_mut(&pid) else {
            return;
        };
        member
            .assigned
            .extend(partitions.map(|partition| (partition, Position::default())));
        if member.answering == Some(Answering::Assign) {
            member.answered();
        }
    }

    /// Answers a revoke or a loss.
    pub(super) fn unassign(&mut self, pid: Pid, partitions: &[usize], now: Duration) {
        let Some(member) = self.members.get_mut(&pid) else {
            return;
        };
        member
            .assigned
            .retain(|partition, _| !partitions.contains(partition));
        member
            .given
            .retain(|partition| !partitions.contains(partition));
        if member.answering == Some(Answering::Revoke) {
            member.answered();
        }
        if member.joined {
            for partition in partitions {
                self.owners[*partition].take_if(|owner| *owner == pid);
            }
        } else if member.notices.is_none() && member.given.is_empty() {
            (member.joined, member.heard) = (true, now);
        }
        self.wanting = true;
    }

    /// Whether it was stored: of a partition that is not assigned it is not.
    pub(super) fn store(&mut self, pid: Pid, partition: usize, committed: Committed) -> bool {
        let position = self.members.get_mut(&pid);
        let position = position.and_then(|member| member.assigned.get_mut(&partition));
        position
            .map(|position| position.stored = Some(committed))
            .is_some()
    }

    pub(super) fn is_assigned(&self, pid: Pid, partition: usize) -> bool {
        let member = self.members.get(&pid);
        member.is_some_and(|member| member.assigned.contains_key(&partition))
    }

    /// What is stored above what is committed, and the generation that it is committed in.
    pub(super) fn stored(&self, pid: Pid) -> (u64, Offsets) {
        let Some(member) = self.members.get(&pid) else {
            return (0, Vec::new());
        };
        let offsets = member.assigned.iter().filter_map(|(partition, position)| {
            let (offset, target) = position.stored.clone()?;
            let new = position
                .committed
                .is_none_or(|committed| offset > committed);
            new.then_some((*partition, offset, target))
        });
        (member.generation, offsets.collect())
    }

    /// The coordinator asks only whether the member is one of its generation; then it takes whatever comes.
    pub(super) fn takes(&self, pid: Pid, generation: u64) -> bool {
        let member = self.members.get(&pid);
        member.is_some_and(|member| member.joined && generation == self.generation)
    }

    pub(super) fn was_committed(&mut self, pid: Pid, offsets: &Offsets, down: bool) {
        let Some(member) = self.members.get_mut(&pid) else {
            return;
        };
        for (partition, offset, _) in offsets {
            if let Some(position) = member.assigned.get_mut(partition) {
                position.committed = position.committed.filter(|_| !down).max(Some(*offset));
            }
        }
    }

    /// Whether nobody is being told anything, and everything has an owner.
    pub(super) fn is_settled(&self) -> bool {
        !self.wanting
            && self
                .members
                .values()
                .all(|member| member.joined && member.unanswered.is_none())
    }
}
