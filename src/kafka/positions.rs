//! Where each partition stands, told to the metrics and the watchdogs once a second. The end of a log comes with what is
//! fetched, so where nothing moves Kafka is asked for it: a client that has stopped fetching would see nothing left.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError as ClientError;

use super::consumer::Consumer;
use super::questions::Question;
use crate::ops::metrics::Position;
use crate::topic_partition::TopicPartition;

const REPORT: Duration = Duration::from_secs(1);

/// What does not move.
#[derive(Debug, Default)]
pub(super) struct Stillness {
    report_at: Option<Instant>,
    /// The answer about ends is still to come.
    asked: bool,
    partitions: HashMap<TopicPartition, Still>,
}

#[derive(Debug)]
struct Still {
    /// What is read, settled, and fetched next.
    at: [i64; 3],
    /// It has not moved since, nor was its end asked for.
    since: Instant,
    /// What Kafka said that time.
    end: Option<i64>,
}

impl Stillness {
    /// The end of the log, where Kafka was asked for it since the partition has moved; and whether it is to be asked,
    /// which it is once in `every`, if ever.
    fn look(
        &mut self,
        partition: &TopicPartition,
        at: [i64; 3],
        now: Instant,
        every: Option<Duration>,
    ) -> (Option<i64>, bool) {
        match self.partitions.get(partition) {
            Some(still) if still.at == at => {
                let quiet = now.saturating_duration_since(still.since);
                (still.end, every.is_some_and(|every| quiet >= every))
            }
            _ => {
                let still = Still {
                    at,
                    since: now,
                    end: None,
                };
                self.partitions.insert(partition.clone(), still);
                (None, false)
            }
        }
    }

    fn ask(&mut self, partitions: &[TopicPartition], now: Instant) {
        self.asked = true;
        for partition in partitions {
            if let Some(still) = self.partitions.get_mut(partition) {
                still.since = now;
            }
        }
    }

    fn answered(&mut self, ends: HashMap<TopicPartition, i64>) {
        for (partition, end) in ends {
            if let Some(still) = self.partitions.get_mut(&partition) {
                still.end = Some(end);
            }
        }
    }

    pub(super) fn forget(&mut self, partition: &TopicPartition) {
        self.partitions.remove(partition);
    }
}

impl Consumer {
    pub(super) fn report(&mut self, now: Instant) {
        if self.still.report_at.is_some_and(|at| now < at) {
            return;
        }
        self.still.report_at = Some(now + REPORT);
        for partition in self.ledger.awaited() {
            let position = Position {
                is_awaited: true,
                ..Position::default()
            };
            self.stations.metrics.set_position(partition, position);
        }
        let mut quiet = Vec::new();
        for queue in &self.queues {
            let partition = &queue.tenure.topic_partition;
            let end = self.client.context().end(partition).unwrap_or_default();
            let settled = queue.tenure.settled();
            // While the client looks where to go on, it is nowhere.
            let fetched = Some(end.fetched).filter(|fetched| *fetched >= 0);
            let fetched = fetched.unwrap_or(queue.next());
            let at = [queue.next(), settled, fetched];
            let every = self.station.ask_ends_after;
            let (asked, is_quiet) = self.still.look(partition, at, now, every);
            if is_quiet && end.is_led {
                quiet.push(partition.clone());
            }
            let position = Position {
                read: Some(queue.next()),
                settled: Some(settled),
                committed: self.ledger.committed(partition),
                lag: queue.lag(end, asked),
                until: queue.end(),
                fetched: Some(fetched),
                is_led: end.is_led,
                is_awaited: false,
                waiting: queue.inlet.waiting(),
            };
            self.stations.metrics.set_position(partition, position);
        }
        self.ask_for_ends(quiet, now);
    }

    /// What is said to be in the way needs no watchdog.
    fn ask_for_ends(&mut self, mut quiet: Vec<TopicPartition>, now: Instant) {
        if quiet.is_empty() || self.still.asked {
            return;
        }
        let standing = self.stations.board.standing();
        let router = self.station.lanes.router();
        quiet.retain(|partition| !standing.excuses(router, partition));
        if !quiet.is_empty() {
            self.still.ask(&quiet, now);
            self.inquire(Question::Ends(quiet));
        }
    }

    /// Without an answer nothing is known, which is no news.
    pub(super) fn ends(&mut self, ends: Result<HashMap<TopicPartition, i64>, ClientError>) {
        self.still.asked = false;
        match ends {
            Ok(ends) => self.still.answered(ends),
            Err(error) => tracing::debug!(%error, "the ends of quiet logs were not told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_asked_for_where_nothing_moves_and_no_more_often_than_needed() {
        const EVERY: Duration = Duration::from_secs(30);
        let (start, partition) = (Instant::now(), TopicPartition::new("t", 0));
        let mut still = Stillness::default();
        let mut look = |second: u64, at: i64, answer: Option<i64>| {
            let now = start + Duration::from_secs(second);
            let (end, is_quiet) = still.look(&partition, [at, 0, 0], now, Some(EVERY));
            if is_quiet {
                still.ask(std::slice::from_ref(&partition), now);
                let told = answer.map(|end| (partition.clone(), end));
                still.answered(told.into_iter().collect());
            }
            (end, is_quiet)
        };
        for (second, at, answer, expected) in [
            (0, 5, None, (None, false)),
            (29, 5, None, (None, false)),
            (30, 5, Some(9), (None, true)),
            (59, 5, None, (Some(9), false)),
            // Nothing was answered: what was known stays, and it is asked again.
            (60, 5, None, (Some(9), true)),
            (61, 5, None, (Some(9), false)),
            // It moves, so that the client says itself where the end is.
            (62, 6, None, (None, false)),
            (91, 6, None, (None, false)),
            (92, 6, Some(6), (None, true)),
        ] {
            assert_eq!(look(second, at, answer), expected, "{second}");
        }
        let later = start + 100 * EVERY;
        let never = still.look(&partition, [6, 0, 0], later, None);
        assert_eq!(never, (Some(6), false));
        still.forget(&partition);
        assert!(still.partitions.is_empty());
    }
}
