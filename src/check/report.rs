//! What `check` found: one value, of which the text for a person and the JSON for a program are two views.

use serde::Serialize;

use super::Verdict;
use super::example::Example;
use super::plugin::Comparison;
use crate::cause::Cause;
use crate::config::KeyRow;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) result: Verdict,
    pub(super) conclusion: &'static str,
    pub(super) configuration: Configuration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kafka: Option<Kafka>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letters: Option<DeadLetters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milvus: Option<Milvus>,
    pub(super) plans: Vec<Plan>,
    pub(super) promises: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plugin: Option<Comparison>,
}

impl Report {
    pub(super) fn new(configuration: Configuration) -> Self {
        Self {
            result: Verdict::Clean,
            conclusion: "",
            configuration,
            kafka: None,
            dead_letters: None,
            milvus: None,
            plans: Vec::new(),
            promises: Vec::new(),
            plugin: None,
        }
    }

    /// Of all that was found, the worst.
    pub(super) fn conclude(&mut self) {
        let kafka = self.kafka.iter().map(|kafka| &kafka.findings);
        let letters = self.dead_letters.iter().map(|letters| &letters.findings);
        let milvus = self.milvus.iter().map(|milvus| &milvus.findings);
        let plans = self.plans.iter().map(|plan| &plan.findings);
        let all = kafka.chain(letters).chain(milvus).chain(plans);
        let worst = all.map(Findings::worst).max().unwrap_or(Verdict::Clean);
        let refused = !self.configuration.mistakes.is_empty();
        self.result = if refused {
            Verdict::Configuration
        } else {
            worst
        };
        self.conclusion = match (refused, worst) {
            (true, _) => "`run` would end with status 2: mend what is marked with ✗ first",
            (false, Verdict::Clean) => "everything is there: `run` would start to write at once",
            (false, Verdict::WouldFail) => "`run` would wait or halt: see the lines marked with ✗",
            (false, Verdict::Configuration) => {
                "`run` would end with status 2, or halt the partitions of one collection among several: see the lines marked with ✗"
            }
        };
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Configuration {
    pub(super) keys: Vec<KeyRow>,
    pub(super) derived: Vec<Derived>,
    pub(super) notices: Vec<Notice>,
    pub(super) mistakes: Vec<String>,
}

/// What nobody has set and counts nevertheless.
#[derive(Debug, Serialize)]
pub(super) struct Derived {
    pub(super) key: &'static str,
    pub(super) value: String,
    pub(super) from: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Notice {
    pub(super) level: &'static str,
    pub(super) text: String,
}

/// One sentence about one thing.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) mark: Mark,
    /// By the word that the log, `/readyz` and the metrics have for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'static str>,
    pub(super) text: String,
    #[serde(skip)]
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    Good,
    Bad,
    /// It was not looked at, or there was no answer.
    Unknown,
    Note,
}

#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn good(&mut self, text: impl Into<String>) {
        self.add(Mark::Good, None, text.into(), Verdict::Clean);
    }

    pub(super) fn bad(&mut self, cause: &Cause, verdict: Verdict) {
        self.add(Mark::Bad, Some(cause.label()), cause.to_string(), verdict);
    }

    pub(super) fn unknown(&mut self, text: impl Into<String>) {
        self.add(Mark::Unknown, None, text.into(), Verdict::Clean);
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.add(Mark::Note, None, text.into(), Verdict::Clean);
    }

    pub(super) fn worst(&self) -> Verdict {
        let verdicts = self.0.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Clean)
    }

    fn add(&mut self, mark: Mark, cause: Option<&'static str>, text: String, verdict: Verdict) {
        self.0.push(Finding {
            mark,
            cause,
            text,
            verdict,
        });
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Kafka {
    pub(super) brokers: String,
    pub(super) group: String,
    /// Who is in the group now.
    pub(super) members: Vec<String>,
    pub(super) findings: Findings,
    pub(super) partitions: Vec<Position>,
}

/// Where the group stands in one partition, and where it would begin to read.
#[derive(Debug, Serialize)]
pub(super) struct Position {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) committed: Option<i64>,
    pub(super) begin: i64,
    pub(super) end: i64,
    /// `None` where a person has to say first from where to go on.
    pub(super) first_read: Option<i64>,
    pub(super) lag: Option<i64>,
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
pub(super) struct DeadLetters {
    pub(super) brokers: String,
    pub(super) topic: String,
    pub(super) findings: Findings,
}

#[derive(Debug, Serialize)]
pub(super) struct Milvus {
    pub(super) endpoint: String,
    pub(super) database: String,
    pub(super) version: Option<String>,
    pub(super) findings: Findings,
    pub(super) collections: Vec<Collection>,
}

#[derive(Debug, Serialize)]
pub(super) struct Collection {
    pub(super) collection: String,
    /// `None` where Milvus did not say.
    pub(super) loaded: Option<bool>,
    pub(super) privileges: Privileges,
}

#[derive(Debug, Serialize)]
pub(super) struct Privileges {
    pub(super) insert: Privilege,
    pub(super) upsert: Privilege,
    pub(super) delete: Privilege,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Privilege {
    There,
    Missing,
    /// A request that shows it would write, or there was no answer.
    NotChecked,
}

/// What the records of some topics become in one collection.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    pub(super) collection: String,
    pub(super) topics: Vec<String>,
    pub(super) operation: String,
    pub(super) fields: Vec<Field>,
    /// What becomes of other fields, and which records delete.
    pub(super) rules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample: Option<Sample>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Example>,
    pub(super) findings: Findings,
}

#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) field: String,
    pub(super) source: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) rule: String,
    #[serde(flatten)]
    pub(super) tally: Option<FieldTally>,
}

/// How often the records of the sample have the field so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct FieldTally {
    pub(super) exact: u64,
    /// Nothing is there, or null: by the rule that is a value of its own, or a bad record.
    pub(super) missing: u64,
    pub(super) refused: u64,
    /// The first one that makes a bad record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Offender>,
}

/// A record, and what is the matter with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Offender {
    /// `TOPIC-PARTITION@OFFSET`.
    pub(super) at: String,
    pub(super) what: String,
}

/// The last records of the topics, as the sink would take them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sample {
    pub(super) records: u64,
    pub(super) rows: u64,
    pub(super) deletes: u64,
    /// They change nothing, as tombstones that are ignored.
    pub(super) without_a_change: u64,
    pub(super) bad: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_bad: Option<Offender>,
    /// Names of record fields that are written nowhere.
    pub(super) ignored_fields: Vec<String>,
}
