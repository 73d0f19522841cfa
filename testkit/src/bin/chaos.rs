//! `make chaos SECONDS=600 SEED=…`: sinks, brokers and Milvus fail for so long, and then everything is looked for.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use testkit::chaos::{Kind, Plan, run};
use testkit::kafka::Cluster;

/// After so long it is looked at, and goes on with the other Milvus.
const LONGEST_ROUND: u64 = 300;

fn main() {
    let number = |name: &str, default: u64| match std::env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().expect("a whole number"),
        _ => default,
    };
    let seconds = number("CHAOS_SECONDS", 600);
    let seed = number(
        "CHAOS_SEED",
        RandomState::new().hash_one("seed") % 1_000_000,
    );
    let own = std::env::current_exe().expect("a path of its own");
    let binary = own.with_file_name("kafka-milvus-sink");
    println!("make chaos SECONDS={seconds} SEED={seed}");
    let kinds = match std::env::var("MILVUS").as_deref() {
        Ok("lite") => [Kind::Lite; 2],
        Ok("2.3.5") => [Kind::Standalone; 2],
        _ => [Kind::Lite, Kind::Standalone],
    };
    let rounds = seconds.div_ceil(LONGEST_ROUND).max(1);
    let mut cluster = Cluster::start();
    let mut reports = Vec::new();
    for round in 0..rounds {
        let plan = Plan {
            binary: &binary,
            seed: seed.wrapping_add(round),
            length: Duration::from_secs(seconds / rounds),
            milvus: kinds[usize::from(round % 2 == 1)],
            rate: 200,
            say: |line| println!("{line}"),
        };
        let (report, after) = run(&plan, cluster);
        println!("{report}");
        cluster = after;
        reports.push(report);
    }
    for report in reports {
        println!("{report}");
    }
}
