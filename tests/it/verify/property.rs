//! Generated schemas and rows: what the sink writes is what `verify` wants, whatever the types are; and a change to any
//! one value, or row, is found as just that.

use std::sync::Arc;

use kafka_milvus_sink::columns::Columns;
use kafka_milvus_sink::config::{self, Config, Sources};
use kafka_milvus_sink::decode::json;
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::proto::milvus::UpsertRequest;
use kafka_milvus_sink::milvus::{Milvus, WriteRequest};
use kafka_milvus_sink::plan::{self, Rules};
use kafka_milvus_sink::verify::{Options, verify};
use proptest::prelude::any;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config as Cases, TestRunner};
use serde_json::{Value, json};
use testkit::client::Type;
use testkit::fake::{Fake, Generation, Key, Options as FakeOptions, Row};
use testkit::kafka::{MockBroker, Record, Topic};
use testkit::sink::write_config;
use tokio::runtime::Runtime;

use crate::milvus_client;
use crate::property::{Table, kinds, tables};

/// Each in a topic and a collection of its own, all verified at once.
const TABLES: usize = 8;
const ROUNDS: usize = 3;

struct Bench {
    kafka: MockBroker,
    fake: Fake,
    client: Client,
    runtime: Runtime,
}

/// A difference as `verify` tells it: kind, collection, fields.
type Told = (String, String, String);

impl Bench {
    fn new(generation: Generation) -> Self {
        let fake = Fake::start_with(FakeOptions {
            generation,
            ..FakeOptions::default()
        });
        let runtime = Runtime::new().unwrap();
        let entered = runtime.enter();
        let client = Client::new(&milvus_client::config(false, fake.port())).unwrap();
        drop(entered);
        Self {
            kafka: MockBroker::start(),
            fake,
            client,
            runtime,
        }
    }

    /// What the sink writes of the table, and the records in a topic; gives it and the collection's name.
    fn write(&self, table: &Table) -> (Topic, String) {
        let topic = self.kafka.topic("verify_any", 1);
        let of_topic = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = topic.name().chars().map(of_topic).collect();
        let mut schema = table.collection.schema();
        schema.name.clone_from(&name);
        self.fake.create(schema);
        let schema = self.runtime.block_on(self.client.describe(&name)).unwrap();
        let plan = plan::make(&schema, &Rules::default()).unwrap();
        let mut columns = Columns::new(&plan);
        for row in &table.rows {
            json::decode(&plan, &mut columns, row.payload.as_bytes()).unwrap();
        }
        let request = WriteRequest::Upsert(Arc::new(UpsertRequest {
            collection_name: name.clone(),
            fields_data: columns.into_fields(&[]),
            num_rows: u32::try_from(table.rows.len()).unwrap(),
            ..Default::default()
        }));
        self.runtime.block_on(self.client.write(&request)).unwrap();
        topic.produce(
            table
                .rows
                .iter()
                .map(|row| Record::new(row.payload.as_str())),
        );
        (topic, name)
    }

    fn config(&self, bootstrap: &str, topics: &[String]) -> Config {
        let text = format!(
            "name=any\nbootstrap.servers={}\ntopics={}\npublic.endpoint={}\n",
            bootstrap,
            topics.join(","),
            self.fake.endpoint(),
        );
        let files = vec![write_config(&text)];
        config::load(&Sources {
            files,
            ..Sources::default()
        })
        .unwrap()
    }

    fn differences(&self, config: &Config) -> Vec<Told> {
        let options = Options {
            json: true,
            ..Options::default()
        };
        let mut out = Vec::new();
        self.runtime
            .block_on(verify(config, &options, &mut out))
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        let told = |line: Value| {
            let kind = line["difference"].as_str()?.to_owned();
            let fields = line["fields"].as_array().cloned().unwrap_or_default();
            let fields: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
            Some((
                kind,
                line["collection"].as_str()?.to_owned(),
                fields.join(","),
            ))
        };
        let mut found: Vec<Told> = lines.filter_map(told).collect();
        found.sort();
        found
    }

