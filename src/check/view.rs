//! The report for a person: aligned lines, in colours on a terminal.

use std::io::{self, IsTerminal as _, Write};

use super::report::{Configuration, Field, Finding, Findings, Kafka, Mark, Plan, Position, Report};
use crate::config::{Fate, KeyRow};

/// Partitions that are named one by one.
const PARTITIONS: usize = 20;
/// Characters of an example that are shown; the line beneath has all of it.
const SHOWN: usize = 160;

/// Whether the standard output is to have colours.
pub(super) fn colours() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !no_color
}

pub(super) struct View<'o, W> {
    pub(super) out: &'o mut W,
    pub(super) colours: bool,
}

#[derive(Debug, Clone, Copy)]
enum Colour {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

impl<W: Write> View<'_, W> {
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        self.configuration(&report.configuration)?;
        if let Some(kafka) = &report.kafka {
            self.kafka(kafka)?;
        }
        if let Some(letters) = &report.dead_letters {
            self.heading(&format!("Dead letters at {}", letters.brokers))?;
            self.findings(&letters.findings)?;
        }
        if let Some(milvus) = &report.milvus {
            let (endpoint, database) = (&milvus.endpoint, &milvus.database);
            self.heading(&format!("Milvus at {endpoint}, database '{database}'"))?;
            self.findings(&milvus.findings)?;
        }
        for plan in &report.plans {
            self.plan(plan)?;
        }
        if !report.promises.is_empty() {
            self.heading("Promised here")?;
            for promise in &report.promises {
                writeln!(self.out, "  {promise}")?;
            }
        }
        if let Some(plugin) = &report.plugin {
            self.heading("The Connect plugin 1.0.1 on the same records")?;
            for line in plugin.lines() {
                writeln!(self.out, "  {line}")?;
            }
        }
        writeln!(self.out, "\n{}", report.conclusion)
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.painted(text, Colour::Bold);
        writeln!(self.out, "\n{text}")
    }

    fn configuration(&mut self, found: &Configuration) -> io::Result<()> {
        let heading = self.painted("Configuration", Colour::Bold);
        writeln!(self.out, "{heading}")?;
        let keys = found.keys.iter().map(|row| row.key.as_str());
        let keys = keys.chain(found.derived.iter().map(|row| row.key));
        let widest = keys.map(str::len).max().unwrap_or_default();
        for row in &found.keys {
            self.key(row, widest)?;
        }
        for row in &found.derived {
            let (key, value, from) = (row.key, &row.value, row.from);
            writeln!(self.out, "    {key:widest$} = {value}   ({from})")?;
        }
        for notice in &found.notices {
            writeln!(self.out, "  {}: {}", notice.level, notice.text)?;
        }
        let count = found.mistakes.len();
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            writeln!(self.out, "\nthe configuration has {count} mistake{plural}")?;
        }
        for mistake in &found.mistakes {
            let mark = self.mark(Mark::Bad);
            writeln!(self.out, "  {mark} {mistake}")?;
        }
        Ok(())
    }

    fn key(&mut self, row: &KeyRow, widest: usize) -> io::Result<()> {
        let (mark, colour, fate) = match &row.fate {
            Fate::Default | Fate::Honoured => (" ", Colour::Green, String::new()),
            Fate::Translated { to } => ("→", Colour::Cyan, format!("translated: {to}")),
            Fate::Ignored { why } => ("–", Colour::Yellow, format!("ignored: {why}")),
            Fate::Unknown { nearest: None } => (
                "?",
                Colour::Yellow,
                "unknown and ignored: remove it".to_owned(),
            ),
            Fate::Unknown {
                nearest: Some(near),
            } => ("✗", Colour::Red, format!("unknown: did you mean {near}?")),
            Fate::Refused { why } => ("✗", Colour::Red, format!("refused: {why}")),
        };
        let mark = self.painted(mark, colour);
        let fate = self.painted(&fate, colour);
        let value = row.value.as_ref().map(|value| format!("= {value}   "));
        let origin = match row.origin.as_str() {
            "" => String::new(),
            origin => format!("({origin})"),
        };
        let line = format!(
            "  {mark} {:widest$} {}{origin}   {fate}",
            row.key,
            value.unwrap_or_default()
        );
        writeln!(self.out, "{}", line.trim_end())
    }

    fn findings(&mut self, findings: &Findings) -> io::Result<()> {
        findings.0.iter().try_for_each(|found| self.finding(found))
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let mark = self.mark(finding.mark);
        let cause = finding.cause.map(|cause| format!(" [{cause}]"));
        let cause = self.painted(&cause.unwrap_or_default(), Colour::Dim);
        writeln!(self.out, "  {mark} {}{cause}", finding.text)
    }

    fn mark(&self, mark: Mark) -> String {
        match mark {
            Mark::Good => self.painted("✓", Colour::Green),
            Mark::Bad => self.painted("✗", Colour::Red),
            Mark::Unknown => self.painted("…", Colour::Yellow),
            Mark::Note => self.painted("–", Colour::Yellow),
        }
    }

    fn kafka(&mut self, kafka: &Kafka) -> io::Result<()> {
        self.heading(&format!("Kafka at {}", kafka.brokers))?;
        self.findings(&kafka.findings)?;
        let group = &kafka.group;
        writeln!(self.out, "  the group would be '{group}'")?;
        if !kafka.members.is_empty() {
            let members = kafka.members.join(", ");
            writeln!(
                self.out,
                "  – it has members now, which share the partitions with `run`: {members}"
            )?;
        }
        let mut rows = vec![["", "COMMITTED", "END", "LAG", "FIRST READ", ""].map(str::to_owned)];
        let named = kafka.partitions.iter().take(PARTITIONS);
        rows.extend(named.map(position));
        if rows.len() > 1 {
            for line in columns(&rows) {
                writeln!(self.out, "      {line}")?;
            }
        }
        let more = kafka.partitions.len().saturating_sub(PARTITIONS);
        if more > 0 {
            writeln!(
                self.out,
                "      and {more} more partitions (--json has all)"
            )?;
        }
        Ok(())
    }

    fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        let topics = plan.topics.join("', '");
        let (collection, operation) = (&plan.collection, &plan.operation);
        self.heading(&format!(
            "Plan of collection '{collection}' by {operation}, from topic '{topics}'"
        ))?;
        for line in field_lines(&plan.fields) {
            writeln!(self.out, "      {line}")?;
        }
        for rule in &plan.rules {
            writeln!(self.out, "      {rule}")?;
        }
        for field in &plan.fields {
            if let Some(first) = field.tally.as_ref().and_then(|tally| tally.first.as_ref()) {
                // Whether that is in the way is said below.
                let mark = self.mark(Mark::Note);
                writeln!(
                    self.out,
                    "  {mark} first unfit at {}: {}",
                    first.at, first.what
                )?;
            }
        }
        self.findings(&plan.findings)?;
        if let Some(example) = &plan.example {
            let mut shown: String = example.record.chars().take(SHOWN).collect();
            if shown.len() < example.record.len() {
                shown.push('…');
            }
            writeln!(self.out, "  a record that fits: {shown}")?;
            writeln!(self.out, "  produce it: {}", example.line)?;
        }
        Ok(())
    }

    fn painted(&self, text: &str, colour: Colour) -> String {
        if self.colours && !text.trim().is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
}

