//! Whether the sink has become slower than `docs/benchmarks.json` says.

use crate::figures::{Figures, Spread, WorkloadFigures};

/// A ratio may fall by this part: the machine is not quiet.
const RATIO_LOSS: f64 = 0.15;
/// Instructions may grow by this part, and allocations too: they hardly depend on anything.
const GROWTH: f64 = 0.05;
/// What a hash table or a buffer more or less makes of the allocations.
const ALLOCATIONS: f64 = 0.01;

/// What has become worse, a sentence each.
pub fn losses(recorded: &Figures, now: &Figures) -> Vec<String> {
    let mut losses = Vec::new();
    for now in &now.workloads {
        match recorded.of(&now.workload) {
            Some(recorded) => losses.extend(of_workload(recorded, now)),
            None => losses.push(format!("{}: nothing is recorded", now.workload)),
        }
    }
    losses
}

fn of_workload(recorded: &WorkloadFigures, now: &WorkloadFigures) -> Vec<String> {
    let (before, after) = (&recorded.ratios, &now.ratios);
    let mut found = vec![
        ratio("serde_json Value", Some(before.tree), Some(after.tree)),
        ratio("a serde visitor", Some(before.visitor), Some(after.visitor)),
        ratio(
            "fast-float2 on the numbers alone",
            before.floats,
            after.floats,
        ),
    ];
    let counts = (
        recorded.instructions_per_record,
        now.instructions_per_record,
    );
    if let (Some(before), Some(after)) = counts {
        found.push(count("instructions", before, after, 0.0, 0));
    }
    let (before, after) = (recorded.allocations_per_record, now.allocations_per_record);
    found.push(count("allocations", before, after, ALLOCATIONS, 2));
    let losses = found.into_iter().flatten();
    losses
        .map(|loss| format!("{}: {loss}", now.workload))
        .collect()
}

fn ratio(peer: &str, before: Option<Spread>, after: Option<Spread>) -> Option<String> {
    let (before, after) = (before?.median, after?.median);
    let loss = 1.0 - after / before;
    (loss > RATIO_LOSS).then(|| {
        let percent = loss * 100.0;
        format!(
            "{after:.2} times as fast as {peer}, and {before:.2} times before: {percent:.0} % less"
        )
    })
}

fn count(what: &str, before: f64, after: f64, slack: f64, digits: usize) -> Option<String> {
    (after > before * (1.0 + GROWTH) + slack)
        .then(|| format!("{after:.digits$} {what} per record, and {before:.digits$} before"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Ratios;

    const NONE: [&str; 0] = [];

    fn figures(change: impl FnOnce(&mut WorkloadFigures)) -> Figures {
        let spread = |median| Spread {
            median,
            least: median / 2.0,
            most: median * 2.0,
        };
        let mut workload = WorkloadFigures {
            workload: "W768".to_owned(),
            bytes_per_record: 10_000.0,
            records_per_second: 1e5,
            ns_per_float: Some(13.0),
            ratios: Ratios {
                tree: spread(4.0),
                visitor: spread(3.0),
                floats: Some(spread(1.5)),
            },
            allocations_per_record: 0.01,
            instructions_per_record: Some(40_000.0),
        };
        change(&mut workload);
        Figures {
            machine: "here".to_owned(),
            workloads: vec![workload],
        }
    }

    #[test]
    fn what_has_become_slower_is_named_and_noise_is_not() {
        let check = |change: fn(&mut WorkloadFigures), expected: &[&str]| {
            let losses = losses(&figures(|_| {}), &figures(change));
            assert_eq!(losses, expected);
        };
        check(|_| {}, &NONE);
        check(|now| now.ratios.tree.median = 3.41, &NONE);
        check(
            |now| now.ratios.tree.median = 3.39,
            &["W768: 3.39 times as fast as serde_json Value, and 4.00 times before: 15 % less"],
        );
        check(
            |now| now.ratios.visitor.median = 1.5,
            &["W768: 1.50 times as fast as a serde visitor, and 3.00 times before: 50 % less"],
        );
        check(
            |now| now.ratios.floats.as_mut().unwrap().median = 1.2,
            &[
                "W768: 1.20 times as fast as fast-float2 on the numbers alone, and 1.50 times before: 20 % less",
            ],
        );
        check(|now| now.instructions_per_record = Some(41_900.0), &NONE);
        check(
            |now| now.instructions_per_record = Some(42_100.0),
            &["W768: 42100 instructions per record, and 40000 before"],
        );
        check(|now| now.allocations_per_record = 0.02, &NONE);
        check(
            |now| now.allocations_per_record = 1.0,
            &["W768: 1.00 allocations per record, and 0.01 before"],
        );
        check(
            |now| {
                // The absolute figures are the machine's.
                now.records_per_second = 1.0;
                now.ns_per_float = Some(1e6);
                now.ratios.tree.median = 9.0;
                now.instructions_per_record = Some(1.0);
            },
            &NONE,
        );
        check(
            |now| now.workload = "W8".to_owned(),
            &["W8: nothing is recorded"],
        );
    }
}
