//! Bad records kept in a topic: as they came, confirmed before they count as settled, and what is in the way of that.

mod topic;

use std::collections::BTreeSet;

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::kafka::{Record, Topic};
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite};

use crate::support::{Job, SINK, SOON, article, assert_held, assert_refused};

const SECRET: &str = "sesame-4712";

/// A topic's name for the dead letters of a test.
fn dead(test: &str) -> Topic {
    let name = services::unique(&format!("{test}_dead"));
    Topic::existing(&suite::kafka().bootstrap(), &name, 1)
}

fn keeping(job: &Job, dead: &Topic) -> SinkCommand {
    let sink = job.quick().set("errors.tolerance", "all");
    sink.set("errors.deadletterqueue.topic.name", dead.name())
}

fn with_context(sink: SinkCommand) -> SinkCommand {
    sink.set("errors.deadletterqueue.context.headers.enable", "true")
}

/// The record as it came, and what Connect would say of it after its own headers.
fn expected(job: &Job, record: &Record, at: (i32, i64), stage: [&str; 2], message: &str) -> Record {
    const EXCEPTION: &str = "kafka_milvus_sink::bad_record::BadRecord";
    let context = [
        ("topic", job.topic.name().to_owned()),
        ("partition", at.0.to_string()),
        ("offset", at.1.to_string()),
        ("connector.name", job.name.clone()),
        ("task.id", "0".to_owned()),
        ("stage", stage[0].to_owned()),
        ("class.name", format!("kafka_milvus_sink::{}", stage[1])),
        ("exception.class.name", EXCEPTION.to_owned()),
        ("exception.message", message.to_owned()),
        ("exception.stacktrace", format!("{EXCEPTION}: {message}")),
    ];
    let context = context.into_iter();
    context.fold(record.clone().partition(0), |record, (name, value)| {
        record.header(&format!("__connect.errors.{name}"), Some(value.as_bytes()))
    })
}

#[track_caller]
fn assert_kept(dead: &Topic, mut expected: Vec<Record>) {
    let mut found = dead.read();
    // Several are put side by side.
    let order = |record: &Record| (record.key.clone(), record.timestamp);
    found.sort_by_key(order);
    expected.sort_by_key(order);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(shown(found), shown(expected));
    }
    assert_eq!(found, expected);
}

/// For a difference that can be read.
fn shown(record: &Record) -> Vec<String> {
    let text =
        |value: &Option<Vec<u8>>| value.as_ref().map(|bytes| bytes.escape_ascii().to_string());
    let headers = record.headers.iter();
    headers
        .map(|(name, value)| format!("{name}: {:?}", text(value)))
        .collect()
}

/// With a key, a time and headers of its own, a null and a name twice among them.
fn dressed(record: Record, key: &str) -> Record {
    let record = record.key(key).timestamp(1_700_000_000_123);
    let record = record
        .header("trace", Some(b"\xff\x00"))
        .header("empty", Some(b""));
    record.header("null", None).header("trace", Some(b"2"))
}

#[test]
fn three_bad_rows_in_5000_are_kept_header_by_header_and_the_others_are_written() {
    const ROWS: i64 = 5000;
    let job = Job::new("letters_5000", 2);
    let dead = dead("letters_5000");
    let short = json!({"id": 2500, "title": SECRET, "title_vector": [1, 2], "link": ""});
    let no_title = json!({"id": 4999, "title_vector": article(1)["title_vector"], "link": ""});
    let bad = [
        dressed(Record::new(format!("{{{SECRET}")), "a").partition(0),
        dressed(Record::json(&short), "b").partition(1),
        dressed(Record::json(&no_title), "c").partition(1),
    ];
    let row = |id: i64| Record::json(&article(id)).partition(i32::from(id >= ROWS / 2));
    let records: Vec<Record> = (0..ROWS)
        .map(|id| match id {
            17 => bad[0].clone(),
            2500 => bad[1].clone(),
            4999 => bad[2].clone(),
            id => row(id),
        })
        .collect();
    job.topic.produce(records);
    let sink = with_context(keeping(&job, &dead)).start();
    job.await_committed();
    job.milvus.await_count(&job.collection, ROWS - 3, SOON);
    assert_kept(
        &dead,
        vec![
            expected(
                &job,
                &bad[0],
                (0, 17),
                ["VALUE_CONVERTER", "decode::json"],
                "the record should be one JSON object, found malformed JSON at byte 2 (key must be a string); send one JSON object in UTF-8 per record",
            ),
            expected(
                &job,
                &bad[1],
                (1, 0),
                ["TASK_PUT", "writer"],
                "field 'title_vector' wants a FloatVector of 8 numbers, found an array of 2; send vectors of the collection's dimension",
            ),
            expected(
                &job,
                &bad[2],
                (1, 2499),
                ["TASK_PUT", "writer"],
                "field 'title' wants a VarChar of at most 512 bytes, found nothing; send a value, or make the field nullable or give it a default in the collection",
            ),
        ],
    );
    assert_eq!(sink.metric("milvus_sink_dead_letters_total"), 3);
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    assert!(!sink.output().contains(SECRET), "{}", sink.output());
}

