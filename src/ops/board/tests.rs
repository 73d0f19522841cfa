//! The board told of holds and halts, and what it says of them.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::budget::Budget;

/// Log lines as they are written.
struct Lines(Sender<String>);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).trim().to_owned();
        self.0.send(text).map_err(io::Error::other)?;
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Fixture {
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    lines: Receiver<String>,
    _subscriber: tracing::subscriber::DefaultGuard,
}

impl Fixture {
    fn new() -> Self {
        let (sender, lines) = channel();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || Lines(sender.clone()))
            .finish();
        let metrics = Metrics::new(Budget::new(1));
        Self {
            board: Board::new(Arc::clone(&metrics)),
            metrics,
            lines,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The lines since the last look are these, by how they begin.
    #[track_caller]
    fn said(&self, expected: &[&str]) {
        let lines: Vec<_> = self.lines.try_iter().collect();
        let same = lines.len() == expected.len()
            && lines
                .iter()
                .zip(expected)
                .all(|(line, start)| line.starts_with(start));
        assert!(same, "{lines:#?} instead of {expected:#?}");
    }
}

fn busy(reason: &str) -> Cause {
    Cause::MilvusBusy {
        reason: reason.to_owned(),
    }
}

fn collection() -> Scope {
    Scope::Collection("c".into())
}

fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn a_hold_is_said_once_per_kind_again_every_30_s_and_when_it_ends() {
    let fixture = Fixture::new();
    let board = &fixture.board;
    board.hold(collection(), busy("one"));
    fixture.said(&[
        "WARN held scope=collection c cause=\"milvus_busy\" why=Milvus asks to wait (one)",
    ]);
    board.hold(collection(), busy("two"));
    fixture.said(&[]);
    board.hold(
        collection(),
        Cause::MilvusDenies {
            reason: String::new(),
        },
    );
    fixture.said(&["WARN held scope=collection c cause=\"milvus_denies\""]);
    let held = |cause| fixture.metrics.held(cause).get();
    assert_eq!((held("milvus_busy"), held("milvus_denies")), (0, 1));
    board.tick(after(29));
    fixture.said(&[]);
    board.tick(after(31));
    fixture.said(&["WARN still held scope=collection c cause=\"milvus_denies\" held_s=31"]);
    board.tick(after(32));
    fixture.said(&[]);
    board.clear(&collection());
    fixture.said(&["INFO goes on scope=collection c"]);
    board.clear(&collection());
    board.tick(after(100));
    fixture.said(&[]);
}

#[test]
fn of_many_bad_records_one_is_said_in_a_while_and_how_many_more_in_time_or_at_the_end() {
    let fixture = Fixture::new();
    let pass = |times: usize| {
        for _ in 0..times {
            fixture.board.pass(collection(), Fate::Skipped, &busy("x"));
        }
    };
    pass(14);
    fixture.said(&[
        "WARN skipped a bad record: Milvus asks to wait (x); the same request is repeated",
    ]);
    fixture.board.tick(after(9));
    fixture.said(&[]);
    fixture.board.tick(after(11));
    fixture
        .said(&["WARN and 13 more bad records since the last of these lines scope=collection c"]);
    pass(2);
    fixture.board.tick(after(1));
    fixture.said(&[]);
    fixture.board.say_rest();
    fixture.board.say_rest();
    fixture.said(&["WARN and 2 more bad records since the last of these lines scope=collection c"]);
}

#[test]
fn a_halt_is_an_error_once_a_minute_until_its_assignment_ends() {
    let fixture = Fixture::new();
    let at = TopicPartition::new("t", 3);
    let refused = |reason: &str| Cause::Refused {
        collection: "c".to_owned(),
        reason: reason.to_owned(),
    };
    fixture.board.halt(at.clone(), refused("first"));
    fixture.board.halt(at.clone(), refused("first"));
    fixture.said(&["ERROR halted partition=t-3 cause=\"refused\""]);
    fixture.board.halt(at.clone(), refused("before it"));
    fixture.said(&["ERROR halted partition=t-3 cause=\"refused\""]);
    fixture.board.tick(after(59));
    fixture.said(&[]);
    fixture.board.tick(after(61));
    fixture.said(&["ERROR still halted partition=t-3"]);
    assert_eq!(fixture.metrics.halted("refused").get(), 1);
    assert_eq!(fixture.board.standstills(), ["halted: t-3 (refused)"]);
    fixture.board.unhalt(&at);
    fixture.said(&["INFO no longer halted here"]);
    assert_eq!(fixture.metrics.halted("refused").get(), 0);
}

#[test]
fn ready_is_assigned_and_nothing_standing_still() {
    let fixture = Fixture::new();
    let board = &fixture.board;
    assert_eq!(board.readiness(), Err(vec![Cause::NotAssigned]));
    board.set_assigned(0);
    assert_eq!(board.readiness(), Ok(()));
    board.hold(collection(), busy("x"));
    board.hold(Scope::Collection("d".into()), busy("x"));
    let at = TopicPartition::new("t", 0);
    board.halt(at.clone(), busy("y"));
    assert_eq!(board.readiness(), Err(vec![busy("x"), busy("y")]));
    assert_eq!(fixture.metrics.held("milvus_busy").get(), 2);
    board.clear(&collection());
    board.clear(&Scope::Collection("d".into()));
    board.unhalt(&at);
    assert_eq!(board.readiness(), Ok(()));
    assert_eq!(fixture.metrics.held("milvus_busy").get(), 0);
}

#[test]
fn a_collection_that_milvus_has_not_described_is_not_ready() {
    let fixture = Fixture::new();
    let board = &fixture.board;
    board.set_assigned(0);
    let name = Arc::from("c");
    board.ask(&name);
    let collection = "c".to_owned();
    let waits = Cause::NotDescribed { collection };
    assert_eq!(board.readiness(), Err(vec![waits]));
    // What is in the way of that says more.
    board.hold(self::collection(), busy("x"));
    assert_eq!(board.readiness(), Err(vec![busy("x")]));
    board.clear(&self::collection());
    board.described(&name);
    assert_eq!(board.readiness(), Ok(()));
}

#[test]
fn another_cause_of_a_halt_takes_the_place_of_the_one_before() {
    let fixture = Fixture::new();
    let at = TopicPartition::new("t", 3);
    fixture.board.halt(at.clone(), busy("x"));
    fixture.board.halt(at.clone(), Cause::NotAssigned);
    let halted = |cause| fixture.metrics.halted(cause).get();
    assert_eq!((halted("milvus_busy"), halted("not_assigned")), (0, 1));
}

#[test]
fn what_nothing_needs_is_not_held_until_it_is_needed_again() {
    let fixture = Fixture::new();
    let board = &fixture.board;
    board.set_assigned(0);
    board.ask(&Arc::from("c"));
    board.hold(collection(), busy("x"));
    board.ignore(collection());
    board.hold(collection(), busy("x"));
    assert_eq!(board.readiness(), Ok(()));
    assert_eq!(fixture.metrics.held("milvus_busy").get(), 0);
    board.heed(&collection());
    board.hold(collection(), busy("x"));
    assert_eq!(board.readiness(), Err(vec![busy("x")]));
}

#[test]
fn the_consumers_silence_is_measured_from_its_last_turn() {
    let fixture = Fixture::new();
    assert!(fixture.board.silence(after(40)) >= Duration::from_secs(40));
    fixture.board.beat();
    assert!(fixture.board.silence(Instant::now()) < Duration::from_secs(20));
}

#[test]
fn a_connection_is_said_when_it_changes() {
    let fixture = Fixture::new();
    for connected in [false, true, true, false] {
        fixture.board.set_connected(Peer::Milvus, connected);
    }
    let line = |connected| format!("INFO connection changed peer=\"milvus\" connected={connected}");
    fixture.said(&[&line(true), &line(false)]);
}
