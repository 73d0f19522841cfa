//! Two writers on two cores: what a record costs then.

use super::super::report::{Report, Target};
use super::super::sink::{Job, Measured};
use super::super::{Bench, median};
use super::ROUNDS;
use crate::null_milvus::Options;
use crate::workload::Workload;

const RECORDS: u64 = 100_000;

const COST: Target = Target {
    measure: "CPU per W768 record, two writers on two cores ÷ one writer",
    unit: "",
    floor: 1.20,
    stretch: 1.08,
};

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let topic = bench.topic(Workload::W768, RECORDS, 2);
    let run = |bench: &Bench, writers: &str| {
        let settings = [("tasks.max", writers)];
        let job = Job {
            on_all_cores: true,
            settings: &settings,
            ..Job::new(&topic, Options::new(Workload::W768))
        };
        bench.run_sink(&job, RECORDS)
    };
    let mut ratios = Vec::new();
    let [mut ones, mut twos]: [Vec<Measured>; 2] = Default::default();
    for _ in 0..ROUNDS {
        let (one, two) = (run(bench, "1"), run(bench, "2"));
        ratios.push(two.cpu_per_million / one.cpu_per_million);
        ones.push(one);
        twos.push(two);
    }
    let others = ones.iter().chain(&twos).map(|run| run.others).collect();
    let others = median(others);
    for (name, runs) in [("one writer", &ones), ("two writers", &twos)] {
        let cpu = median(runs.iter().map(|run| run.cpu_per_million).collect());
        let rate = runs.iter().map(|run| run.counts.rows_per_second());
        report.figure(format!("{name}, two cores, CPU"), cpu, "s/million", others);
        let rate = median(rate.collect());
        report.figure(format!("{name}, two cores"), rate, "records/s", others);
    }
    report.row(COST, median(ratios), others);
}
