//! How little the sink takes: memory while idle, time to its first row. `make footprint` measures the release binary.

use std::time::{Duration, Instant};

use testkit::wait;

use crate::support::{Job, SOON, article};

#[test]
fn an_idle_sink_stays_small() {
    let job = Job::on_lite("idle", 4);
    let sink = job.start();
    sink.await_readyz(200, SOON);
    let size = || sink.rss_kib() / 1024;
    wait::throughout(Duration::from_secs(3), "at most 60 MiB", || size() <= 60);
}

#[test]
fn the_first_row_comes_within_seconds() {
    let job = Job::on_lite("first_row", 1);
    job.topic.produce_json(&article(1));
    let start = Instant::now();
    let _sink = job.start();
    job.milvus.await_count(&job.collection, 1, SOON);
    let took = start.elapsed();
    assert!(took <= Duration::from_secs(6), "{took:?}");
}
