//! Feeds the watchdogs with what the stations report, and says what they see.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use crate::kafka::Stop;
use crate::routing::Router;
use crate::watchdog::{Alarm, Look, Verdict, Watchdog, Watched};
use crate::writer::Stations;

/// So many partitions are said one by one.
const NAMED: usize = 20;

pub(super) struct Guard {
    pub(super) common: Stations,
    /// Where the records of a topic go, since holds are about that.
    pub(super) router: Router,
    pub(super) watchdog: Watchdog,
    pub(super) asked: Arc<Stop>,
}

impl Guard {
    /// Once a second. What it gives is the end of the process.
    pub(super) fn look(&mut self, now: Instant) -> Option<Alarm> {
        let Stations { board, metrics, .. } = &self.common;
        let (standing, router) = (board.standing(), &self.router);
        let positions = metrics.positions().into_iter();
        let look = Look {
            turned: board.last_turn(),
            ran: board.last_run(),
            oldest_request: metrics.requests.oldest(),
            partitions: positions
                .map(|(partition, position)| Watched {
                    is_excused: standing.excuses(router, &partition),
                    steps: standing.steps(router, &partition),
                    position,
                    partition,
                })
                .collect(),
            stopping: self.asked.is_requested(),
        };
        match self.watchdog.look(now, &look) {
            Verdict::Fine => None,
            Verdict::Say(alarm, more) => {
                metrics.watchdog_alarms(alarm.kind).inc();
                self.say(now, &look, &alarm, more);
                None
            }
            Verdict::End(alarm) => Some(alarm),
        }
    }

    /// The state, in as many lines as it takes; of records only where they lie.
    fn say(&self, now: Instant, look: &Look, alarm: &Alarm, more: usize) {
        let watchdog = alarm.kind.label();
        tracing::error!(
            watchdog,
            more,
            "stands still: {alarm}; if this lasts for as long again, the process ends (watchdog.timeout.ms)"
        );
        for line in state(&self.common, now, look) {
            tracing::error!("state: {line}");
        }
    }
}

