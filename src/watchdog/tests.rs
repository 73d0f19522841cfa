//! What trips a watchdog, what excuses a standstill, and whose time counts.

use super::*;

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(60),
    progress: Duration::from_secs(10),
    commit: Duration::from_secs(5),
    request: Duration::from_secs(20),
};

/// After so many seconds, by this watchdog.
type At = (u64, Kind);

/// One that is looked at every second, while everything stands still that the test does not move.
struct Bench {
    watchdog: Watchdog,
    now: Instant,
    look: Look,
    /// The poll loop turns before every look.
    turns: bool,
    /// The runtime runs before every look.
    runs: bool,
}

/// Read and written up to 10 of 15, nothing committed lately.
fn idle() -> Watched {
    Watched {
        partition: TopicPartition::new("t", 0),
        position: Position {
            read: Some(10),
            settled: Some(10),
            committed: Some(10),
            lag: Some(0),
            until: None,
            fetched: Some(10),
            is_led: true,
            is_awaited: false,
            waiting: 0,
        },
        is_excused: false,
        steps: 0,
    }
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            watchdog: Watchdog::new(LIMITS),
            now,
            look: Look {
                turned: now,
                ran: now,
                oldest_request: None,
                partitions: vec![idle()],
                stopping: false,
            },
            turns: true,
            runs: true,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut bench = Self::new();
        change(&mut bench);
        bench
    }

    fn position(&mut self) -> &mut Position {
        &mut self.look.partitions[0].position
    }

    fn second(&mut self) -> Verdict {
        self.later(Duration::from_secs(1))
    }

    fn later(&mut self, by: Duration) -> Verdict {
        self.now += by;
        if self.turns {
            self.look.turned = self.now;
        }
        if self.runs {
            self.look.ran = self.now;
        }
        self.watchdog.look(self.now, &self.look)
    }

    /// After how many seconds the state is said and the process ends, if that comes within `seconds`.
    fn run(&mut self, seconds: u64) -> (Vec<At>, Option<At>) {
        let mut said = Vec::new();
        // The first look finds out what is so.
        for second in 0..=seconds {
            match self.second() {
                Verdict::Fine => {}
                Verdict::Say(alarm, _) => said.push((second, alarm.kind)),
                Verdict::End(alarm) => return (said, Some((second, alarm.kind))),
            }
        }
        (said, None)
    }

    #[track_caller]
    fn assert_fine(mut self) {
        assert_eq!(self.run(1000), (vec![], None));
    }

    #[track_caller]
    fn assert_ends(mut self, kind: Kind, allowed: u64) {
        let expected = (vec![(allowed + 30, kind)], Some((allowed + 60, kind)));
        assert_eq!(self.run(1000), expected);
    }
}

fn stalled_loop(bench: &mut Bench) {
    bench.turns = false;
}

fn blocked_runtime(bench: &mut Bench) {
    bench.runs = false;
}

/// Assigned, and not begun.
fn awaited(bench: &mut Bench) {
    *bench.position() = Position {
        is_awaited: true,
        ..Position::default()
    };
}

fn hung_request(bench: &mut Bench) {
    bench.look.oldest_request = Some(7);
}

fn uncommitted(bench: &mut Bench) {
    bench.position().committed = Some(3);
}

fn unread(bench: &mut Bench) {
    bench.position().lag = Some(5);
}

#[test]
fn what_does_nothing_while_there_is_nothing_to_do_is_fine() {
    Bench::new().assert_fine();
}

#[test]
fn each_watchdog_has_the_state_said_once_and_then_ends_the_process() {
    Bench::with(stalled_loop).assert_ends(Kind::PollLoop, 10);
    Bench::with(blocked_runtime).assert_ends(Kind::Runtime, 10);
    Bench::with(awaited).assert_ends(Kind::Progress, 10);
    Bench::with(hung_request).assert_ends(Kind::Request, 20);
    Bench::with(uncommitted).assert_ends(Kind::Commit, 5);
    Bench::with(unread).assert_ends(Kind::Progress, 10);
}

/// What is read but not settled stands as still as what is not read.
#[test]
fn a_partition_that_is_read_and_never_settled_makes_no_progress() {
    let bench = Bench::with(|bench| {
        *bench.position() = Position {
            read: Some(15),
            waiting: 16,
            lag: Some(5),
            ..*bench.position()
        };
    });
    bench.assert_ends(Kind::Progress, 10);
}

