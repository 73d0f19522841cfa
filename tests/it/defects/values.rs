//! Defects in single values: kinds of field that are lost, and values that are stored as something else.

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::fake::{Fake, Key};
use testkit::kafka::Record;
use testkit::suite;

use super::{on_fake, on_lite, row, small, with};
use crate::support::{Job, SOON};

#[test]
fn d07_binary_vector_lost() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "d07", 1, endpoint, token);
    // Milvus 2.3 takes one vector field only.
    let collection = Collection::new(&job.collection).int64_key("id");
    job.create(&collection.vector("b", Type::BinaryVector, 16));
    let sink = job.quick().start();
    for (id, value) in [(1, json!([1, 128])), (2, json!("AYA="))] {
        job.topic.produce_json(&json!({"id": id, "b": value}));
    }
    job.milvus.await_count(&job.collection, 2, SOON);
    for row in job.milvus.query(&job.collection, "id > 0") {
        assert_eq!(row["b"], json!([1, 128]));
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d09_rows_with_an_array_or_a_half_float_vector_lost() {
    let fake = Fake::start();
    let fields = |c: Collection| {
        small(c)
            .array("tags", Type::VarChar, 4)
            .vector("half", Type::Float16Vector, 2)
            .vector("brain", Type::BFloat16Vector, 2)
            .vector("tiny", Type::Int8Vector, 2)
            .scalar("place", Type::Geometry)
            .scalar("at", Type::Timestamptz)
    };
    let job = on_fake("d09", &fake, fields);
    let values = [
        ("tags", json!(["a", "b"])),
        ("half", json!([0.5, 1.5])),
        ("brain", json!([0.5, 1.5])),
        ("tiny", json!([-128, 127])),
        ("place", json!("POINT (1 2)")),
        ("at", json!("2026-01-02T03:04:05Z")),
    ];
    let add = |record, (field, value): &(&str, Value)| with(record, field, value.clone());
    job.topic.produce_json(&values.iter().fold(row(1), add));
    let sink = job.quick().start();
    job.await_committed();
    let rows = fake.rows(&job.collection);
    for (field, value) in &values {
        assert_eq!(&rows[&Key::Int(1)][0][*field], value, "{field}");
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// Each record in a partition of its own, which halts with these words; nothing is written.
#[track_caller]
fn check_refused(test: &str, fields: impl Fn(Collection) -> Collection, cases: &[(&str, &str)]) {
    let mut job = on_lite(test, fields);
    let partitions = i32::try_from(cases.len()).unwrap();
    if partitions > 1 {
        job.topic.add_partitions(partitions);
    }
    let records = (0..).zip(cases);
    let records = records.map(|(partition, (json, _))| Record::new(*json).partition(partition));
    job.topic.produce(records);
    let sink = job.quick().start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    for (partition, (record, words)) in cases.iter().enumerate() {
        let sentence = format!("{}-{partition}@0: {words}", job.topic.name());
        let said = sink.find_line(&sentence).is_some();
        assert!(said, "{record}: {sentence}\n{}", sink.output());
    }
    assert_eq!(job.milvus.count(&job.collection), 0);
}

#[test]
fn d11_values_of_another_kind_stored_as_something_else() {
    let fields = |c: Collection| {
        small(c)
            .scalar("flag", Type::Bool)
            .scalar("n", Type::Int8)
            .varchar("text", 64)
    };
    check_refused(
        "d11",
        fields,
        &[
            (
                r#"{"id":1,"v":[1,2],"flag":1,"n":1,"text":""}"#,
                "field 'flag' wants a Bool (true or false), found a number",
            ),
            (
                r#"{"id":1,"v":[1,2],"flag":"yes","n":1,"text":""}"#,
                "field 'flag' wants a Bool (true or false), found a string of 3 bytes",
            ),
            (
                r#"{"id":1,"v":[1,2],"flag":true,"n":300,"text":""}"#,
                "field 'n' wants an Int8 (a whole number from -128 to 127), found a number out of range",
            ),
            (
                r#"{"id":1,"v":[1,2],"flag":true,"n":1,"text":{"a":1}}"#,
                "field 'text' wants a VarChar of at most 64 bytes, found an object of 1",
            ),
        ],
    );
}

#[test]
fn d12_numbers_that_are_none_refused_late_and_obscurely() {
    let fields = |c: Collection| small(c).scalar("price", Type::Double);
    check_refused(
        "d12",
        fields,
        &[
            (
                r#"{"id":1,"v":[1,2],"price":NaN}"#,
                "the record should be one JSON object, found malformed JSON at byte 27",
            ),
            (
                r#"{"id":1,"v":[1,1e999],"price":1}"#,
                "field 'v' wants a FloatVector of 2 numbers, found an array whose element 1 (from 0) is a number out of range",
            ),
            (
                r#"{"id":1,"v":[1,2],"price":"Infinity"}"#,
                "field 'price' wants a Double",
            ),
        ],
    );
}

#[test]
fn d14_envelope_without_any_field_written_as_an_empty_row() {
    let envelope = r#"{"before":null,"after":{"id":1,"v":[1,2]},"op":"c"}"#;
    let found = "field 'id' wants an Int64 (a whole number of 64 bits), found nothing";
    check_refused("d14", small, &[(envelope, found)]);
}
