//! What was measured of each workload, as `docs/benchmarks.json` holds it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use testkit::results;

/// The member of the file that is ours; others are left as they are.
pub(crate) const MEMBER: &str = "decoding";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub machine: String,
    pub workloads: Vec<WorkloadFigures>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkloadFigures {
    pub workload: String,
    pub bytes_per_record: f64,
    /// Of one core, of its CPU time.
    pub records_per_second: f64,
    /// All of the work divided by the numbers in vectors; `None` where there are none.
    pub ns_per_float: Option<f64>,
    /// The peers' time by ours.
    pub ratios: Ratios,
    /// Once everything is warm.
    pub allocations_per_record: f64,
    /// `None` where they were not counted.
    pub instructions_per_record: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    pub tree: Spread,
    pub visitor: Spread,
    /// fast-float2 on the numbers alone.
    pub floats: Option<Spread>,
}

/// Over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// There must be one.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            median: values[values.len() / 2],
            least: values[0],
            most: values[values.len() - 1],
        }
    }
}

impl Figures {
    pub fn of(&self, workload: &str) -> Option<&WorkloadFigures> {
        let mut all = self.workloads.iter();
        all.find(|figures| figures.workload == workload)
    }

    /// Those of the file; `None` where it has none.
    pub fn read(path: &Path) -> Option<Self> {
        let decoding = results::read(path, MEMBER)?;
        Some(serde_json::from_value(decoding).expect("figures of decoding"))
    }

    /// In place of those that the file has.
    pub fn write(&self, path: &Path) {
        let decoding = serde_json::to_value(self).expect("plain members");
        results::write(path, MEMBER, decoding);
    }
}

/// Enough of them for a reader; the file needs no more either.
pub fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
