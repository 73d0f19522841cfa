//! How the ledger gives partitions up: what is in flight is settled or cut off, committed, and waited for until nothing of
//! it can be applied any more.

use std::time::Instant;

use super::answer::Phase;
use super::{Command, Ledger, Outcome, Part, Rebalance};
use crate::topic_partition::TopicPartition;

#[derive(Debug)]
pub(super) struct Drain {
    partitions: Vec<TopicPartition>,
    /// Ends the process instead of answering a revoke.
    stopping: bool,
}

impl Ledger {
    pub(super) fn start_drain(
        &mut self,
        partitions: Vec<TopicPartition>,
        stopping: bool,
        until: Instant,
    ) {
        self.commands.push(Command::StopReading(partitions.clone()));
        self.commands.push(Command::Flush);
        self.phase = Phase::Draining {
            drain: Drain {
                partitions,
                stopping,
            },
            until,
        };
    }

    pub(super) fn drain_step(&mut self, drain: Drain, until: Instant, now: Instant) -> bool {
        // To stop may take longer than the group waits for an answer: then others would have the partitions.
        let until = if self.waiting.is_empty() {
            until
        } else {
            until.min(now + self.rules.drain_deadline)
        };
        // Asked to stop, a revoke waits no longer than the process may.
        let due = self.stop_by.map_or(until, |by| by.min(until));
        let drained = |part: &Part| part.cut_off || part.drained();
        if now < due && !self.all(&drain, drained) {
            self.phase = Phase::Draining { drain, until };
            return false;
        }
        match self.commit_settled() {
            Some(number) => {
                self.phase = Phase::Committing {
                    drain,
                    number,
                    until: now + self.rules.commit_patience,
                };
            }
            None => self.start_landing(drain, now),
        }
        true
    }

    pub(super) fn commit_step(
        &mut self,
        drain: Drain,
        number: u64,
        until: Instant,
        now: Instant,
    ) -> bool {
        let committed = |part: &Part| part.cut_off || part.committed_all();
        if now >= until || self.all(&drain, committed) {
            self.start_landing(drain, now);
            return true;
        }
        let under_way = self.is_under_way(number);
        // A failed commit is repeated at once: the commit thread paces the attempts.
        let number = if under_way {
            number
        } else {
            self.commit_settled().unwrap_or(number)
        };
        self.phase = Phase::Committing {
            drain,
            number,
            until,
        };
        false
    }

    /// Nothing more is sent or committed of what is given up. A writer that is in the midst of it notices a moment later.
    fn start_landing(&mut self, drain: Drain, now: Instant) {
        for partition in &drain.partitions {
            let Some(part) = self.parts.get_mut(partition) else {
                continue;
            };
            if !part.gone && !part.drained() {
                part.doubt = part.doubt.max(Some(now + self.rules.late_landing_grace));
            }
        }
        self.close(&drain.partitions);
        self.phase = Phase::Landing(drain);
    }

    /// Who reads these partitions next must not write before our last request has been applied or cannot be.
    pub(super) fn landing_step(&mut self, drain: Drain, now: Instant) -> bool {
        // Inserts beside open tenures are not cancelled, and have their time-out.
        let landed = |part: &Part| {
            part.tenure.is_quiet() && part.in_doubt().is_none_or(|until| now >= until)
        };
        if self.all(&drain, landed) || self.stop_by.is_some_and(|by| now >= by) {
            self.end_drain(drain);
            return true;
        }
        self.phase = Phase::Landing(drain);
        false
    }

    /// After a gap between two polls the partitions may be somebody else's, and where a revoke waits for its answer the
    /// client does not report that. It may bring the revoke some polls later, behind other events.
    pub(super) fn notice_gap(&mut self, now: Instant) {
        let last = self.advanced_at.replace(now);
        let is_gap =
            last.is_some_and(|last| now.saturating_duration_since(last) > self.rules.poll_window);
        if is_gap {
            self.doubt_membership(now);
        }
        if self.gap_at.is_none() {
            return;
        }
        let mut leaving = Vec::new();
        for rebalance in &self.waiting {
            if let Rebalance::Revoked(partitions) = rebalance {
                leaving.extend_from_slice(partitions);
            }
        }
        let drain = if is_gap { self.take_drain() } else { None };
        leaving.extend(drain.iter().flat_map(|drain| drain.partitions.clone()));
        for partition in &leaving {
            if let Some(part) = self.parts.get_mut(partition)
                && !part.is_complete()
            {
                part.cut_off = true;
                if part.tenure.is_open() && !part.drained() {
                    part.doubt = part.doubt.max(Some(now + self.rules.late_landing_grace));
                }
            }
        }
        self.close(&leaving);
        // They may be ours yet: then the next owner begins after this answer.
        if let Some(drain) = drain {
            self.phase = Phase::Landing(drain);
        }
    }

    /// The drain that is under way, which goes on in another phase.
    fn take_drain(&mut self) -> Option<Drain> {
        match std::mem::replace(&mut self.phase, Phase::Steady) {
            Phase::Draining { drain, .. }
            | Phase::Committing { drain, .. }
            | Phase::Landing(drain) => Some(drain),
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Whether Kafka's client waits for one, as far as is known.
    pub fn owes_an_answer(&self) -> bool {
        !self.waiting.is_empty() || !matches!(self.phase, Phase::Steady | Phase::Finished)
    }

    fn end_drain(&mut self, drain: Drain) {
        let parts = drain.partitions.iter();
        let undrained: Vec<_> = parts
            .filter_map(|partition| self.parts.get(partition))
            .filter(|part| !part.is_complete())
            .map(Part::undrained)
            .collect();
        if !undrained.is_empty() {
            self.left_behind |= self.stop_by.is_some();
            self.commands.push(Command::Undrained(undrained));
        }
        if !drain.stopping {
            self.unassign(drain.partitions);
        } else if self.left_behind {
            self.finish(Outcome::NotDrained);
        } else {
            self.finish(Outcome::Drained {
                halted: self.halted(),
            });
        }
    }

    fn all(&self, drain: &Drain, holds: impl Fn(&Part) -> bool) -> bool {
        drain
            .partitions
            .iter()
            .filter_map(|partition| self.parts.get(partition))
            .all(|part| part.gone || holds(part))
    }
}
