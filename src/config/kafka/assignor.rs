//! `partition.assignment.strategy`: Java's classes into librdkafka's names.

use super::client::Written;
use crate::config::report::Report;
use crate::config::values::parse_list;

/// Class names or librdkafka's. librdkafka does not mix eager and cooperative assignors, so of a mixture the eager ones stay.
pub(super) fn translate(written: Written<'_>, report: &mut Report) -> Option<String> {
    let mut eager = Vec::new();
    let mut cooperative = false;
    let classes = parse_list(&written.given.value);
    for class in &classes {
        match class.rsplit('.').next().unwrap_or_default() {
            "RangeAssignor" | "range" => eager.push("range"),
            "RoundRobinAssignor" | "roundrobin" => eager.push("roundrobin"),
            "CooperativeStickyAssignor" | "cooperative-sticky" => cooperative = true,
            "StickyAssignor" => {
                report.warn(format!(
                    "{}: StickyAssignor is not built in; range is used",
                    written.key
                ));
                eager.push("range");
            }
            _ => {
                let wanted = "RangeAssignor, RoundRobinAssignor or CooperativeStickyAssignor";
                report.invalid(written.key, written.given, wanted);
                return None;
            }
        }
    }
    match (eager.is_empty(), cooperative) {
        (true, true) => Some("cooperative-sticky".to_owned()),
        (true, false) => {
            report.invalid(written.key, written.given, "an assignor");
            None
        }
        (false, _) => {
            if cooperative {
                report.warn(format!(
                    "{}: eager and cooperative assignors do not mix here; {} is used",
                    written.key,
                    eager.join(",")
                ));
            }
            Some(eager.join(","))
        }
    }
}
