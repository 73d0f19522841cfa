//! Collections of every type that a server has: made, written column by column, read back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute only, and helpers have none"
)]

use serde_json::{Value, json};
use testkit::client::{Collection, MilvusClient, Type};
use testkit::proto::schema::field_data::Field;
use testkit::proto::schema::scalar_field::Data as Scalars;
use testkit::proto::schema::value_field::Data as Default_;
use testkit::proto::schema::vector_field::Data as Vectors;
use testkit::proto::schema::{
    ArrayArray, FieldData, FloatArray, GeometryWktArray, LongArray, ScalarField, SparseFloatArray,
    StringArray, VectorField,
};
use testkit::{services, suite};

fn new(what: &str) -> Collection {
    Collection::new(&services::unique_collection(what)).int64_key("id")
}

fn scalar(name: &str, data_type: Type, data: Scalars) -> FieldData {
    FieldData {
        r#type: data_type.into(),
        field_name: name.to_owned(),
        field: Some(Field::Scalars(ScalarField { data: Some(data) })),
        ..Default::default()
    }
}

fn vector(name: &str, data_type: Type, dim: i64, data: Vectors) -> FieldData {
    FieldData {
        r#type: data_type.into(),
        field_name: name.to_owned(),
        field: Some(Field::Vectors(VectorField {
            dim,
            data: Some(data),
        })),
        ..Default::default()
    }
}

fn longs(data: &[i64]) -> Scalars {
    Scalars::LongData(LongArray {
        data: data.to_vec(),
    })
}

fn texts(data: &[&str]) -> Scalars {
    let data = data.iter().map(|text| (*text).to_owned()).collect();
    Scalars::StringData(StringArray { data })
}

fn floats() -> FieldData {
    let data = vec![0.5, 1.0, 1.5, 2.0];
    let data = Vectors::FloatVector(FloatArray { data });
    vector("v", Type::FloatVector, 2, data)
}

fn sparse() -> FieldData {
    let row = [3_u32.to_le_bytes(), 0.5_f32.to_le_bytes()].concat();
    let contents = vec![row.clone(), row];
    let data = Vectors::SparseFloatVector(SparseFloatArray { contents, dim: 4 });
    vector("sparse", Type::SparseFloatVector, 4, data)
}

/// Of the rows 1 and 2: an array with something in it and an empty one.
fn array(name: &str, element: Type, rows: [Scalars; 2]) -> FieldData {
    let rows = rows.map(|data| ScalarField { data: Some(data) });
    let array = ArrayArray {
        data: rows.to_vec(),
        element_type: element.into(),
    };
    scalar(name, Type::Array, Scalars::ArrayData(array))
}

/// Writes the rows 1 and 2, and compares the first but for its key and its vector `v`.
fn check(
    client: &MilvusClient,
    collection: &Collection,
    columns: Vec<FieldData>,
    expected: &Value,
) {
    client.create(collection);
    let keys = scalar("id", Type::Int64, longs(&[1, 2]));
    let columns = [vec![keys, floats()], columns].concat();
    client.insert(collection.name(), columns, 2).unwrap();
    let rows = client.query(collection.name(), "id == 1");
    let mut row = rows[0].clone();
    assert_eq!(row.remove("id"), Some(json!(1)));
    assert_eq!(row.remove("v"), Some(json!([0.5, 1.0])));
    assert_eq!(&json!(row), expected);
    client.drop_collection(collection.name());
}

fn arrays(collection: Collection) -> (Collection, Vec<FieldData>) {
    let collection = collection
        .array("numbers", Type::Int64, 4)
        .varchar_array("words", 16, 4);
    let columns = vec![
        array("numbers", Type::Int64, [longs(&[1, -2]), longs(&[])]),
        array("words", Type::VarChar, [texts(&["a", "é"]), texts(&[])]),
    ];
    (collection, columns)
}