    /// Changes one thing in the table's collection and says which difference that is.
    fn mutate(&self, table: &Table, name: &str, choice: usize) -> Told {
        let row = &table.rows[choice % table.rows.len()];
        let told = |kind: &str, field: &str| (kind.to_owned(), name.to_owned(), field.to_owned());
        let structs = table.collection.schema().struct_array_fields;
        let is_changed =
            |field: &&String| *field != "id" && structs.iter().all(|s| s.name != **field);
        let fields: Vec<&String> = row.expected.keys().filter(is_changed).collect();
        match choice / 7 % 4 {
            0 => {
                self.fake.remove(name, &row.key);
                told("missing", "")
            }
            1 => {
                let other = match row.key {
                    Key::Int(_) => Key::Int(i64::MAX),
                    Key::Text(_) => Key::Text("other".to_owned()),
                };
                self.fake.copy(name, &row.key, &other);
                told("unexpected", "")
            }
            _ => {
                let field = fields[choice / 28 % fields.len()];
                self.fake
                    .change(name, &row.key, |row| change(table, field, row));
                told("stale", field)
            }
        }
    }
}

/// To another value of its type.
fn change(table: &Table, name: &str, row: &mut Row) {
    let schema = table.collection.schema();
    let field = schema.fields.iter().find(|field| field.name == name);
    let value = row.get_mut(name).unwrap();
    let pick =
        |a: Value, b: Value| move |value: &Value| if *value == a { b.clone() } else { a.clone() };
    let elements = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let Some(field) = field else {
        *value = pick(json!({"x": 1}), json!({"x": 2}))(value);
        return;
    };
    *value = match field.data_type() {
        Type::Bool => pick(json!(true), json!(false))(value),
        Type::VarChar | Type::Text => pick(json!("a"), json!("b"))(value),
        Type::Geometry => pick(json!("POINT (7 8)"), json!("POINT (8 7)"))(value),
        Type::Timestamptz => pick(
            json!("2001-01-01T00:00:00Z"),
            json!("2001-01-01T00:00:00.000001Z"),
        )(value),
        Type::Json => pick(json!({"a": 1}), json!({"a": 2}))(value),
        Type::SparseFloatVector => pick(json!({"1": 0.5}), json!({"1": 0.25}))(value),
        Type::Array => {
            let mut longer = elements(value);
            longer.push(match field.element_type() {
                Type::Bool => json!(true),
                Type::VarChar => json!("a"),
                _ => json!(1),
            });
            Value::Array(longer)
        }
        kind if kind as i32 >= Type::BinaryVector as i32 => {
            let mut vector = elements(value);
            match vector.first_mut() {
                Some(first) => *first = pick(json!(1), json!(2))(first),
                // A null becomes a vector.
                None => {
                    let dim = field
                        .type_params
                        .iter()
                        .find(|param| param.key == "dim")
                        .unwrap();
                    let dim: usize = dim.value.parse().unwrap();
                    let width = if kind == Type::BinaryVector {
                        dim / 8
                    } else {
                        dim
                    };
                    vector = vec![json!(1); width];
                }
            }
            Value::Array(vector)
        }
        _ => pick(json!(1), json!(2))(value),
    };
}

fn check(generation: Generation) {
    let bench = Bench::new(generation);
    let mut runner = TestRunner::new(Cases::default());
    let strategy = (tables(generation, kinds(generation)), any::<u16>());
    for _ in 0..ROUNDS {
        let mut made: Vec<(Table, usize)> = Vec::new();
        for _ in 0..TABLES {
            let (table, choice) = strategy.new_tree(&mut runner).unwrap().current();
            made.push((table, usize::from(choice)));
        }
        let names: Vec<(Topic, String)> =
            made.iter().map(|(table, _)| bench.write(table)).collect();
        let topics: Vec<String> = names
            .iter()
            .map(|(topic, _)| topic.name().to_owned())
            .collect();
        let config = bench.config(names[0].0.bootstrap(), &topics);
        assert_eq!(bench.differences(&config), [], "{made:?}");
        let changed = made.iter().zip(&names);
        let changed =
            changed.map(|((table, choice), (_, name))| bench.mutate(table, name, *choice));
        let mut expected: Vec<Told> = changed.collect();
        expected.sort();
        assert_eq!(bench.differences(&config), expected, "{made:?}");
    }
}

#[test]
fn on_2_3_any_one_change_is_found_and_nothing_else() {
    check(Generation::V2_3);
}

#[test]
fn on_3_0_any_one_change_is_found_and_nothing_else() {
    check(Generation::V3_0);
}
