//! Says a repeated thing once in a while, with the count of what was left unsaid.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct RateLimit {
    last: Option<Instant>,
    unsaid: u64,
}

impl RateLimit {
    /// How many were left unsaid since the last one said, or `None` where this one is left unsaid too.
    pub(super) fn allow(&mut self, now: Instant) -> Option<u64> {
        if self.must_pause(now) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(now);
        Some(self.rest())
    }

    /// How many are to be said where no other follows in time to tell.
    pub(super) fn due(&mut self, now: Instant) -> u64 {
        if self.must_pause(now) {
            return 0;
        }
        self.rest()
    }

    /// How many were left unsaid; then they count as said.
    pub(super) fn rest(&mut self) -> u64 {
        std::mem::take(&mut self.unsaid)
    }

    fn must_pause(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now < last + PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_and_the_next_after_a_pause_counts_the_others() {
        let mut limit = RateLimit::default();
        let now = Instant::now();
        assert_eq!(limit.allow(now), Some(0));
        assert_eq!(limit.allow(now), None);
        assert_eq!(limit.allow(now), None);
        assert_eq!(limit.allow(now + PAUSE), Some(2));
    }

    #[test]
    fn what_no_other_tells_is_due_after_the_pause_once() {
        let mut limit = RateLimit::default();
        let now = Instant::now();
        assert_eq!([limit.allow(now), limit.allow(now)], [Some(0), None]);
        let dues = [now, now + PAUSE, now + 2 * PAUSE].map(|at| limit.due(at));
        assert_eq!(dues, [0, 1, 0]);
    }
}
