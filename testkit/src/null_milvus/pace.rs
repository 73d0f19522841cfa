//! How fast a null Milvus takes bytes: one after the other at its rate, whichever request they are of.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: Option<u32>,
    /// When all that came so far will have been taken.
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(bytes_per_second: Option<u32>) -> Pace {
        Pace {
            bytes_per_second,
            free_at: Mutex::default(),
        }
    }

    /// Ends when `bytes` have been taken, after all that came before them.
    pub(super) async fn take(&self, bytes: u32) {
        if let Some(until) = self.taken_at(bytes, Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// When `bytes` that come `now` will have been taken.
    pub(super) fn taken_at(&self, bytes: u32, now: Instant) -> Option<Instant> {
        let rate = self.bytes_per_second?;
        let takes = Duration::from_secs_f64(f64::from(bytes) / f64::from(rate));
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let start = free_at.map_or(now, |free_at| free_at.max(now));
        Some(*free_at.insert(start + takes))
    }
}