#[test]
fn a_hold_a_halt_or_a_stop_excuses_what_it_covers_and_never_the_poll_loop() {
    let excused = |bench: &mut Bench| bench.look.partitions[0].is_excused = true;
    let stopping = |bench: &mut Bench| bench.look.stopping = true;
    for trouble in [uncommitted, unread] {
        Bench::with(|bench| (trouble(bench), excused(bench)).0).assert_fine();
        Bench::with(|bench| (trouble(bench), stopping(bench)).0).assert_fine();
    }
    Bench::with(|bench| (hung_request(bench), stopping(bench)).0).assert_fine();
    let held = Bench::with(|bench| (hung_request(bench), excused(bench)).0);
    held.assert_ends(Kind::Request, 20);
    for excuse in [excused, stopping] {
        let stalled = Bench::with(|bench| (stalled_loop(bench), excuse(bench)).0);
        stalled.assert_ends(Kind::PollLoop, 10);
    }
}

#[test]
fn another_partition_in_its_way_excuses_no_one() {
    let bench = Bench::with(|bench| {
        unread(bench);
        let mut held = idle();
        held.partition = TopicPartition::new("t", 1);
        held.is_excused = true;
        bench.look.partitions.push(held);
    });
    bench.assert_ends(Kind::Progress, 10);
}

#[test]
fn whatever_moves_is_not_stuck() {
    let moves: [fn(&mut Bench, i64); 6] = [
        |bench, n| {
            unread(bench);
            bench.position().read = Some(n);
        },
        |bench, n| {
            unread(bench);
            (bench.position().settled, bench.position().committed) = (Some(n), Some(n));
        },
        |bench, n| {
            (bench.position().settled, bench.position().committed) = (Some(n + 1), Some(n));
        },
        |bench, n| bench.look.oldest_request = n.try_into().ok(),
        // Aborted transactions, of which nothing is to be had.
        |bench, n| {
            unread(bench);
            bench.position().fetched = Some(n);
        },
        // A batch that is being taken apart.
        |bench, n| {
            unread(bench);
            bench.look.partitions[0].steps = n.unsigned_abs();
        },
    ];
    for go_on in moves {
        let mut bench = Bench::new();
        for n in 0..30 {
            go_on(&mut bench, n);
            assert_eq!(bench.run(30), (vec![], None));
        }
    }
}

#[test]
fn records_behind_a_broker_that_is_away_are_not_there_to_be_read() {
    let bench = Bench::with(|bench| {
        unread(bench);
        bench.position().is_led = false;
    });
    bench.assert_fine();
}

#[test]
fn an_excuse_that_ends_or_a_new_assignment_begins_anew() {
    let mut bench = Bench::with(unread);
    assert_eq!(bench.run(60).0, [(40, Kind::Progress)]);
    bench.look.partitions[0].is_excused = true;
    assert_eq!(bench.run(1), (vec![], None));
    bench.look.partitions[0].is_excused = false;
    assert_eq!(bench.run(60), (vec![(40, Kind::Progress)], None));

    let gone = std::mem::take(&mut bench.look.partitions);
    assert_eq!(bench.run(1), (vec![], None));
    bench.look.partitions = gone;
    bench.assert_ends(Kind::Progress, 10);
}

/// A process that was frozen, a machine that slept: the sink has not stood still, it has not run.
#[test]
fn time_in_which_nobody_looked_does_not_count() {
    for trouble in [stalled_loop, hung_request, uncommitted, unread] {
        let mut bench = Bench::with(trouble);
        bench.second();
        for _ in 0..5 {
            assert_eq!(bench.later(Duration::from_secs(3600)), Verdict::Fine);
        }
    }
}

/// What it has reported is old then, and says nothing of the partitions.
#[test]
fn a_poll_loop_that_stands_still_is_blamed_for_nothing_else() {
    let bench = Bench::with(|bench| {
        uncommitted(bench);
        unread(bench);
        stalled_loop(bench);
    });
    bench.assert_ends(Kind::PollLoop, 10);
}

#[test]
fn a_loop_that_turns_again_is_forgiven() {
    let mut bench = Bench::with(stalled_loop);
    assert_eq!(bench.run(60).0, [(40, Kind::PollLoop)]);
    bench.turns = true;
    bench.assert_fine();
}

#[test]
fn several_at_once_are_said_together() {
    let mut bench = Bench::with(unread);
    let mut other = bench.look.partitions[0].clone();
    other.partition = TopicPartition::new("t", 1);
    bench.look.partitions.push(other);
    let verdicts: Vec<Verdict> = (0..=40).map(|_| bench.second()).collect();
    let [.., Verdict::Say(alarm, 1)] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    let expected = "nothing was read or settled for 40 s, though there is more and nothing is in the way \
                    (t-0: read 10, settled 10, committed 10, lag 5, fetched 10, 0 chunks wait for its writer)";
    assert_eq!(alarm.to_string(), expected);
}
