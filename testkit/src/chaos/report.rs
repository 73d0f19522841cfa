//! A run in figures.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::fleet::Tally;
use super::monitor::Counts;
use super::{Plan, World};

/// What was done in a run that found nothing wrong.
#[derive(Debug)]
pub struct Report {
    pub seed: u64,
    pub milvus: &'static str,
    pub length: Duration,
    /// How often each kind of fault was made.
    pub faults: BTreeMap<&'static str, u32>,
    pub records: i64,
    /// Records read more than once; of a process that was killed, what it read last is not in it.
    pub read_again: i64,
    /// Rows and deletes that Milvus acknowledged, as far as processes lived to say so.
    pub written: i64,
    pub processes: u64,
    pub assignments: u64,
    pub given_up: u64,
    /// How often committed offsets were compared with the rows, and rows with those before.
    pub looks: u64,
    pub in_order: u64,
    /// Rows that Milvus showed older than they were, and not when it was asked later.
    pub passing: usize,
    pub worst_recovery: Duration,
    pub time_to_no_lag: Duration,
    pub most_memory_kib: u64,
}

impl Report {
    /// `total` is from before the sinks were stopped.
    pub(super) fn new(world: &World, plan: &Plan<'_>, counts: Counts, total: Tally) -> Report {
        let records = world.producer.sent().iter().sum();
        Report {
            seed: plan.seed,
            milvus: plan.milvus.name(),
            length: plan.length,
            faults: world.journal.faults(),
            records,
            read_again: (total.read - records).max(0),
            written: total.written,
            processes: total.processes,
            assignments: total.assignments,
            given_up: total.given_up,
            looks: counts.looks,
            in_order: counts.in_order,
            passing: counts.passing,
            worst_recovery: world.journal.worst_recovery(),
            time_to_no_lag: world.journal.time_to_no_lag(),
            most_memory_kib: total.most_memory_kib,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { seed, milvus, .. } = self;
        let seconds = self.length.as_secs();
        writeln!(
            f,
            "seed {seed}, {seconds} s on {milvus}: nothing lost, nothing stale"
        )?;
        for (kind, times) in &self.faults {
            writeln!(f, "  {times:5}  {kind}")?;
        }
        let figures = [
            (self.records.to_string(), "records produced"),
            (self.read_again.to_string(), "of them read again, at least"),
            (
                self.written.to_string(),
                "rows and deletes acknowledged, at least",
            ),
            (self.processes.to_string(), "processes of the sink"),
            (self.assignments.to_string(), "assignments of partitions"),
            (self.given_up.to_string(), "partitions given up in a drain"),
            (
                self.looks.to_string(),
                "looks at commits and rows meanwhile",
            ),
            (
                self.in_order.to_string(),
                "rows compared with those seen before",
            ),
            (
                self.passing.to_string(),
                "of them older than what was known, and no longer when Milvus was asked again",
            ),
            (
                seconds_of(self.worst_recovery),
                "s at most from the end of a fault to the next commit",
            ),
            (
                seconds_of(self.time_to_no_lag),
                "s from the end of all faults to no lag",
            ),
            (
                (self.most_memory_kib / 1024).to_string(),
                "MiB of memory at most in a process",
            ),
        ];
        for (figure, what) in figures {
            writeln!(f, "  {figure:>5}  {what}")?;
        }
        Ok(())
    }
}

fn seconds_of(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}
