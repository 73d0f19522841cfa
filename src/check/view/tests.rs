//! A whole report, as a person and as a program see it.

use serde_json::Value;

use super::*;
use crate::cause::Cause;
use crate::check::Verdict;
use crate::check::example::Example;
use crate::check::fixture::config;
use crate::check::keys;
use crate::check::report::{FieldTally, Milvus, Offender, Sample};

fn report() -> Report {
    let mut report = Report::new(keys::taken(&config(&[("consumer.max.poll.records", "5")])));
    let mut kafka = Kafka {
        brokers: "kafka:9092".to_owned(),
        group: "connect-n".to_owned(),
        members: vec!["sink at 10.0.0.3".to_owned()],
        findings: Findings::default(),
        partitions: Vec::new(),
    };
    kafka
        .findings
        .good("topic 't', 1 partition → collection 't'");
    kafka.partitions.push(Position {
        topic: "t".to_owned(),
        partition: 0,
        committed: Some(7),
        begin: 0,
        end: 9,
        first_read: Some(7),
        lag: Some(2),
        why: "goes on after what is committed".to_owned(),
    });
    report.kafka = Some(kafka);
    let mut milvus = Milvus {
        endpoint: "http://localhost:19530".to_owned(),
        database: "default".to_owned(),
        version: Some("v2.3.5".to_owned()),
        findings: Findings::default(),
        collections: Vec::new(),
    };
    milvus
        .findings
        .unknown("whether it is loaded was not found out");
    report.milvus = Some(milvus);
    report.plans.push(plan());
    report.promises.push("one row per key".to_owned());
    report.conclude();
    report
}

fn plan() -> Plan {
    let field = |name: &str, tally| Field {
        field: name.to_owned(),
        source: format!("'{name}'"),
        kind: "Int64".to_owned(),
        rule: "required".to_owned(),
        tally,
    };
    let first = Offender {
        at: "t-0@8".to_owned(),
        what: "field 'rank' wants an Int64, found null; send a value".to_owned(),
    };
    Plan {
        collection: "t".to_owned(),
        topics: vec!["t".to_owned()],
        operation: "Upsert".to_owned(),
        fields: vec![
            field(
                "id",
                Some(FieldTally {
                    exact: 9,
                    ..FieldTally::default()
                }),
            ),
            field(
                "rank",
                Some(FieldTally {
                    exact: 7,
                    missing: 1,
                    refused: 1,
                    first: Some(first),
                }),
            ),
        ],
        rules: vec!["other record fields are ignored".to_owned()],
        sample: Some(Sample::default()),
        example: Some(Example {
            key: None,
            record: format!("{{\"id\":{}}}", "1".repeat(200)),
            line: "echo it".to_owned(),
        }),
        findings: Findings::default(),
    }
}

fn said(report: &Report, colours: bool) -> String {
    let mut out = Vec::new();
    let mut view = View {
        out: &mut out,
        colours,
    };
    view.report(report).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_person_reads_sections_of_aligned_lines() {
    let said = said(&report(), false);
    for part in [
        "\n    linger.ms ",
        "\n  – consumer.max.poll.records ",
        "(--set)   ignored: Java's clients have it",
        "\nKafka at kafka:9092\n  ✓ topic 't', 1 partition → collection 't'\n  the group would be 'connect-n'\n  – it has members now",
        "           COMMITTED  END  LAG  FIRST READ\n      t-0          7    9    2           7  goes on after what is committed\n",
        "\nMilvus at http://localhost:19530, database 'default'\n  … whether it is loaded was not found out\n",
        "      id   ← 'id'    Int64  required  9 exact\n      rank ← 'rank'  Int64  required  7 exact, 1 missing, 1 refused\n      other record fields are ignored\n  – first unfit at t-0@8: field 'rank' wants",
        "…\n  produce it: echo it\n",
        "\nPromised here\n  one row per key\n",
        "\neverything is there: `run` would start to write at once\n",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let (plain, coloured) = (said(&report(), false), said(&report(), true));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, escape)) = rest.split_once('\u{1b}') {
        bare += before;
        rest = escape.split_once('m').unwrap().1;
    }
    assert_eq!(bare + rest, plain);
    assert!(coloured.contains("\u{1b}[32m✓\u{1b}[0m"), "{coloured}");
}

#[test]
fn a_cause_has_its_word_in_both_views_and_makes_the_result() {
    let mut report = report();
    let cause = Cause::TopicMissing {
        topic: "t".to_owned(),
    };
    let kafka = report.kafka.as_mut().unwrap();
    kafka.findings.bad(&cause, Verdict::WouldFail);
    report.conclude();
    let text = said(&report, false);
    let line = "  ✗ topic 't' does not exist; create it, or correct 'topics' [topic_missing]\n";
    assert!(text.contains(line), "{text}");
    assert!(text.ends_with("see the lines marked with ✗\n"), "{text}");
    let json: Value = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(json["result"], "would_fail");
    assert_eq!(json["kafka"]["findings"][1]["cause"], "topic_missing");
    assert_eq!(json["kafka"]["partitions"][0]["first_read"], 7);
    assert_eq!(json["plans"][0]["fields"][1]["refused"], 1);
    assert_eq!(json["plans"][0]["fields"][1]["first"]["at"], "t-0@8");
    let keys = json["configuration"]["keys"].as_array().unwrap();
    let row = keys
        .iter()
        .find(|row| row["key"] == "consumer.max.poll.records");
    let row = row.unwrap();
    assert_eq!(
        (row["fate"].as_str(), row["value"].as_str()),
        (Some("ignored"), None)
    );
}

#[test]
fn of_many_partitions_the_first_are_shown_and_the_others_counted() {
    let mut report = report();
    let kafka = report.kafka.as_mut().unwrap();
    for partition in 1..25 {
        kafka.partitions.push(Position {
            topic: "t".to_owned(),
            partition,
            committed: None,
            begin: 0,
            end: 0,
            first_read: None,
            lag: None,
            why: String::new(),
        });
    }
    let said = said(&report, false);
    assert!(said.contains("t-19 ") && !said.contains("t-20 "), "{said}");
    assert!(
        said.contains("and 5 more partitions (--json has all)"),
        "{said}"
    );
}
