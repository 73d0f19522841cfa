//! One partition to a server that answers after 100 ms and takes 48 MB/s at most: the share of that limit.

use std::time::Duration;

use super::super::report::{Report, Target};
use super::super::sink::Job;
use super::super::{Bench, median};
use super::ROUNDS;
use crate::null_milvus::Options;
use crate::workload::Workload;

const RECORDS: u64 = 150_000;
/// Some seconds at that rate.
const ROWS: u64 = 100_000;
const RATE: u32 = 48_000_000;

const SHARE: Target = Target {
    measure: "W768, one partition, answers after 100 ms, 48 MB/s at most: share of that",
    unit: "%",
    floor: 85.0,
    stretch: 95.0,
};

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let topic = bench.topic(Workload::W768, RECORDS, 1);
    let job = Job::new(
        &topic,
        Options {
            latency: Duration::from_millis(100),
            bytes_per_second: Some(RATE),
            ..Options::new(Workload::W768)
        },
    );
    let runs: Vec<_> = (0..ROUNDS).map(|_| bench.run_sink(&job, ROWS)).collect();
    let share = |run: f64| run / f64::from(RATE) * 100.0;
    let shares = runs.iter().map(|run| share(run.counts.bytes_per_second()));
    let others = median(runs.iter().map(|run| run.others).collect());
    let in_flight = median(runs.iter().map(|run| run.in_flight).collect());
    let share = median(shares.collect());
    report.figure("limited: share of 48 MB/s", share, "%", others);
    report.figure("limited: requests under way", in_flight, "", others);
    report.row(SHARE, share, others);
}
