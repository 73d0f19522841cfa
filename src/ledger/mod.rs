//! The ledger: which offsets may be committed, and how a rebalance is answered. A pure state machine.
//!
//! The consumer tells it what happened and when; it answers with [`Command`]s. It reads `settled` and `halted`
//! from the tenures it made, and names neither Kafka's client nor a clock, so that a simulation can drive it.
//!
//! One rebalance is answered at a time: an assign after its look-up, a revoke after its drain.

mod answer;
mod commits;
mod drain;
mod ending;
mod first;
mod loss;
mod membership;
mod outcome;
mod part;
#[cfg(test)]
mod tests;
mod truncated;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::{OffsetReset, OnDataLoss};
use crate::data_loss::DataLoss;
use crate::gate::SETTLING;
use crate::target::Target;
use crate::tenure::Tenure;
use crate::topic_partition::{TopicId, TopicPartition};
use answer::Phase;
use commits::Commits;
pub use loss::{Search, Sought};
use membership::Unconfirmed;
pub use outcome::Outcome;
use part::Part;

#[derive(Debug, Clone)]
pub struct Rules {
    pub commit_interval: Duration,
    /// How long a revoke may wait for what is in flight.
    pub drain_deadline: Duration,
    /// How long the answer to an assign waits for slow look-ups; those partitions then come later.
    pub look_up_patience: Duration,
    /// How long a drain waits for its commit.
    pub commit_patience: Duration,
    /// How long after its writer was stopped a request may still be applied.
    pub late_landing_grace: Duration,
    /// How long a partition that is being drained can be taken for ours without a poll.
    pub poll_window: Duration,
    /// How long `--until-end` waits with no partition at all before it takes itself for a spare: a group may hand
    /// out the first partitions only in its second round.
    pub spare_patience: Duration,
    pub reset: OffsetReset,
    pub data_loss: OnDataLoss,
    pub until_end: bool,
}

/// What Kafka knows of a partition before it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub committed: Option<i64>,
    /// What the committed offset says that it belongs to.
    pub target: Option<Target>,
    /// Which making of the topic the committed offset counts in, if it says so.
    pub before: Option<TopicId>,
    /// The epoch of the leader that wrote the last record before it, if it says so.
    pub epoch: Option<i32>,
    /// Which making of the topic this is.
    pub topic: Option<TopicId>,
    /// How many partitions the topic had when the group was new to it, where that is known.
    pub partitions: Option<i32>,
    /// The partition came when the group had committed in others of the topic.
    pub added: bool,
    /// The first offset still there.
    pub low: i64,
    /// The offset after the last record.
    pub high: i64,
}

/// A look-up, which goes back with its answer: one that was asked for an assignment that is gone does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub partition: TopicPartition,
    /// Which making of the topic is taken to be there.
    pub topic: Option<TopicId>,
    number: u64,
}

impl Asked {
    /// A look-up that no ledger asked for.
    pub(crate) fn by_nobody(partition: TopicPartition) -> Self {
        Self {
            partition,
            topic: None,
            number: 0,
        }
    }
}

#[cfg(test)]
pub(crate) fn test_asked() -> Asked {
    Asked::by_nobody(TopicPartition::new("t", 0))
}

