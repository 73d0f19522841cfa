//! Whether everything that was asked of the ledger is done: every end reached, or every partition halted.

use std::time::Instant;

use super::{Ledger, Outcome, Part};

impl Ledger {
    /// Everything asked of it is done while nothing else is going on.
    pub(super) fn finish_when_steady(&mut self, now: Instant) -> bool {
        let is_at_rest = |part: &Part| part.drained() && part.examined.is_none();
        if !self.assigned_once || !self.late.is_empty() || !self.parts.values().all(is_at_rest) {
            return false;
        }
        let outcome = if self.ends_reached(now) {
            Outcome::EndReached {
                halted: self.halted() > 0,
            }
        } else if !self.parts.is_empty() && self.halted() == self.parts.len() {
            Outcome::AllHalted
        } else {
            return false;
        };
        if !self.parts.values().all(Part::committed_all) {
            self.commit_settled(); // nothing more will settle, so the last commit does not wait for its time
            return false;
        }
        // What may still be applied must not come upon what the next owner writes.
        if self.parts.values().any(|part| part.in_doubt() > Some(now)) {
            return false;
        }
        self.finish(outcome);
        true
    }

    /// How many partitions stand at a record.
    pub(super) fn halted(&self) -> usize {
        let parts = self.parts.values();
        parts
            .filter(|part| part.tenure.halted_at().is_some())
            .count()
    }

    fn ends_reached(&mut self, now: Instant) -> bool {
        if !self.rules.until_end || self.topics_missing {
            return false;
        }
        if !self.parts.is_empty() {
            return self.parts.values().all(Part::reached_end);
        }
        // Partitions that were revoked or lost come again, to us or to another: nothing was reached.
        let since = *self.spare_since.get_or_insert(now);
        self.is_spare && now.saturating_duration_since(since) >= self.rules.spare_patience
    }
}
