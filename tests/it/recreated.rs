//! Committed offsets belong to a collection: what happens when another one stands in its place, or another is named.

use testkit::client::MilvusClient;
use testkit::sink::SinkCommand;
use testkit::{services, suite};

use crate::load::Place;
use crate::support::{Job, SOON, articles};

const CONTINUE: (&str, &str) = ("behavior.on.collection.recreated", "continue");

/// Reads to the end, and ends with `code`. What it said.
#[track_caller]
fn run(sink: SinkCommand, code: i32) -> String {
    let (found, output) = sink.arg("--until-end").run(SOON);
    assert_eq!(found, code, "{output}");
    output
}

/// The ERROR of the halt has all these words.
#[track_caller]
fn assert_halted(output: &str, cause: &str, words: &[&str]) {
    let is_it = |line: &&str| line.contains(" halted ") && line.contains(cause);
    let said = output.lines().find(is_it);
    let said = said.unwrap_or_else(|| panic!("no halt for {cause}:\n{output}"));
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
}

fn id(milvus: &MilvusClient, collection: &str) -> i64 {
    milvus.describe(collection).unwrap().collection_id
}

/// What its commits say, but for the id of the topic.
fn commits(job: &Job) -> Vec<String> {
    let texts = job.topic.committed_metadata(&job.group()).into_iter();
    let without_topic = |text: String| match text.split_once(r#","topic_id":"#) {
        Some((before, _)) => format!("{before}}}}}"),
        None => text,
    };
    texts.map(without_topic).collect()
}

/// What the commits of the sink carry.
fn metadata(job: &Job, collection: &str) -> String {
    let (id, endpoint) = (id(&job.milvus, collection), job.endpoint());
    format!(
        r#"{{"kafka-milvus-sink/1":{{"database":"default","collection":"{collection}","id":{id},"endpoint":"{endpoint}"}}}}"#
    )
}

#[test]
fn a_collection_recreated_while_the_sink_was_down_halts_until_that_is_allowed() {
    let job = Job::new("recreated", 1);
    let place = Place::of(&job);
    place.produce(0..50);
    run(job.quick(), 0);
    let before = metadata(&job, &job.collection);
    assert_eq!(commits(&job), [before.as_str()]);

    let old = id(&job.milvus, &job.collection);
    job.milvus.drop_collection(&job.collection);
    job.create(&articles(&job.collection));
    let new = id(&job.milvus, &job.collection);
    assert_ne!(old, new);
    // Nothing is to be written, so nothing is wrong yet.
    run(job.quick(), 0);
    place.produce(50..60);
    for sink in [job.quick(), job.quick().arg("--until-end")] {
        let (code, output) = sink.run(SOON);
        assert_eq!(code, 3, "{output}");
        let words = [
            &format!(
                "why={}-0: collection '{}'",
                job.topic.name(),
                job.collection
            ),
            &format!("(its id was {old} at {}, and is {new})", job.endpoint()),
            "another 'name'",
            "set the offsets of this group anew",
            "set behavior.on.collection.recreated=continue",
        ];
        assert_halted(&output, "collection_recreated", &words);
    }
    assert_eq!(job.topic.committed(&job.group()), [Some(50)]);
    assert_eq!(commits(&job), [before]);
    assert_eq!(job.milvus.count(&job.collection), 0);

    let output = run(job.quick().set(CONTINUE.0, CONTINUE.1), 0);
    assert!(output.contains("; going on, as set"), "{output}");
    let after = metadata(&job, &job.collection);
    assert_eq!(commits(&job), [after]);
    // From here on it is the one that was written to before.
    place.produce(60..70);
    run(job.quick(), 0);
    assert_eq!(place.committed(), [70]);
    let rows = job.milvus.integers(&job.collection, "id", "id >= 0");
    assert_eq!(rows.len(), 20, "{rows:?}");
    assert_eq!(rows.iter().min(), Some(&50));
}

#[test]
fn another_collection_under_the_same_name_halts_until_the_offsets_are_set_anew() {
    let job = Job::on_lite("renamed", 2);
    let place = Place::of(&job);
    place.produce(0..30);
    run(job.quick(), 0);
    place.produce(30..40);

    let other = services::unique_collection("renamed");
    job.create(&articles(&other));
    let sink = || job.quick().set("collection.name", &other);
    let words = [
        &format!("belong to collection '{}' of database", job.collection),
        &format!("now collection '{other}' of database"),
        "another 'name'",
        "set the offsets of this group anew",
    ];
    assert_halted(&run(sink(), 3), "other_target", &words);
    // It is not recreated, so that policy says nothing about it.
    let recreated = sink().set(CONTINUE.0, CONTINUE.1);
    assert_halted(&run(recreated, 3), "other_target", &words);
    assert_eq!(place.committed(), [30, 30]);
    assert_eq!(job.milvus.count(&other), 0);

    // As Kafka's own tool does it: without metadata.
    job.topic.put_commit(&job.group(), 0, 10, b"");
    job.topic.put_commit(&job.group(), 1, 35, b"");
    run(sink(), 0);
    assert_eq!(place.committed(), [40, 40]);
    assert_eq!(job.milvus.count(&other), 30 + 5);
    assert_eq!(
        commits(&job),
        [metadata(&job, &other), metadata(&job, &other)]
    );
    run(sink().set("name", &services::unique("renamed")), 0);
    assert_eq!(job.milvus.count(&other), 80);
}

#[test]
fn metadata_that_others_committed_says_nothing() {
    let job = Job::on_lite("foreign", 3);
    let place = Place::of(&job);
    place.produce(0..20);
    let texts: [&[u8]; 3] = [
        b"NO_METADATA",
        br#"{"kafka-milvus-sink/2":{"collection":"another"}}"#,
        b"\xff\xfe\0 not UTF-8",
    ];
    for (partition, text) in (0..).zip(texts) {
        job.topic.put_commit(&job.group(), partition, 5, text);
    }
    run(job.quick(), 0);
    assert_eq!(place.committed(), [20, 20, 20]);
    assert_eq!(job.milvus.count(&job.collection), 45);
    let ours = metadata(&job, &job.collection);
    assert_eq!(commits(&job), [ours.clone(), ours.clone(), ours]);
}

#[test]
fn where_the_brokers_keep_no_metadata_offsets_are_committed_without() {
    let options = testkit::kafka::BrokerOptions {
        properties: vec![("offset.metadata.max.bytes".to_owned(), "16".to_owned())],
        ..Default::default()
    };
    let kafka = testkit::kafka::Broker::start(&options);
    let lite = suite::lite();
    let job = Job::with(&kafka, "no_metadata", 2, lite.endpoint(), None);
    job.create(&articles(&job.collection));
    let place = Place::of(&job);
    place.produce(0..20);
    let output = run(job.quick(), 0);
    assert!(
        output.contains("raise offset.metadata.max.bytes"),
        "{output}"
    );
    assert_eq!(place.committed(), [20, 20]);
    assert_eq!(commits(&job), ["", ""]);
}
