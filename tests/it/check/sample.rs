//! The plan, judged on the topic's last records.

use serde_json::{Value, json};
use testkit::kafka::Record;

use super::{causes, check, report};
use crate::support::{Job, SOON, article};

/// As an article, with these members changed.
fn altered(id: i64, changes: Value) -> Record {
    let mut value = article(id);
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    Record::json(&value)
}

fn field<'r>(report: &'r Value, name: &str) -> &'r Value {
    let fields = report["plans"][0]["fields"].as_array().unwrap();
    fields.iter().find(|field| field["field"] == name).unwrap()
}

#[test]
fn every_field_is_judged_on_the_last_records_and_the_first_bad_one_is_told() {
    let job = Job::on_lite("check_sample", 1);
    job.topic.produce([
        altered(0, json!({"id": "older than the sample"})),
        Record::json(&article(1)),
        altered(2, json!({"title": null, "title_vector": [1, 2]})),
        altered(3, json!({"title_vector": "x"})),
        Record::tombstone("k"),
        altered(5, json!({"color": "red"})),
    ]);
    let found = report(&job, &["--sample", "5"], &[], 1);
    let sample = &found["plans"][0]["sample"];
    let counts = ["records", "rows", "deletes", "without_a_change", "bad"];
    assert_eq!(
        counts.map(|name| sample[name].as_u64().unwrap()),
        [5, 2, 0, 1, 2]
    );
    assert_eq!(sample["ignored_fields"], json!(["color"]));
    let at = |offset: i64| format!("{}-0@{offset}", job.topic.name());
    let counts = |name: &str| {
        let field = field(&found, name);
        ["exact", "missing", "refused"].map(|count| field[count].as_u64().unwrap())
    };
    assert_eq!(counts("id"), [4, 0, 0]);
    assert_eq!(counts("title"), [3, 1, 0]);
    assert_eq!(counts("title_vector"), [2, 0, 2]);
    let first = &field(&found, "title_vector")["first"];
    assert_eq!(first["at"], at(2));
    let sentence = "field 'title_vector' wants a FloatVector of 8 numbers, found an array of 2";
    assert!(
        first["what"].as_str().unwrap().starts_with(sentence),
        "{first}"
    );
    assert_eq!(causes(&found["plans"][0]), ["bad_record"]);

    // All of them, and what becomes of bad ones where that is said.
    let found = report(&job, &[], &[("errors.tolerance", "all")], 0);
    assert_eq!(found["plans"][0]["sample"]["records"], 6);
    assert_eq!(found["plans"][0]["sample"]["first_bad"]["at"], at(0));
    assert_eq!(
        report(&job, &["--sample", "0"], &[], 0)["plans"][0]["sample"],
        Value::Null
    );
}

#[test]
fn bad_records_that_the_group_is_past_fail_nothing() {
    let job = Job::on_lite("check_past", 1);
    job.topic
        .produce([altered(1, json!({"title": 5.5, "id": null}))]);
    let words = ["✗", "[bad_record]", "-0@0: field 'id' wants an Int64"];
    check(&job, &[], 1, &words);
    let sink = job.quick().set("errors.tolerance", "all");
    let (code, output) = sink.arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    check(&job, &[], 0, &["the group is past the bad ones"]);
}

#[test]
fn the_example_is_a_record_that_the_sink_writes() {
    let job = Job::new("check_example", 1);
    let found = report(&job, &[], &[], 0);
    let example = &found["plans"][0]["example"];
    let record: Value = serde_json::from_str(example["record"].as_str().unwrap()).unwrap();
    let line = example["line"].as_str().unwrap();
    let name = format!("--topic {}", job.topic.name());
    assert!(
        line.contains("kafka-console-producer.sh") && line.ends_with(&name),
        "{line}"
    );
    job.topic.produce_json(&record);
    let (code, output) = job.quick().arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    assert_eq!(job.milvus.count(&job.collection), 1);
}

/// Markers of transactions have offsets and are no records.
#[test]
fn a_log_with_gaps_is_read_further_back() {
    let job = Job::on_lite("check_gaps", 1);
    for id in 0..4 {
        job.topic
            .produce_in_transaction([Record::json(&article(id))], true);
    }
    let found = report(&job, &["--sample", "4"], &[], 0);
    let records = found["plans"][0]["sample"]["records"].as_u64().unwrap();
    assert!(records >= 4, "{found}");
}
