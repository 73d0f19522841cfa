//! Records of every kind that is bad, of every codec, of a compacted topic, and of one key in two partitions.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::kafka::{Record, Topic};
use testkit::{suite, wait};

use super::{dead_letters, keeping, terminate};
use crate::load::Place;
use crate::support::{Job, SOON, article};

const SECRET: &str = "sesame-4713";

/// Payloads that cannot become a row of the walk-through's collection.
fn poison() -> Vec<Vec<u8>> {
    let with = |field: &str, value: serde_json::Value| {
        let mut article = article(1);
        article[field] = value;
        article.to_string().into_bytes()
    };
    let raw = |field: &str, text: &str| {
        let mark = format!("\"{SECRET}\"");
        let article = with(field, json!(SECRET));
        let article = String::from_utf8(article).unwrap();
        article.replace(&mark, text).into_bytes()
    };
    let mut missing = article(1);
    missing.as_object_mut().unwrap().remove("title");
    let mut not_utf8 = with("title", json!("caf?"));
    let at = not_utf8.iter().position(|byte| *byte == b'?').unwrap();
    not_utf8[at] = 0xe9;
    vec![
        format!("{{{SECRET}").into_bytes(),
        b"[1, 2]".to_vec(),
        b"17".to_vec(),
        Vec::new(),
        missing.to_string().into_bytes(),
        not_utf8,
        with("title", json!(null)),
        with("title", json!(SECRET.repeat(100))),
        with("title", json!({"nested": SECRET})),
        with("id", json!(SECRET)),
        with("id", json!(1.5)),
        raw("id", "9223372036854775808"),
        raw("id", "1e400"),
        with("title_vector", json!([1.0, 2.0])),
        with("title_vector", json!(["a", 1, 1, 1, 1, 1, 1, 1])),
        raw("title_vector", "[1, NaN, 1, 1, 1, 1, 1, 1]"),
        raw("title_vector", "[1, 1e400, 1, 1, 1, 1, 1, 1]"),
        raw("title_vector", "[1, 1e39, 1, 1, 1, 1, 1, 1]"),
        raw("title", "\"\\ud800\""),
    ]
}

/// Dead letters by the place they were read from.
fn kept(dead: &Topic) -> BTreeMap<(String, i64), Vec<u8>> {
    let header = |record: &Record, name: &str| {
        let name = format!("__connect.errors.{name}");
        let found = record.headers.iter().find(|(header, _)| *header == name);
        let value = found.and_then(|(_, value)| value.clone());
        String::from_utf8(value.expect("a context")).unwrap()
    };
    let entry = |record: Record| {
        let offset = header(&record, "offset").parse().unwrap();
        let at = (header(&record, "partition"), offset);
        (at, record.value.unwrap_or_default())
    };
    dead.read().into_iter().map(entry).collect()
}

#[test]
fn of_bad_records_of_every_kind_among_good_ones_exactly_they_become_dead_letters() {
    let job = Job::new("poison", 2);
    let place = Place::of(&job);
    let dead = dead_letters(suite::kafka(), "poison");
    let poison = poison();
    // A good one before and behind each bad one, in both partitions.
    for partition in 0..2 {
        for (bad, at) in poison.iter().zip(0..) {
            let good = place.records(partition, 2 * at..2 * at + 1);
            let bad = Record::new(bad.clone()).partition(partition);
            job.topic.produce(good.chain([bad]));
        }
    }
    let sink = keeping(job.quick(), &dead)
        .set("errors.deadletterqueue.context.headers.enable", "true")
        .start();
    job.await_committed();
    let expected = (0..2).flat_map(|partition: i32| {
        let bad = poison.iter().zip(0..);
        bad.map(move |(bad, at): (_, i64)| ((partition.to_string(), 2 * at + 1), bad.clone()))
    });
    assert_eq!(kept(&dead), expected.collect());
    let mut written = job.milvus.integers(&job.collection, "id", "id >= 0");
    written.sort_unstable();
    let count = i64::try_from(poison.len()).unwrap();
    let mut good: Vec<i64> = (0..count)
        .flat_map(|at| (0..2).map(move |partition| (partition, 2 * at)))
        .map(|(partition, offset)| place.key(partition, offset))
        .collect();
    good.sort_unstable();
    assert_eq!(written, good);
    sink.await_readyz(200, SOON);
    terminate(&sink);
    assert!(!sink.output().contains(SECRET), "{}", sink.output());
}

#[test]
fn batches_of_every_codec_are_read() {
    std::thread::scope(|scope| {
        for codec in ["gzip", "snappy", "lz4", "zstd", "uncompressed"] {
            scope.spawn(move || {
                let job = Job::on_lite(codec, 2).topic_config(&[("compression.type", codec)]);
                let place = Place::of(&job);
                place.produce(0..500);
                let sink = job.quick().start();
                job.await_committed();
                place.assert_holds(&[500; 2]);
                terminate(&sink);
            });
        }
    });
}

#[test]
fn a_compacted_topic_leaves_its_last_rows_and_no_deleted_ones() {
    let job = Job::new("compacted_rows", 1).topic_config(&[
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("max.compaction.lag.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ]);
    let version = |id: i64, version: usize| {
        let mut article = article(id);
        article["title"] = json!(version.to_string());
        Record::json(&article).key(id.to_string())
    };
    let sink = || job.quick().set("behavior.on.null.values", "delete").start();
    let mut produced = 0;
    // A first sink has some of them while others are being compacted away.
    let first = sink();
    wait::until(SOON, "compaction", || {
        job.topic.produce((0..10).map(|id| version(id, produced)));
        produced += 10;
        job.topic.offsets().len() < produced
    });
    first.kill();
    job.topic
        .produce((7..10).map(|id| Record::tombstone(id.to_string())));
    job.topic.produce([version(8, produced)]);
    let second = sink();
    job.await_committed();
    let rows = job.milvus.query(&job.collection, "id >= 0");
    let found: BTreeMap<i64, String> = rows
        .iter()
        .map(|row| {
            let title = row["title"].as_str().unwrap().to_owned();
            (row["id"].as_i64().unwrap(), title)
        })
        .collect();
    let last = (0..7).map(|id| (id, (produced - 10).to_string()));
    let last = last.chain([(8, produced.to_string())]);
    assert_eq!(found, last.collect());
    terminate(&second);
}

#[test]
fn of_a_key_in_two_partitions_one_of_the_last_rows_stays() {
    let job = Job::new("two_places", 2);
    let record = |partition: i32, id: i64, version: i64| {
        let mut article = article(id);
        article["title"] = json!(format!("{partition} {version}"));
        Record::json(&article).partition(partition)
    };
    let both = |version| {
        (0..2).flat_map(move |partition| (0..20).map(move |id| record(partition, id, version)))
    };
    let sink = job.quick().start();
    job.topic.produce((0..25).flat_map(both));
    job.await_committed();
    let rows = job.milvus.query(&job.collection, "id >= 0");
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let title = row["title"].as_str().unwrap();
        assert!(["0 24", "1 24"].contains(&title), "{title}");
    }
    terminate(&sink);
}
