//! What is measured, one name each, and what is promised of it.

mod latency;
mod limited;
mod many;
mod partitions;
mod real;
mod stages;
mod writers;

use super::Bench;
use super::report::Report;

type Measure = fn(&mut Bench, &mut Report);

/// In the order in which they are measured. Medians of three are of runs that take turns.
pub(super) const ROWS: [(&str, Measure); 8] = [
    ("w768", stages::w768),
    ("w8", stages::w8),
    ("limited", limited::measure),
    ("writers", writers::measure),
    ("collections", many::measure),
    ("partitions", partitions::measure),
    ("latency", latency::measure),
    ("milvus", real::measure),
];

/// The median counts.
const ROUNDS: usize = 5;
