//! Generated schemas and rows: what is read back equals what was sent, whatever generation of Milvus is at the other end;
//! and the bodies of the fuzz targets.

mod arrays;
#[path = "../../fuzz/body.rs"]
mod body;
mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_milvus_sink::columns::Columns;
use kafka_milvus_sink::decode::json;
use kafka_milvus_sink::milvus::client::Client;
use kafka_milvus_sink::milvus::proto::milvus::UpsertRequest;
use kafka_milvus_sink::milvus::{Milvus, WriteRequest};
use kafka_milvus_sink::plan::{self, Plan, Rules};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use testkit::client::Collection;
use testkit::fake::{Fake, Generation, Key, Options, Row};
use tokio::runtime::Runtime;

use self::kinds::{Absence, Cell, Kind, every_kind};
use crate::milvus_client::config;

/// A scripted Milvus and our client of it.
struct Bench {
    fake: Fake,
    client: Client,
    runtime: Runtime,
}

impl Bench {
    fn new(generation: Generation) -> Self {
        let fake = Fake::start_with(Options {
            generation,
            ..Options::default()
        });
        let runtime = Runtime::new().unwrap();
        let entered = runtime.enter();
        let client = Client::new(&config(false, fake.port())).unwrap();
        drop(entered);
        Self {
            fake,
            client,
            runtime,
        }
    }

    /// Makes the collection anew and the plan for it.
    fn plan(&self, collection: &Collection) -> Plan {
        self.fake.create(collection.schema());
        let schema = self.runtime.block_on(self.client.describe("c")).unwrap();
        plan::make(&schema, &Rules::default()).unwrap()
    }

    fn check(&self, table: &Table) {
        let plan = self.plan(&table.collection);
        let mut columns = Columns::new(&plan);
        for row in &table.rows {
            json::decode(&plan, &mut columns, row.payload.as_bytes())
                .unwrap_or_else(|bad| panic!("{bad}: {}", row.payload));
        }
        let request = WriteRequest::Upsert(Arc::new(UpsertRequest {
            collection_name: "c".to_owned(),
            fields_data: columns.into_fields(&[]),
            num_rows: u32::try_from(table.rows.len()).unwrap(),
            ..Default::default()
        }));
        self.runtime.block_on(self.client.write(&request)).unwrap();
        let expected: BTreeMap<Key, Vec<Row>> = table
            .rows
            .iter()
            .map(|row| (row.key.clone(), vec![row.expected.clone()]))
            .collect();
        assert_eq!(self.fake.rows("c"), expected);
        for row in &table.rows {
            for (field, text) in &row.exact {
                let found = self.fake.json("c", &row.key, field);
                assert_eq!(found.as_deref(), Some(text.as_str()), "{field}");
            }
        }
    }
}

fn collection(text_key: bool) -> Collection {
    let collection = Collection::new("c").dynamic();
    if text_key {
        collection.varchar_key("id", 64)
    } else {
        collection.int64_key("id")
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) collection: Collection,
    pub(crate) rows: Vec<Record>,
}

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) payload: String,
    pub(crate) expected: Row,
    /// JSON that must arrive byte for byte.
    exact: Vec<(String, String)>,
}

/// A record field and its value, if it is there.
type Member = (String, Cell);

fn record(
    text_key: bool,
    number: i64,
    members: Vec<Member>,
    dynamic: &[(String, String)],
) -> Record {
    let (key, id) = match text_key {
        true => (
            Key::Text(format!("k'\"{number}")),
            Value::from(format!("k'\"{number}")),
        ),
        false => (Key::Int(number), Value::from(number)),
    };
    let mut parts = vec![format!("\"id\":{id}")];
    let mut expected = Row::from([("id".to_owned(), id)]);
    let mut exact = Vec::new();
    for (name, cell) in members {
        parts.extend(cell.json.as_ref().map(|json| format!("\"{name}\": {json}")));
        exact.extend(cell.exact.map(|text| (name.clone(), text)));
        expected.insert(name, cell.expected);
    }
    let extras: Vec<String> = dynamic
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    let meta = format!("{{{}}}", extras.join(","));
    expected.insert("$meta".to_owned(), serde_json::from_str(&meta).unwrap());
    exact.push(("$meta".to_owned(), meta));
    parts.extend(extras);
    Record {
        key,
        payload: format!("{{{}}}", parts.join(" , ")),
        expected,
        exact,
    }
}

