//! Records that are not rows yet: keys from elsewhere, nested and renamed values, what Kafka knows of a record.

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::suite;

use crate::support::{Job, SOON};

/// On Kafka and Milvus Lite, with one partition.
fn job(test: &str, collection: impl Fn(Collection) -> Collection) -> Job {
    let job = Job::with(suite::kafka(), test, 1, suite::lite().endpoint(), None);
    job.create(&collection(Collection::new(&job.collection)).float_vector("vector", 2));
    job
}

/// What the sink makes of the records under these settings: the rows that are found, less their vectors.
fn written(job: &Job, settings: &[(&str, &str)], records: Vec<Record>, filter: &str) -> Vec<Value> {
    let rows = i64::try_from(records.len()).unwrap();
    job.topic.produce(records);
    let with = |sink: testkit::sink::SinkCommand, (key, value): &(&str, &str)| sink.set(key, value);
    let sink = settings.iter().fold(job.quick(), with).start();
    job.milvus.await_count(&job.collection, rows, SOON);
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    // Rows with keys of Milvus's cannot be told from the records they came of.
    if !settings.contains(&("pk.mode", "none")) {
        crate::verify::assert_same_with(job, settings);
    }
    let rows = job.milvus.query(&job.collection, filter).into_iter();
    let mut rows: Vec<Value> = rows
        .map(|mut row| {
            row.remove("vector").expect("a vector");
            json!(row)
        })
        .collect();
    rows.sort_by_key(|row| row["id"].to_string());
    rows
}

#[test]
fn nested_values_and_what_kafka_knows_are_read_back() {
    let job = job("field_map", |collection| {
        collection
            .int64_key("id")
            .varchar("title", 64)
            .scalar("kafka_offset", Type::Int64)
            .scalar("at", Type::Int64)
            .varchar("trace", 64)
            .nullable()
            .dynamic()
    });
    let records = vec![
        Record::json(&json!({
            "after": {"id": 1, "doc": {"title": "one"}, "secret": "s"},
            "embedding": [1, 2], "extra": {"kept": true}, "kafka_offset": 99,
        }))
        .key("k1")
        .timestamp(1_700_000_000_123)
        .header("trace-id", Some(b"old"))
        .header("other", Some(b"\xff"))
        .header("trace-id", Some("größe".as_bytes())),
        Record::json(&json!({
            "after": {"id": 2}, "after.doc.title": "two", "embedding": [3, 4],
        }))
        .timestamp(1_700_000_000_456)
        .header("trace-id", None),
    ];
    let settings = [
        (
            "field.map",
            "after.id:id,after.doc.title:title,embedding:vector",
        ),
        (
            "metadata.fields",
            "offset:kafka_offset,timestamp:at,header.trace-id:trace,partition:part,topic:from,key:record_key",
        ),
    ];
    let topic = job.topic.name();
    assert_eq!(
        written(&job, &settings, records, "id > 0"),
        [
            json!({
                "id": 1, "title": "one", "kafka_offset": 0, "at": 1_700_000_000_123_i64, "trace": "größe",
                "$meta": {"extra": {"kept": true}, "part": 0, "from": topic, "record_key": "k1"},
            }),
            json!({
                "id": 2, "title": "two", "kafka_offset": 1, "at": 1_700_000_000_456_i64, "trace": null,
                "$meta": {"part": 0, "from": topic},
            }),
        ]
    );
}

#[test]
fn the_record_key_is_the_primary_key() {
    let text = job("text_key", |collection| collection.varchar_key("id", 64));
    let vector = |id: i64| Record::json(&json!({"id": id, "vector": [1, 2]}));
    let settings = [
        ("pk.mode", "record_key"),
        (
            "key.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
    ];
    let records = vec![vector(1).key("a b"), vector(1).key(r#"{"id":7}"#)];
    assert_eq!(
        written(&text, &settings, records, "id != ''"),
        [json!({"id": "a b"}), json!({"id": r#"{"id":7}"#})]
    );

    let number = job("json_key", |collection| collection.int64_key("id"));
    let settings = [
        ("pk.mode", "record_key"),
        ("key.converter", "JsonConverter"),
        ("key.converter.schemas.enable", "false"),
    ];
    let records = vec![vector(1).key("7"), vector(1).key(r#"{"id": "8"}"#)];
    assert_eq!(
        written(&number, &settings, records, "id > 0"),
        [json!({"id": 7}), json!({"id": 8})]
    );
}

#[test]
fn topic_partition_and_offset_are_the_primary_key() {
    let job = job("kafka_key", |collection| collection.varchar_key("id", 300));
    let vector = || Record::json(&json!({"id": "mine", "vector": [1, 2]}));
    let settings = [("pk.mode", "kafka")];
    let topic = job.topic.name();
    assert_eq!(
        written(&job, &settings, vec![vector(), vector()], "id != ''"),
        [
            json!({"id": format!("{topic}:0:0")}),
            json!({"id": format!("{topic}:0:1")})
        ]
    );
}

#[test]
fn with_pk_mode_none_milvus_makes_the_key() {
    let job = job("no_key", |collection| {
        collection.int64_key("id").auto_id().scalar("n", Type::Int8)
    });
    let record = |n: i8| Record::json(&json!({"id": 5, "n": n, "vector": [1, 2]}));
    let settings = [("pk.mode", "none")];
    let rows = written(&job, &settings, vec![record(1), record(2)], "n > 0");
    let mut numbers: Vec<i64> = rows.iter().map(|row| row["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert!(rows.iter().all(|row| row["id"] != 5), "{rows:?}");
}

#[test]
fn a_tombstone_is_a_bad_record_where_it_fails() {
    let job = job("failing_tombstone", |collection| collection.int64_key("id"));
    job.topic.produce([
        Record::json(&json!({"id": 1, "vector": [1, 2]})),
        Record::tombstone("1"),
    ]);
    let sink = job.quick().set("behavior.on.null.values", "fail").start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    let sentence = format!(
        "{}-0@1: the record should be one JSON object, found no value (a tombstone); send a value, or set behavior.on.null.values to ignore or delete",
        job.topic.name()
    );
    assert!(sink.output().contains(&sentence), "{}", sink.output());
    job.milvus.await_count(&job.collection, 1, SOON);
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
}
