//! Records that delete rows: tombstones by the record key, and marked records of change capture.

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::suite;

use crate::support::{Job, SOON};

/// Rows `id` and `n` on Kafka and Milvus Lite, with one partition.
fn job(test: &str, key: impl Fn(Collection) -> Collection) -> Job {
    let job = Job::with(suite::kafka(), test, 1, suite::lite().endpoint(), None);
    let collection = key(Collection::new(&job.collection));
    job.create(
        &collection
            .scalar("n", Type::Int32)
            .float_vector("vector", 2),
    );
    job
}

fn row(key: &str, n: i32) -> Record {
    let id: serde_json::Value = serde_json::from_str(key).unwrap_or_else(|_| json!(key));
    Record::json(&json!({"id": id, "n": n, "vector": [1, 2]})).key(key)
}

/// The sink has settled all records, and these are the values of `n` that are left.
#[track_caller]
fn check(job: &Job, settings: &[(&str, &str)], left: &[i64]) {
    let sink = settings
        .iter()
        .fold(job.quick(), |sink, (key, value)| sink.set(key, value));
    let sink = sink.start();
    job.await_committed();
    let mut found = job.milvus.integers(&job.collection, "n", "n >= 0");
    found.sort_unstable();
    assert_eq!(found, left, "{}", sink.output());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

const DELETE: (&str, &str) = ("behavior.on.null.values", "delete");

#[test]
fn a_tombstone_deletes_the_row_of_its_key_and_a_later_record_brings_it_back() {
    let numbers = job("tombstones", |collection| collection.int64_key("id"));
    numbers.topic.produce([
        row("1", 10),
        row("2", 20),
        row("3", 30),
        Record::tombstone("1"),
        Record::tombstone(r#"{"id": 2}"#),
        row("2", 21),
        Record::tombstone("99"),
    ]);
    check(&numbers, &[DELETE], &[21, 30]);
    // Those that are there already, by a process of its own.
    numbers
        .topic
        .produce([Record::tombstone("3"), row("4", 40)]);
    check(&numbers, &[DELETE], &[21, 40]);
}

#[test]
fn keys_of_any_text_delete_their_own_rows_alone() {
    let texts = job("text_tombstones", |collection| {
        collection.varchar_key("id", 64)
    });
    let odd = [
        "a'b",
        "a\"b",
        "a\\b",
        "{a}",
        "größe 🦀",
        "a\nb",
        "%",
        "in ['x']",
        "",
    ];
    let rows = odd.iter().zip(0_i32..);
    texts.topic.produce(
        rows.map(|(key, n)| Record::json(&json!({"id": key, "n": n, "vector": [1, 2]})).key(*key)),
    );
    let settings = [
        DELETE,
        ("pk.mode", "record_key"),
        ("key.converter", "StringConverter"),
    ];
    check(&texts, &settings, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    texts
        .topic
        .produce(odd[..8].iter().map(|key| Record::tombstone(*key)));
    check(&texts, &settings, &[8]);
}

#[test]
fn a_marked_record_of_change_capture_deletes_and_its_tombstone_too() {
    let job = job("change_capture", |collection| collection.int64_key("id"));
    let change = |id: i64, n: Option<i32>, deleted: &str| {
        let vector = n.map(|_| [1, 2]);
        Record::json(&json!({"id": id, "n": n, "vector": vector, "__deleted": deleted}))
            .key(json!({ "id": id }).to_string())
    };
    job.topic.produce([
        change(1, Some(10), "false"),
        change(2, Some(20), "false"),
        change(1, None, "true"),
        Record::tombstone(r#"{"id": 1}"#),
        change(3, Some(30), "false"),
    ]);
    let settings = [("delete.when.field", "__deleted:true"), DELETE];
    check(&job, &settings, &[20, 30]);
}

#[test]
fn a_record_whose_key_names_another_row_halts_whatever_is_tolerated() {
    let job = job("two_keys", |collection| collection.int64_key("id"));
    job.topic.produce([row("1", 10), row("2", 20).key("1")]);
    let sink = job.quick().set(DELETE.0, DELETE.1);
    let sink = sink.set("errors.tolerance", "all").start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    let sentence = format!(
        "{}-0@1: field 'id' wants one key in the record key and in the value, found two; a tombstone would delete another row",
        job.topic.name()
    );
    assert!(sink.output().contains(&sentence), "{}", sink.output());
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
}

#[test]
fn an_empty_value_deletes_nothing_and_neither_does_a_tombstone_without_a_key() {
    let job = job("empty_values", |collection| collection.varchar_key("id", 8));
    let rows = ["", "1"].into_iter().zip([10, 20]);
    let rows =
        rows.map(|(id, n)| Record::json(&json!({"id": id, "n": n, "vector": [1, 2]})).key(id));
    job.topic.produce(rows);
    let keyless = Record {
        key: None,
        ..Record::tombstone("")
    };
    job.topic
        .produce([Record::new("").key("1"), Record::new("").key(""), keyless]);
    check(&job, &[DELETE, ("errors.tolerance", "all")], &[10, 20]);
    job.topic.produce([Record::tombstone("")]);
    check(&job, &[DELETE, ("errors.tolerance", "all")], &[20]);
}
