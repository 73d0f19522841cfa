//! The line that says every half minute what was done and what stands still.

use std::sync::Arc;
use std::time::Instant;

use super::board::Board;
use super::metrics::Metrics;

/// What was done, in the order said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts([u64; 5]);

impl Counts {
    /// Whether each is said also where it is 0, and what it counts.
    const WORDS: [(bool, &str); 5] = [
        (true, "records read"),
        (true, "rows written"),
        (false, "deleted"),
        (false, "skipped"),
        (false, "dead letters"),
    ];

    fn of(metrics: &Metrics) -> Self {
        Self([
            metrics.records_read.get(),
            metrics.rows_written.get(),
            metrics.rows_deleted.get(),
            metrics.records_skipped(),
            metrics.dead_letters.get(),
        ])
    }

    fn since(self, before: Self) -> Self {
        let mut counts = self.0;
        for (count, before) in counts.iter_mut().zip(before.0) {
            *count -= before;
        }
        Self(counts)
    }

    fn parts(self, shown: impl Fn(u64) -> String) -> Vec<String> {
        let words = Self::WORDS.into_iter().zip(self.0);
        words
            .filter(|((always, _), count)| *always || *count > 0)
            .map(|((_, what), count)| format!("{count} {what}{}", shown(count)))
            .collect()
    }
}

/// Remembers where the counts stood at the last line.
#[derive(Debug)]
pub struct Activity {
    metrics: Arc<Metrics>,
    board: Arc<Board>,
    at: Instant,
    counts: Counts,
}

impl Activity {
    pub fn new(metrics: Arc<Metrics>, board: Arc<Board>, now: Instant) -> Self {
        Self {
            counts: Counts::of(&metrics),
            at: now,
            metrics,
            board,
        }
    }

    /// What happened since the last call, or `None` when nothing did and nothing stands still.
    pub fn line(&mut self, now: Instant) -> Option<String> {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        let counts = Counts::of(&self.metrics);
        let done = counts.since(self.counts);
        (self.at, self.counts) = (now, counts);

        let standstills = self.board.standstills();
        if done == Counts([0; 5]) && standstills.is_empty() {
            return None;
        }
        let mut parts = done.parts(|count| format!(" ({}/s)", rate(count, seconds)));
        parts.push(format!("lag {}", self.metrics.lag()));
        parts.extend(standstills);
        Some(parts.join(", "))
    }
}

/// What was done since `start`, where the counts were 0.
pub fn totals(metrics: &Metrics, start: Instant, now: Instant) -> String {
    let parts = Counts::of(metrics).parts(|_| String::new());
    let seconds = now.saturating_duration_since(start).as_secs_f64();
    format!("in all: {} in {seconds:.1} s", parts.join(", "))
}

/// Per second, with a decimal where it says something.
fn rate(count: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return "-".to_owned();
    }
    let rate = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
    if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::budget::Budget;
    use crate::cause::Cause;
    use crate::ops::board::Scope;
    use crate::ops::metrics::{Position, Skipped};
    use crate::topic_partition::TopicPartition;

    #[test]
    fn a_line_tells_what_was_done_since_the_last_and_silence_has_none() {
        let metrics = Metrics::new(Budget::new(1));
        let board = Board::new(Arc::clone(&metrics));
        let start = Instant::now();
        let mut activity = Activity::new(Arc::clone(&metrics), Arc::clone(&board), start);
        let mut line = |seconds| activity.line(start + Duration::from_secs(seconds));
        assert_eq!(line(30), None);

        metrics.records_read.inc_by(6000);
        metrics.rows_written.inc_by(45);
        let position = Position {
            lag: Some(7),
            ..Position::default()
        };
        metrics.set_position(&TopicPartition::new("t", 0), position);
        let expected = "6000 records read (200/s), 45 rows written (1.5/s), lag 7";
        assert_eq!(line(60).as_deref(), Some(expected));
        assert_eq!(line(90), None);

        let reason = String::new();
        board.hold(Scope::Collection("c".into()), Cause::MilvusBusy { reason });
        let expected = "0 records read (0.0/s), 0 rows written (0.0/s), lag 7, \
                        held: collection c (milvus_busy)";
        assert_eq!(line(120).as_deref(), Some(expected));

        metrics.rows_deleted.inc_by(3);
        let expected = "0 records read (0.0/s), 0 rows written (0.0/s), 3 deleted (0.1/s), lag 7, \
                        held: collection c (milvus_busy)";
        assert_eq!(line(150).as_deref(), Some(expected));

        metrics.skip(Skipped::BadRecord, 6);
        metrics.skip(Skipped::Tombstone, 3);
        metrics.dead_letters.inc_by(6);
        let expected = "0 records read (0.0/s), 0 rows written (0.0/s), 9 skipped (0.3/s), \
                        6 dead letters (0.2/s), lag 7, held: collection c (milvus_busy)";
        assert_eq!(line(180).as_deref(), Some(expected));

        let expected = "in all: 6000 records read, 45 rows written, 3 deleted, 9 skipped, \
                        6 dead letters in 180.0 s";
        let end = start + Duration::from_secs(180);
        assert_eq!(totals(&metrics, start, end), expected);
    }

    #[test]
    fn records_that_were_only_skipped_have_a_line() {
        let metrics = Metrics::new(Budget::new(1));
        let board = Board::new(Arc::clone(&metrics));
        let start = Instant::now();
        let mut activity = Activity::new(Arc::clone(&metrics), board, start);
        metrics.skip(Skipped::BadRecord, 1);
        let line = activity.line(start + Duration::from_secs(10)).unwrap();
        assert!(line.contains(" 1 skipped (0.1/s)"), "{line}");
    }
}
