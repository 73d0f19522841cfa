//! How the ledger answers a rebalance: looks up before an assign, drains before a revoke.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::drain::Drain;
use super::loss::Examination;
use super::{Asked, Command, Ledger, Look, Part, Rebalance, Start};
use crate::config::OffsetReset;
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

#[derive(Debug)]
pub(super) enum Phase {
    Steady,
    LookingUp {
        wanted: BTreeSet<TopicPartition>,
        found: BTreeMap<TopicPartition, Look>,
        until: Instant,
    },
    Draining {
        drain: Drain,
        until: Instant,
    },
    Committing {
        drain: Drain,
        number: u64,
        until: Instant,
    },
    /// What was sent of it may still be applied.
    Landing(Drain),
    Finished,
}

impl Ledger {
    /// What Kafka said of a partition that a [`Command::LookUp`] asked for.
    pub fn looked_up(&mut self, asked: &Asked, look: Look) {
        let partition = &asked.partition;
        if !self.is_asked(asked) {
            return; // for an assignment that is gone: others may have read on meanwhile
        }
        let look = self.up_to_date(partition, look);
        if let Phase::LookingUp { wanted, found, .. } = &mut self.phase
            && wanted.remove(partition)
        {
            found.insert(partition.clone(), look);
        } else if let Some(late) = self.late.get_mut(partition) {
            *late = Some(look);
        } else {
            self.examined(partition, look);
        }
    }

    /// The look-up did not succeed; whether it is still wanted.
    pub fn wants_look_up(&self, asked: &Asked) -> bool {
        let partition = &asked.partition;
        let wanted = self.late.get(partition).is_some_and(Option::is_none)
            || matches!(&self.phase, Phase::LookingUp { wanted, .. } if wanted.contains(partition))
            || self.is_examined(partition);
        wanted && self.is_asked(asked)
    }

