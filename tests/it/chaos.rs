//! A minute in which everything fails that can, and nothing is lost: what `make chaos` does for longer.

use std::path::Path;
use std::time::Duration;

use testkit::chaos::{Kind, Plan, run};
use testkit::kafka::Cluster;

use crate::support::SINK;

/// One in whose minute every kind of fault is made.
const SEED: u64 = 30;

#[test]
fn after_a_minute_of_faults_every_key_has_its_last_value_and_every_bad_record_its_letter() {
    let number = |name: &str, default| {
        let given = std::env::var(name).ok();
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let plan = Plan {
        binary: Path::new(SINK),
        seed: number("CHAOS_SEED", SEED),
        length: Duration::from_secs(number("CHAOS_SECONDS", 60)),
        milvus: Kind::Lite,
        rate: 200,
        say: |line| println!("{line}"),
    };
    let (report, _cluster) = run(&plan, Cluster::start());
    assert!(report.looks > 10, "{report}");
}
