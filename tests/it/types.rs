//! Every field type, its extremes included, written and read back equal.

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::proto::schema::value_field::Data;

use crate::support::{Job, SOON};
use testkit::suite;

const SCALARS: [(&str, Type); 8] = [
    ("bool", Type::Bool),
    ("int8", Type::Int8),
    ("int16", Type::Int16),
    ("int32", Type::Int32),
    ("int64", Type::Int64),
    ("float", Type::Float),
    ("double", Type::Double),
    ("json", Type::Json),
];

fn every_type(name: &str) -> Collection {
    let collection = Collection::new(name).int64_key("id");
    let with = |collection: Collection, (name, data_type)| collection.scalar(name, data_type);
    let scalars = SCALARS.into_iter().fold(collection, with);
    scalars
        .varchar("text", 64)
        .float_vector("vector", 3)
        .dynamic()
}

/// Extremes, and what a detour over f64 would change. Milvus 2.3 takes only objects into a JSON field. And a query of 2.3
/// does not find the greatest Int64 key: it begins its search for the least one with it.
fn rows() -> Vec<Value> {
    vec![
        json!({
            "id": i64::MIN, "bool": true, "int8": i8::MIN, "int16": i16::MIN, "int32": i32::MIN,
            "int64": 9_007_199_254_740_993_i64, "float": f64::from(f32::MAX), "double": f64::MAX,
            "json": {"deep": [1, {"er": null}]}, "text": "größe 🦀", "vector": [0.125, -2.5, 1.0],
            "$meta": {"color": "red", "size": 3}
        }),
        json!({
            "id": i64::MAX - 1, "bool": false, "int8": i8::MAX, "int16": i16::MAX, "int32": i32::MAX,
            "int64": i64::MIN, "float": f64::from(f32::MIN_POSITIVE), "double": 5e-324,
            "json": {"list": [true, 2.5]}, "text": "", "vector": [0.0, 16_777_216.0, f64::from(0.1_f32)],
            "$meta": {}
        }),
    ]
}

/// As a record has it: the dynamic fields beside the others.
fn record(row: &Value) -> Value {
    let mut record = row.as_object().unwrap().clone();
    let dynamic = record.remove("$meta").unwrap();
    record.extend(dynamic.as_object().unwrap().clone());
    Value::Object(record)
}

fn check(job: &Job) {
    job.create(&every_type(&job.collection));
    let sink = job.start();
    let rows = rows();
    rows.iter()
        .for_each(|row| job.topic.produce_json(&record(row)));
    job.milvus.await_count(&job.collection, 2, SOON);
    let mut found = job.milvus.query(&job.collection, "int64 != 0");
    found.sort_by_key(|row| row["id"].as_i64());
    assert_eq!(json!(found), json!(rows));
    assert_eq!(sink.terminate(SOON), 0);
}

#[test]
fn every_type_on_2_3() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    check(&Job::with(suite::kafka(), "types", 1, endpoint, token));
}

#[test]
fn every_type_on_lite() {
    let endpoint = suite::lite().endpoint();
    check(&Job::with(suite::kafka(), "types_lite", 1, endpoint, None));
}

#[test]
fn an_absent_field_becomes_null_or_its_default() {
    let endpoint = suite::lite().endpoint();
    let job = Job::with(suite::kafka(), "absent_fields", 1, endpoint, None);
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .scalar("maybe", Type::Double)
        .nullable()
        .varchar("status", 16)
        .default_value(Data::StringData("new".to_owned()))
        .scalar("count", Type::Int32)
        .default_value(Data::IntData(7))
        .float_vector("vector", 2);
    job.create(&collection);
    let sink = job.start();
    let cases = [
        (json!({}), json!([null, "new", 7])),
        (
            json!({"maybe": null, "status": null, "count": null}),
            json!([null, "new", 7]),
        ),
        (
            json!({"maybe": 0.5, "status": "old", "count": -1}),
            json!([0.5, "old", -1]),
        ),
    ];
    for (id, (given, _)) in cases.iter().enumerate() {
        let mut record = given.clone();
        record["id"] = json!(id);
        record["vector"] = json!([1, 2]);
        job.topic.produce_json(&record);
    }
    job.milvus.await_count(&job.collection, 3, SOON);
    for (id, (given, expected)) in cases.iter().enumerate() {
        let row = &job.milvus.query(&job.collection, &format!("id == {id}"))[0];
        let found = json!([row["maybe"], row["status"], row["count"]]);
        assert_eq!(&found, expected, "{given}");
    }
    assert_eq!(sink.terminate(SOON), 0);
}
