//! Says a repeated thing once in a while, with the count of what was left unsaid.

use std::time::Duration;

use tokio::time::Instant;

const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct RateLimit {
    last: Option<Instant>,
    unsaid: u64,
}

impl RateLimit {
    /// How many were left unsaid since the last one said, or `None` where this one is left unsaid too.
    pub(super) fn allow(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now < last + PAUSE) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_is_said_and_the_next_after_a_pause_counts_the_others() {
        let mut limit = RateLimit::default();
        assert_eq!(limit.allow(Instant::now()), Some(0));
        assert_eq!(limit.allow(Instant::now()), None);
        assert_eq!(limit.allow(Instant::now()), None);
        tokio::time::advance(PAUSE).await;
        assert_eq!(limit.allow(Instant::now()), Some(2));
    }
}