/// Some fields of some kinds, and rows of them.
pub(crate) fn tables(generation: Generation, kinds: Vec<Kind>) -> impl Strategy<Value = Table> {
    let absences = prop::sample::select(Absence::ALL.to_vec());
    let field = (prop::sample::select(kinds), absences);
    let fields = prop::collection::vec(field, 0..6);
    (fields, any::<bool>(), any::<i32>()).prop_flat_map(move |(fields, text_key, first)| {
        let mut table = collection(text_key);
        let mut cells = Vec::new();
        for (index, (kind, absence)) in fields.into_iter().enumerate() {
            let name = format!("f{index}");
            let wanted = kind.add(table.clone(), &name, absence);
            let absence = match generation.lacks(&wanted.schema()) {
                None => absence,
                Some(_) => Absence::Never,
            };
            table = kind.add(table, &name, absence);
            cells.push(
                kind.cells(absence)
                    .prop_map(move |cell| (name.clone(), cell)),
            );
        }
        let extra = prop::sample::select(vec![
            "1.50",
            "[ ]",
            "{\"a\" : 1e300}",
            "\"\\u00e9\"",
            "null",
        ]);
        let dynamic = prop::collection::btree_map("x[a-c]", extra.prop_map(str::to_owned), 0..3);
        prop::collection::vec((cells, dynamic), 1..8).prop_map(move |rows| {
            let rows =
                rows.into_iter()
                    .zip(i64::from(first)..)
                    .map(|((members, dynamic), number)| {
                        let dynamic: Vec<_> = dynamic.into_iter().collect();
                        record(text_key, number, members, &dynamic)
                    });
            Table {
                collection: table.clone(),
                rows: rows.collect(),
            }
        })
    })
}

/// The kinds of field that the generation has.
pub(crate) fn kinds(generation: Generation) -> Vec<Kind> {
    let lacks = |kind: &Kind| {
        let collection = kind.add(collection(false), "f", Absence::Never);
        // 2.3 takes objects alone as JSON.
        let is_half = generation == Generation::V2_3 && kind.name == "Json";
        is_half || generation.lacks(&collection.schema()).is_some()
    };
    let mut kinds = every_kind();
    kinds.retain(|kind| !lacks(kind));
    kinds
}

fn check(generation: Generation, number_of_kinds: usize) {
    let bench = Bench::new(generation);
    let kinds = kinds(generation);
    assert_eq!(kinds.len(), number_of_kinds, "{kinds:?}");
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    runner
        .run(&tables(generation, kinds), |table| {
            bench.check(&table);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_2_3_reads_equals_what_was_sent() {
    check(Generation::V2_3, 20);
}

#[test]
fn what_2_5_reads_equals_what_was_sent() {
    check(Generation::V2_5, 23);
}

#[test]
fn what_3_0_reads_equals_what_was_sent() {
    check(Generation::V3_0, 27);
}

/// Nearly records: pieces that belong together, in any order.
fn jsonish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "1",
        "-0.5",
        "1e99",
        "true",
        "null",
        "\0",
        "{\"id\":1",
        "{\"id\":\"a\"",
        "\"id\":2",
        ",\"f0\":",
        ",\"f1\":",
        ",\"f2\":",
        "\"f0\":[1]",
        "[1,2]",
        "[0.5]",
        "{\"1\":0.5}",
        "{\"indices\":[1],\"values\":[2]}",
        "[[1,0.5]]",
        "\"AAAA\"",
        "\"POINT (1 2)\"",
        "\"2025-01-01T00:00:00Z\"",
        "[{\"a\":1,\"v\":[1]}]",
        "\"[1]\"",
        ",\"x\":{}",
        "\\ud800",
        "\u{e9}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..16)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_bytes_with_any_schema_add_one_row_to_every_column_or_none(
        fields in 0_u8..4, flags in any::<u8>(), specs in prop::collection::vec(any::<u8>(), 9),
        payloads in prop_oneof![4 => jsonish(), 1 => prop::collection::vec(any::<u8>(), 0..80)],
    ) {
        let specs = &specs[..usize::from(fields) * 3];
        // The remainder by 12 counts the fields.
        let first = flags & 0xe0;
        let first = first + (12 + fields - first % 12) % 12;
        body::decode_anything(&[&[first], specs, &payloads].concat());
    }
}

#[test]
fn the_body_of_the_fuzz_target_reads_schemas_and_payloads() {
    let rows = |input: &[u8]| body::decode_anything(input);
    assert_eq!(rows(b""), None);
    // A nullable Bool, and three payloads of which one is bad.
    let input = [
        &[1, 0, 1, 0][..],
        br#"{"id":1,"f0":true}"#,
        b"\0",
        br#"{"id":2}"#,
        b"\0{",
    ]
    .concat();
    assert_eq!(rows(&input), Some(2));
}
