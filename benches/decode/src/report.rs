//! The figures as tables: on the terminal, and in `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::path::Path;

use testkit::results::{self, Bar};

use crate::figures::{Figures, MEMBER, Spread, WorkloadFigures};

/// Of a workload against a peer: at least the first is wanted, the second is the aim.
type Target = (
    &'static str,
    &'static str,
    fn(&WorkloadFigures) -> Option<Spread>,
    f64,
    f64,
);

const TARGETS: [Target; 6] = [
    ("W768", "serde_json `Value`", tree, 2.5, 4.5),
    ("W1536", "serde_json `Value`", tree, 2.4, 4.0),
    ("W768d", "serde_json `Value`", tree, 2.8, 4.5),
    ("WS", "serde_json `Value`", tree, 6.0, 7.0),
    ("W8", "serde_json `Value`", tree, 2.4, 3.2),
    (
        "W768",
        "fast-float2 on numbers cut out before",
        floats,
        1.25,
        2.2,
    ),
];

fn tree(figures: &WorkloadFigures) -> Option<Spread> {
    Some(figures.ratios.tree)
}

fn floats(figures: &WorkloadFigures) -> Option<Spread> {
    figures.ratios.floats
}

/// All of it, as Markdown.
pub fn tables(figures: &Figures) -> String {
    let mut text = format!(
        "{}.\n\n\
        | workload | bytes | records/s | ns per float | ÷ `Value` | ÷ visitor | ÷ fast-float2 | instructions | allocations |\n\
        |---|---|---|---|---|---|---|---|---|\n",
        figures.machine
    );
    for workload in &figures.workloads {
        row(&mut text, workload);
    }
    text += "\n| times as fast as | | now | floor | stretch |\n|---|---|---|---|---|\n";
    for (workload, peer, ratio, floor, stretch) in TARGETS {
        if let Some(now) = figures.of(workload).and_then(ratio) {
            let now = now.median;
            let verdict = match now {
                now if now >= stretch => "stretch reached",
                now if now >= floor => "floor holds",
                _ => "**missed**",
            };
            line(
                &mut text,
                format_args!("| {workload} | {peer} | {now:.2}: {verdict} | {floor} | {stretch} |"),
            );
        }
    }
    text
}

fn row(text: &mut String, figures: &WorkloadFigures) {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let spread = |spread: Spread| {
        let Spread {
            median,
            least,
            most,
        } = spread;
        format!("{median:.2} ({least:.2}–{most:.2})")
    };
    let cells = [
        figures.workload.clone(),
        format!("{:.0}", figures.bytes_per_record),
        format!("{:.0}", figures.records_per_second),
        number(figures.ns_per_float, 1),
        spread(figures.ratios.tree),
        spread(figures.ratios.visitor),
        figures.ratios.floats.map_or_else(|| "–".to_owned(), spread),
        number(figures.instructions_per_record, 0),
        number(Some(figures.allocations_per_record), 2),
    ];
    line(text, format_args!("| {} |", cells.join(" | ")));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes all");
}

/// The document with these tables in their place.
pub fn inserted(document: &str, figures: &Figures) -> String {
    results::inserted(document, MEMBER, &tables(figures))
}

/// Draws the ratios that there are promises of.
pub fn draw(file: &Path, figures: &Figures) {
    let bars = TARGETS.iter().filter_map(|target| {
        let (workload, peer, ratio, floor, stretch) = *target;
        Some(Bar {
            label: format!("{workload} ÷ {}", peer.replace('`', "")),
            value: figures.of(workload).and_then(ratio)?.median,
            floor,
            stretch,
        })
    });
    let title = format!("Decoding: {}", figures.machine);
    results::draw(file, &title, &bars.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_document_has_the_figures_of_the_file() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let document = fs::read_to_string(docs.join("benchmarks.md")).unwrap();
        let figures = Figures::read(&docs.join("benchmarks.json")).unwrap();
        assert!(
            inserted(&document, &figures) == document,
            "run make bench-check UPDATE=1"
        );
        let drawn = testkit::services::scratch("chart").join("decoding.svg");
        draw(&drawn, &figures);
        let [drawn, kept] = [&drawn, &docs.join("decoding.svg")].map(|svg| fs::read(svg).unwrap());
        assert!(drawn == kept, "run make bench-check UPDATE=1");
    }
}