#[test]
fn the_standalone_has_dense_vectors_and_arrays() {
    let (collection, mut columns) = arrays(new("types_235").float_vector("v", 2));
    let collection = collection.varchar("kind", 8).partition_key();
    columns.push(scalar("kind", Type::VarChar, texts(&["a", "b"])));
    let expected = json!({"numbers": [1, -2], "words": ["a", "é"], "kind": "a"});
    check(&suite::milvus().client(), &collection, columns, &expected);
    // One vector field a collection.
    let binary = new("binary_235").vector("b", Type::BinaryVector, 16);
    let client = suite::milvus().client();
    client.create(&binary);
    let keys = scalar("id", Type::Int64, longs(&[1, 2]));
    let bytes = Vectors::BinaryVector(vec![1, 2, 3, 255]);
    let bytes = vector("b", Type::BinaryVector, 16, bytes);
    client.insert(binary.name(), vec![keys, bytes], 2).unwrap();
    assert_eq!(
        client.query(binary.name(), "id == 2")[0]["b"],
        json!([3, 255])
    );
}

#[test]
fn lite25_has_vectors_of_bytes_sparse_ones_and_arrays() {
    let collection = new("types_25")
        .float_vector("v", 2)
        .vector("b", Type::BinaryVector, 8)
        .vector("f16", Type::Float16Vector, 2)
        .vector("bf16", Type::BFloat16Vector, 2)
        .scalar("sparse", Type::SparseFloatVector);
    let (collection, mut columns) = arrays(collection);
    let bytes = |data: &[u8]| data.to_vec();
    columns.extend([
        vector(
            "b",
            Type::BinaryVector,
            8,
            Vectors::BinaryVector(bytes(&[7, 8])),
        ),
        vector(
            "f16",
            Type::Float16Vector,
            2,
            Vectors::Float16Vector(bytes(&[0, 0x3e, 0, 0xc0, 0, 0, 0, 0])),
        ),
        vector(
            "bf16",
            Type::BFloat16Vector,
            2,
            Vectors::Bfloat16Vector(bytes(&[0xc0, 0x3f, 0, 0xc0, 0, 0, 0, 0])),
        ),
        sparse(),
    ]);
    let expected = json!({
        "numbers": [1, -2], "words": ["a", "é"], "b": [7], "f16": [1.5, -2.0], "bf16": [1.5, -2.0], "sparse": {"3": 0.5},
    });
    check(&suite::lite25().client(), &collection, columns, &expected);
}

#[test]
fn lite_has_nulls_defaults_times_places_and_functions() {
    let collection = new("types_lite")
        .float_vector("v", 2)
        .scalar("sparse", Type::SparseFloatVector)
        .scalar("place", Type::Geometry)
        .scalar("time", Type::Timestamptz)
        .scalar("maybe", Type::Int64)
        .nullable()
        .varchar("state", 8)
        .default_value(Default_::StringData("new".to_owned()))
        .varchar("words_of", 64)
        .bm25("words_of", "bm25");
    let (collection, mut columns) = arrays(collection);
    let points = vec!["POINT (1 2)".to_owned(); 2];
    let valid = |column: FieldData, valid: &[bool]| FieldData {
        valid_data: valid.to_vec(),
        ..column
    };
    columns.extend([
        sparse(),
        scalar(
            "place",
            Type::Geometry,
            Scalars::GeometryWktData(GeometryWktArray { data: points }),
        ),
        scalar(
            "time",
            Type::Timestamptz,
            texts(&["2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]),
        ),
        valid(scalar("maybe", Type::Int64, longs(&[5])), &[false, true]),
        valid(
            scalar("state", Type::VarChar, texts(&["old"])),
            &[false, true],
        ),
        scalar(
            "words_of",
            Type::VarChar,
            texts(&["some words", "other words"]),
        ),
    ]);
    let expected = json!({
        "numbers": [1, -2], "words": ["a", "é"], "sparse": {"3": 0.5}, "place": "POINT (1 2)",
        "time": "2025-01-01T00:00:00Z", "maybe": null, "state": "new", "words_of": "some words",
    });
    check(&suite::lite().client(), &collection, columns, &expected);
}
