//! Where measured results are kept: members of `docs/benchmarks.json`, marked places of `docs/benchmarks.md`, and a chart.

use std::fs;
use std::path::Path;

use plotters::prelude::*;
use serde_json::{Map, Value};

/// What stands under a name in a file of results.
pub fn read(file: &Path, name: &str) -> Option<Value> {
    members(file).remove(name)
}

/// Puts it there; what else is in the file stays.
pub fn write(file: &Path, name: &str, results: Value) {
    let mut members = members(file);
    members.insert(name.to_owned(), results);
    let text = serde_json::to_string_pretty(&members).expect("plain members");
    fs::write(file, text + "\n").expect("a file that can be written");
}

fn members(file: &Path) -> Map<String, Value> {
    match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).expect("an object of results"),
        Err(_) => Map::new(),
    }
}

/// The document with `text` in the place that has this name: between `<!-- name: … -->` and `<!-- name: end -->`.
pub fn inserted(document: &str, name: &str, text: &str) -> String {
    let place = || {
        let begin = document.find(&format!("<!-- {name}: "))?;
        let begin = begin + document.get(begin..)?.find('\n')?;
        let end = document.find(&format!("<!-- {name}: end -->"))?;
        Some((document.get(..begin)?, document.get(end..)?))
    };
    let (before, behind) = place().unwrap_or_else(|| panic!("no place for {name}"));
    format!("{before}\n{}\n{behind}", text.trim_end())
}

/// Model of the CPU and number of its cores.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = cpus.lines();
    let model = lines.find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unknown CPU", |model| {
        model.trim_start_matches([' ', '\t', ':'])
    });
    let cores = cpus.lines().filter(|line| line.starts_with("processor"));
    format!("{model}, {} cores", cores.count())
}

/// What was measured, what is promised of it, and what is aimed at. Where less is better the last is the least.
#[derive(Debug, Clone)]
pub struct Bar {
    pub label: String,
    pub value: f64,
    pub floor: f64,
    pub stretch: f64,
}

impl Bar {
    /// How many times as good as promised.
    fn times(&self, value: f64) -> f64 {
        match self.stretch < self.floor {
            true => self.floor / value,
            false => value / self.floor,
        }
    }
}

const WIDTH: u32 = 960;
const LINE: u32 = 34;
const HEAD: u32 = 64;
const LEFT: u32 = 470;
const SPAN: f64 = 420.0;
const INK: RGBColor = RGBColor(68, 76, 86);
const GOOD: RGBColor = RGBColor(46, 125, 110);
const MISSED: RGBColor = RGBColor(190, 70, 60);
/// Farther than this a bar says nothing more.
const MOST: f64 = 4.0;

/// Draws each as a bar: its length is how many times as good as promised it is, a tick is the aim.
pub fn draw(file: &Path, title: &str, bars: &[Bar]) {
    let lines = u32::try_from(bars.len()).expect("few bars");
    let height = HEAD + LINE * lines + 30;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    let drawn = drawn(&area, title, bars).and_then(|()| area.present());
    drawn.expect("a file that can be written");
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn drawn(area: &Area<'_>, title: &str, bars: &[Bar]) -> Drawn {
    area.fill(&WHITE)?;
    let text = |text: &str, size: u32, x: i32, y: i32| {
        let style = ("sans-serif", size).into_font().color(&INK);
        area.draw_text(text, &style, (x, y))
    };
    text(title, 20, 16, 14)?;
    text(
        "bar: times the floor · line: floor · tick: stretch",
        13,
        16,
        40,
    )?;
    for (bar, y) in bars.iter().zip((i64::from(HEAD)..).step_by(34)) {
        let y = i32::try_from(y).expect("few bars");
        let end = x_of(bar.times(bar.value));
        let colour = if bar.times(bar.value) < 1.0 {
            MISSED
        } else {
            GOOD
        };
        area.draw(&Rectangle::new(
            [(x_of(0.0), y), (end, y + 20)],
            colour.filled(),
        ))?;
        let aim = x_of(bar.times(bar.stretch));
        area.draw(&PathElement::new(
            [(aim, y - 2), (aim, y + 22)],
            INK.stroke_width(2),
        ))?;
        text(&bar.label, 13, 16, y + 4)?;
        text(&short(bar.value), 13, end.max(aim) + 6, y + 4)?;
    }
    let bottom = i32::try_from(area.dim_in_pixel().1).expect("a small picture") - 24;
    let floor = x_of(1.0);
    area.draw(&PathElement::new(
        [(floor, 56), (floor, bottom)],
        INK.stroke_width(1),
    ))
}

#[allow(clippy::cast_possible_truncation, reason = "pixels")]
fn x_of(times: f64) -> i32 {
    (f64::from(LEFT) + times.min(MOST) / MOST * SPAN) as i32
}

/// With three digits that say something, or all before the point.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_stands_around_a_place() {
        let document =
            "a\n<!-- x: by hand -->\nold\n<!-- x: end -->\nb\n<!-- y: too -->\n<!-- y: end -->\n";
        let expected =
            "a\n<!-- x: by hand -->\nnew\n<!-- x: end -->\nb\n<!-- y: too -->\n<!-- y: end -->\n";
        assert_eq!(inserted(document, "x", "new\n"), expected);
        assert_eq!(inserted(expected, "x", "new"), expected);
    }

    #[test]
    fn a_file_keeps_the_members_of_others() {
        let file = crate::services::scratch("results").join("results.json");
        write(&file, "a", 1.into());
        write(&file, "b", 2.into());
        write(&file, "a", 3.into());
        assert_eq!(
            [read(&file, "a"), read(&file, "b")],
            [3, 2].map(|n| Some(n.into()))
        );
        assert_eq!(read(&file, "c"), None);
    }

    #[test]
    fn a_bar_is_as_long_as_it_is_better_than_promised() {
        let bar = |value, floor, stretch| Bar {
            label: "<x>".to_owned(),
            value,
            floor,
            stretch,
        };
        assert!((bar(5.0, 2.5, 4.5).times(5.0) - 2.0).abs() < 1e-9);
        assert!((bar(48.0, 96.0, 72.0).times(48.0) - 2.0).abs() < 1e-9);
        let file = crate::services::scratch("chart").join("chart.svg");
        draw(&file, "Title", &[bar(5.0, 2.5, 4.5), bar(97.0, 96.0, 72.0)]);
        let svg = fs::read_to_string(&file).unwrap();
        for part in [
            "<svg",
            "Title",
            "&lt;x&gt;",
            "5.00",
            "97.0",
            "#2E7D6E",
            "#BE463C",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }
}
