//! Pauses between attempts: doubled each time up to a cap, with jitter so that writers do not march in step.

use std::time::Duration;

/// Attempts are not limited; only the pause between them is.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub fn new(first: Duration, max: Duration) -> Self {
        Self {
            next: first.min(max),
            max,
        }
    }

    /// Between half and all of the pause due, which then doubles up to the cap.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = self.next.saturating_mul(2).min(self.max);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_keep_half_at_least() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        for due in [100, 200, 350, 350] {
            let pause = backoff.pause();
            assert!(
                pause >= Duration::from_millis(due / 2),
                "{pause:?} of {due}"
            );
            assert!(pause <= Duration::from_millis(due), "{pause:?} of {due}");
        }
    }
}
