//! A leader that lacks the last records, on real brokers: where the log was cut off is found exactly.

use testkit::kafka::Cluster;
use testkit::sink::SinkCommand;
use testkit::wait;

use super::{Case, assert_said};
use crate::support::SOON;

/// Leaders may be elected that lack what others have acknowledged alone.
const UNCLEAN: [(&str, &str); 2] = [
    ("unclean.leader.election.enable", "true"),
    ("min.insync.replicas", "1"),
];

/// On brokers 0 and 1, of which 1 has 50 records, and only 0 all 80.
fn ahead(
    cluster: &Cluster,
    test: &str,
    sink: impl Fn(&Case) -> SinkCommand,
) -> (Case, testkit::sink::Sink) {
    let case = Case::on(cluster.topic_on(test, &[0, 1], &UNCLEAN), test);
    let name = case.job.topic.name();
    case.produce(0, 0..50);
    wait::until(SOON, "the follower", || cluster.in_sync(name, 0) == 2);
    cluster.kill(1);
    wait::until(SOON, "the follower to be gone", || {
        cluster.in_sync(name, 0) == 1
    });
    let sink = sink(&case).start();
    case.produce(0, 50..80);
    case.await_committed(&[80]);
    (case, sink)
}

/// The records 50 to 80 are gone, and 20 others come in their place.
fn cut_off(cluster: &mut Cluster, case: &Case) {
    cluster.kill(0);
    cluster.start_again(1);
    let name = case.job.topic.name();
    wait::until(SOON, "the other leader", || {
        cluster.leader(name, 0) == Some(1)
    });
    case.produce(0, 1000..1020);
}

const LOST: &str = "-0: the offsets [50, 80) were read and are no longer in the log";

#[test]
fn what_comes_in_place_of_what_was_cut_off_is_read_and_none_of_it_passed_over() {
    let mut cluster = Cluster::start();
    let (case, sink) = ahead(&cluster, "cut_off", Case::continues);
    cut_off(&mut cluster, &case);
    case.await_committed(&[70]);
    let goes_on = [LOST, "going on at offset 50, as set"];
    assert_said(&sink.output(), "data loss: ", "log_truncated", &goes_on);
    case.assert_counted(&sink, "log_truncated", 0, 30);
    assert_eq!(case.keys().range(1000..).count(), 20);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());

    // The same while nobody reads, and it halts until that is allowed.
    cluster.start_again(0);
    let (case, sink) = ahead(&cluster, "cut_off_below", Case::fails);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    cut_off(&mut cluster, &case);
    let words = [LOST, "to go on at 50, set behavior.on.data.loss=continue"];
    case.assert_halts(&case.fails().start(), "log_truncated", &words);
    assert_eq!(case.committed(), [Some(80)]);
    case.run(case.continues(), 0);
    assert_eq!(case.keys().range(1000..).count(), 20);
    assert_eq!(case.committed(), [Some(70)]);
}
