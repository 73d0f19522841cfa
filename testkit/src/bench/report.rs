//! What was measured against what is promised: tables, and what `docs/benchmarks.json` keeps of the last runs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::results::{self, Bar, short};

/// Above this part of the machine in other hands nothing is claimed.
const BUSY: f64 = 0.10;
/// As many runs of each measure are kept.
const RUNS: usize = 3;
/// The member of the file that is ours.
const MEMBER: &str = "end_to_end";

/// What is promised of a measure, and what is aimed at.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub measure: &'static str,
    pub unit: &'static str,
    pub floor: f64,
    pub stretch: f64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Bounds {
    floor: f64,
    stretch: f64,
}

impl Bounds {
    /// Where less is better, the stretch is below the floor.
    fn reaches(self, value: f64, bound: f64) -> bool {
        if self.stretch < self.floor {
            value <= bound
        } else {
            value >= bound
        }
    }

    fn verdict(self, value: f64) -> &'static str {
        match (
            self.reaches(value, self.stretch),
            self.reaches(value, self.floor),
        ) {
            (true, _) => "stretch",
            (false, true) => "floor",
            (false, false) => "MISSED",
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Run {
    value: f64,
    /// The part of the machine that others had meanwhile.
    others: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Measure {
    name: String,
    unit: String,
    /// Nothing is promised of a plain figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounds: Option<Bounds>,
    /// The last one is the newest.
    runs: Vec<Run>,
}

impl Measure {
    /// The run that comes off worst, and what that is worth. On a machine that others use nothing is claimed: what it looks
    /// like has a question mark.
    fn verdict(&self) -> Option<String> {
        let bounds = self.bounds?;
        let rank = |run: &&Run| match bounds.verdict(run.value) {
            "stretch" => 2,
            "floor" => 1,
            _ => 0,
        };
        let worst = self.runs.iter().min_by_key(rank)?;
        let verdict = bounds.verdict(worst.value);
        Some(match self.runs.iter().any(|run| run.others > BUSY) {
            true => format!("busy, {verdict}?"),
            false => verdict.to_owned(),
        })
    }

    fn values(&self) -> String {
        let values: Vec<String> = self.runs.iter().map(|run| short(run.value)).collect();
        with_unit(values.join(" · "), &self.unit)
    }

    fn bar(&self) -> Option<Bar> {
        let Bounds { floor, stretch } = self.bounds?;
        let mut values: Vec<f64> = self.runs.iter().map(|run| run.value).collect();
        values.sort_by(f64::total_cmp);
        Some(Bar {
            label: self.name.clone(),
            value: *values.get(values.len() / 2)?,
            floor,
            stretch,
        })
    }
}

/// All that was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    machine: String,
    measures: Vec<Measure>,
}

impl Report {
    /// Says and keeps a figure; `others` is the part of the machine that others had meanwhile.
    #[allow(clippy::print_stdout, reason = "the tool's output")]
    pub fn figure(&mut self, name: impl Into<String>, value: f64, unit: &str, others: f64) {
        let name = name.into();
        let (value_text, others_percent) = (short(value), others * 100.0);
        println!("  {name:<44} {value_text:>10} {unit:<12} others {others_percent:.0} %");
        self.push(name, unit, None, Run { value, others });
    }

    /// Keeps what a target is about.
    pub fn row(&mut self, target: Target, value: f64, others: f64) {
        let Target { floor, stretch, .. } = target;
        let bounds = Some(Bounds { floor, stretch });
        self.push(
            target.measure.to_owned(),
            target.unit,
            bounds,
            Run { value, others },
        );
    }

    fn push(&mut self, name: String, unit: &str, bounds: Option<Bounds>, run: Run) {
        self.machine = results::machine();
        self.measures.push(Measure {
            name,
            unit: unit.to_owned(),
            bounds,
            runs: vec![run],
        });
    }

    /// What a file of results has.
    pub fn read(file: &Path) -> Report {
        let kept = results::read(file, MEMBER);
        let kept = kept.map(|kept| serde_json::from_value(kept).expect("results end to end"));
        kept.unwrap_or_default()
    }

    pub fn write(&self, file: &Path) {
        let kept = serde_json::to_value(self).expect("plain members");
        results::write(file, MEMBER, kept);
    }

    /// The last runs of each measure, with those of `newer`.
    #[must_use]
    pub fn and(mut self, newer: Report) -> Report {
        self.machine = newer.machine;
        for mut measure in newer.measures {
            let mut known = self.measures.iter_mut();
            match known.find(|known| known.name == measure.name) {
                Some(known) => {
                    measure.runs.splice(..0, known.runs.drain(..));
                    let gone = measure.runs.len().saturating_sub(RUNS);
                    measure.runs.drain(..gone);
                    *known = measure;
                }
                None => self.measures.push(measure),
            }
        }
        self
    }

    /// In Markdown, as in docs/benchmarks.md.
    pub fn tables(&self) -> String {
        let mut text = format!("{}.\n\n", self.machine);
        text += "| measure | measured | floor | stretch | verdict |\n|---|---:|---:|---:|---|\n";
        for measure in &self.measures {
            if let (Some(bounds), Some(verdict)) = (measure.bounds, measure.verdict()) {
                let bounds = [bounds.floor, bounds.stretch];
                let [floor, stretch] = bounds.map(|bound| with_unit(short(bound), &measure.unit));
                let (name, values) = (&measure.name, measure.values());
                text += &format!("| {name} | {values} | {floor} | {stretch} | {verdict} |\n");
            }
        }
        text += "\n| for orientation | |\n|---|---:|\n";
        for measure in self.measures.iter().filter(|m| m.bounds.is_none()) {
            text += &format!("| {} | {} |\n", measure.name, measure.values());
        }
        text
    }

    /// The document with these tables in their place.
    pub fn inserted(&self, document: &str) -> String {
        results::inserted(document, MEMBER, &self.tables())
    }

    /// Draws what there are promises of; of several runs the one in the middle.
    pub fn draw(&self, file: &Path) {
        let bars: Vec<Bar> = self.measures.iter().filter_map(Measure::bar).collect();
        results::draw(file, &format!("End to end: {}", self.machine), &bars);
    }
}

fn with_unit(value: String, unit: &str) -> String {
    match unit {
        "" => value,
        _ => format!("{value} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MORE: Target = Target {
        measure: "rate",
        unit: "%",
        floor: 85.0,
        stretch: 95.0,
    };
    const LESS: Target = Target {
        measure: "size",
        unit: "MiB",
        floor: 96.0,
        stretch: 72.0,
    };

    fn report(target: Target, runs: &[(f64, f64)]) -> Report {
        let mut all = Report::default();
        for (value, others) in runs {
            let mut report = Report::default();
            report.row(target, *value, *others);
            all = all.and(report);
        }
        all
    }

    #[test]
    fn the_verdict_is_by_floor_and_stretch_and_claims_nothing_on_a_busy_machine() {
        for (target, runs, expected) in [
            (MORE, &[(95.0, 0.1)][..], "stretch"),
            (MORE, &[(94.9, 0.1)], "floor"),
            (MORE, &[(84.9, 0.0)], "MISSED"),
            (LESS, &[(72.0, 0.0)], "stretch"),
            (LESS, &[(96.0, 0.0)], "floor"),
            (LESS, &[(96.1, 0.0)], "MISSED"),
            (LESS, &[(96.1, 0.11)], "busy, MISSED?"),
            (MORE, &[(95.0, 0.5)], "busy, stretch?"),
            (MORE, &[(99.0, 0.0), (90.0, 0.0), (99.0, 0.0)], "floor"),
            (MORE, &[(99.0, 0.0), (84.0, 0.0)], "MISSED"),
            // Before the last three.
            (
                MORE,
                &[(84.0, 0.2), (99.0, 0.0), (99.0, 0.0), (98.0, 0.0)],
                "stretch",
            ),
        ] {
            let report = report(target, runs);
            let verdict = report.measures[0].verdict();
            assert_eq!(verdict.as_deref(), Some(expected), "{runs:?} of {target:?}");
        }
    }

    #[test]
    fn what_is_kept_is_what_the_tables_show() {
        let mut report = report(MORE, &[(90.26, 0.02), (91.0, 0.0)]);
        report.figure("sink", 1234.5, "rows/s", 0.02);
        let file = crate::services::scratch("report").join("results.json");
        report.write(&file);
        let tables = Report::read(&file).tables();
        for line in [
            "| rate | 90.3 · 91.0 % | 85.0 % | 95.0 % | floor |",
            "| sink | 1234 rows/s |",
        ] {
            assert!(tables.lines().any(|found| found == line), "{tables}");
        }
        let bar = report.measures[0].bar().unwrap();
        assert!((bar.value - 91.0).abs() < 1e-9);
    }

    #[test]
    fn the_document_has_the_results_of_the_file() {
        let docs = crate::services::repository().join("docs");
        let document = fs::read_to_string(docs.join("benchmarks.md")).unwrap();
        let report = Report::read(&docs.join("benchmarks.json"));
        assert!(
            report.inserted(&document) == document,
            "run make bench UPDATE=1"
        );
        let drawn = crate::services::scratch("chart").join("end-to-end.svg");
        report.draw(&drawn);
        let [drawn, kept] =
            [&drawn, &docs.join("end-to-end.svg")].map(|svg| fs::read(svg).unwrap());
        assert!(drawn == kept, "run make bench UPDATE=1");
    }
}
