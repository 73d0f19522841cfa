//! Whether the process is still a member of its group: after a gap between polls only Kafka can say.

use std::sync::Arc;
use std::time::Instant;

use super::{Command, Ledger, Part};
use crate::cause::Cause;
use crate::tenure::Halt;
use crate::topic_partition::TopicPartition;

/// Polls were too far apart, and no commit that began since has succeeded.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    /// The number of the last commit before that.
    before: u64,
    /// The partition whose offset was committed last to find out.
    asked: Option<TopicPartition>,
}

impl Ledger {
    /// The client hears of a lost session from the group's coordinator alone, which may be away for as long as it likes.
    /// But a commit that begins after the gap and succeeds is a member's.
    pub(super) fn doubt_membership(&mut self, now: Instant) {
        self.gap_at = Some(now);
        self.unconfirmed = Some(Unconfirmed {
            before: self.commits.last,
            asked: None,
        });
    }

    /// A commit succeeded, which the coordinator takes from members alone.
    pub(super) fn confirmed_by(&mut self, number: u64) {
        self.unconfirmed
            .take_if(|unconfirmed| number > unconfirmed.before);
    }

    /// Commits something, were it what is committed already. A failed one is followed by one of the next partition, since
    /// what Kafka refuses may be that one alone.
    pub(super) fn confirm_membership(&mut self) {
        let Some(Unconfirmed { before, asked }) = &self.unconfirmed else {
            return;
        };
        if self.commits.is_any_later(*before) {
            return;
        }
        let open = self.parts.iter().filter(|(_, part)| part.may_be_written());
        let open: Vec<_> = open
            .map(|(partition, part)| (partition, part.lower.is_some()))
            .collect();
        if open.is_empty() {
            // Nothing is written, unless something is about to begin: as it was assigned before the gap.
            if !self.owes_an_answer() && self.late.is_empty() {
                self.unconfirmed = None;
            }
            return;
        }
        // Where a lower offset is to be committed, that serves as well.
        let mut names = open.iter().filter(|(_, is_lower)| !is_lower);
        let is_next = |(partition, _): &&(&TopicPartition, bool)| Some(*partition) > asked.as_ref();
        let next = names.clone().find(is_next).or_else(|| names.next());
        if let Some((partition, _)) = next {
            self.ask_for_membership((*partition).clone());
        }
    }

    fn ask_for_membership(&mut self, partition: TopicPartition) {
        let Some(part) = self.parts.get_mut(&partition) else {
            return;
        };
        let offset = if part.outlived {
            part.committed
        } else {
            part.settled()
        };
        part.stored = part.stored.max(offset);
        let number = self.commits.begin(vec![(Arc::clone(&part.tenure), offset)]);
        let commit = part.carried(offset);
        self.commands.push(Command::CommitDown { number, commit });
        if let Some(unconfirmed) = &mut self.unconfirmed {
            unconfirmed.asked = Some(partition);
        }
    }
}

impl Part {
    /// Where the group is to begin is for a person to say, no offset is committed and nothing is read.
    fn may_be_written(&self) -> bool {
        let is_undecided = |halt: Halt| matches!(halt.cause, Cause::NoCommittedOffset { .. });
        self.tenure.is_open() && !self.tenure.halted().is_some_and(is_undecided)
    }
}
