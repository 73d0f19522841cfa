//! How far `--until-end` is: a bar for each topic while it runs, and a table at its end, on a terminal.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::ops::metrics::{Metrics, Position};
use crate::topic_partition::TopicPartition;

/// So that rate and rest go on while no number changes.
const REDRAW: Duration = Duration::from_millis(250);

/// The bars of the topics, from the first look at their partitions on.
#[derive(Debug)]
pub struct Progress {
    bars: MultiProgress,
    topics: BTreeMap<Arc<str>, Topic>,
}

#[derive(Debug)]
struct Topic {
    bar: ProgressBar,
    partitions: BTreeMap<i32, Span>,
}

/// Offsets of one partition that this run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    at: i64,
    end: i64,
}

impl Span {
    fn of(position: &Position) -> Option<Self> {
        let (at, end) = (position.settled?, position.until?);
        let from = at.min(end);
        Some(Self { from, at, end })
    }

    /// Where the same partition is now. One that comes back begins where it did.
    fn moved(self, now: Self) -> Self {
        Self {
            from: self.from.min(now.from),
            ..now
        }
    }

    fn done(self) -> i64 {
        self.at.min(self.end) - self.from
    }

    fn whole(self) -> i64 {
        self.end - self.from
    }
}

impl Progress {
    pub fn new(bars: MultiProgress) -> Self {
        let topics = BTreeMap::new();
        Self { bars, topics }
    }

    /// What is no longer ours stays as it was seen last.
    pub fn show(&mut self, positions: &[(TopicPartition, Position)]) {
        for (partition, position) in positions {
            let Some(span) = Span::of(position) else {
                continue;
            };
            let bars = &self.bars;
            let topic = self
                .topics
                .entry(Arc::clone(&partition.topic))
                .or_insert_with_key(|name| Topic::new(bars, name));
            let known = topic.partitions.entry(partition.partition).or_insert(span);
            *known = known.moved(span);
        }
        for topic in self.topics.values() {
            let sum = |part: fn(Span) -> i64| {
                let sum: i64 = topic.partitions.values().map(|span| part(*span)).sum();
                u64::try_from(sum).unwrap_or(0)
            };
            topic.bar.set_length(sum(Span::whole));
            topic.bar.set_position(sum(Span::done));
        }
    }

    /// The bars go; what was done stays on the terminal. Elsewhere the log has said it.
    pub fn end(self, metrics: &Metrics, took: Duration) {
        for topic in self.topics.values() {
            topic.bar.finish_and_clear();
        }
        if !self.bars.is_hidden() {
            let summary = Summary::of(metrics, took).to_string();
            // A terminal that is gone needs no summary.
            self.bars
                .suspend(|| io::stderr().write_all(summary.as_bytes()))
                .ok();
        }
    }
}

impl Topic {
    fn new(bars: &MultiProgress, name: &str) -> Self {
        let template =
            "{prefix} {wide_bar} {percent:>3}%  {human_pos} of {human_len}  {per_sec}{left}";
        let style = ProgressStyle::with_template(template);
        let style = style.map(|style| style.with_key("left", left));
        let bar = ProgressBar::new(0)
            .with_prefix(name.to_owned())
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let bar = bars.add(bar);
        bar.enable_steady_tick(REDRAW);
        Self {
            bar,
            partitions: BTreeMap::new(),
        }
    }
}

/// Nothing is known while nothing moves.
fn left(state: &ProgressState, out: &mut dyn fmt::Write) {
    if state.per_sec() > 0.0 && state.pos() > 0 {
        // A bar that cannot be written is drawn again soon.
        write!(out, "  {:#} left", HumanDuration(state.eta())).ok();
    }
}

/// What a run has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    read: u64,
    written: u64,
    deleted: u64,
    skipped: u64,
    dead_lettered: u64,
    took: Duration,
}

impl Summary {
    pub fn of(metrics: &Metrics, took: Duration) -> Self {
        Self {
            read: metrics.records_read.get(),
            written: metrics.rows_written.get(),
            deleted: metrics.rows_deleted.get(),
            skipped: metrics.records_skipped(),
            dead_lettered: metrics.dead_letters.get(),
            took,
        }
    }

    /// Rows that Milvus took in a second, on the average.
    pub fn rate(&self) -> f64 {
        let rows = u32::try_from(self.written + self.deleted).unwrap_or(u32::MAX);
        f64::from(rows) / self.took.as_secs_f64().max(0.001)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = format!("{:.1} s", self.took.as_secs_f64());
        let rows = [
            ("read", self.read.to_string()),
            ("written", self.written.to_string()),
            ("deleted", self.deleted.to_string()),
            ("skipped", self.skipped.to_string()),
            ("dead-lettered", self.dead_lettered.to_string()),
            ("duration", seconds),
            ("rows/s", format!("{:.0}", self.rate())),
        ];
        let widest = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        for (name, value) in rows {
            writeln!(f, "  {name:<13}  {value:>widest$}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::ops::metrics::Skipped;

    fn position(settled: i64, until: i64) -> Position {
        Position {
            settled: Some(settled),
            until: Some(until),
            ..Position::default()
        }
    }

    #[test]
    fn a_bar_goes_from_the_first_offset_of_this_run_to_the_end_seen_at_its_start() {
        let hidden = indicatif::ProgressDrawTarget::hidden();
        let mut progress = Progress::new(MultiProgress::with_draw_target(hidden));
        let mut check = |positions: &[(i32, Position)], expected: (u64, u64)| {
            let at = |partition| TopicPartition::new("t", partition);
            let positions = positions.iter().map(|(p, position)| (at(*p), *position));
            progress.show(&positions.collect::<Vec<_>>());
            let shown = progress.topics.values().map(|topic| {
                let length = topic.bar.length().unwrap_or(0);
                (topic.bar.position(), length)
            });
            assert_eq!(shown.collect::<Vec<_>>(), [expected]);
        };
        let unknown = (1, Position::default());
        check(&[(0, position(100, 300)), unknown], (0, 200));
        check(&[(0, position(150, 300)), (1, position(0, 50))], (50, 250));
        // It is read again from a lower commit after it was away.
        check(&[(0, position(90, 300))], (0, 260));
        // A marker of a transaction lies behind the end.
        check(
            &[(0, position(301, 300)), (1, position(50, 50))],
            (260, 260),
        );
        check(&[], (260, 260));
    }

    #[test]
    fn the_summary_stands_in_columns() {
        let metrics = Metrics::new(Budget::new(1));
        metrics.records_read.inc_by(53);
        metrics.rows_written.inc_by(50);
        metrics.skip(Skipped::BadRecord, 2);
        metrics.dead_letters.inc();
        let summary = Summary::of(&metrics, Duration::from_millis(1250));
        let expected = "  read              53
  written           50
  deleted            0
  skipped            2
  dead-lettered      1
  duration       1.2 s
  rows/s            40
";
        assert_eq!(summary.to_string(), expected);
    }
}
