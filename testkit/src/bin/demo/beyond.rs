//! After the six steps: many records, a bad one, a search.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::kafka::Record;
use testkit::process::Process;

use crate::NAME;
use crate::article;
use crate::servers::Servers;
use crate::shell::{heading, say};
use crate::steps::{demo_dir, produce_file, start_sink};

const RECORDS: i32 = 50_000;
const GROUP: &str = "connect-zilliz-kafka-connect-milvus";
const SOON: Duration = Duration::from_secs(60);
/// What the sink ends with when every partition stands at a record that needs a person.
const HALTED: i32 = 3;

/// Produces records like the article while the sink runs, and measures until the last one is committed.
pub(crate) fn many(servers: &Servers) -> Process {
    heading("50,000 records more");
    say("the sink again, a development build; the worker's file has it commit every 10 s, for the");
    say("figure it commits every 0.2 s");
    let sink = start_sink(" --set offset.flush.interval.ms=200");
    sink.wait_for_line("assigned", SOON);
    let started = Instant::now();
    servers.topic().produce((1..=RECORDS).map(record));
    say(&format!(
        "produced after {:.1} s",
        started.elapsed().as_secs_f64()
    ));
    servers.topic().await_committed_to_end(GROUP, SOON);
    let seconds = started.elapsed().as_secs_f64();
    let rate = f64::from(RECORDS) / seconds;
    let peak = sink.memory_kib("VmHWM") / 1024;
    say(&format!(
        "written and committed after {seconds:.1} s: {rate:.0} records/s, from the first one produced to the last one committed"
    ));
    say(&format!(
        "the sink's memory at its peak: {peak} MiB (resident)"
    ));
    let count = servers.official().count(NAME);
    say(&format!("entities in {NAME}, counted by pymilvus: {count}"));
    assert_eq!(count, 50_001, "every record is there once");
    sink
}

/// A record that does not fit stops its partition, here the only one, before anything is skipped.
pub(crate) fn bad_record(servers: &Servers, sink: &Process) {
    heading("A bad record: its vector has 2 numbers, the collection wants 8");
    let bad = r#"{"id": 50001, "title": "Two numbers are too few", "title_vector": [0.5, 0.25], "link": "https://example.org/bad"}"#;
    fs::write(demo_dir().join("bad.json"), format!("{bad}\n")).expect("target/demo can be written");
    produce_file(servers, "bad.json");
    let sentence = sink.wait_for_line("field 'title_vector' wants", SOON);
    say("the sink says:");
    say(&sentence);
    let status = sink.wait_exit(SOON).code();
    say(sink.output().lines().last().unwrap_or_default());
    say(&format!("exit status {}", status.unwrap_or(-1)));
    assert_eq!(status, Some(HALTED), "{sink}");
}

pub(crate) fn search(servers: &Servers) {
    heading("A vector search among all of them, with pymilvus");
    let found = servers
        .official()
        .search(NAME, "title_vector", &article::vector());
    say(&format!(
        "nearest to the article's vector: id {}, distance {}, {}",
        found["id"], found["distance"], found["entity"]["title"]
    ));
    assert_eq!(found["id"], 0, "the article is the nearest");
}

/// An article whose vector is nowhere near the one of the walk-through.
fn record(id: i32) -> Record {
    let element = |at: i32| {
        let spread = id
            .wrapping_mul(7919)
            .wrapping_mul(2 * at + 1)
            .rem_euclid(2000);
        0.25 + f64::from(spread) / 2000.0
    };
    let vector: Vec<f64> = (0..8).map(element).collect();
    Record::json(&json!({
        "id": id,
        "title": format!("Article {id}"),
        "title_vector": vector,
        "link": format!("https://example.org/articles/{id}"),
    }))
}
