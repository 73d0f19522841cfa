//! A thousand partitions: memory with a backlog, memory while Milvus is held, and what it costs when nothing comes.

use std::time::{Duration, Instant};

use super::super::Bench;
use super::super::report::{Report, Target};
use super::super::sink::Job;
use super::super::usage;
use crate::null_milvus::Options;
use crate::wait;
use crate::workload::Workload;

const PARTITIONS: i32 = 1000;
const RECORDS: u64 = 100_000;
const BATCH: u32 = 16 << 10;
const HELD: Duration = Duration::from_secs(60);
/// After the last row, until commits and timers are at rest.
const SETTLES: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(20);

const BACKLOG: Target = Target {
    measure: "peak RSS, 1,000 partitions with backlog",
    unit: "MiB",
    floor: 192.0,
    stretch: 128.0,
};
const WHILE_HELD: Target = Target {
    measure: "peak RSS, 1,000 partitions, Milvus held for 60 s",
    ..BACKLOG
};
const AT_REST: Target = Target {
    measure: "1,000 idle partitions, of one core",
    unit: "%",
    floor: 2.0,
    stretch: 1.0,
};

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let topic = bench.topic_in(Workload::W768, RECORDS, PARTITIONS, BATCH);
    let job = Job::new(&topic, Options::new(Workload::W768));

    let running = bench.start_sink(&job);
    running.await_rows(RECORDS);
    let run = running.measured();
    let rate = run.counts.rows_per_second();
    report.figure("1,000 partitions: backlog", rate, "rows/s", run.others);
    report.figure(
        "1,000 partitions: CPU",
        run.cpu_per_million,
        "s/million",
        run.others,
    );
    report.row(BACKLOG, run.peak_rss_mib, run.others);
    pass(SETTLES);
    let others = usage::Others::than([bench.kafka.pid(), running.milvus.pid(), running.sink.pid()]);
    let before = running.cpu();
    pass(IDLE);
    let idle = (running.cpu() - before).as_secs_f64() / IDLE.as_secs_f64();
    report.row(AT_REST, idle * 100.0, others.share());
    drop(running);

    let running = bench.start_sink(&job);
    running.await_rows(1);
    running.milvus.freeze();
    pass(HELD);
    report.row(WHILE_HELD, running.peak_rss_mib(), running.others());
    running.milvus.resume();
    running.await_rows(RECORDS); // and what was read before is not lost
}

fn pass(time: Duration) {
    let start = Instant::now();
    wait::until(2 * time, "time to pass", || start.elapsed() >= time);
}
