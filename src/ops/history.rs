//! What was done in the last quarter of an hour, a sample every few seconds, so that a page that is opened now has it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::metrics::{Metrics, Skipped};

pub(super) const EVERY: Duration = Duration::from_secs(5);
/// Of a quarter of an hour, both ends among them.
const SAMPLES: usize = 181;

/// Everything that only rises, from the start of the process.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Counts {
    records_read: u64,
    bytes_read: u64,
    rows_written: u64,
    rows_deleted: u64,
    rows_superseded: u64,
    bytes_written: u64,
    tombstones_skipped: u64,
    bad_records_skipped: u64,
    dead_letters: u64,
    requests: u64,
    requests_acknowledged: u64,
    request_seconds: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    pub(super) uptime_seconds: f64,
    pub(super) lag_records: i64,
    pub(super) counts: Counts,
}

#[derive(Debug, Default)]
pub(super) struct History(Mutex<VecDeque<Sample>>);

impl Counts {
    pub(super) fn of(metrics: &Metrics) -> Self {
        Self {
            records_read: metrics.records_read.get(),
            bytes_read: metrics.bytes_read.get(),
            rows_written: metrics.rows_written.get(),
            rows_deleted: metrics.rows_deleted.get(),
            rows_superseded: metrics.rows_superseded.get(),
            bytes_written: metrics.bytes_sent.get(),
            tombstones_skipped: metrics.skipped(Skipped::Tombstone),
            bad_records_skipped: metrics.skipped(Skipped::BadRecord),
            dead_letters: metrics.dead_letters.get(),
            requests: metrics.attempts.get(),
            requests_acknowledged: metrics.acknowledged.get(),
            request_seconds: metrics.attempt_seconds.get(),
        }
    }
}

impl Sample {
    pub(super) fn of(metrics: &Metrics, uptime: Duration) -> Self {
        Self {
            uptime_seconds: uptime.as_secs_f64(),
            lag_records: metrics.lag(),
            counts: Counts::of(metrics),
        }
    }
}

impl History {
    pub(super) fn take(&self, sample: Sample) {
        let mut samples = self.lock();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// The oldest first.
    pub(super) fn samples(&self) -> Vec<Sample> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    #[test]
    fn the_samples_of_a_quarter_of_an_hour_are_kept_the_oldest_first() {
        let metrics = Metrics::new(Budget::new(1));
        let history = History::default();
        for number in 0..200 {
            metrics.records_read.inc();
            history.take(Sample::of(&metrics, EVERY * number));
        }
        let samples = history.samples();
        let [first, .., last] = &samples[..] else {
            panic!("{samples:?}");
        };
        assert_eq!(last.uptime_seconds - first.uptime_seconds, 900.0);
        assert_eq!(
            (first.counts.records_read, last.counts.records_read),
            (20, 200)
        );
    }
}
