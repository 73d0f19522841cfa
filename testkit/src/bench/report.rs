//! What was measured against what is promised: a table, and JSON.

use serde_json::{Value, json};

/// Above this part of the machine in other hands nothing is claimed.
const BUSY: f64 = 0.10;

/// What is promised of a measure, and what is aimed at.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub measure: &'static str,
    pub unit: &'static str,
    pub floor: f64,
    pub stretch: f64,
}

impl Target {
    /// Where less is better, the stretch is below the floor.
    fn reaches(&self, value: f64, bound: f64) -> bool {
        if self.stretch < self.floor {
            value <= bound
        } else {
            value >= bound
        }
    }

    fn verdict(&self, value: f64) -> &'static str {
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

#[derive(Debug)]
struct Row {
    target: Target,
    value: f64,
    /// The part of the machine that others had meanwhile.
    others: f64,
}

impl Row {
    /// On a machine that others use nothing is claimed: what it looks like has a question mark.
    fn verdict(&self) -> String {
        let verdict = self.target.verdict(self.value);
        match self.others > BUSY {
            true => format!("busy, {verdict}?"),
            false => verdict.to_owned(),
        }
    }
}

/// A figure that no promise is about.
#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    others: f64,
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    figures: Vec<Figure>,
}

impl Report {
    /// Says and keeps a figure; `others` is the part of the machine that others had meanwhile.
    #[allow(clippy::print_stdout, reason = "the tool's output")]
    pub fn figure(&mut self, name: impl Into<String>, value: f64, unit: &'static str, others: f64) {
        let name = name.into();
        let (value_text, others_percent) = (number(value), others * 100.0);
        println!("  {name:<44} {value_text:>10} {unit:<12} others {others_percent:.0} %");
        self.figures.push(Figure {
            name,
            value,
            unit,
            others,
        });
    }

    /// Keeps what a target is about.
    pub fn row(&mut self, target: Target, value: f64, others: f64) {
        self.rows.push(Row {
            target,
            value,
            others,
        });
    }

    /// In Markdown, as in docs/benchmarks.md.
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| measure | measured | floor | stretch | verdict | others |\n|---|---:|---:|---:|---|---:|\n",
        );
        for row in &self.rows {
            let Target {
                measure,
                unit,
                floor,
                stretch,
            } = row.target;
            let [value, floor, stretch] =
                [row.value, floor, stretch].map(|value| with_unit(value, unit));
            let (verdict, others) = (row.verdict(), row.others * 100.0);
            table.push_str(&format!(
                "| {measure} | {value} | {floor} | {stretch} | {verdict} | {others:.0} % |\n"
            ));
        }
        table
    }

    pub fn json(&self, machine: &str) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "measure": row.target.measure,
                "unit": row.target.unit,
                "measured": row.value,
                "floor": row.target.floor,
                "stretch": row.target.stretch,
                "verdict": row.verdict(),
                "others": row.others,
            })
        });
        let figures = self.figures.iter().map(|figure| {
            json!({
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "others": figure.others,
            })
        });
        json!({
            "machine": machine,
            "rows": rows.collect::<Vec<_>>(),
            "figures": figures.collect::<Vec<_>>(),
        })
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        _ => format!("{} {unit}", number(value)),
    }
}

/// With three digits that say something, or all before the point.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn the_verdict_is_by_floor_and_stretch_and_claims_nothing_on_a_busy_machine() {
        for (target, value, others, expected) in [
            (MORE, 95.0, 0.1, "stretch"),
            (MORE, 94.9, 0.1, "floor"),
            (MORE, 84.9, 0.0, "MISSED"),
            (LESS, 72.0, 0.0, "stretch"),
            (LESS, 96.0, 0.0, "floor"),
            (LESS, 96.1, 0.0, "MISSED"),
            (LESS, 96.1, 0.11, "busy, MISSED?"),
            (MORE, 95.0, 0.5, "busy, stretch?"),
        ] {
            let row = Row {
                target,
                value,
                others,
            };
            assert_eq!(row.verdict(), expected, "{value} of {target:?}");
        }
    }

    #[test]
    fn table_and_json_have_every_row() {
        let mut report = Report::default();
        report.row(MORE, 90.26, 0.02);
        report.figure("sink", 1234.5, "rows/s", 0.02);
        let table = report.table();
        let line = "| rate | 90.3 % | 85.0 % | 95.0 % | floor | 2 % |";
        assert!(table.lines().any(|found| found == line), "{table}");
        let json = report.json("a machine");
        assert_eq!(json["rows"][0]["measured"], 90.26);
        assert_eq!(json["figures"][0]["name"], "sink");
        assert_eq!(json["machine"], "a machine");
    }
}
