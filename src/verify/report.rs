//! What is said: lines for a person, or one JSON object each for a program.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::range::Resolved;
use super::reading::Counts;
use crate::key::Key;
use crate::topic_partition::TopicPartition;

/// A row that is not as the records say.
#[derive(Debug, Serialize)]
pub(super) struct Difference<'a> {
    pub(super) difference: &'static str,
    pub(super) collection: &'a str,
    #[serde(flatten)]
    pub(super) position: Option<Position<'a>>,
    pub(super) key_hash: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<&'a str>,
}

/// The record that says otherwise.
#[derive(Debug, Serialize)]
pub(super) struct Position<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Totals {
    pub(super) keys: u64,
    pub(super) missing: u64,
    pub(super) stale: u64,
    pub(super) undeleted: u64,
    pub(super) unexpected: u64,
    /// They differ, and a record behind the range changes them: not counted as differences.
    pub(super) changed_behind: u64,
}

impl Totals {
    pub(super) fn differences(&self) -> u64 {
        self.missing + self.stale + self.undeleted + self.unexpected
    }
}

#[derive(Serialize)]
struct Note<'a> {
    note: &'a str,
}

#[derive(Serialize)]
struct Last<'a> {
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Summary<'a> {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    records: u64,
    bad: u64,
    skipped: u64,
    #[serde(flatten)]
    totals: Totals,
    ranges: Vec<RangeRead<'a>>,
}

#[derive(Serialize)]
struct RangeRead<'a> {
    topic: &'a str,
    partition: i32,
    from: i64,
    to: i64,
}

/// The name of a key that does not tell it: the beginning of the SHA-256 of its text.
pub(super) fn key_hash(key: &Key) -> String {
    let digest = match key {
        Key::Int(number) => Sha256::digest(number.to_string()),
        Key::Text(text) => Sha256::digest(text.as_bytes()),
    };
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(super) struct Report<'a, W> {
    out: &'a mut W,
    json: bool,
    bar: ProgressBar,
    /// Of a position, for columns.
    widest: usize,
    pub(super) counts: Counts,
    pub(super) totals: Totals,
    ranges: Vec<Resolved>,
}

impl<'a, W: Write> Report<'a, W> {
    pub(super) fn new(out: &'a mut W, json: bool) -> Self {
        Self {
            out,
            json,
            bar: bar(),
            widest: 0,
            counts: Counts::default(),
            totals: Totals::default(),
            ranges: Vec::new(),
        }
    }

