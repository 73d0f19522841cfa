//! What the Connect plugin loses, breaks or hides, one test each, named after the defect: ours must not have it.

mod requests;
mod values;

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::fake::Fake;
use testkit::kafka::Record;
use testkit::suite;

use crate::support::{Job, SOON, article, articles};

/// A job on Milvus Lite with this collection.
fn on_lite(test: &str, fields: impl Fn(Collection) -> Collection) -> Job {
    let endpoint = suite::lite().endpoint();
    let job = Job::with(suite::kafka(), test, 1, endpoint, None);
    job.create(&fields(Collection::new(&job.collection)));
    job
}

/// A job on the scripted Milvus with this collection.
fn on_fake(test: &str, fake: &Fake, fields: impl Fn(Collection) -> Collection) -> Job {
    let job = Job::with(suite::kafka(), test, 1, fake.endpoint(), None);
    fake.create(fields(Collection::new(&job.collection)).schema());
    job
}

/// The smallest collection that every Milvus takes.
fn small(collection: Collection) -> Collection {
    collection.int64_key("id").float_vector("v", 2)
}

fn row(id: i64) -> Value {
    json!({"id": id, "v": [0.5, -1.0]})
}

fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

/// The one record is written, and its field reads back as expected.
#[track_caller]
fn check_stored(job: &Job, record: &Value, field: &str, expected: &Value) {
    let sink = job.quick().start();
    job.topic.produce_json(record);
    job.milvus.await_count(&job.collection, 1, SOON);
    let rows = job.milvus.query(&job.collection, "id >= 0");
    assert_eq!(&rows[0][field], expected);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d01_records_for_an_auto_id_collection_discarded() {
    let keyed = |c: Collection| c.int64_key("id").auto_id().float_vector("v", 2);
    let job = on_lite("d01", keyed);
    let sink = job.quick().start();
    for n in 0..3 {
        job.topic.produce_json(&json!({"v": [n, n]}));
    }
    job.milvus.await_count(&job.collection, 3, SOON);
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d02_bad_row_swallowed_and_its_offset_passed() {
    let job = on_lite("d02", small);
    let bad = with(row(1), "v", json!([0.5]));
    [row(0), bad, row(2)]
        .iter()
        .for_each(|record| job.topic.produce_json(record));
    let sink = job.quick().start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
    assert_eq!(job.milvus.count(&job.collection), 1);
    assert!(sink.find_line("-0@1: field 'v' wants").is_some());
}

#[test]
fn d03_tombstones_lost() {
    let job = on_lite("d03", small);
    let keyed = |id: i64| Record::json(&row(id)).key(id.to_string());
    job.topic
        .produce([keyed(1), keyed(2), Record::tombstone("1")]);
    let quick = job.quick().set("behavior.on.null.values", "delete");
    let sink = quick.start();
    job.await_committed();
    assert_eq!(job.milvus.integers(&job.collection, "id", "id >= 0"), [2]);
    // Also where the row is there already.
    job.topic.produce([Record::tombstone("2")]);
    job.milvus.await_count(&job.collection, 0, SOON);
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d04_two_updates_of_a_key_in_one_request() {
    // 2.3.5 would store both and answer queries with the older one.
    let job = Job::new("d04", 1);
    for title in ["old", "new"] {
        let record = with(article(1), "title", json!(title));
        job.topic.produce_json(&record);
    }
    let sink = job.quick().start();
    job.await_committed();
    assert_eq!(job.milvus.count(&job.collection), 1);
    let rows = job.milvus.query(&job.collection, "id == 1");
    assert_eq!(rows[0]["title"], "new");
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d17_payloads_logged() {
    const MARKER: &str = "sesame-2718";
    let job = Job::on_lite("d17", 1);
    let good = with(article(1), "title", json!(MARKER));
    let bad = with(good.clone(), "title_vector", json!(MARKER));
    [good, bad]
        .iter()
        .for_each(|record| job.topic.produce_json(record));
    let sink = job.quick().arg("--log-level").arg("trace").start();
    assert_eq!(sink.wait_exit(SOON), 3);
    assert!(!sink.output().contains(MARKER), "{}", sink.output());
}

#[test]
fn d19_collection_must_be_loaded() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "d19", 1, endpoint, token);
    job.milvus.create_unloaded(&articles(&job.collection));
    let sink = job.quick().start();
    job.topic.produce_json(&article(1));
    job.await_committed();
    job.milvus.load(&job.collection);
    job.milvus.await_count(&job.collection, 1, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d20_token_needed_where_there_is_no_login() {
    let job = on_lite("d20", small);
    assert_eq!(job.token(), None);
    check_stored(&job, &row(1), "id", &json!(1));
}

#[test]
fn d23_base64_of_a_float_vector_unreadable() {
    let job = on_lite("d23", small);
    let record = with(row(1), "v", json!("AAAAPwAAgL8="));
    check_stored(&job, &record, "v", &json!([0.5, -1.0]));
}

#[test]
fn d13_fields_the_schema_lacks_dropped_beside_a_dynamic_field() {
    let job = on_lite("d13", |c| small(c).dynamic());
    let record = with(row(1), "extra", json!({"n": [1, 2.5]}));
    let kept = json!({"extra": {"n": [1, 2.5]}});
    check_stored(&job, &record, "$meta", &kept);
}

#[test]
fn d06_sparse_vector_in_a_json_string() {
    let job = on_lite("d06", |c| small(c).scalar("s", Type::SparseFloatVector));
    let record = with(row(1), "s", json!(r#"{"7": 0.5, "2": 1.5}"#));
    check_stored(&job, &record, "s", &json!({"2": 1.5, "7": 0.5}));
}

#[test]
fn d08_null_in_a_field_loses_the_row() {
    let job = on_lite("d08", |c| small(c).varchar("t", 8).nullable());
    check_stored(&job, &with(row(1), "t", Value::Null), "t", &Value::Null);
}

#[test]
fn d10_whole_number_with_a_point() {
    let job = on_lite("d10", |c| small(c).scalar("n", Type::Int64));
    job.topic
        .produce([Record::new(r#"{"id": 1.0, "v": [0.5, -1], "n": 3.0}"#)]);
    let sink = job.quick().start();
    job.milvus.await_count(&job.collection, 1, SOON);
    assert_eq!(job.milvus.integers(&job.collection, "n", "id == 1"), [3]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
