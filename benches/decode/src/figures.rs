//! What was measured of each workload, as `docs/benchmarks.json` holds it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The member of the file that is ours; others are left as they are.
const MEMBER: &str = "decoding";

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
        let decoding = members(path).remove(MEMBER)?;
        Some(serde_json::from_value(decoding).expect("figures of decoding"))
    }

    /// In place of those that the file has.
    pub fn write(&self, path: &Path) {
        let mut members = members(path);
        let decoding = serde_json::to_value(self).expect("plain members");
        members.insert(MEMBER.to_owned(), decoding);
        let text = serde_json::to_string_pretty(&members).expect("plain members");
        fs::write(path, text + "\n").expect("a file that can be written");
    }
}

fn members(path: &Path) -> Map<String, Value> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).expect("an object of results"),
        Err(_) => Map::new(),
    }
}

/// Model of the CPU and number of its cores.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unknown CPU", |model| {
        model.trim_start_matches([' ', '\t', ':'])
    });
    let cores = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    format!("{model}, {cores} cores")
}

/// Enough of them for a reader; the file needs no more either.
pub fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