    /// Begins what was looked up late. The client would take a new assignment for the answer that it waits for.
    pub(super) fn add_late(&mut self) {
        if self.owes_an_answer() || self.stop_by.is_some() {
            return;
        }
        let found = self.late.extract_if(.., |_, look| look.is_some());
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            return;
        }
        let begin =
            |(partition, look): (_, Option<Look>)| self.begin(partition, look.unwrap_or_default());
        let starts = found.into_iter().map(begin).collect();
        self.commands.push(Command::Add(starts));
        // Under an eager protocol this assigns the others anew, and the client forgets what they had stored.
        self.commits.forget();
    }

    /// Partitions that were assigned and are not begun to be read: where from is still to be found out.
    pub fn awaited(&self) -> impl Iterator<Item = &TopicPartition> {
        let looking_up = match &self.phase {
            Phase::LookingUp { wanted, found, .. } => Some(wanted.iter().chain(found.keys())),
            _ => None,
        };
        let waiting = self.waiting.iter().filter_map(Rebalance::assigned);
        let waiting = waiting.flatten();
        let looking_up = looking_up.into_iter().flatten();
        self.late.keys().chain(looking_up).chain(waiting)
    }

    pub(super) fn is_asked(&self, asked: &Asked) -> bool {
        self.asked.get(&asked.partition) == Some(&asked.number)
    }

    pub(super) fn look_up(&mut self, partitions: &[TopicPartition]) {
        self.look_ups += 1;
        let number = self.look_ups;
        let ask = |partition: &TopicPartition| Asked {
            partition: partition.clone(),
            topic: self.topics.get(&partition.topic).cloned(),
            number,
        };
        let asked: Vec<_> = partitions.iter().map(ask).collect();
        for asked in &asked {
            self.asked.insert(asked.partition.clone(), number);
        }
        self.commands.push(Command::LookUp(asked));
    }

    /// One step; says whether another may follow at once.
    pub(super) fn step(&mut self, now: Instant) -> bool {
        if self.stop_by.is_some() {
            self.decline_assigns();
        }
        if let Some(by) = self.stop_by
            && matches!(self.phase, Phase::Steady | Phase::LookingUp { .. })
        {
            if matches!(self.phase, Phase::LookingUp { .. }) {
                self.commands.push(Command::Assign(Vec::new())); // unanswered, the client would never close
            }
            self.late.clear();
            let partitions = self.parts.keys().cloned().collect();
            self.start_drain(partitions, true, by);
            return true;
        }
        match std::mem::replace(&mut self.phase, Phase::Steady) {
            Phase::Steady => match self.waiting.pop_front() {
                Some(rebalance) => self.start_answer(rebalance, now),
                None => self.finish_when_steady(now),
            },
            Phase::LookingUp {
                wanted,
                found,
                until,
            } => {
                if wanted.is_empty() || now >= until {
                    self.answer_assign(wanted, found);
                    return true;
                }
                self.phase = Phase::LookingUp {
                    wanted,
                    found,
                    until,
                };
                false
            }
            Phase::Draining { drain, until } => self.drain_step(drain, until, now),
            Phase::Committing {
                drain,
                number,
                until,
            } => self.commit_step(drain, number, until, now),
            Phase::Landing(drain) => self.landing_step(drain, now),
            Phase::Finished => {
                self.phase = Phase::Finished;
                false
            }
        }
    }

    /// Nothing more is begun to be read, and the group waits for an answer nevertheless.
    fn decline_assigns(&mut self) {
        let is_assign = |rebalance: &mut Rebalance| matches!(rebalance, Rebalance::Assigned(_));
        while self.waiting.pop_front_if(is_assign).is_some() {
            self.commands.push(Command::Assign(Vec::new()));
        }
    }

    fn start_answer(&mut self, rebalance: Rebalance, now: Instant) -> bool {
        match rebalance {
            Rebalance::Assigned(partitions) => {
                if !partitions.is_empty() {
                    self.look_up(&partitions);
                }
                self.phase = Phase::LookingUp {
                    wanted: partitions.into_iter().collect(),
                    found: BTreeMap::new(),
                    until: now + self.rules.look_up_patience,
                };
            }
            Rebalance::Revoked(partitions) => {
                self.start_drain(partitions, false, now + self.rules.drain_deadline);
            }
            Rebalance::Lost(partitions) => self.unassign(partitions),
        }
        true
    }

    fn answer_assign(
        &mut self,
        missing: BTreeSet<TopicPartition>,
        found: BTreeMap<TopicPartition, Look>,
    ) {
        self.late
            .extend(missing.into_iter().map(|partition| (partition, None)));
        let starts = found
            .into_iter()
            .map(|(partition, look)| self.begin(partition, look))
            .collect();
        self.assigned_once = true;
        self.is_spare = self.parts.is_empty() && self.late.is_empty();
        self.spare_since = None;
        self.commands.push(Command::Assign(starts));
    }

    /// A new tenure, from the committed offset if Kafka still has it.
    fn begin(&mut self, partition: TopicPartition, look: Look) -> Start {
        let first = self.first(&partition, &look);
        let tenure = Tenure::new(partition.clone(), first.offset).following(look.target.clone());
        let tenure = Arc::new(tenure);
        if let Some(cause) = first.halt {
            tenure.halt(first.offset, cause);
        }
        let end = self.rules.until_end.then_some(look.high);
        let waits = first.offset > look.high && tenure.halted_at().is_none();
        let part = Part {
            committed: first.committed,
            lower: first.lower,
            end,
            topic: first.topic,
            examined: waits.then(Examination::of_range),
            outlived: first.outlived,
            partitions: look
                .partitions
                .filter(|_| self.rules.reset == OffsetReset::Latest),
            epochs: look.epoch.map_or(Vec::new(), |epoch| vec![(-1, epoch)]),
            ..Part::new(Arc::clone(&tenure), first.offset)
        };
        self.parts.insert(partition.clone(), part);
        if waits {
            self.examined(&partition, look);
        }
        Start {
            tenure,
            offset: first.offset,
            end,
            waits,
        }
    }

    /// Kafka's client does not close while a rebalance waits for its answer.
    pub(super) fn answer_waiting(&mut self) {
        while let Some(rebalance) = self.waiting.pop_front() {
            match rebalance {
                Rebalance::Assigned(_) => self.commands.push(Command::Assign(Vec::new())),
                Rebalance::Revoked(partitions) | Rebalance::Lost(partitions) => {
                    self.unassign(partitions);
                }
            }
        }
    }

    pub(super) fn unassign(&mut self, partitions: Vec<TopicPartition>) {
        self.is_spare = false;
        self.close(&partitions);
        for partition in &partitions {
            self.late.remove(partition);
            self.parts.remove(partition);
        }
        self.commands.push(Command::Unassign(partitions));
    }
}
