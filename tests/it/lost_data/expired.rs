//! Records deleted before they were read, while the sink was down and under it.

use testkit::suite;

use super::{Case, assert_said};
use crate::support::SOON;

#[test]
fn records_deleted_while_the_sink_was_down_halt_or_are_passed_over_and_counted() {
    let case = Case::on(suite::kafka().topic("expired", 1), "expired");
    case.produce(0, 0..50);
    case.run(case.fails(), 0);
    case.produce(0, 50..100);
    case.job.topic.delete_records_before(0, 80);

    let sink = case.fails().start();
    let lost = "-0: the offsets [50, 80) expired before they were read";
    let ways = ["behavior.on.data.loss=continue", "the group's offset"];
    let words = [&[lost], &ways[..]].concat();
    case.assert_halts(&sink, "offsets_expired", &words);
    assert_eq!(case.committed(), [Some(50)]);

    let sink = case.continues().start();
    case.await_committed(&[100]);
    case.assert_counted(&sink, "offsets_expired", 0, 30);
    let goes_on = [lost, "going on at offset 80, as set"];
    assert_said(&sink.output(), "data loss: ", "offsets_expired", &goes_on);
    assert_eq!(sink.await_readyz(200, SOON), "ready\n");
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    assert_eq!(case.keys(), (0..50).chain(80..100).collect());
    // Said once, not at every start.
    let output = case.run(case.continues(), 0);
    assert!(!output.contains("data loss"), "{output}");
}

/// The sink stands still, so that it is overtaken at a known place.
fn overtaken(case: &Case, sink: testkit::sink::SinkCommand) -> testkit::sink::Sink {
    case.produce(0, 0..50);
    let sink = sink.set("consumer.fetch.max.wait.ms", "10").start();
    case.await_committed(&[50]);
    sink.freeze();
    // An answer to a question from before may still hold the first of them.
    case.produce(0, 50..51);
    case.produce(0, 51..100);
    case.job.topic.delete_records_before(0, 80);
    sink.thaw();
    sink
}

#[test]
fn records_deleted_under_the_sink_halt_with_the_exact_range() {
    let case = Case::on(suite::kafka().topic("overtaken", 1), "overtaken");
    let sink = overtaken(&case, case.fails());
    case.assert_halts(&sink, "offsets_expired", &[", 80) expired before"]);
    let read = case.keys().len();
    let range = format!("the offsets [{read}, 80) expired");
    assert!(sink.output().contains(&range), "{range}\n{}", sink.output());
    assert_eq!(case.committed(), [Some(i64::try_from(read).unwrap())]);
}

#[test]
fn records_deleted_under_the_sink_are_passed_over_and_counted() {
    for (protocol, key, value) in [
        (
            "cooperative",
            "consumer.partition.assignment.strategy",
            "cooperative-sticky",
        ),
        ("eager", "consumer.partition.assignment.strategy", "range"),
    ] {
        let case = Case::on(suite::kafka().topic(protocol, 1), protocol);
        let sink = overtaken(&case, case.continues().set(key, value));
        case.await_committed(&[100]);
        let read = case.keys().range(..80).count();
        let lost = 80 - i64::try_from(read).unwrap();
        case.assert_counted(&sink, "offsets_expired", 0, lost);
        assert_eq!(case.keys().range(80..).count(), 20);
        case.produce(0, 100..110);
        case.await_committed(&[110]);
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}
