//! How little the sink takes: memory while idle, time to its first row. `make footprint` measures the release binary.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use testkit::wait;

use crate::support::{Job, SOON, article};

#[test]
fn an_idle_sink_stays_small_and_sleeps() {
    let job = Job::on_lite("idle", 4);
    let sink = job.start();
    sink.await_readyz(200, SOON);
    let size = || sink.rss_kib() / 1024;
    let (start, woken) = (Instant::now(), wake_ups(sink.pid(), "consumer"));
    wait::throughout(Duration::from_secs(3), "at most 60 MiB", || size() <= 60);
    let woken = wake_ups(sink.pid(), "consumer") - woken;
    // 40 times to look around, and what librdkafka and the commit thread have to say.
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        f64::from(woken) <= 100.0 * seconds,
        "{woken} in {seconds} s"
    );
}

/// How often the thread of this name has gone to sleep.
fn wake_ups(pid: u32, name: &str) -> u32 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let mut threads = threads.map(|thread| thread.unwrap().path());
    let thread = threads.find(|thread| read(thread.join("comm")).trim() == name);
    let status = read(thread.expect("a thread of this name").join("status"));
    let mut lines = status.lines();
    let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.unwrap().trim().parse().unwrap()
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