/// What the consumer is to do, in the order given.
#[derive(Debug)]
pub enum Command {
    LookUp(Vec<Asked>),
    /// Answers an assign.
    Assign(Vec<Start>),
    /// Adds to an assign that was answered before, if nothing waits for an answer.
    Add(Vec<Start>),
    /// Take no more records of these; drop those that no writer has.
    StopReading(Vec<TopicPartition>),
    /// Have the writers send what they hold without waiting for company.
    Flush,
    /// Store these and commit what is stored; the number comes back with the result.
    Commit {
        number: u64,
        offsets: Vec<Commit>,
    },
    /// Tenures were closed: have the writers stop what they send of them.
    Closed,
    /// The log was cut off: the record that was kept back is the first one of this tenure.
    Rewind(Start),
    /// Read nothing of it until [`Command::Restart`].
    Wait(TopicPartition),
    /// Read it from there on, in this tenure, if nothing waits for an answer.
    Restart(Start),
    /// Find a place in its log.
    Search(Asked, Search),
    /// Say what is lost, and count it; and from where it goes on all the same.
    Lost(DataLoss, Option<i64>),
    /// Store this and commit it by name, whatever Kafka has; the number comes back with the result.
    CommitDown {
        number: u64,
        commit: Commit,
    },
    /// Say what of a drain was left, and how far it had come.
    Undrained(Vec<Undrained>),
    /// Answers a revoke or a loss. The tenures are closed already.
    Unassign(Vec<TopicPartition>),
    Finished(Outcome),
}

/// A partition that is given up before everything of it was settled and committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undrained {
    pub partition: TopicPartition,
    /// The offset after the last record read.
    pub read: i64,
    pub settled: i64,
    pub committed: i64,
}

/// What is committed of one partition.
#[derive(Debug, Clone)]
pub struct Commit {
    pub partition: TopicPartition,
    pub offset: i64,
    /// What it belongs to, as far as that is known.
    pub target: Option<Arc<Target>>,
    pub topic: Option<TopicId>,
    pub partitions: Option<i32>,
    /// Of the leader that wrote the last record before it.
    pub epoch: Option<i32>,
}

/// How one partition begins to be read.
#[derive(Debug, Clone)]
pub struct Start {
    pub tenure: Arc<Tenure>,
    pub offset: i64,
    /// Records from here on are not read (`--until-end`).
    pub end: Option<i64>,
    /// Nothing is read before [`Command::Restart`].
    pub waits: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitResult {
    Done,
    /// Nothing was new; no failure.
    Nothing,
    Failed,
}

#[derive(Debug)]
enum Rebalance {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

impl Rebalance {
    fn assigned(&self) -> Option<&Vec<TopicPartition>> {
        match self {
            Self::Assigned(partitions) => Some(partitions),
            Self::Revoked(_) | Self::Lost(_) => None,
        }
    }
}

#[derive(Debug)]
pub struct Ledger {
    rules: Rules,
    parts: BTreeMap<TopicPartition, Part>,
    waiting: VecDeque<Rebalance>,
    phase: Phase,
    /// Assigned, but not looked up in time for the answer; with what was found since.
    late: BTreeMap<TopicPartition, Option<Look>>,
    /// The number of the last look-up of each partition, and of the last one of all.
    asked: BTreeMap<TopicPartition, u64>,
    look_ups: u64,
    assigned_once: bool,
    /// Some topic is not there yet: its end cannot have been reached.
    topics_missing: bool,
    /// The group's own answer was that there is nothing for us, since when.
    spare_since: Option<Instant>,
    is_spare: bool,
    commits: Commits,
    /// Which making of each topic was read last.
    topics: BTreeMap<Arc<str>, TopicId>,
    /// Which makings of it there were before, as far as they were read or committed for.
    former: BTreeMap<Arc<str>, BTreeSet<TopicId>>,
    /// Topics that came while this process ran.
    appeared: BTreeSet<Arc<str>>,
    /// Asked to stop: the drain ends by then.
    stop_by: Option<Instant>,
    /// While stopping, a drain ended without everything settled and committed.
    left_behind: bool,
    advanced_at: Option<Instant>,
    /// Polls were too far apart then, and what came of that is not known yet.
    gap_at: Option<Instant>,
    unconfirmed: Option<Unconfirmed>,
    commands: Vec<Command>,
}

impl Ledger {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            parts: BTreeMap::new(),
            waiting: VecDeque::new(),
            phase: Phase::Steady,
            late: BTreeMap::new(),
            asked: BTreeMap::new(),
            look_ups: 0,
            assigned_once: false,
            topics_missing: false,
            spare_since: None,
            is_spare: false,
            commits: Commits::default(),
            topics: BTreeMap::new(),
            former: BTreeMap::new(),
            appeared: BTreeSet::new(),
            stop_by: None,
            left_behind: false,
            advanced_at: None,
            gap_at: None,
            unconfirmed: None,
            commands: Vec::new(),
        }
    }