    /// A bar on a terminal, and nothing elsewhere.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    pub(super) fn begin(
        &mut self,
        kafka: &str,
        milvus: &str,
        ranges: &[Resolved],
    ) -> io::Result<()> {
        self.ranges = ranges.to_vec();
        let names = ranges
            .iter()
            .map(|resolved| resolved.range.partition.to_string());
        let widest = names.map(|name| name.len()).max().unwrap_or(0);
        // An at sign, and as many digits as most offsets have.
        self.widest = widest + 11;
        if self.json {
            return Ok(());
        }
        writeln!(self.out, "Kafka at {kafka}, Milvus at {milvus}")?;
        for resolved in ranges {
            let (range, ends) = (&resolved.range, resolved.ends);
            let name = range.partition.to_string();
            writeln!(
                self.out,
                "  {name:widest$}  from {}  to {} ({ends})",
                range.from, range.to
            )?;
        }
        let behind: i64 = ranges.iter().map(|resolved| resolved.behind).sum();
        if behind > 0 {
            writeln!(
                self.out,
                "  {behind} offsets behind the ranges are not expected to be in Milvus"
            )?;
        }
        writeln!(self.out)
    }

    pub(super) fn difference(&mut self, difference: &Difference<'_>) -> io::Result<()> {
        let count = match difference.difference {
            "missing" => &mut self.totals.missing,
            "stale" => &mut self.totals.stale,
            "undeleted" => &mut self.totals.undeleted,
            _ => &mut self.totals.unexpected,
        };
        *count += 1;
        if self.json {
            return self.line(&serde_json::to_string(difference)?);
        }
        let position = difference.position.as_ref().map_or(String::new(), |at| {
            let partition = TopicPartition::new(at.topic, at.partition);
            format!("{partition}@{}", at.offset)
        });
        let fields = match difference.fields.as_slice() {
            [] => String::new(),
            fields => format!("  fields {}", fields.join(", ")),
        };
        let line = format!(
            "✗ {:<10}  {position:widest$}  key {}  collection '{}'{fields}",
            difference.difference,
            difference.key_hash,
            difference.collection,
            widest = self.widest,
        );
        self.line(&line)
    }

    pub(super) fn note(&mut self, note: &str) -> io::Result<()> {
        if self.json {
            return self.line(&serde_json::to_string(&Note { note })?);
        }
        self.line(&format!("note: {note}"))
    }

    /// `reason`: why it could not be finished.
    pub(super) fn end(&mut self, reason: Option<&str>) -> io::Result<()> {
        self.bar.finish_and_clear();
        let result = match (reason, self.totals.differences()) {
            (Some(_), _) => "unfinished",
            (None, 0) => "same",
            (None, _) => "different",
        };
        if self.json {
            let summary = self.summary(result, reason);
            let line = serde_json::to_string(&Last { summary })?;
            return writeln!(self.out, "{line}");
        }
        let (counts, totals) = (self.counts, self.totals);
        if totals.differences() > 0 {
            writeln!(self.out)?;
        }
        writeln!(
            self.out,
            "{} records ({} bad, {} without a change), {} keys: {} missing, {} stale, {} undeleted, {} unexpected",
            counts.records,
            counts.bad,
            counts.skipped,
            totals.keys,
            totals.missing,
            totals.stale,
            totals.undeleted,
            totals.unexpected
        )?;
        if totals.changed_behind > 0 {
            writeln!(
                self.out,
                "{} keys differ that a record behind the range changes: they are not counted",
                totals.changed_behind
            )?;
        }
        match (reason, result) {
            (Some(reason), _) => writeln!(self.out, "not finished: {reason}"),
            (None, "same") => writeln!(self.out, "everything is there"),
            (None, _) => writeln!(
                self.out,
                "Milvus differs from the topics: see the lines marked with ✗"
            ),
        }
    }

    fn summary<'s>(&'s self, result: &'static str, reason: Option<&'s str>) -> Summary<'s> {
        let range = |resolved: &'s Resolved| RangeRead {
            topic: &resolved.range.partition.topic,
            partition: resolved.range.partition.partition,
            from: resolved.range.from,
            to: resolved.range.to,
        };
        Summary {
            result,
            reason,
            records: self.counts.records,
            bad: self.counts.bad,
            skipped: self.counts.skipped,
            totals: self.totals,
            ranges: self.ranges.iter().map(range).collect(),
        }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let out = &mut *self.out;
        self.bar.suspend(|| writeln!(out, "{line}"))
    }
}

/// How far a bar goes.
pub(super) const WHOLE_BAR: u64 = 1000;

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(WHOLE_BAR);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}%  {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_by_the_beginning_of_its_sha_256() {
        // printf 42 | sha256sum
        assert_eq!(key_hash(&Key::Int(42)), "73475cb40a568e8d");
        assert_eq!(key_hash(&Key::Text("42".into())), "73475cb40a568e8d");
        assert_eq!(key_hash(&Key::Text("".into())), "e3b0c44298fc1c14");
    }

    fn said(json: bool) -> String {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, json);
        let position = Position {
            topic: "t",
            partition: 0,
            offset: 12,
        };
        let stale = Difference {
            difference: "stale",
            collection: "c",
            position: Some(position),
            key_hash: "00ff".to_owned(),
            fields: vec!["a", "b"],
        };
        let unexpected = Difference {
            difference: "unexpected",
            collection: "c",
            position: None,
            key_hash: "0f".to_owned(),
            fields: Vec::new(),
        };
        report.widest = 5;
        report.difference(&stale).unwrap();
        report.difference(&unexpected).unwrap();
        report.note("x").unwrap();
        report.end(Some("why")).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_for_a_program_are_json() {
        let expected = [
            r#"{"difference":"stale","collection":"c","topic":"t","partition":0,"offset":12,"key_hash":"00ff","fields":["a","b"]}"#,
            r#"{"difference":"unexpected","collection":"c","key_hash":"0f"}"#,
            r#"{"note":"x"}"#,
            r#"{"summary":{"result":"unfinished","reason":"why","records":0,"bad":0,"skipped":0,"keys":0,"missing":0,"stale":1,"undeleted":0,"unexpected":1,"changed_behind":0,"ranges":[]}}"#,
        ];
        assert_eq!(said(true).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lines_for_a_person_stand_in_columns() {
        let expected = "\
✗ stale       t-0@12  key 00ff  collection 'c'  fields a, b
✗ unexpected         key 0f  collection 'c'
note: x

0 records (0 bad, 0 without a change), 0 keys: 0 missing, 1 stale, 0 undeleted, 1 unexpected
not finished: why
";
        assert_eq!(said(false), expected);
    }
}
