//! The ledger's commits: what is stored and committed when, and what came of it.

use std::sync::Arc;
use std::time::Instant;

use super::{Command, CommitResult, Ledger, Part};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

/// What a commit carries of one tenure.
type Stored = (Arc<Tenure>, i64);

/// Commits under way, oldest first; the commit thread answers them in this order. They are kept by tenure: the result
/// of an old one says nothing of the next.
#[derive(Debug, Default)]
pub(super) struct Commits {
    pub(super) last: u64,
    under_way: Vec<(u64, Vec<Stored>)>,
    pub(super) next_at: Option<Instant>,
}

impl Commits {
    pub(super) fn cover(&self, tenure: &Arc<Tenure>, settled: i64) -> bool {
        let mut offsets = self.under_way.iter().flat_map(|(_, offsets)| offsets);
        offsets.any(|(stored, offset)| Arc::ptr_eq(stored, tenure) && *offset >= settled)
    }

    /// The number of a commit that begins now.
    pub(super) fn begin(&mut self, offsets: Vec<Stored>) -> u64 {
        self.last += 1;
        self.under_way.push((self.last, offsets));
        self.last
    }

    /// Whether one that began after number `before` is under way.
    pub(super) fn is_any_later(&self, before: u64) -> bool {
        self.under_way.iter().any(|(number, _)| *number > before)
    }

    /// The client has forgotten what was stored: whatever comes of the commits under way, it says nothing.
    pub(super) fn forget(&mut self) {
        self.under_way.clear();
    }
}

impl Ledger {
    /// What became of commit `number`.
    pub fn commit_done(&mut self, number: u64, result: CommitResult) {
        if result == CommitResult::Done {
            self.confirmed_by(number);
        }
        let numbered = |(n, _): &(u64, _)| *n == number;
        let Some(index) = self.commits.under_way.iter().position(numbered) else {
            return;
        };
        let (_, offsets) = self.commits.under_way.remove(index);
        if result == CommitResult::Failed {
            return; // still settled above committed: the next tick stores and commits again
        }
        for (tenure, offset) in offsets {
            if let Some(part) = self.parts.get_mut(&tenure.topic_partition)
                && Arc::ptr_eq(&part.tenure, &tenure)
            {
                if part.lower.take().is_some() {
                    part.committed = offset;
                    part.stored = offset;
                }
                part.committed = part.committed.max(offset);
                part.forget_epochs();
            }
        }
    }

    /// The client did not take the offset of `partition`: commit `number` does not carry it.
    pub fn not_stored(&mut self, number: u64, partition: &TopicPartition) {
        let mut commits = self.commits.under_way.iter_mut();
        if let Some((_, offsets)) = commits.find(|(n, _)| *n == number) {
            offsets.retain(|(tenure, _)| tenure.topic_partition != *partition);
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

    /// Commits all that is settled and neither committed nor on its way; the number of the last commit under way, or
    /// `None` where there is nothing to wait for.
    /// A closed tenure is left out: what it settled is somebody else's to commit.
    pub(super) fn commit_settled(&mut self) -> Option<u64> {
        self.commit_down();
        let is_new = |part: &&mut Part| {
            part.tenure.is_open()
                && part.lower.is_none()
                && !part.outlived
                && part.settled() > part.committed
                && !self.commits.cover(&part.tenure, part.settled())
        };
        let (mut offsets, mut stored) = (Vec::new(), Vec::new());
        for part in self.parts.values_mut().filter(is_new) {
            part.stored = part.settled();
            offsets.push((Arc::clone(&part.tenure), part.stored));
            stored.push(part.carried(part.stored));
        }
        if offsets.is_empty() {
            return self.commits.under_way.last().map(|(number, _)| *number);
        }
        let number = self.commits.begin(offsets);
        self.commands.push(Command::Commit {
            number,
            offsets: stored,
        });
        Some(number)
    }
}
