//! Arrays, geometries, times, defaults, nulls, partition keys and outputs of functions, on real servers.

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::proto::schema::value_field::Data;
use testkit::suite;

use crate::support::{Job, SOON};

/// The records go through the sink; the rows come back in the order of their `id`.
fn written(job: &Job, records: &[Value]) -> Vec<Value> {
    let sink = job.start();
    let all = records.iter();
    all.for_each(|record| job.topic.produce_json(record));
    let rows = i64::try_from(records.len()).unwrap();
    job.milvus.await_count(&job.collection, rows, SOON);
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let mut found = job.milvus.query(&job.collection, "id >= 0");
    found.sort_by_key(|row| row["id"].as_i64());
    let found = json!(found);
    found.as_array().unwrap().clone()
}

fn on_lite(test: &str) -> Job {
    Job::with(suite::kafka(), test, 1, suite::lite().endpoint(), None)
}

fn arrays_of_every_type(job: &Job) {
    let elements = [
        ("bool", Type::Bool),
        ("int8", Type::Int8),
        ("int16", Type::Int16),
        ("int32", Type::Int32),
        ("int64", Type::Int64),
        ("float", Type::Float),
        ("double", Type::Double),
    ];
    let collection = Collection::new(&job.collection).int64_key("id");
    let arrays = elements
        .into_iter()
        .fold(collection, |collection, (name, element)| {
            collection.array(name, element, 3)
        });
    job.create(&arrays.varchar_array("text", 8, 3).float_vector("vector", 2));
    let rows = [
        json!({
            "id": 0, "bool": [true, false], "int8": [-128, 127], "int16": [-32768, 32767], "int32": [i32::MIN],
            "int64": [i64::MIN, 9_007_199_254_740_993_i64, i64::MAX], "float": [f64::from(0.1_f32)],
            "double": [5e-324, 0.1], "text": ["größe", ""], "vector": [1.0, 2.0],
        }),
        json!({
            "id": 1, "bool": [], "int8": [], "int16": [], "int32": [], "int64": [], "float": [], "double": [],
            "text": [], "vector": [1.0, 2.0],
        }),
    ];
    // As change capture sends it.
    let mut inside_strings = rows[0].clone();
    inside_strings["id"] = json!(2);
    for (_, value) in inside_strings.as_object_mut().unwrap() {
        if value.is_array() {
            *value = json!(value.to_string());
        }
    }
    let found = written(job, &[rows[0].clone(), rows[1].clone(), inside_strings]);
    let mut again = rows[0].clone();
    again["id"] = json!(2);
    assert_eq!(json!(found), json!([rows[0], rows[1], again]));
}

#[test]
fn arrays_of_every_type_on_2_3() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    arrays_of_every_type(&Job::with(suite::kafka(), "arrays", 1, endpoint, token));
}

#[test]
fn arrays_of_every_type_on_lite() {
    arrays_of_every_type(&on_lite("arrays_lite"));
}

#[test]
fn geometries_and_times_with_their_nulls_and_defaults_on_lite() {
    let job = on_lite("places");
    let text = |text: &str| Data::StringData(text.to_owned());
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .scalar("place", Type::Geometry)
        .scalar("time", Type::Timestamptz)
        .scalar("maybe_place", Type::Geometry)
        .nullable()
        .scalar("maybe_time", Type::Timestamptz)
        .nullable()
        .scalar("since", Type::Timestamptz)
        .default_value(text("2025-01-01T08:00:00+08:00"))
        .scalar("home", Type::Geometry)
        .default_value(text("POINT (1 2)"))
        .float_vector("vector", 2);
    job.create(&collection);
    let square = "POLYGON ((0 0, 0 1, 1 1, 0 0))";
    let found = written(
        &job,
        &[
            json!({"id": 0, "vector": [1, 2], "place": "POINT (1.5 -2)", "time": 1_735_689_600_123_i64}),
            json!({
                "id": 1, "vector": [1, 2], "place": square, "time": "2025-01-01 00:00:00.000001-12:00",
                "maybe_place": square, "maybe_time": "2024-02-29T23:59:59+14:00", "since": 0, "home": square,
            }),
        ],
    );
    let named = [
        "place",
        "time",
        "maybe_place",
        "maybe_time",
        "since",
        "home",
    ];
    let shown = found.iter().map(|row| named.map(|name| row[name].clone()));
    let expected = [
        json!([
            "POINT (1.5 -2)",
            "2025-01-01T00:00:00.123000Z",
            null,
            null,
            "2025-01-01T00:00:00Z",
            "POINT (1 2)"
        ]),
        json!([
            square,
            "2025-01-01T12:00:00.000001Z",
            square,
            "2024-02-29T09:59:59Z",
            "1970-01-01T00:00:00Z",
            square
        ]),
    ];
    assert_eq!(json!(shown.collect::<Vec<_>>()), json!(expected));
}

