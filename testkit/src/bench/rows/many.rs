//! A hundred collections of equal traffic, against one, at 20 ms.

use std::time::Duration;

use super::super::report::{Report, Target};
use super::super::sink::Job;
use super::super::{Bench, Bodies, MIB, fill, median};
use super::ROUNDS;
use crate::kafka::Topic;
use crate::null_milvus::Options;
use crate::workload::Workload;

const COLLECTIONS: u64 = 100;
const RECORDS: u64 = 100_000;
/// What is left then would be that of a few collections alone.
const MOST: u64 = RECORDS / 10 * 9;

const RATIO: Target = Target {
    measure: "100 collections ÷ one, W768, 20 ms",
    unit: "",
    floor: 0.5,
    stretch: 0.8,
};

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let one = bench.topic(Workload::W768, RECORDS, 1);
    let bodies = Bodies::new(Workload::W768);
    let fill = |_| {
        let topic = bench.kafka.topic("bench", 1);
        fill::fill(&topic, &bodies, RECORDS / COLLECTIONS, MIB / 2);
        topic
    };
    let many: Vec<Topic> = (0..COLLECTIONS).map(fill).collect();
    let milvus = Options {
        latency: Duration::from_millis(20),
        ..Options::new(Workload::W768)
    };
    let mut ratios = Vec::new();
    let mut others = Vec::new();
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let single = bench.run_sink(&Job::new(&one, milvus.clone()), MOST);
        let job = Job {
            topics: &many,
            ..Job::new(&one, milvus.clone())
        };
        let hundred = bench.run_sink(&job, MOST);
        let rate = [&single, &hundred].map(|run| run.counts.rows_per_second());
        rates[0].push(rate[0]);
        rates[1].push(rate[1]);
        ratios.push(rate[1] / rate[0]);
        others.extend([single.others, hundred.others]);
    }
    let others = median(others);
    let [single, hundred] = rates.map(median);
    report.figure("one collection, 20 ms", single, "rows/s", others);
    report.figure("100 collections, 20 ms", hundred, "rows/s", others);
    report.row(RATIO, median(ratios), others);
}