#[test]
fn three_rows_of_5000_that_only_milvus_refuses_are_found_and_kept_too() {
    const ROWS: i64 = 5000;
    const BAD: [i64; 3] = [17, 2500, 4999];
    let job = Job::with(
        suite::kafka(),
        "letters_refused",
        1,
        suite::lite().endpoint(),
        None,
    );
    let dead = dead("letters_refused");
    let collection = Collection::new(&job.collection).int64_key("id");
    job.create(&collection.scalar("sparse", Type::SparseFloatVector));
    // Milvus Lite refuses a sparse vector of nothing.
    let row = |id: i64| match BAD.contains(&id) {
        true => json!({"id": id, "sparse": {}}),
        false => json!({"id": id, "sparse": {"7": 0.5}}),
    };
    let record = |id: i64| {
        let record = Record::json(&row(id));
        match BAD.contains(&id) {
            true => dressed(record, "k").timestamp(1_700_000_000_000 + id),
            false => record,
        }
    };
    let record = |id| record(id).partition(0);
    job.topic.produce((0..ROWS).map(record));
    let sink = with_context(keeping(&job, &dead)).start();
    job.await_committed();
    let refused = |id: i64| {
        let stage = ["TASK_PUT", "writer"];
        let message = "the record should be one that Milvus takes, found one that it refuses alone (code 6: sparse vector field 'sparse': sparse vector must contain at least one nonzero float32 weight); mend the record or the collection";
        expected(&job, &record(id), (0, id), stage, message)
    };
    assert_kept(&dead, BAD.map(refused).to_vec());
    let written = job.milvus.integers(&job.collection, "id", "id >= 0");
    let good = (0..ROWS)
        .filter(|id| !BAD.contains(id))
        .collect::<BTreeSet<i64>>();
    assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), good);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn letters_that_cannot_be_delivered_hold_until_they_can() {
    let job = Job::on_lite("letters_held", 1);
    let dead = dead("letters_held");
    let bootstrap = suite::kafka().bootstrap();
    let port = bootstrap.rsplit_once(':').unwrap().1.parse().unwrap();
    // Another cluster, as far as the sink can tell.
    let proxy = FaultProxy::before(port);
    proxy.set(Network::Refuses);
    let other = format!("127.0.0.1:{}", proxy.port());
    let sink = keeping(&job, &dead).set("producer.bootstrap.servers", &other);
    let sink = sink.start();
    let bad = dressed(Record::new("no JSON"), "k").partition(0);
    job.topic.produce([Record::json(&article(1))]);
    job.await_committed();
    job.topic.produce([bad.clone()]);
    let words = [dead.name(), "does not answer", "producer.bootstrap.servers"];
    assert_held(&sink, "dead_letters_held", &words);
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
    assert_eq!(sink.metric("milvus_sink_dead_letters_total"), 0);
    proxy.set(Network::Works);
    job.await_committed();
    assert_kept(&dead, vec![bad]);
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_stop_does_not_wait_for_letters_that_cannot_be_delivered() {
    let job = Job::on_lite("letters_stop", 1);
    let dead = dead("letters_stop");
    let bootstrap = suite::kafka().bootstrap();
    let proxy = FaultProxy::before(bootstrap.rsplit_once(':').unwrap().1.parse().unwrap());
    proxy.set(Network::Swallows);
    let other = format!("127.0.0.1:{}", proxy.port());
    let sink = keeping(&job, &dead).set("producer.bootstrap.servers", &other);
    let sink = sink.set("shutdown.timeout.ms", "1000").start();
    job.topic.produce([Record::new("no JSON")]);
    sink.wait_for_line("cause=\"dead_letters_held\"", SOON);
    let begun = std::time::Instant::now();
    assert_ne!(sink.terminate(SOON), 0, "{}", sink.output());
    let took = begun.elapsed();
    assert!(took.as_secs() < 12, "took {took:?}:\n{}", sink.output());
    assert_eq!(job.topic.committed(&job.group()), [None]);
}

#[test]
fn the_topic_of_dead_letters_is_never_read_though_the_pattern_matches_it() {
    let job = Job::on_lite("letters_regex", 1);
    let name = format!("{}-dead", job.topic.name());
    let dead = Topic::existing(&suite::kafka().bootstrap(), &name, 1);
    let matching = || {
        let sink = keeping(&job, &dead).set("topics", "");
        sink.set("topics.regex", &format!("{}.*", job.topic.name()))
            .set("consumer.metadata.max.age.ms", "500")
    };
    let sink = matching().start();
    let bad = dressed(Record::new("no JSON"), "k").partition(0);
    job.topic.produce([bad.clone()]);
    job.await_committed();
    assert_kept(&dead, vec![bad.clone()]);
    // It is there now, and is not read when topics are looked for again.
    job.topic.produce([bad.clone()]);
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let sink = matching().start();
    job.topic.produce([Record::json(&article(1))]);
    job.await_committed();
    assert_kept(&dead, vec![bad.clone(), bad]);
    assert_eq!(dead.committed(&job.group()), [None]);
    let said = format!("matches '{name}', the topic of the dead letters; it is not read");
    let times = sink.output().matches(&said).count();
    assert_eq!(times, 1, "{}", sink.output());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let words = [
        "The DLQ topic '",
        "may not be included in the list of topics ('topics=[",
    ];
    let listed = keeping(&job, &dead).set("topics", &name);
    assert_refused(listed, &words);
}

#[test]
fn check_says_where_dead_letters_go() {
    let job = Job::on_lite("letters_check", 1);
    let dead = dead("letters_check");
    let say = || {
        let command = Sink::new(SINK).arg("check").config(&job.config());
        let command = command.set("errors.tolerance", "all");
        let key = "errors.deadletterqueue.topic.name";
        command.set(key, dead.name()).run(SOON)
    };
    let (code, output) = say();
    let missing = format!(
        "✓ topic '{}' does not exist yet; `run` would make it",
        dead.name()
    );
    assert!(code == 0 && output.contains(&missing), "{code}\n{output}");
    assert_eq!(dead.found_partitions(), 0, "check makes nothing");
    suite::kafka().topic_named(dead.name(), 1, &[]);
    let (code, output) = say();
    let there = format!("✓ topic '{}'\n", dead.name());
    assert!(code == 0 && output.contains(&there), "{code}\n{output}");
}
