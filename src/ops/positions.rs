//! Where every assigned partition stands, and since when: gauges that are read when `/metrics` is asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::topic_partition::TopicPartition;

/// Where a partition stands. `None` is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The offset after the last record handed to its writer.
    pub read: Option<i64>,
    /// The next offset to commit.
    pub settled: Option<i64>,
    /// What the group holds.
    pub committed: Option<i64>,
    /// Records between `settled` and the partition's end.
    pub lag: Option<i64>,
    /// Where `--until-end` stops.
    pub until: Option<i64>,
    /// What the client fetches next, which may lie behind what it has to give.
    pub fetched: Option<i64>,
    /// The broker that has it is connected.
    pub is_led: bool,
    /// Assigned, and not begun to be read: where from is not known yet.
    pub is_awaited: bool,
    /// Chunks that wait for its writer.
    pub waiting: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_awaited {
            return f.write_str("not begun, since Kafka has not said from where");
        }
        let shown =
            |offset: Option<i64>| offset.map_or("?".to_owned(), |offset| offset.to_string());
        write!(
            f,
            "read {}, settled {}, committed {}, lag {}, fetched {}, {} chunks wait for its writer",
            shown(self.read),
            shown(self.settled),
            shown(self.committed),
            shown(self.lag),
            shown(self.fetched),
            self.waiting,
        )?;
        if self.is_led {
            return Ok(());
        }
        f.write_str(", its broker is away")
    }
}

#[derive(Debug)]
pub(super) struct Positions {
    /// With more than these, none has series of its own.
    most: usize,
    all: Mutex<BTreeMap<TopicPartition, Known>>,
}

#[derive(Debug)]
struct Known {
    position: Position,
    /// It was reported with another settled offset, or without a lag.
    moved: Instant,
    /// More is settled than is committed, and nothing of it was committed since.
    uncommitted: Option<Instant>,
}

/// Of all partitions together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) lag: i64,
    pub(super) largest_lag: i64,
    /// Read and not settled.
    pub(super) unsettled: i64,
    /// The longest time of one partition.
    pub(super) commit_age: Duration,
    pub(super) no_progress: Duration,
}

impl Known {
    fn new(position: Position, now: Instant) -> Self {
        Self {
            position,
            moved: now,
            uncommitted: position.is_uncommitted().then_some(now),
        }
    }

    fn follow(&mut self, position: Position, now: Instant) {
        let before = std::mem::replace(&mut self.position, position);
        if position.settled != before.settled || position.lag.is_none_or(|lag| lag <= 0) {
            self.moved = now;
        }
        let since = self
            .uncommitted
            .filter(|_| position.committed == before.committed);
        self.uncommitted = position.is_uncommitted().then(|| since.unwrap_or(now));
    }
}

impl Position {
    fn is_uncommitted(&self) -> bool {
        self.committed.is_some() && self.settled > self.committed
    }
}

impl Positions {
    pub(super) fn showing(most: usize) -> Self {
        Self {
            most,
            all: Mutex::default(),
        }
    }

    pub(super) fn set(&self, partition: &TopicPartition, position: Position, now: Instant) {
        let mut all = self.lock();
        if let Some(known) = all.get_mut(partition) {
            known.follow(position, now);
        } else {
            all.insert(partition.clone(), Known::new(position, now));
        }
    }

    pub(super) fn forget(&self, partition: &TopicPartition) {
        self.lock().remove(partition);
    }

    pub(super) fn all(&self) -> Vec<(TopicPartition, Position)> {
        let all = self.lock();
        let copied = all.iter().map(|(at, known)| (at.clone(), known.position));
        copied.collect()
    }