fn state(common: &Stations, now: Instant, look: &Look) -> Vec<String> {
    let Stations {
        board,
        metrics,
        budget,
        gate,
        ..
    } = common;
    let silence = board.silence(now).as_secs_f64();
    let mut lines = vec![format!(
        "the poll loop turned {silence:.1} s ago, {} of {} bytes of memory are held, requests may be sent: {}",
        budget.used(),
        budget.limit(),
        gate.is_open(now),
    )];
    let mut requests = String::from("requests under way (s):");
    for age in metrics.requests.ages(now).iter().take(NAMED) {
        write!(requests, " {:.1}", age.as_secs_f64()).ok();
    }
    lines.push(requests);
    lines.extend(board.standstills());
    // Those with the most to do first.
    let mut partitions: Vec<&Watched> = look.partitions.iter().collect();
    partitions.sort_by_key(|watched| std::cmp::Reverse(watched.position.lag));
    lines.extend(partitions.iter().take(NAMED).map(|watched| {
        let excused = if watched.is_excused {
            ", held or halted"
        } else {
            ""
        };
        format!("{watched}{excused}")
    }));
    if let Some(more) = partitions.len().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("and {more} more partitions"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::budget::Budget;
    use crate::cause::Cause;
    use crate::gate::Gate;
    use crate::ops::board::{Board, Scope};
    use crate::ops::metrics::{Metrics, Position};
    use crate::topic_partition::TopicPartition;
    use crate::wake::Wake;
    use crate::watchdog::{Kind, Limits};

    fn common(start: Instant) -> Stations {
        let budget = Budget::new(1000);
        let metrics = Metrics::new(Arc::clone(&budget));
        Stations {
            board: Board::new(Arc::clone(&metrics)),
            wake: Arc::new(Wake::default()),
            gate: Arc::new(Gate::new(Duration::MAX, start)),
            dead_letters: None,
            metrics,
            budget,
        }
    }

    fn position(lag: i64) -> Position {
        Position {
            read: Some(20),
            settled: Some(10),
            committed: Some(10),
            lag: Some(lag),
            until: None,
            fetched: Some(25),
            is_led: true,
            is_awaited: false,
            waiting: 3,
        }
    }

    /// For so many seconds, before each of which `act` is done.
    fn looked(common: &Stations, start: Instant, seconds: u64, act: impl Fn()) -> Option<Alarm> {
        let mut guard = Guard {
            common: common.clone(),
            router: Router {
                collection_name: "c".to_owned(),
                collections: BTreeMap::from([("u".to_owned(), "d".to_owned())]),
                partition_name: None,
            },
            watchdog: Watchdog::new(Limits {
                timeout: Duration::from_secs(60),
                progress: Duration::ZERO,
                commit: Duration::ZERO,
                request: Duration::ZERO,
            }),
            asked: Arc::default(),
        };
        (0..seconds).find_map(|second| {
            let before = common.board.last_turn();
            while common.board.last_turn() == before {
                common.board.beat();
            }
            common.board.ran();
            act();
            guard.look(start + Duration::from_secs(second))
        })
    }

    #[test]
    fn a_hold_of_the_collection_excuses_the_partitions_that_go_there() {
        let start = Instant::now();
        for (topic, is_excused) in [("t", true), ("u", false)] {
            let common = common(start);
            let partition = TopicPartition::new(topic, 0);
            common.metrics.set_position(&partition, position(100));
            let reason = String::new();
            let busy = Cause::MilvusBusy { reason };
            common.board.hold(Scope::Collection("c".into()), busy);
            let alarm = looked(&common, start, 100, || {});
            assert_eq!(alarm.is_none(), is_excused, "{topic}: {alarm:?}");
            let alarms = common.metrics.watchdog_alarms(Kind::Progress).get();
            assert_eq!(alarms, u64::from(!is_excused));
        }
    }

    #[test]
    fn what_takes_long_and_goes_on_excuses_the_partitions_that_go_there() {
        let start = Instant::now();
        for (topic, is_excused) in [("t", true), ("u", false)] {
            let common = common(start);
            let partition = TopicPartition::new(topic, 0);
            common.metrics.set_position(&partition, position(100));
            let step = || common.board.step(Scope::Collection("c".into()));
            let alarm = looked(&common, start, 100, step);
            assert_eq!(alarm.is_none(), is_excused, "{topic}: {alarm:?}");
        }
    }

    #[test]
    fn the_state_names_what_is_held_and_the_partitions_with_the_most_to_do() {
        let start = Instant::now();
        let common = common(start);
        let _charge = common.budget.charge(70);
        let _request = common.metrics.requests.begin(start);
        let reason = "because".to_owned();
        let busy = Cause::MilvusBusy { reason };
        common.board.hold(Scope::Collection("c".into()), busy);
        let partitions = (0..25).map(|partition| Watched {
            partition: TopicPartition::new("t", partition),
            position: position(i64::from(partition)),
            is_excused: partition == 24,
            steps: 0,
        });
        let look = Look {
            turned: start,
            ran: start,
            oldest_request: Some(1),
            partitions: partitions.collect(),
            stopping: false,
        };
        let lines = state(&common, start + Duration::from_secs(4), &look);
        assert_eq!(lines.len(), 3 + NAMED + 1);
        let memory = "s ago, 70 of 1000 bytes of memory are held, requests may be sent: true";
        assert!(lines[0].contains(memory), "{lines:?}");
        for (line, expected) in [
            (1, "requests under way (s): 4.0"),
            (2, "held: collection c (milvus_busy)"),
            (
                3,
                "t-24: read 20, settled 10, committed 10, lag 24, fetched 25, 3 chunks wait for its writer, held or halted",
            ),
            (
                4,
                "t-23: read 20, settled 10, committed 10, lag 23, fetched 25, 3 chunks wait for its writer",
            ),
            (23, "and 5 more partitions"),
        ] {
            assert_eq!(lines[line], expected);
        }
    }
}
