//! `verify`: finds what is not as the topics say, and nothing else, on real servers.

mod limits;
mod property;

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::sink::{Sink, SinkCommand};
use testkit::suite;

use crate::support::{Job, SINK, SOON};

/// What `verify --json` has said.
#[derive(Debug)]
struct Said {
    code: i32,
    /// Kind, partition, offset, and the fields in one text; sorted.
    differences: Vec<(String, i64, i64, String)>,
    notes: Vec<String>,
    summary: Value,
    output: String,
}

fn verify(job: &Job) -> SinkCommand {
    Sink::new(SINK)
        .arg("verify")
        .config(&job.config())
        .arg("--json")
}

fn said(command: SinkCommand) -> Said {
    let (code, output) = command.run(SOON);
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let mut said = Said {
        code,
        differences: Vec::new(),
        notes: Vec::new(),
        summary: Value::Null,
        output: output.clone(),
    };
    for line in lines {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(kind) = line["difference"].as_str() {
            let number = |name: &str| line[name].as_i64().unwrap_or(-1);
            let fields = line["fields"].as_array().cloned().unwrap_or_default();
            let fields: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
            let difference = (
                kind.to_owned(),
                number("partition"),
                number("offset"),
                fields.join(","),
            );
            said.differences.push(difference);
        } else if let Some(note) = line["note"].as_str() {
            said.notes.push(note.to_owned());
        } else {
            said.summary = line["summary"].clone();
        }
    }
    said.differences.sort();
    said
}

#[track_caller]
fn check(command: SinkCommand, code: i32, differences: &[(&str, i64, i64, &str)]) -> Said {
    let said = said(command);
    let found: Vec<(&str, i64, i64, &str)> = said
        .differences
        .iter()
        .map(|(kind, partition, offset, fields)| {
            (kind.as_str(), *partition, *offset, fields.as_str())
        })
        .collect();
    assert_eq!(found, differences, "{}", said.output);
    assert_eq!(said.code, code, "{}", said.output);
    said
}

/// Every value of every row is as the topic says.
#[track_caller]
pub fn assert_same(job: &Job) {
    assert_same_with(job, &[]);
}

#[track_caller]
pub fn assert_same_with(job: &Job, settings: &[(&str, &str)]) {
    let said = check(with(verify(job), settings), 0, &[]);
    assert_eq!(said.summary["result"], "same");
    assert_eq!(said.notes, Vec::<String>::new(), "{}", said.output);
}

/// Everything is written and committed, and the sink is gone.
fn written(job: &Job, command: SinkCommand) {
    let (code, output) = command.arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    job.await_committed();
}

/// Another sink writes to the same collection.
fn behind_its_back(job: &Job, records: impl IntoIterator<Item = Record>) {
    let mut other = Job::with(
        suite::kafka(),
        "behind",
        1,
        job.endpoint().to_owned(),
        job.token(),
    );
    other.collection.clone_from(&job.collection);
    other.topic.produce(records);
    written(&other, with(other.quick(), &DELETES));
}

fn rows(collection: &str) -> Collection {
    Collection::new(collection)
        .int64_key("id")
        .varchar("title", 64)
        .scalar("number", Type::Double)
        .array("list", Type::Int32, 8)
        .float_vector("vector", 2)
        .dynamic()
}

fn row(id: i64, title: &str) -> Record {
    let row = json!({
        "id": id, "title": title, "number": 0.1, "list": [1, 2], "vector": [0.5, -1.5],
        "extra": {"b": [true, null], "a": 1.0},
    });
    Record::json(&row).key(id.to_string())
}

const DELETES: [(&str, &str); 2] = [
    ("behavior.on.null.values", "delete"),
    ("errors.tolerance", "all"),
];

fn with(command: SinkCommand, settings: &[(&str, &str)]) -> SinkCommand {
    settings
        .iter()
        .fold(command, |command, (key, value)| command.set(key, value))
}

/// Rows written again, deletes, tombstones, bad records, a key in two partitions: all as it should be, and then not.
fn a_life(job: &Job) {
    let in_partition = |record: Record, partition| record.partition(partition);
    let records = (0..20).map(|id| in_partition(row(id, "first"), 0));
    let again = (0..5).map(|id| in_partition(row(id, "again"), 0));
    let bad = Record::new("{\"id\": \"x\"").key("1").partition(0);
    let gone = (5..8).map(|id| in_partition(Record::tombstone(id.to_string()), 0));
    let back = in_partition(row(7, "back"), 0);
    // Of one key in two partitions either may be the last; of the smallest key Milvus cannot read the number.
    let other = [
        in_partition(row(i64::MIN, "smallest"), 1),
        in_partition(row(19, "other"), 1),
        in_partition(row(30, "alone"), 1),
    ];
    let all = records
        .chain(again)
        .chain([bad])
        .chain(gone)
        .chain([back])
        .chain(other);
    job.topic.produce(all);
    written(job, with(job.quick(), &DELETES));

    let command = || with(verify(job), &DELETES);
    let clean = check(command(), 0, &[]);
    let summary = &clean.summary;
    assert_eq!(summary["result"], "same", "{}", clean.output);
    assert_eq!(
        [&summary["records"], &summary["bad"], &summary["keys"]],
        [33, 1, 22]
    );
    assert_eq!(clean.notes, Vec::<String>::new());

    // Behind its back: rows changed and not changed, one that was deleted back, one of nobody's, one gone.
    let numbered = |id: i64, number: f64, extra: Value| {
        let row = json!({
            "id": id, "title": "again", "number": number, "list": [1, 2], "vector": [0.5, -1.5], "extra": extra,
        });
        Record::json(&row).key(id.to_string())
    };
    let extra = || json!({"a": 1, "b": [true, null]});
    behind_its_back(
        job,
        [
            numbered(2, 0.2, json!({"a": 2})),
            numbered(3, 0.1, extra()),
            row(5, "undead"),
            row(99, "nobody's"),
            Record::tombstone("11"),
        ],
    );
    let differences = [
        ("missing", 0, 11, ""),
        ("stale", 0, 22, "number,$meta"),
        ("undeleted", 0, 26, ""),
        ("unexpected", -1, -1, ""),
    ];
    let said = check(command(), 1, &differences);
    assert_eq!(said.summary["result"], "different");
    assert!(!said.output.contains("again"), "{}", said.output);
}

#[test]
fn on_milvus_2_3_5_it_finds_what_differs_and_nothing_else() {
    let milvus = suite::milvus();
    let job = Job::with(
        suite::kafka(),
        "verify",
        2,
        milvus.endpoint(),
        milvus.token(),
    );
    job.create(&rows(&job.collection));
    a_life(&job);
}

#[test]
fn on_milvus_lite_it_finds_what_differs_and_nothing_else() {
    let job = Job::with(
        suite::kafka(),
        "verify_lite",
        2,
        suite::lite().endpoint(),
        None,
    );
    job.create(&rows(&job.collection));
    a_life(&job);
}
