//! The line that says every half minute what was done and what stands still.

use std::sync::Arc;
use std::time::Instant;

use super::board::Board;
use super::metrics::Metrics;

/// Remembers where the counts stood at the last line.
#[derive(Debug)]
pub struct Activity {
    metrics: Arc<Metrics>,
    board: Arc<Board>,
    at: Instant,
    records: u64,
    rows: u64,
    deletes: u64,
}

impl Activity {
    pub fn new(metrics: Arc<Metrics>, board: Arc<Board>, now: Instant) -> Self {
        Self {
            records: metrics.records_read.get(),
            rows: metrics.rows_written.get(),
            deletes: metrics.rows_deleted.get(),
            at: now,
            metrics,
            board,
        }
    }

    /// What happened since the last call, or `None` when nothing did and nothing stands still.
    pub fn line(&mut self, now: Instant) -> Option<String> {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        let metrics = &self.metrics;
        let (records, rows) = (metrics.records_read.get(), metrics.rows_written.get());
        let deletes = metrics.rows_deleted.get();
        let (read, written) = (records - self.records, rows - self.rows);
        let deleted = deletes - self.deletes;
        (self.at, self.records, self.rows, self.deletes) = (now, records, rows, deletes);

        let standstills = self.board.standstills();
        if read == 0 && written == 0 && deleted == 0 && standstills.is_empty() {
            return None;
        }
        let mut parts = vec![
            format!("{read} records read ({}/s)", rate(read, seconds)),
            format!("{written} rows written ({}/s)", rate(written, seconds)),
        ];
        if deletes > 0 {
            parts.push(format!("{deleted} deleted ({}/s)", rate(deleted, seconds)));
        }
        parts.push(format!("lag {}", self.metrics.lag()));
        parts.extend(standstills);
        Some(parts.join(", "))
    }
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
    use crate::ops::metrics::Position;
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
    }
}
