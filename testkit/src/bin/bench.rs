//! `make bench`: how fast the sink is from end to end, beside its parts alone. `ONLY=w768,latency` for some of it,
//! `SET=batch.max.bytes=4194304,linger.ms=20` to try settings, `UPDATE=1` to keep the results in the documents.
//!
//! `FLAME_GRAPH=file.svg` measures nothing and draws where the time goes.
//!
//! It calls itself for what has to run in a process of its own: `bench null-milvus …`, `bench consume …`, `bench send …`.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::fs;
use std::path::Path;

use testkit::bench::report::Report;
use testkit::bench::{Bench, stages};
use testkit::null_milvus::{self, Options};
use testkit::services;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => measure(),
        ["null-milvus", ..] => {
            let options = Options::parse(arguments.into_iter().skip(1));
            null_milvus::serve(&options.expect("its options"));
        }
        ["consume", bootstrap, topic, records] => {
            stages::consume::run(bootstrap, topic, records.parse().expect("a count"));
        }
        ["send", endpoint, workload, records] => stages::send::run(
            endpoint,
            workload.parse().expect("a workload"),
            records.parse().expect("a count"),
        ),
        _ => println!("no arguments are wanted; ONLY={} for some of it", names()),
    }
}

fn names() -> String {
    Bench::names().collect::<Vec<_>>().join(",")
}

fn measure() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let only: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    let known: Vec<&str> = Bench::names().collect();
    assert!(
        only.iter().all(|name| known.contains(name)),
        "ONLY takes {}",
        names()
    );
    let mut bench = Bench::start();
    if let Some(path) = std::env::var_os("FLAME_GRAPH") {
        bench.flame_graph(Path::new(&path));
        return;
    }
    let mut report = Report::default();
    for name in known {
        if only.is_empty() || only.contains(&name) {
            println!("{name}");
            bench.measure(name, &mut report);
        }
    }
    println!("\n{}", report.tables());
    let kept = services::repository().join("target/bench.json");
    report.write(&kept);
    println!("written to target/bench.json");
    if std::env::var_os("UPDATE").is_some() {
        keep(report);
    }
}

/// As one of the last runs in the documents.
fn keep(report: Report) {
    let docs = services::repository().join("docs");
    let (results, document) = (docs.join("benchmarks.json"), docs.join("benchmarks.md"));
    let report = Report::read(&results).and(report);
    report.write(&results);
    let text = fs::read_to_string(&document).expect("docs/benchmarks.md");
    fs::write(&document, report.inserted(&text)).expect("docs/benchmarks.md");
    report.draw(&docs.join("end-to-end.svg"));
    println!("written to docs/benchmarks.json, .md and end-to-end.svg");
}
