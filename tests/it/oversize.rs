//! Records and requests that are too large, too deep or too many for somebody.

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::kafka::{Record, Topic};
use testkit::{services, suite};

use crate::support::{Job, SOON};

const BAD: &str = r#"milvus_sink_records_skipped_total{reason="bad_record"}"#;
const PAGE: usize = 65_000;

/// A record whose row has so many megabytes, in pages.
fn book(id: i64, megabytes: usize) -> Record {
    let pages = vec!["x".repeat(PAGE); megabytes * 1_000_000 / PAGE];
    Record::json(&json!({"id": id, "pages": pages, "vector": [0.5, 1.0]}))
}

/// Milvus takes requests of 64 MiB, and 2.3 as the first row of one no more than 5 MiB.
#[test]
fn requests_stay_below_what_milvus_takes_and_a_record_above_it_is_a_dead_letter() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "books", 1, endpoint, token);
    let job = job.topic_config(&[("max.message.bytes", "100000000")]);
    let collection = Collection::new(&job.collection).int64_key("id");
    let collection = collection.varchar_array("pages", 65_535, 2000);
    job.create(&collection.float_vector("vector", 2));
    // Together 80 MB without the two.
    let size = |id: i64| match id {
        0 => 10,
        5 => 70,
        _ => 4,
    };
    job.topic
        .produce_compressed((0..22).map(|id| book(id, size(id))));
    let name = services::unique("books_dead");
    let sink = job
        .sink()
        .set("tasks.max", "1")
        .set("linger.ms", "5000")
        .set("batch.max.bytes", "58720256")
        .set("buffer.max.bytes", "300000000")
        .set("errors.tolerance", "all")
        .set("errors.deadletterqueue.topic.name", &name)
        .set("producer.compression.type", "lz4")
        .start();
    job.await_committed();
    let mut found = job.milvus.integers(&job.collection, "id", "id >= 0");
    found.sort_unstable();
    let taken: Vec<i64> = (0..22).filter(|id| ![0, 5].contains(id)).collect();
    assert_eq!(found, taken);
    assert_eq!(sink.metric(BAD), 2);
    let said = sink.wait_for_line("kept a bad record as a dead letter", SOON);
    assert!(said.contains("too large alone"), "{said}");
    let dead = Topic::existing(&suite::kafka().bootstrap(), &name, 1).read();
    let mut kept: Vec<_> = dead.into_iter().map(|letter| letter.value).collect();
    kept.sort_by_key(|value| value.as_ref().map(Vec::len));
    let came = [book(0, 10), book(5, 70)].map(|book| book.value);
    assert!(kept == came, "{} letters, or others", kept.len());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// JSON that asks for much: by depth, by length, by number.
fn bombs() -> Vec<Record> {
    let (deep, open) = (
        "[".repeat(100_000) + &"]".repeat(100_000),
        "[".repeat(100_000),
    );
    let many: Vec<String> = (0..1_000_000).map(|n| format!("\"k{n}\":1")).collect();
    let many = many.join(",");
    let long = "x".repeat(20_000_000);
    let texts = [
        format!(r#"{{"id": 1, "doc": {deep}, "title": "t", "vector": [1, 2]}}"#),
        format!(r#"{{"id": 2, "doc": {{}}, "title": "t", "vector": [1, 2], "other": {deep}}}"#),
        format!(r#"{{"id": 3, "doc": {{}}, "title": "t", "vector": {deep}}}"#),
        format!(r#"{{"id": 4, "doc": {{}}, "title": "{long}", "vector": [1, 2]}}"#),
        format!(r#"{{"id": 5, "doc": {{{many}}}, "title": "t", "vector": [1, 2]}}"#),
        format!(r#"{{"id": 6, "doc": {{}}, "title": "t", "vector": [1, 2], {many}}}"#),
        deep,
        open,
    ];
    texts.into_iter().map(Record::new).collect()
}

#[test]
fn json_that_asks_for_much_is_a_bad_record_and_takes_little_memory() {
    let job = Job::with(suite::kafka(), "bombs", 1, suite::lite().endpoint(), None);
    let job = job.topic_config(&[("max.message.bytes", "100000000")]);
    let collection = Collection::new(&job.collection).int64_key("id");
    let collection = collection.varchar("title", 64).scalar("doc", Type::Json);
    job.create(&collection.float_vector("vector", 2).dynamic());
    let good = |id: i64| {
        Record::json(&json!({"id": id, "doc": {"a": id}, "title": "t", "vector": [1, 2]}))
    };
    let sink = job.quick().set("errors.tolerance", "all").start();
    job.topic.produce([good(100)]);
    job.await_committed();
    let before = sink.rss_kib();
    let bombs = bombs();
    let count = i64::try_from(bombs.len()).unwrap();
    let between = bombs.into_iter().zip(101..);
    job.topic
        .produce_compressed(between.flat_map(|(bomb, id)| [bomb, good(id)]));
    job.await_committed();
    job.milvus.await_count(&job.collection, count + 1, SOON);
    assert_eq!(sink.metric(BAD), count, "{}", sink.output());
    let grown = (sink.peak_rss_kib() - before) / 1024;
    assert!(grown < 200, "{grown} MiB for records of 20 MB");
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// Of a key that is written and deleted over and over in one batch, what came last is what stays.
#[test]
fn a_key_a_thousand_times_in_one_batch_ends_as_its_last_record_says() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "thousand", 1, endpoint, token);
    let collection = Collection::new(&job.collection).int64_key("id");
    job.create(
        &collection
            .scalar("n", Type::Int32)
            .float_vector("vector", 2),
    );
    let row = |id: i64, n: i64| {
        Record::json(&json!({"id": id, "n": n, "vector": [1, 2]})).key(id.to_string())
    };
    let gone = |id: i64| Record::tombstone(id.to_string());
    let records = (0..1000).flat_map(|n| match n % 3 {
        0 => [gone(1), row(2, n)],
        1 => [row(1, n), gone(2)],
        _ => [row(1, n), row(2, n)],
    });
    let last = [row(1, 1000), gone(2)];
    job.topic.produce(records.chain(last));
    let sink = job
        .quick()
        .set("behavior.on.null.values", "delete")
        .set("linger.ms", "3000")
        .start();
    job.await_committed();
    assert_eq!(job.milvus.integers(&job.collection, "n", "n >= 0"), [1000]);
    assert_eq!(sink.metric("milvus_sink_batches_settled_total"), 1);
    assert_eq!(sink.metric("milvus_sink_rows_superseded_total"), 2000);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
