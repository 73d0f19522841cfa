//! Whether the process is still a member of its group: after a gap between polls only Kafka can say.

use std::sync::Arc;
use std::time::Instant;

use super::{Command, Ledger};

impl Ledger {
    /// The client hears of a lost session from the group's coordinator alone, which may be away for as long as it likes.
    /// But a commit that begins after the gap and succeeds is a member's.
    pub(super) fn doubt_membership(&mut self, now: Instant) {
        self.gap_at = Some(now);
        self.unconfirmed = Some(self.commits.last);
    }

    /// A commit succeeded, which the coordinator takes from members alone.
    pub(super) fn confirmed_by(&mut self, number: u64) {
        self.unconfirmed.take_if(|before| number > *before);
    }

    /// Commits something, were it what is committed already. A failed one is repeated.
    pub(super) fn confirm_membership(&mut self) {
        let Some(before) = self.unconfirmed else {
            return;
        };
        if self.commits.is_any_later(before) {
            return;
        }
        let mut open = self
            .parts
            .values_mut()
            .filter(|part| part.tenure.is_open())
            .peekable();
        if open.peek().is_none() {
            drop(open);
            // Nothing is written of what is closed, unless something is about to begin: as it was assigned before the gap.
            if !self.owes_an_answer() && self.late.is_empty() {
                self.unconfirmed = None;
            }
            return;
        }
        let Some(part) = open.find(|part| part.lower.is_none()) else {
            return; // a lower offset is being committed, which serves as well
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
    }
}
