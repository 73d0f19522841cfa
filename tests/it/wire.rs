//! The wire format: our messages against the classes of the official Python client, both ways.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use kafka_milvus_sink::milvus::proto::{common, milvus, schema};
use prost::Message;
use serde_json::{Value, json};
use testkit::services;

/// Decodes as our type of this name and encodes again; what our type does not know is lost on the way.
type Recode = fn(&[u8]) -> Vec<u8>;

fn recode<M: Message + Default>(bytes: &[u8]) -> Vec<u8> {
    let message = M::decode(bytes).expect("a message of this type");
    message.encode_to_vec()
}

macro_rules! table {
    ($($module:ident :: { $($message:ident),* $(,)? })*) => {
        &[$($((
            concat!("milvus.proto.", stringify!($module), ".", stringify!($message)),
            recode::<$module::$message> as Recode,
        ),)*)*]
    };
}

const MESSAGES: &[(&str, Recode)] = table! {
    common::{ Status, KeyValuePair, ClientInfo, ServerInfo }
    schema::{
        FieldSchema, StructArrayFieldSchema, FunctionSchema, CollectionSchema, ValueField,
        BoolArray, IntArray, LongArray, FloatArray, DoubleArray, StringArray, BytesArray, JsonArray,
        GeometryWktArray, ArrayArray, ScalarField, SparseFloatArray, VectorArray, VectorField,
        StructArrayField, FieldData,
    }
    milvus::{
        GetVersionRequest, GetVersionResponse, DescribeCollectionRequest, DescribeCollectionResponse,
        InsertRequest, UpsertRequest, DeleteRequest, MutationResult, QueryRequest, QueryResults,
        CreateCollectionRequest, DropCollectionRequest, CreateIndexRequest, LoadCollectionRequest,
        GetLoadStateRequest, GetLoadStateResponse, CreatePartitionRequest, HasPartitionRequest, BoolResponse,
    }
};

/// prost writes `JSONArray` as `JsonArray` and `IDs` as `IDs`: names are looked up without regard to case.
fn recode_of(name: &str) -> Recode {
    if name == "milvus.proto.schema.IDs" {
        return recode::<schema::IDs>;
    }
    let found = MESSAGES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found
        .unwrap_or_else(|| panic!("{name} is missing in MESSAGES"))
        .1
}

#[test]
fn every_message_means_the_same_to_the_official_client() {
    let descriptors = services::scratch("wire").join("descriptors.bin");
    std::fs::write(&descriptors, testkit::DESCRIPTORS).unwrap();
    let descriptors = descriptors.to_string_lossy();
    let samples = wire_py(&["samples", &descriptors], "");
    let mut recoded = String::new();
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let (name, official) = (text(&sample["message"]), text(&sample["bytes"]));
        let ours = recode_of(name)(&from_hex(official));
        let line = json!({"message": name, "ours": to_hex(&ours), "official": official});
        writeln!(recoded, "{line}").unwrap();
    }
    assert!(samples.lines().count() > MESSAGES.len());
    wire_py(&["compare"], &recoded);
}

#[test]
fn what_we_write_is_read_by_name() {
    let mut lines = String::new();
    let mut add = |name: &str, ours: Vec<u8>, fields: Value| {
        let line = json!({"message": name, "ours": to_hex(&ours), "fields": fields});
        writeln!(lines, "{line}").unwrap();
    };
    let insert = insert_request();
    add(
        "milvus.proto.milvus.InsertRequest",
        insert.encode_to_vec(),
        insert_fields(),
    );
    let result = mutation_result();
    add(
        "milvus.proto.milvus.MutationResult",
        result.encode_to_vec(),
        result_fields(),
    );
    wire_py(&["compare"], &lines);
}

fn insert_request() -> milvus::InsertRequest {
    let scalars = |data| {
        let scalars = schema::ScalarField { data: Some(data) };
        Some(schema::field_data::Field::Scalars(scalars))
    };
    let id = schema::FieldData {
        r#type: schema::DataType::Int64.into(),
        field_name: "id".to_owned(),
        field: scalars(schema::scalar_field::Data::LongData(schema::LongArray {
            data: vec![1, -2],
        })),
        is_dynamic: false,
        valid_data: vec![true, true],
    };
    let extra = schema::FieldData {
        r#type: schema::DataType::Json.into(),
        field_name: "$meta".to_owned(),
        field: scalars(schema::scalar_field::Data::JsonData(schema::JsonArray {
            data: ["{}"].iter().collect(),
        })),
        is_dynamic: true,
        valid_data: Vec::new(),
    };
    let floats = schema::FloatArray {
        data: vec![0.5, 0.25],
    };
    let vector = schema::FieldData {
        r#type: schema::DataType::FloatVector.into(),
        field_name: "vector".to_owned(),
        field: Some(schema::field_data::Field::Vectors(schema::VectorField {
            dim: 2,
            data: Some(schema::vector_field::Data::FloatVector(floats)),
        })),
        is_dynamic: false,
        valid_data: Vec::new(),
    };
    milvus::InsertRequest {
        db_name: "db".to_owned(),
        collection_name: "articles".to_owned(),
        partition_name: "p".to_owned(),
        fields_data: vec![id, extra, vector],
        num_rows: 2,
        schema_timestamp: 9,
    }
}

fn insert_fields() -> Value {
    json!({
        "db_name": "db", "collection_name": "articles", "partition_name": "p", "num_rows": 2, "schema_timestamp": "9",
        "fields_data": [
            {"type": "Int64", "field_name": "id", "scalars": {"long_data": {"data": ["1", "-2"]}}, "valid_data": [true, true]},
            {"type": "JSON", "field_name": "$meta", "scalars": {"json_data": {"data": ["e30="]}}, "is_dynamic": true},
            {"type": "FloatVector", "field_name": "vector", "vectors": {"dim": "2", "float_vector": {"data": [0.5, 0.25]}}},
        ],
    })
}

fn mutation_result() -> milvus::MutationResult {
    let status = common::Status {
        error_code: 1,
        reason: "why".to_owned(),
        code: 1100,
        retriable: true,
        detail: "more".to_owned(),
        extra_info: [("k".to_owned(), "v".to_owned())].into(),
    };
    let ids = schema::LongArray { data: vec![3, 4] };
    milvus::MutationResult {
        status: Some(status),
        i_ds: Some(schema::IDs {
            id_field: Some(schema::i_ds::IdField::IntId(ids)),
        }),
        succ_index: vec![0, 1],
        err_index: vec![2],
        insert_cnt: 3,
        delete_cnt: 4,
        upsert_cnt: 5,
        timestamp: 6,
    }
}

fn result_fields() -> Value {
    json!({
        "status": {
            "error_code": 1, "reason": "why", "code": 1100, "retriable": true, "detail": "more", "extra_info": {"k": "v"},
        },
        "IDs": {"int_id": {"data": ["3", "4"]}},
        "succ_index": [0, 1], "err_index": [2],
        "insert_cnt": "3", "delete_cnt": "4", "upsert_cnt": "5", "timestamp": "6",
    })
}

/// Runs tests/wire/wire.py; panics with the faults that it found.
fn wire_py(arguments: &[&str], input: &str) -> String {
    let mut python: Command = services::python();
    python.arg(services::repository().join("tests/wire/wire.py"));
    python.args(arguments).stdin(Stdio::piped());
    python.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = python.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    // It reads to the end before it writes, or does not read at all.
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = running.wait_with_output().unwrap();
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{faults}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}