fn position(at: &Position) -> [String; 6] {
    let shown = |offset: Option<i64>| offset.map_or("-".to_owned(), |offset| offset.to_string());
    [
        format!("{}-{}", at.topic, at.partition),
        shown(at.committed),
        at.end.to_string(),
        shown(at.lag),
        shown(at.first_read),
        at.why.clone(),
    ]
}

/// The first and the last column to the left, numbers to the right.
fn columns(rows: &[[String; 6]]) -> Vec<String> {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let [name, committed, end, lag, first] = [0, 1, 2, 3, 4].map(width);
    let line = |[a, b, c, d, e, f]: &[String; 6]| {
        let line = format!("{a:name$}  {b:>committed$}  {c:>end$}  {d:>lag$}  {e:>first$}  {f}");
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Collection field ← source, type, rule, and what the sample's records have there.
fn field_lines(fields: &[Field]) -> Vec<String> {
    let width = |cell: fn(&Field) -> &str| {
        let widths = fields.iter().map(|field| cell(field).chars().count());
        widths.max().unwrap_or(0)
    };
    let (name, source, kind) = (
        width(|field| &field.field),
        width(|field| &field.source),
        width(|field| &field.kind),
    );
    let rule = width(|field| &field.rule);
    let line = |field: &Field| {
        let tally = field.tally.as_ref().map_or(String::new(), |tally| {
            let mut said = vec![format!("{} exact", tally.exact)];
            for (count, word) in [(tally.missing, "missing"), (tally.refused, "refused")] {
                if count > 0 {
                    said.push(format!("{count} {word}"));
                }
            }
            said.join(", ")
        });
        let Field {
            field: a,
            source: b,
            kind: c,
            rule: d,
            ..
        } = field;
        let line = format!("{a:name$} ← {b:source$}  {c:kind$}  {d:rule$}  {tally}");
        line.trim_end().to_owned()
    };
    fields.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
