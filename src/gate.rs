//! The send gate: nothing is sent unless Kafka was polled so recently that the partitions can still be ours.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// librdkafka notices about once a second that its session is over; after a gap it is given the time.
pub const SETTLING: Duration = Duration::from_secs(2);

/// The consumer tells it of every poll, and the writers ask it before every attempt.
#[derive(Debug)]
pub struct Gate {
    /// The longest time between two polls that leaves a request time to end within the session.
    window: Duration,
    polls: Mutex<Polls>,
    polled: Notify,
}

#[derive(Debug)]
struct Polls {
    last: Instant,
    /// There was a gap: shut until polls have gone on for a while.
    shut_until: Option<Instant>,
    /// Somebody found it shut.
    is_awaited: bool,
}

impl Gate {
    /// Open for `window` after each poll; the first one counts as made at `now`.
    pub fn new(window: Duration, now: Instant) -> Self {
        Self {
            window,
            polls: Mutex::new(Polls {
                last: now,
                shut_until: None,
                is_awaited: false,
            }),
            polled: Notify::new(),
        }
    }

    /// How long a partition can be taken for ours after a poll: a request that begins then, and its time-out, end within
    /// the session, with a sixth of it to spare.
    pub fn window(session_timeout: Duration, request_timeout: Duration) -> Duration {
        session_timeout.saturating_sub(request_timeout + session_timeout / 6)
    }

    /// Kafka was polled at `now`.
    pub fn poll(&self, now: Instant) {
        let mut polls = self.lock();
        let gap = now.saturating_duration_since(polls.last) > self.window;
        polls.last = polls.last.max(now);
        if gap {
            polls.shut_until = Some(now + SETTLING);
        }
        // By this poll the loss would have been heard of: that time has passed alone says nothing.
        polls.shut_until.take_if(|until| now >= *until);
        let wakes = polls.shut_until.is_none() && std::mem::take(&mut polls.is_awaited);
        drop(polls);
        if wakes {
            self.polled.notify_waiters();
        }
    }

    /// Kafka was polled at `now`, and does not say yet what it has to say: shut until polls have gone on for a while after
    /// the last one of these.
    pub fn poll_in_doubt(&self, now: Instant) {
        let mut polls = self.lock();
        polls.last = polls.last.max(now);
        polls.shut_until = Some(now + SETTLING);
    }

    /// Whether a request may be sent at `now`.
    pub fn is_open(&self, now: Instant) -> bool {
        self.lock().is_open(now, self.window)
    }

    /// Ends when a request may be sent.
    pub async fn opened(&self) {
        loop {
            let polled = self.polled.notified();
            {
                let mut polls = self.lock();
                let now = tokio::time::Instant::now().into_std();
                if polls.is_open(now, self.window) {
                    return;
                }
                polls.is_awaited = true;
            }
            polled.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Polls> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Polls {
    fn is_open(&self, now: Instant, window: Duration) -> bool {
        self.shut_until.is_none() && now.saturating_duration_since(self.last) <= window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_request_ends_within_the_session() {
        assert_eq!(Gate::window(seconds(48), seconds(20)), seconds(20));
        assert_eq!(Gate::window(seconds(6), seconds(6)), seconds(0));
    }

    #[test]
    fn it_is_open_for_a_while_after_a_poll_and_after_a_gap_not_at_once() {
        let start = Instant::now();
        let gate = Gate::new(seconds(10), start);
        assert!(gate.is_open(start + seconds(10)));
        assert!(!gate.is_open(start + seconds(11)));
        gate.poll(start + seconds(10));
        assert!(gate.is_open(start + seconds(20)));
        gate.poll(start + seconds(21));
        assert!(!gate.is_open(start + seconds(21)));
        gate.poll(start + seconds(22));
        assert!(!gate.is_open(start + seconds(22)));
        assert!(!gate.is_open(start + seconds(24)));
        gate.poll(start + seconds(24));
        assert!(gate.is_open(start + seconds(24)));
    }

    #[test]
    fn shut_it_stays_so_until_polls_have_gone_on_for_a_while() {
        let start = Instant::now();
        let gate = Gate::new(seconds(10), start);
        gate.poll_in_doubt(start);
        gate.poll(start + seconds(1));
        assert!(!gate.is_open(start + seconds(1)));
        gate.poll(start + seconds(2));
        assert!(gate.is_open(start + seconds(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_goes_on_when_polls_have_gone_on_for_two_seconds() {
        let start = tokio::time::Instant::now();
        let gate = Gate::new(seconds(10), start.into_std());
        gate.opened().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        let polled = async {
            for pause in [100, 1, 8, 1] {
                tokio::time::sleep(seconds(pause)).await;
                gate.poll(tokio::time::Instant::now().into_std());
            }
        };
        tokio::time::sleep(seconds(11)).await;
        tokio::join!(gate.opened(), polled);
        assert_eq!(start.elapsed().as_secs(), 121);
        let again = tokio::time::timeout(seconds(1), gate.opened());
        assert_eq!(again.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_is_just_in_time_wakes_who_found_it_shut_a_moment_before() {
        let start = tokio::time::Instant::now();
        let gate = Gate::new(seconds(10), start.into_std());
        tokio::time::sleep(seconds(11)).await;
        let polled = async {
            // The loop took the time, and was not scheduled for a moment.
            for at in [10, 11, 12, 13, 14] {
                tokio::task::yield_now().await;
                gate.poll(start.into_std() + seconds(at));
            }
            assert!(gate.is_open(start.into_std() + seconds(14)));
        };
        let opened = tokio::time::timeout(seconds(1), gate.opened());
        let (opened, ()) = tokio::join!(opened, polled);
        assert_eq!(opened, Ok(()));
    }
}
