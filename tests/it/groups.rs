//! What a member of a consumer group may be, on a real broker.

use std::time::{Duration, Instant};

use testkit::kafka::Record;

use crate::support::{Job, SOON, article};

#[test]
fn the_protocol_of_kafka_4_reads_and_commits_and_is_called_experimental() {
    let job = Job::on_lite("protocol_4", 2);
    let sink = job
        .sink()
        .set("consumer.group.protocol", "consumer")
        .start();
    job.topic
        .produce((0..20).map(|id| Record::json(&article(id))));
    job.await_committed();
    job.milvus.await_count(&job.collection, 20, SOON);
    assert!(sink.find_line("is experimental").is_some());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_member_with_another_assignor_is_told_so_until_it_is_let_in() {
    let job = Job::on_lite("assignors", 1);
    let first = job.quick().start();
    first.wait_for_line("partitions assigned: ", SOON);
    let strategy = "consumer.partition.assignment.strategy";
    let other = job.quick().set(strategy, "range").start();
    let reason = other.await_readyz(503, SOON);
    let said = other.wait_for_line("assignors_differ", SOON);
    assert!(said.contains("strategy is range here"), "{said}\n{reason}");
    assert_eq!(first.terminate(SOON), 0, "{}", first.output());
    other.await_readyz(200, SOON);
    let said = other.wait_for_line("goes on scope=consumer group", SOON);
    assert!(said.contains("assignors_differ"), "{said}");
    let partition = format!(
        "partitions assigned: {}-0 partitions=1 added=1",
        job.topic.name()
    );
    other.wait_for_line(&partition, SOON);
    assert_eq!(other.terminate(SOON), 0, "{}", other.output());
}

/// Another one would wait until the session of the killed one has ended.
#[test]
fn a_static_member_that_was_killed_has_its_partitions_back_at_once() {
    let job = Job::on_lite("static_member", 2);
    let sink = || {
        job.quick()
            .set("consumer.group.instance.id", "the-only-one")
            .set("consumer.session.timeout.ms", "40000")
    };
    let first = sink().start();
    job.topic.produce_json(&article(1));
    job.await_committed();
    first.kill();
    let started = Instant::now();
    let again = sink().start();
    job.topic.produce_json(&article(2));
    job.await_committed();
    job.milvus.await_count(&job.collection, 2, SOON);
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(again.terminate(SOON), 0, "{}", again.output());
}
