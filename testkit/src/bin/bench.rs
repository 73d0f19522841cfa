//! `make bench`: how fast the sink is from end to end, beside its parts alone. `ONLY=w768,latency` for some of it.
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
    println!("\n{}", report.table());
    let json = report.json(&machine());
    let path = services::repository().join("target/bench.json");
    let text = serde_json::to_string_pretty(&json).expect("JSON");
    fs::write(&path, text + "\n").expect("target/bench.json can be written");
    println!("written to target/bench.json");
}

/// Cores, and their name.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    let names: Vec<&str> = names
        .map(|name| name.trim_matches([' ', '\t', ':']))
        .collect();
    let first = names.first().copied().unwrap_or("unknown processors");
    format!("{} × {first}", names.len())
}
