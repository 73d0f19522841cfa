//! A schema that changes under a running sink, on a Milvus that compares the timestamps of schemas.

use serde_json::{Value, json};
use testkit::fake::{Call, Fake, Key};
use testkit::proto::common::KeyValuePair;
use testkit::proto::schema::{CollectionSchema, DataType, FieldSchema};
use testkit::{suite, wait};

use crate::support::{Job, SOON};

fn field(name: &str, data_type: DataType) -> FieldSchema {
    FieldSchema {
        name: name.to_owned(),
        data_type: data_type as i32,
        ..Default::default()
    }
}

fn collection(name: &str) -> CollectionSchema {
    let id = FieldSchema {
        is_primary_key: true,
        ..field("id", DataType::Int64)
    };
    let vector = FieldSchema {
        type_params: vec![KeyValuePair {
            key: "dim".to_owned(),
            value: "2".to_owned(),
        }],
        ..field("v", DataType::FloatVector)
    };
    CollectionSchema {
        name: name.to_owned(),
        fields: vec![id, vector],
        ..Default::default()
    }
}

fn add(fake: &Fake, collection: &str, name: &str) {
    let color = FieldSchema {
        nullable: true,
        ..field(name, DataType::Int32)
    };
    fake.alter(collection, |schema| schema.fields.push(color));
}

fn await_rows(fake: &Fake, collection: &str, rows: usize) {
    wait::until(SOON, format_args!("{rows} rows"), || {
        fake.rows(collection).len() == rows
    });
}

fn value(fake: &Fake, collection: &str, id: i64, name: &str) -> Option<Value> {
    let rows = fake.rows(collection);
    rows[&Key::Int(id)].last().unwrap().get(name).cloned()
}

#[test]
fn a_field_added_under_a_running_sink_is_filled_from_its_first_record_on() {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "altered", 1, fake.endpoint(), None);
    let name = &job.collection;
    fake.create(collection(name));
    let sink = job.quick().start();
    job.topic.produce_json(&json!({"id": 1, "v": [1, 2]}));
    await_rows(&fake, name, 1);

    // Seen by a record that brings it, before anything is sent.
    add(&fake, name, "color");
    job.topic
        .produce_json(&json!({"id": 2, "v": [1, 2], "color": 7}));
    await_rows(&fake, name, 2);
    assert_eq!(value(&fake, name, 2, "color"), Some(json!(7)));

    // Seen by Milvus, which knows a newer schema than the one that the rows name: nothing is written by the old one.
    add(&fake, name, "size");
    job.topic
        .produce_json(&json!({"id": 3, "v": [1, 2], "size": 9}));
    await_rows(&fake, name, 3);
    assert_eq!(value(&fake, name, 3, "size"), Some(json!(9)));
    job.topic.produce_json(&json!({"id": 4, "v": [1, 2]}));
    await_rows(&fake, name, 4);
    assert_eq!(value(&fake, name, 4, "size"), Some(Value::Null));

    job.await_committed();
    let seen = fake.seen();
    let count = |is: fn(&Call) -> bool| seen.iter().filter(|seen| is(&seen.call)).count();
    assert_eq!(
        count(|call| matches!(call, Call::Upsert(_))),
        5,
        "one was refused"
    );
    assert_eq!(count(|call| matches!(call, Call::Describe(_))), 3);
    assert!(sink.find_line(" held ").is_none(), "{}", sink.output());
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