    pub fn assigned(&mut self, partitions: Vec<TopicPartition>) {
        self.waiting.push_back(Rebalance::Assigned(partitions));
    }

    pub fn revoked(&mut self, partitions: Vec<TopicPartition>) {
        self.not_late(&partitions);
        self.waiting.push_back(Rebalance::Revoked(partitions));
    }

    /// The partitions belong to somebody else already: nothing more of them is sent or committed.
    pub fn lost(&mut self, partitions: Vec<TopicPartition>) {
        for partition in &partitions {
            if let Some(part) = self.parts.get_mut(partition) {
                part.gone = true;
            }
        }
        self.close(&partitions);
        self.not_late(&partitions);
        self.waiting.push_back(Rebalance::Lost(partitions));
    }

    /// What is taken away again is not begun to be read.
    fn not_late(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.late.remove(partition);
        }
    }

    /// `next` is the offset after the last record of `partition` that a writer was given.
    pub fn handed(&mut self, partition: &TopicPartition, next: i64) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.handed = part.handed.max(next);
        }
    }

    /// Kafka reports the end of the partition (a compacted or marked tail has no record at the end offset).
    pub fn end_reported(&mut self, partition: &TopicPartition) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.end_reported = true;
        }
    }

    /// Every assigned partition and the offset to be read next.
    pub fn positions(&self) -> impl Iterator<Item = (&TopicPartition, i64)> {
        let parts = self.parts.iter();
        parts.map(|(partition, part)| (partition, part.position()))
    }

    /// The offset that the group is known to have committed, as far as this process knows.
    pub fn committed(&self, partition: &TopicPartition) -> Option<i64> {
        self.parts.get(partition).map(|part| part.committed)
    }

    /// Drain everything by `deadline`, commit, and finish.
    pub fn stop(&mut self, deadline: Instant) {
        self.stop_by.get_or_insert(deadline);
    }

    /// Whether topics that are to be read do not exist.
    pub fn topics_missing(&mut self, missing: bool) {
        self.topics_missing = missing;
    }

    /// Moves on as far as what is known allows. Called after every event and every few milliseconds.
    pub fn advance(&mut self, now: Instant) -> Vec<Command> {
        self.notice_gap(now);
        self.rewind(now);
        self.add_late();
        self.commit_when_due(now);
        while self.step(now) {}
        self.confirm_membership();
        if !self.owes_an_answer() {
            self.gap_at
                .take_if(|at| now.saturating_duration_since(*at) >= SETTLING);
        }
        std::mem::take(&mut self.commands)
    }

    /// There was a gap between polls, and Kafka has not been heard of since; or a rebalance waits for its answer: before
    /// that the client does not say what else was lost.
    pub fn may_be_lost(&self) -> bool {
        self.unconfirmed.is_some() || (self.gap_at.is_some() && self.owes_an_answer())
    }

    /// Nothing more of these is sent or committed. What is settled needs no word to its writer.
    fn close(&mut self, partitions: &[TopicPartition]) {
        let mut is_under_way = false;
        let parts = partitions.iter().filter_map(|name| self.parts.get(name));
        for part in parts.filter(|part| part.tenure.is_open()) {
            part.tenure.close();
            is_under_way |= part.tenure.settled() < part.handed;
        }
        if is_under_way {
            self.commands.push(Command::Closed);
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        let partitions: Vec<_> = self.parts.keys().cloned().collect();
        self.close(&partitions);
        self.answer_waiting();
        self.phase = Phase::Finished;
        self.commands.push(Command::Finished(outcome));
    }
}
