//! One thing that stands still: why, since when, and when that was said last.

use std::time::{Duration, Instant};

use crate::cause::Cause;

#[derive(Debug)]
pub(super) struct Standstill {
    pub(super) cause: Cause,
    pub(super) since: Instant,
    pub(super) said: Instant,
}

impl Standstill {
    pub(super) fn new(cause: Cause) -> Self {
        let now = Instant::now();
        Self {
            cause,
            since: now,
            said: now,
        }
    }

    /// Whether it is to be said again; then it counts as said.
    pub(super) fn is_due(&mut self, now: Instant, every: Duration) -> bool {
        let due = now.saturating_duration_since(self.said) >= every;
        if due {
            self.said = now;
        }
        due
    }

    pub(super) fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs()
    }
}