    pub(super) fn sums(&self, now: Instant) -> Sums {
        let mut sums = Sums::default();
        for known in self.lock().values() {
            let position = &known.position;
            let lag = position.lag.unwrap_or(0);
            sums.lag += lag;
            sums.largest_lag = sums.largest_lag.max(lag);
            if let (Some(read), Some(settled)) = (position.read, position.settled) {
                sums.unsettled += (read - settled).max(0);
            }
            let since = |at: Option<Instant>| {
                at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
            };
            sums.commit_age = sums.commit_age.max(since(known.uncommitted));
            let stands = Some(known.moved).filter(|_| lag > 0);
            sums.no_progress = sums.no_progress.max(since(stands));
        }
        sums
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Known>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn encode_each(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Part = fn(&Position) -> Option<i64>;
        let gauges: [(&str, &str, Part); 4] = [
            ("lag_records", "Records not settled yet.", |p| p.lag),
            ("read_offset", "The next offset to read.", |p| p.read),
            ("settled_offset", "The next offset to commit.", |p| {
                p.settled
            }),
            (
                "committed_offset",
                "The offset that the group holds.",
                |p| p.committed,
            ),
        ];
        let all = self.lock();
        let named = if all.len() > self.most { 0 } else { all.len() };
        for (name, help, part) in gauges {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (at, known) in all.iter().take(named) {
                if let Some(value) = part(&known.position) {
                    let partition = at.partition.to_string();
                    let labels = [("topic", &*at.topic), ("partition", partition.as_str())];
                    ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }

    fn encode_sums(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let sums = self.sums(Instant::now());
        let counts = [
            (
                "lag_all_records",
                "Records not settled yet, of all partitions together.",
                sums.lag,
            ),
            (
                "lag_max_records",
                "The largest lag of a partition.",
                sums.largest_lag,
            ),
            (
                "unsettled_records",
                "Offsets read and not settled, of all partitions together.",
                sums.unsettled,
            ),
        ];
        for (name, help, value) in counts {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        let ages = [
            (
                "commit_age",
                "How long the oldest settled offset has waited to be committed.",
                sums.commit_age,
            ),
            (
                "no_progress",
                "How long the partition has stood that has a lag and has settled nothing for longest.",
                sums.no_progress,
            ),
        ];
        for (name, help, age) in ages {
            let unit = Some(&Unit::Seconds);
            let gauge = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(age.as_secs_f64()).encode(gauge)?;
        }
        Ok(())
    }
}

impl Collector for Positions {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_each(&mut encoder)?;
        self.encode_sums(&mut encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(settled: i64, committed: i64, lag: i64) -> Position {
        Position {
            read: Some(settled + 3),
            settled: Some(settled),
            committed: Some(committed),
            lag: Some(lag),
            ..Position::default()
        }
    }

    #[test]
    fn a_partition_is_behind_and_stands_still_until_it_commits_and_settles() {
        let start = Instant::now();
        let positions = Positions::showing(10);
        let partition = TopicPartition::new("t", 0);
        // Second, settled, committed, lag; then for how long uncommitted and without progress.
        for (second, settled, committed, lag, expected) in [
            (0, 5, 5, 0, (0, 0)),
            (1, 5, 5, 9, (0, 1)),
            (4, 5, 5, 9, (0, 4)),
            (5, 8, 5, 6, (0, 0)),
            (7, 8, 5, 6, (2, 2)),
            // Some of it is committed: the rest has not waited as long.
            (8, 9, 8, 5, (0, 0)),
            (9, 9, 8, 5, (1, 1)),
            (10, 9, 9, 5, (0, 2)),
            (11, 9, 9, 0, (0, 0)),
            (99, 9, 9, 0, (0, 0)),
        ] {
            let now = start + Duration::from_secs(second);
            positions.set(&partition, at(settled, committed, lag), now);
            let sums = positions.sums(now);
            let found = (sums.commit_age.as_secs(), sums.no_progress.as_secs());
            assert_eq!(found, expected, "second {second}");
        }
    }

    #[test]
    fn of_all_partitions_the_sums_and_of_the_ages_the_longest() {
        let start = Instant::now();
        let positions = Positions::showing(10);
        let (first, second) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        positions.set(&first, at(7, 5, 10), start);
        positions.set(&second, at(8, 8, 4), start + Duration::from_secs(2));
        let expected = Sums {
            lag: 14,
            largest_lag: 10,
            unsettled: 6,
            commit_age: Duration::from_secs(3),
            no_progress: Duration::from_secs(3),
        };
        assert_eq!(positions.sums(start + Duration::from_secs(3)), expected);
        positions.forget(&first);
        assert_eq!(positions.sums(start).lag, 4);
        positions.forget(&second);
        assert_eq!(positions.sums(start), Sums::default());
    }
}
