//! `--until-end`: ends at the ends seen at start, whatever lies there.

use std::time::{Duration, Instant};

use testkit::kafka::Record;
use testkit::proxy::{FaultProxy, Network};
use testkit::{suite, wait};

use crate::load::Place;
use crate::support::{Job, SOON, article};

/// Runs the job to its end; it ends with `code`, has committed `committed` (0: nothing) and written what is below.
#[track_caller]
fn check(job: &Job, code: i32, committed: &[i64]) -> Duration {
    let start = Instant::now();
    let (found, output) = job.quick().arg("--until-end").run(SOON);
    assert_eq!(found, code, "{output}");
    let said = output
        .lines()
        .any(|line| line.contains("the end was reached"));
    assert!(said, "{output}");
    assert_eq!(Place::of(job).committed(), committed, "{output}");
    start.elapsed()
}

#[test]
fn empty_topics_are_at_their_end() {
    let job = Job::on_lite("empty", 3);
    check(&job, 0, &[0, 0, 0]);
    assert_eq!(job.milvus.count(&job.collection), 0);
}

#[test]
fn everything_up_to_the_end_is_written_and_committed_and_the_next_run_ends_at_once() {
    let job = Job::on_lite("normal", 3);
    let place = Place::of(&job);
    place.produce(0..500);
    check(&job, 0, &[500, 500, 500]);
    place.assert_holds(&[500; 3]);
    let took = check(&job, 0, &[500, 500, 500]);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn what_is_produced_after_the_start_is_left_for_the_next_run() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("later", 2).through(proxy.endpoint());
    let place = Place::of(&job);
    place.produce(0..100);
    proxy.set(Network::Refuses);
    let sink = job.quick().arg("--until-end").start();
    sink.wait_for_line("partitions assigned", SOON);
    place.produce(100..150);
    proxy.set(Network::Works);
    assert_eq!(sink.wait_exit(SOON), 0, "{}", sink.output());
    assert_eq!(place.committed(), [100, 100]);
    place.assert_holds(&[100, 100]);
    check(&job, 0, &[150, 150]);
    place.assert_holds(&[150, 150]);
}

#[test]
fn a_compacted_topic_ends_in_spite_of_its_gaps() {
    let job = Job::on_lite("compacted", 1).topic_config(&[
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("max.compaction.lag.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ]);
    let record = |id: i64| Record::json(&article(id)).key(id.to_string());
    let mut produced = 0;
    wait::until(SOON, "compaction", || {
        job.topic.produce((0..10).map(record));
        produced += 10;
        job.topic.offsets().len() < produced
    });
    let tombstones = (7..10).map(|id| Record::tombstone(id.to_string()));
    job.topic.produce(tombstones);
    check(&job, 0, &job.topic.end_offsets());
    Place::of(&job).assert_holds(&[10]);
}

#[test]
fn an_end_without_a_record_is_reached() {
    for committed in [true, false] {
        let job = Job::on_lite("marker", 1);
        let place = Place::of(&job);
        place.produce(0..10);
        job.topic
            .produce_in_transaction(place.records(0, 10..20), committed);
        assert_eq!(job.topic.end_offsets(), [21], "the marker has one too");
        let readable = if committed { 20 } else { 10 };
        check(&job, 0, &[readable]);
        place.assert_holds(&[readable]);
        let took = check(&job, 0, &[readable]);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

#[test]
fn a_topic_whose_records_were_all_deleted_is_at_its_end() {
    let job = Job::on_lite("deleted", 2);
    let place = Place::of(&job);
    place.produce(0..50);
    job.topic.delete_records_before(0, 50);
    check(&job, 0, &[0, 50]);
    assert_eq!(job.milvus.count(&job.collection), 50);
}

#[test]
fn a_halted_partition_counts_as_done_and_the_status_says_so() {
    let job = Job::on_lite("halted_end", 2);
    let place = Place::of(&job);
    let bad = [Record::new("{").partition(0)];
    let records = place.records(0, 0..20).chain(bad);
    let records = records.chain(place.records(0, 21..100));
    job.topic.produce(records.chain(place.records(1, 0..300)));
    check(&job, 3, &[20, 300]);
    place.assert_holds(&[20, 300]);
}

#[test]
fn a_bad_record_behind_a_transactions_marker_halts_and_the_run_ends() {
    let job = Job::on_lite("marker_halt", 1);
    let place = Place::of(&job);
    job.topic
        .produce_in_transaction(place.records(0, 0..10), true);
    job.topic.produce([Record::new("{").partition(0)]);
    check(&job, 3, &[10]); // offset 10 is the marker, 11 the bad record
    place.assert_holds(&[10]);
}
