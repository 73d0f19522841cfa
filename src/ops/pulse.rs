//! Which task works, and since when: one that works for too long without a pause has lost its way.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Of all tasks that are watched.
#[derive(Debug)]
pub(crate) struct Pulses {
    start: Instant,
    all: Mutex<Vec<Weak<Beat>>>,
}

#[derive(Debug)]
struct Beat {
    name: String,
    /// Milliseconds from the start to where it began to work, and one more; 0 while it waits for something.
    began: AtomicU64,
}

/// One task that has not paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Busy {
    name: String,
    lasts: Duration,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has worked for {} s without a pause",
            self.name,
            self.lasts.as_secs()
        )
    }
}

impl Pulses {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            all: Mutex::default(),
        }
    }

    /// Runs `task`, watched under `name` until it ends.
    pub(crate) async fn watch<F: Future>(&self, name: String, task: F) -> F::Output {
        let beat = self.enter(name);
        let start = self.start;
        let mut task = pin!(task);
        poll_fn(move |context| {
            let now = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            beat.began.store(now.saturating_add(1), Ordering::Relaxed);
            let polled = task.as_mut().poll(context);
            beat.began.store(0, Ordering::Relaxed);
            polled
        })
        .await
    }

    fn enter(&self, name: String) -> Arc<Beat> {
        let beat = Arc::new(Beat {
            name,
            began: AtomicU64::new(0),
        });
        let mut all = self.lock();
        all.retain(|beat| beat.strong_count() > 0);
        all.push(Arc::downgrade(&beat));
        beat
    }

    /// The one that has worked for longest, where that is `limit` or more.
    pub(super) fn lost(&self, now: Instant, limit: Duration) -> Option<Busy> {
        let now = now.saturating_duration_since(self.start);
        let all = self.lock();
        let busy = all.iter().filter_map(|beat| {
            let beat = beat.upgrade()?;
            let began = beat.began.load(Ordering::Relaxed).checked_sub(1)?;
            let lasts = now.saturating_sub(Duration::from_millis(began));
            let name = beat.name.clone();
            (lasts >= limit).then_some(Busy { name, lasts })
        });
        busy.max_by_key(|busy| busy.lasts)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Beat>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_task_that_waits_is_well_and_one_that_works_for_long_is_not() {
        let start = Instant::now();
        let pulses = Pulses::new(start);
        let later = start + 2 * LIMIT;
        let waits = pulses.watch("waits".to_owned(), std::future::pending::<()>());
        let works = pulses.watch("works".to_owned(), async {
            assert_eq!(pulses.lost(start, LIMIT), None, "not for long");
            let busy = pulses.lost(later, LIMIT).unwrap();
            assert!(busy.lasts > LIMIT, "{busy:?}");
            busy.name
        });
        tokio::select! {
            biased;
            () = waits => unreachable!("it has nothing to wait for"),
            name = works => assert_eq!(name, "works"),
        }
        assert_eq!(pulses.lost(later, LIMIT), None, "it has ended");
    }
}
