//! Destinations beside each other: collections that are broken, and Milvus partitions.

use testkit::client::Collection;
use testkit::kafka::Topic;
use testkit::sink::Sink;
use testkit::{suite, wait};

use super::{Family, produce};
use crate::support::{Job, SINK, SOON, assert_held, assert_refused};

#[test]
fn a_collection_that_is_missing_and_one_without_a_plan_do_not_hold_their_neighbour() {
    let family = Family::on_lite("neighbours");
    let topics = ["-missing", "-hopeless", "-good"].map(|suffix| family.topic(suffix, 2));
    family.create("-good");
    let hopeless = family.collection("-hopeless");
    let auto = Collection::new(&hopeless).int64_key("id").auto_id();
    family.job.create(&auto.float_vector("title_vector", 8));
    for topic in &topics {
        produce(topic, 0..100);
    }
    let list = topics.each_ref().map(Topic::name).join(",");
    let sink = family
        .job
        .quick()
        .set("topics", &list)
        .set("collection.name", "${topic}")
        .set("insert.mode", "upsert")
        .start();
    let [missing, hopeless_topic, good] = &topics;
    let group = family.job.group();
    good.await_committed_to_end(&group, SOON);
    family.await_rows("-good", 100);
    let sentence = format!("collection '{hopeless}' cannot be written: insert.mode=upsert");
    sink.wait_for_line(&sentence, SOON);
    let missing_one = format!(
        "collection '{}' does not exist",
        family.collection("-missing")
    );
    let reasons = sink.await_readyz(503, SOON);
    assert!(reasons.contains(&missing_one), "{reasons}");
    wait::until(SOON, "both partitions to halt", || {
        sink.metric("milvus_sink_halted_partitions") == 2
    });

    // The neighbour goes on, and so does what was missing once it is there.
    produce(good, 100..200);
    family.await_rows("-good", 200);
    family.create("-missing");
    family.await_rows("-missing", 100);
    missing.await_committed_to_end(&group, SOON);
    assert_eq!(hopeless_topic.committed(&group), [None, None]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// It takes what memory it may, and not what its neighbour needs.
#[test]
fn a_collection_that_goes_away_under_load_does_not_hold_its_neighbour() {
    let family = Family::on_lite("crowd");
    let [gone, good] = ["-gone", "-good"].map(|suffix| family.topic(suffix, 2));
    for suffix in ["-gone", "-good"] {
        family.create(suffix);
    }
    let sink = family
        .job
        .quick()
        .set("topics", &format!("{},{}", gone.name(), good.name()))
        .set("collection.name", "${topic}")
        .set("shutdown.timeout.ms", "1000")
        .set("batch.max.bytes", "65536")
        .set("buffer.max.bytes", "1048576")
        .start();
    produce(&gone, 0..10);
    family.await_rows("-gone", 10);
    let milvus = &family.job.milvus;
    milvus.drop_collection(&family.collection("-gone"));
    produce(&gone, 0..10_000);
    wait::until(SOON, "memory to fill", || {
        sink.metric("milvus_sink_buffer_used_bytes") > 400_000
    });
    sink.await_readyz(503, SOON);
    produce(&good, 0..10_000);
    good.await_committed_to_end(&family.job.group(), SOON);
    family.await_rows("-good", 10_000);
    assert_eq!(
        gone.committed(&family.job.group())
            .into_iter()
            .flatten()
            .sum::<i64>(),
        10
    );

    // What it holds cannot be written in time.
    assert_eq!(sink.terminate(SOON), 1, "{}", sink.output());
}

#[test]
fn rows_go_into_the_milvus_partition_of_their_topic() {
    let job = Job::new("milvus_partition", 1);
    let own = job.topic.name().replace('-', "_");
    let other = suite::kafka().topic("other_partition", 1);
    let others = other.name().replace('-', "_");
    let topics = format!("{},{}", job.topic.name(), other.name());
    job.milvus.create_partition(&job.collection, &own);
    let check = || {
        let command = Sink::new(SINK).arg("check").config(&job.config());
        command
            .set("topics", &topics)
            .set("partition.name", "${topic}")
            .run(SOON)
    };
    let (code, output) = check();
    assert_eq!(code, 1, "{output}");
    let there = format!(
        "✓ collection '{}', Milvus partition '{own}'",
        job.collection
    );
    let missing = format!("✗ Milvus partition '{others}' does not exist");
    assert!(
        output.contains(&there) && output.contains(&missing),
        "{output}"
    );

    let sink = job
        .quick()
        .set("topics", &topics)
        .set("partition.name", "${topic}")
        .start();
    produce(&job.topic, 0..3);
    produce(&other, 2..5);
    job.milvus.await_count(&job.collection, 3, SOON);
    let sentence = format!(
        "Milvus partition '{}' does not exist in collection '{}'; create it, or correct partition.name",
        others, job.collection
    );
    assert_held(&sink, "partition_missing", &[&sentence]);
    // The partition beside it is not held, and does not pass for the one that is.
    produce(&job.topic, 3..5);
    job.milvus.await_count(&job.collection, 5, SOON);
    job.await_committed();
    let output = sink.output();
    let mut ended = output.lines().filter(|line| line.contains("goes on"));
    assert!(
        !ended.any(|line| line.contains("partition_missing")),
        "{output}"
    );
    assert_eq!(other.committed(&job.group()), [None]);

    job.milvus.create_partition(&job.collection, &others);
    // A key may be there once in each.
    job.milvus.await_count(&job.collection, 8, SOON);
    other.await_committed_to_end(&job.group(), SOON);
    sink.await_readyz(200, SOON);
    assert_eq!(check().0, 0);
    for (partition, keys) in [(own, [0, 1, 2, 3, 4].as_slice()), (others, &[2, 3, 4])] {
        let (milvus, collection) = (&job.milvus, &job.collection);
        let found = milvus.integers_of_partition(collection, &partition, "id");
        assert_eq!(found, keys, "{partition}");
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_partition_name_is_refused_where_a_partition_key_rules() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "partition_key", 1, endpoint, token);
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .varchar("tenant", 64)
        .partition_key()
        .float_vector("title_vector", 8);
    job.create(&collection);
    let sink = job.sink().set("partition.name", "eu");
    assert_refused(sink, &[&job.collection, "'tenant' is a partition key"]);
}