#[test]
fn nulls_of_every_scalar_type_on_lite() {
    let job = on_lite("nulls");
    let scalars = [
        ("bool", Type::Bool, json!(true)),
        ("int8", Type::Int8, json!(-1)),
        ("int16", Type::Int16, json!(-2)),
        ("int32", Type::Int32, json!(-3)),
        ("int64", Type::Int64, json!(-4)),
        ("float", Type::Float, json!(0.5)),
        ("double", Type::Double, json!(0.25)),
        ("json", Type::Json, json!({"a": 1})),
    ];
    let mut collection = Collection::new(&job.collection).int64_key("id");
    let mut full = json!({"id": 1, "text": "x", "tags": [1, 2], "vector": [1.0, 2.0]});
    let mut empty = json!({"id": 0, "text": null, "tags": null, "vector": [1.0, 2.0]});
    for (name, data_type, value) in scalars {
        collection = collection.scalar(name, data_type).nullable();
        full[name] = value;
        empty[name] = Value::Null;
    }
    let collection = collection.varchar("text", 8).nullable();
    let collection = collection.array("tags", Type::Int8, 2).nullable();
    job.create(&collection.float_vector("vector", 2));
    let absent = json!({"id": 2, "vector": [1.0, 2.0]});
    let found = written(&job, &[empty.clone(), full.clone(), absent]);
    let mut as_null = empty.clone();
    as_null["id"] = json!(2);
    assert_eq!(json!(found), json!([empty, full, as_null]));
}

#[test]
fn what_a_function_makes_is_left_to_it_on_lite() {
    let job = on_lite("bm25");
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .varchar("text", 64)
        .bm25("text", "words")
        .float_vector("vector", 2);
    job.create(&collection);
    // Also a value of the record's own is left out.
    let record = json!({"id": 1, "text": "cold brew", "words": {"1": 0.5}, "vector": [1, 2]});
    let found = written(&job, &[record]);
    assert_eq!(
        found,
        [json!({"id": 1, "text": "cold brew", "vector": [1.0, 2.0]})]
    );
}

#[test]
fn a_partition_key_is_required_and_decides_on_2_3() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "tenants", 1, endpoint, token);
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .varchar("tenant", 16)
        .partition_key()
        .float_vector("vector", 2);
    job.create(&collection);
    // Upserts of 2.3.5 miss the partition.
    let sink = job.sink().set("insert.mode", "insert").start();
    for id in 0..20 {
        let tenant = format!("tenant {}", id % 4);
        job.topic
            .produce_json(&json!({"id": id, "tenant": tenant, "vector": [id, 1]}));
    }
    job.milvus.await_count(&job.collection, 20, SOON);
    for tenant in 0..4 {
        let filter = format!("tenant == 'tenant {tenant}'");
        let found = job.milvus.count_where(&job.collection, &filter);
        assert_eq!(found, 5, "{filter}");
    }
    job.topic.produce_json(&json!({"id": 20, "vector": [1, 1]}));
    sink.wait_for_line("field 'tenant' wants a VarChar", SOON);
    assert_eq!(sink.terminate(SOON), 3, "halted");
}
