//! Partitions and topics that come later are read from their beginning, whatever the reset rule says.

use testkit::suite;

use super::Case;
use crate::support::SOON;

const LATEST: (&str, &str) = ("consumer.auto.offset.reset", "latest");

#[test]
fn partitions_added_under_load_are_read_from_their_beginning_even_with_latest() {
    for (test, reset) in [("earliest", "earliest"), ("latest", "latest")] {
        let mut case = Case::on(suite::kafka().topic(test, 2), test);
        case.produce(0, 0..10);
        case.produce(1, 10..20);
        let sink = case.fails().set(LATEST.0, reset).start();
        case.await_committed(&[10, 10]);
        case.job.topic.add_partitions(4);
        for partition in 0..4 {
            let from = 100 + i64::from(partition) * 100;
            case.produce(partition, from..from + 50);
        }
        case.await_committed(&[60, 60, 50, 50]);
        assert_eq!(case.keys().range(100..).count(), 200);
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}

/// Nobody reads while the partitions come; and a partition that was there when the group was new is pinned at its end.
#[test]
fn partitions_added_while_the_sink_was_down_are_not_skipped() {
    let mut case = Case::on(suite::kafka().topic("down", 1), "down");
    case.produce(0, 0..10);
    let latest = |case: &Case| case.fails().set(LATEST.0, LATEST.1);
    case.run(latest(&case), 0);
    assert_eq!(case.committed(), [Some(10)]);
    case.produce(0, 10..20);
    case.job.topic.add_partitions(2);
    case.produce(1, 100..150);
    case.run(latest(&case), 0);
    case.await_committed(&[20, 50]);
    assert_eq!(case.keys(), (10..20).chain(100..150).collect());
}

#[test]
fn a_topic_that_comes_later_is_read_from_its_beginning() {
    let kafka = suite::kafka();
    let first = kafka.topic("later", 1);
    let case = Case::on(first.clone(), "later");
    let second = format!("{}-b", first.name());
    let topics = format!("{},{second}", first.name());
    let sink = case.fails().set(LATEST.0, LATEST.1).set("topics", &topics);
    let sink = sink.start();
    sink.wait_for_line("topic_missing", SOON);
    let second = kafka.topic_named(&second, 1, &[]);
    let record = |id| testkit::kafka::Record::json(&crate::support::article(id));
    second.produce((500..550).map(record));
    second.await_committed_to_end(&case.job.group(), SOON);
    assert_eq!(case.keys(), (500..550).collect());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
