//! The ledger's commits: what is stored and committed when, and what came of it.

use std::time::Instant;

use super::{Command, CommitResult, Ledger};
use crate::topic_partition::TopicPartition;

/// Commits under way, oldest first; the commit thread answers them in this order.
#[derive(Debug, Default)]
pub(super) struct Commits {
    last: u64,
    under_way: Vec<(u64, Vec<(TopicPartition, i64)>)>,
    pub(super) next_at: Option<Instant>,
}

impl Commits {
    fn cover(&self, partition: &TopicPartition, settled: i64) -> bool {
        let mut offsets = self.under_way.iter().flat_map(|(_, offsets)| offsets);
        offsets.any(|(tp, offset)| tp == partition && *offset >= settled)
    }
}

impl Ledger {
    /// What became of commit `number`.
    pub fn commit_done(&mut self, number: u64, result: CommitResult) {
        let Some(index) = self
            .commits
            .under_way
            .iter()
            .position(|(n, _)| *n == number)
        else {
            return;
        };
        let (_, offsets) = self.commits.under_way.remove(index);
        if result == CommitResult::Failed {
            return; // still settled above committed: the next tick stores and commits again
        }
        for (partition, offset) in offsets {
            if let Some(part) = self.parts.get_mut(&partition) {
                part.committed = part.committed.max(offset);
            }
        }
    }

    /// The client did not take the offset of `partition`: the commit under way does not carry it.
    pub fn not_stored(&mut self, partition: &TopicPartition) {
        if let Some((_, offsets)) = self.commits.under_way.last_mut() {
            offsets.retain(|(stored, _)| stored != partition);
        }
    }

    pub(super) fn is_under_way(&self, number: u64) -> bool {
        self.commits.under_way.iter().any(|(n, _)| *n == number)
    }

    pub(super) fn commit_when_due(&mut self, now: Instant) {
        let due = self.commits.next_at.is_none_or(|at| now >= at);
        if due && self.commits.under_way.is_empty() && self.commit_settled().is_some() {
            self.commits.next_at = Some(now + self.rules.commit_interval);
        }
    }

    /// Stores and commits all that is settled and neither committed nor on its way; the number of the last commit
    /// under way, or `None` where there is nothing to wait for.
    /// A closed tenure is left out: what it settled is somebody else's to commit.
    pub(super) fn commit_settled(&mut self) -> Option<u64> {
        let offsets: Vec<_> = self
            .parts
            .iter()
            .map(|(partition, part)| (partition, part, part.tenure.settled()))
            .filter(|(partition, part, settled)| {
                part.tenure.is_open()
                    && *settled > part.committed
                    && !self.commits.cover(partition, *settled)
            })
            .map(|(partition, _, settled)| (partition.clone(), settled))
            .collect();
        if offsets.is_empty() {
            return self.commits.under_way.last().map(|(number, _)| *number);
        }
        self.commits.last += 1;
        let number = self.commits.last;
        self.commands.push(Command::Store(offsets.clone()));
        self.commands.push(Command::Commit(number));
        self.commits.under_way.push((number, offsets));
        Some(number)
    }
}
