//! `make footprint`: how much memory an idle sink takes, and how long it takes to its first row. Three runs of each.
//!
//! Milvus Lite is the target of the idle sink, and of all with `MILVUS=lite`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use testkit::client::{Collection, MilvusClient};
use testkit::kafka::Broker;
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite, wait};

const RUNS: u32 = 3;
const IDLE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(60);

/// From process start to what these lines of the log say.
const STAGES: [(&str, &str); 4] = [
    ("configured", "kafka-milvus-sink starts"),
    ("plan made", "plan made"),
    ("joined", "rebalance=Assigned"),
    ("looked up", "partitions assigned"),
];

fn main() {
    let binary = services::repository().join("target/release/kafka-milvus-sink");
    assert!(binary.exists(), "cargo build --release comes first");
    let kafka = suite::kafka();
    let lite = (suite::lite().endpoint(), None);
    println!("idle for {} s with 4 partitions", IDLE.as_secs());
    for run in 1..=RUNS {
        idle(run, Job::new(&binary, kafka, &lite, 4));
    }
    let is_lite = std::env::var("MILVUS").is_ok_and(|choice| choice == "lite");
    let milvus = if is_lite {
        lite
    } else {
        (suite::milvus().endpoint(), suite::milvus().token())
    };
    println!("milliseconds from process start until");
    for run in 1..=RUNS {
        first_row(run, Job::new(&binary, kafka, &milvus, 1));
    }
}

struct Job {
    command: SinkCommand,
    topic: testkit::kafka::Topic,
    milvus: MilvusClient,
    collection: String,
}

impl Job {
    fn new(
        binary: &PathBuf,
        kafka: &Broker,
        (endpoint, token): &(String, Option<&str>),
        partitions: i32,
    ) -> Self {
        let topic = kafka.topic("footprint", partitions);
        let collection = services::unique_collection("footprint");
        let milvus = MilvusClient::new(endpoint, *token);
        milvus.create(
            &Collection::new(&collection)
                .int64_key("id")
                .float_vector("vector", 8),
        );
        let token = token.map_or(String::new(), |token| format!("token={token}\n"));
        let command = Sink::new(binary).config(&format!(
            "name={}\nbootstrap.servers={}\ntopics={}\npublic.endpoint={endpoint}\ncollection.name={collection}\n{token}",
            topic.name(),
            kafka.bootstrap(),
            topic.name(),
        ));
        Self {
            command,
            topic,
            milvus,
            collection,
        }
    }
}

fn idle(run: u32, job: Job) {
    let start = Instant::now();
    let sink = job.command.start();
    sink.await_readyz(200, SOON);
    let left = || IDLE.saturating_sub(start.elapsed());
    wait::until(2 * IDLE, "the minute to pass", || left().is_zero());
    let (now, peak) = (sink.rss_kib(), sink.peak_rss_kib());
    println!(
        "  run {run}: {:.1} MiB now, {:.1} MiB at most",
        mib(now),
        mib(peak)
    );
}

fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap()) / 1024.0
}

fn first_row(run: u32, job: Job) {
    job.topic
        .produce_json(&serde_json::json!({"id": 1, "vector": [1, 2, 3, 4, 5, 6, 7, 8]}));
    let start = SystemTime::now();
    let sink = job.command.set("log.level", "debug").start();
    job.milvus.await_count(&job.collection, 1, SOON);
    let row = start.elapsed().unwrap().as_millis();
    let stage = |(name, line): &(&str, &str)| {
        let line = sink.find_line(line).expect("a stage");
        format!("{name} {}", since(start, &line))
    };
    let stages: Vec<String> = STAGES.iter().map(stage).collect();
    println!("  run {run}: {}, row in Milvus {row}", stages.join(", "));
}

/// Milliseconds from `start` to the time at which a log line begins, both within one day.
fn since(start: SystemTime, line: &str) -> u128 {
    const DAY_MS: u128 = 86_400_000;
    let time = line.split(['T', 'Z']).nth(1).expect("a time");
    let seconds = time.split(':').fold(0.0, |seconds, part| {
        seconds * 60.0 + part.parse::<f64>().expect("a number")
    });
    let at = Duration::from_secs_f64(seconds).as_millis();
    let begin = start.duration_since(UNIX_EPOCH).unwrap().as_millis() % DAY_MS;
    (at + DAY_MS - begin) % DAY_MS
}
