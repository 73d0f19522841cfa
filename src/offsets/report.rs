//! What is said: a table for a person, or one JSON object a line for a program.

use std::io::{self, Write};

use serde::Serialize;

use super::plan::Row;
use crate::kafka::group::Member;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Nothing was to be set.
    Shown,
    /// It would have been set.
    Planned,
    Set,
}

#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) kafka: &'a str,
    pub(super) group: &'a str,
    pub(super) members: &'a [Member],
    pub(super) rows: &'a [Row],
    pub(super) done: Done,
}

#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    partition: i32,
    committed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<i64>,
    end: i64,
    lag: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize)]
struct Last<'a> {
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Summary<'a> {
    group: &'a str,
    members: Vec<String>,
    lag: i64,
    executed: bool,
}

impl Report<'_> {
    pub(super) fn print(&self, json: bool, out: &mut impl Write) -> io::Result<()> {
        if json {
            return self.print_json(out);
        }
        writeln!(out, "group '{}' at Kafka {}", self.group, self.kafka)?;
        match self.members {
            [] => writeln!(out, "nobody is in it")?,
            members => writeln!(out, "in it: {}", list(members))?,
        }
        writeln!(out)?;
        self.print_table(out)?;
        match (self.done, self.members) {
            (Done::Shown, _) => Ok(()),
            (Done::Planned, []) => {
                writeln!(out, "\nnothing was set; --execute sets it as in TO")
            }
            (Done::Planned, _) => writeln!(
                out,
                "\nnothing was set; stop the members of the group, then --execute sets it as in TO"
            ),
            (Done::Set, _) => writeln!(out, "\nset; the sink goes on from there when it starts"),
        }
    }

    fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        let sets = self.done != Done::Shown;
        let mut lines = vec![Cells::head()];
        lines.extend(self.rows.iter().map(Cells::of));
        lines.push(Cells::total(self.lag()));
        let width = |at: usize| {
            let widths = lines
                .iter()
                .map(|cells| cells.0.get(at).map_or(0, String::len));
            widths.max().unwrap_or(0)
        };
        let widths = [0, 1, 2, 3, 4].map(width);
        for Cells([name, committed, to, end, lag, note]) in &lines {
            let mut line = format!("{name:<0$}  {committed:>1$}", widths[0], widths[1]);
            if sets {
                line += &format!("  {to:>0$}", widths[2]);
            }
            line += &format!("  {end:>0$}  {lag:>1$}  {note}", widths[3], widths[4]);
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        for row in self.rows {
            let line = Line {
                topic: &row.partition.topic,
                partition: row.partition.partition,
                committed: row.committed(),
                to: row.to,
                end: row.end(),
                lag: row.lag(),
                note: row.note(),
            };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
        let summary = Summary {
            group: self.group,
            members: self.members.iter().map(name).collect(),
            lag: self.lag(),
            executed: self.done == Done::Set,
        };
        writeln!(out, "{}", serde_json::to_string(&Last { summary })?)
    }

    /// As far as it is known.
    fn lag(&self) -> i64 {
        self.rows.iter().filter_map(Row::lag).sum()
    }
}

/// One line of the table.
struct Cells([String; 6]);

impl Cells {
    fn head() -> Self {
        Self(["PARTITION", "COMMITTED", "TO", "END", "LAG", ""].map(str::to_owned))
    }

    fn of(row: &Row) -> Self {
        Self([
            row.partition.to_string(),
            shown(row.committed()),
            shown(row.to),
            row.end().to_string(),
            shown(row.lag()),
            row.note().unwrap_or_default(),
        ])
    }

    fn total(lag: i64) -> Self {
        Self(["all", "", "", "", &lag.to_string(), ""].map(str::to_owned))
    }
}

fn shown(offset: Option<i64>) -> String {
    offset.map_or("-".to_owned(), |offset| offset.to_string())
}

fn name(member: &Member) -> String {
    format!("{} at {}", member.client_id, member.host)
}

/// Who is in the group.
pub(super) fn list(members: &[Member]) -> String {
    members.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OffsetReset;
    use crate::ledger::Look;
    use crate::topic_partition::TopicPartition;

    fn rows(to: Option<i64>) -> Vec<Row> {
        let row = |partition, committed| {
            let look = Look {
                committed,
                high: 1200,
                ..Look::default()
            };
            let at = TopicPartition::new("articles", partition);
            let mut row = Row::new(at, look, OffsetReset::Earliest);
            row.to = to;
            row
        };
        vec![row(0, Some(1187)), row(10, None)]
    }

    fn said(rows: &[Row], members: &[Member], done: Done, json: bool) -> String {
        let report = Report {
            kafka: "kafka:9092",
            group: "connect-a",
            members,
            rows,
            done,
        };
        let mut out = Vec::new();
        report.print(json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn member() -> Member {
        Member {
            client_id: "sink".to_owned(),
            host: "10.0.0.3".to_owned(),
        }
    }

    #[test]
    fn a_person_reads_a_table() {
        let expected = "\
group 'connect-a' at Kafka kafka:9092
in it: sink at 10.0.0.3

PARTITION    COMMITTED   END   LAG
articles-0        1187  1200    13
articles-10          -  1200  1200  nothing committed: begins at the first
all                           1213
";
        assert_eq!(said(&rows(None), &[member()], Done::Shown, false), expected);
        let expected = "\
group 'connect-a' at Kafka kafka:9092
nobody is in it

PARTITION    COMMITTED   TO   END   LAG
articles-0        1187  700  1200   500
articles-10          -  700  1200   500
all                                1000

nothing was set; --execute sets it as in TO
";
        assert_eq!(said(&rows(Some(700)), &[], Done::Planned, false), expected);
        let said = said(&rows(Some(700)), &[], Done::Set, false);
        assert!(said.ends_with("\nset; the sink goes on from there when it starts\n"));
    }

    #[test]
    fn a_program_reads_a_line_of_json_for_each_partition_and_a_summary() {
        let expected = [
            r#"{"topic":"articles","partition":0,"committed":1187,"end":1200,"lag":13}"#,
            r#"{"topic":"articles","partition":10,"committed":null,"end":1200,"lag":1200,"note":"nothing committed: begins at the first"}"#,
            r#"{"summary":{"group":"connect-a","members":["sink at 10.0.0.3"],"lag":1213,"executed":false}}"#,
        ];
        let lines = said(&rows(None), &[member()], Done::Shown, true);
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
        let lines = said(&rows(Some(0)), &[], Done::Set, true);
        assert!(lines.contains(r#""committed":1187,"to":0,"end":1200,"lag":1200}"#));
        assert!(lines.contains(r#""executed":true"#));
    }
}
