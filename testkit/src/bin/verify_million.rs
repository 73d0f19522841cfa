//! `make verify-million`: a million small rows on a real Milvus, a hundred of them changed or removed behind the sink's
//! back, and whether `verify` finds every one; how long it takes and how much memory. `ROWS` for another number,
//! `MILVUS=lite` for the small one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::client::{Collection, MilvusClient};
use testkit::kafka::Record;
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite, wait};

const PARTITIONS: i32 = 4;
const LONG: Duration = Duration::from_secs(3600);
/// Of each kind: missing, stale.
const CHANGED: i64 = 50;
const PROMISED_MIB: u64 = 256;

/// The record shape of the walk-through, about 300 bytes.
fn article(id: i64, title: &str) -> Record {
    let article = json!({
        "id": id,
        "title": format!("{title} {id}, on how rows are found again that nobody had lost"),
        "title_vector": [0.125, -0.5, 0.25, 1.0, 0.0, 2.0, -3.5, 0.75],
        "link": format!("https://example.org/articles/{id}/on-how-rows-are-found-again"),
    });
    let partition = i32::try_from(id % i64::from(PARTITIONS)).unwrap();
    Record::json(&article)
        .key(id.to_string())
        .partition(partition)
}

struct Servers {
    endpoint: String,
    token: Option<&'static str>,
    collection: String,
}

impl Servers {
    /// The sink, or what the first argument says.
    fn command(&self, topic: &str, argument: &str) -> SinkCommand {
        let token = self
            .token
            .map_or(String::new(), |token| format!("token={token}\n"));
        // Built beside this one.
        let here = std::env::current_exe().expect("a path");
        let binary = here.with_file_name("kafka-milvus-sink");
        Sink::new(binary).arg(argument).config(&format!(
            "name={topic}\nbootstrap.servers={}\ntopics={topic}\npublic.endpoint={}\ncollection.name={}\nbehavior.on.null.values=delete\n{token}",
            suite::kafka().bootstrap(),
            self.endpoint,
            self.collection,
        ))
    }
}

fn main() {
    let rows: i64 = std::env::var("ROWS").map_or(1_000_000, |rows| rows.parse().expect("a number"));
    let is_lite = std::env::var("MILVUS").is_ok_and(|choice| choice == "lite");
    let (endpoint, token) = match is_lite {
        true => (suite::lite().endpoint(), None),
        false => (suite::milvus().endpoint(), suite::milvus().token()),
    };
    let servers = Servers {
        endpoint,
        token,
        collection: services::unique_collection("million"),
    };
    let milvus = MilvusClient::new(&servers.endpoint, servers.token);
    let collection = Collection::new(&servers.collection);
    let collection = collection.int64_key("id").varchar("title", 512);
    milvus.create(
        &collection
            .float_vector("title_vector", 8)
            .varchar("link", 512),
    );

    let topic = suite::kafka().topic("million", PARTITIONS);
    topic.produce((0..rows).map(|id| article(id, "Article")));
    run(
        servers.command(topic.name(), "--until-end"),
        "wrote the rows",
    );
    let step = rows / (2 * CHANGED);
    let others = suite::kafka().topic("million_behind", PARTITIONS);
    others.produce((0..CHANGED).flat_map(|index| {
        let changed = article(index * step, "Altered");
        let gone = (CHANGED + index) * step;
        [changed, Record::tombstone(gone.to_string())]
    }));
    run(
        servers.command(others.name(), "--until-end"),
        "changed and removed some",
    );
    println!(
        "{} rows in {}",
        milvus.count(&servers.collection),
        servers.collection
    );
    verify(servers.command(topic.name(), "verify"));
}

fn run(command: SinkCommand, what: &str) {
    let start = Instant::now();
    let (code, output) = command.run(LONG);
    assert_eq!(code, 0, "{output}");
    println!("{what} in {:.1} s", start.elapsed().as_secs_f64());
}

fn verify(command: SinkCommand) {
    let start = Instant::now();
    let running = command.arg("--json").start();
    let mut peak = 0;
    wait::until(LONG, "verify to end", || {
        if running.runs() {
            peak = peak.max(running.peak_rss_kib());
        }
        !running.runs()
    });
    let output = running.output();
    let last = output.lines().rfind(|line| line.starts_with('{'));
    let last: Value = serde_json::from_str(last.expect("a summary")).unwrap();
    println!(
        "verify took {:.1} s, {} MiB at most",
        start.elapsed().as_secs_f64(),
        peak / 1024
    );
    println!("{last}");
    let found = ["missing", "stale", "undeleted", "unexpected"];
    let found = found.map(|name| last["summary"][name].as_i64().unwrap());
    assert_eq!(found, [CHANGED, CHANGED, 0, 0], "{output}");
    assert!(peak / 1024 <= PROMISED_MIB, "more than {PROMISED_MIB} MiB");
}
