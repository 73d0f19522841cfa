//! The table in docs/types.md is what the program does, row by row.

use std::collections::BTreeSet;

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::milvus::proto::schema::{
    FieldData, ScalarField, VectorField, field_data, scalar_field, vector_field,
};
use crate::milvus::schema::{FieldType, StructArray, StructField};
use crate::plan::fixture::{auto_key, field, plan};

use super::json::decode;

const DOCUMENT: &str = include_str!("../../docs/types.md");

struct Entry {
    kind: String,
    record: String,
    expected: Expected,
}

#[derive(Debug, PartialEq)]
enum Expected {
    Stored(String),
    Refused(String),
}

fn table() -> Vec<Entry> {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| !line.starts_with("| field | in the record"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(entry).collect()
}

fn entry(line: &str) -> Entry {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [kind, record, expected] = cells[..] else {
        panic!("not a row of three cells: {line}");
    };
    let expected = match expected.strip_prefix("refused: ") {
        Some(found) => Expected::Refused(found.into()),
        None => Expected::Stored(expected.trim_matches('`').into()),
    };
    Entry {
        kind: kind.into(),
        record: record.trim_matches('`').into(),
        expected,
    }
}

fn kind(name: &str) -> FieldType {
    match name {
        "Bool" => FieldType::Bool,
        "Int8" => FieldType::Int8,
        "Int16" => FieldType::Int16,
        "Int32" => FieldType::Int32,
        "Int64" => FieldType::Int64,
        "Float" => FieldType::Float,
        "Double" => FieldType::Double,
        "VarChar(5)" => FieldType::VarChar {
            max_length: Some(5),
        },
        "JSON" => FieldType::Json,
        "FloatVector(3)" => FieldType::FloatVector { dim: 3 },
        "Geometry" => FieldType::Geometry,
        "Timestamptz" => FieldType::Timestamptz,
        "Text" => FieldType::Text {
            max_length: Some(1),
        },
        "Array(2) of Struct" => structs(),
        other => match other.strip_prefix("Array(3) of ") {
            Some(element) => array_of(kind(element)),
            None => panic!("no such type: {other}"),
        },
    }
}

fn array_of(element: FieldType) -> FieldType {
    FieldType::Array {
        element: Box::new(element),
        max_capacity: Some(3),
    }
}

/// Of `n` and `v`.
fn structs() -> FieldType {
    let vectors = FieldType::ArrayOfVector {
        element: Box::new(FieldType::FloatVector { dim: 2 }),
        max_capacity: Some(2),
    };
    let field = |name: &str, kind| StructField {
        name: name.into(),
        kind,
    };
    FieldType::ArrayOfStruct(StructArray {
        fields: vec![field("n", array_of(FieldType::Int8)), field("v", vectors)],
        max_capacity: Some(2),
    })
}

/// The values of each column, as the document writes them but for the brackets.
pub(crate) fn shown_all(columns: Columns) -> Vec<String> {
    columns.into_fields(&[]).into_iter().map(shown).collect()
}

fn shown(field: FieldData) -> String {
    match field.field.unwrap() {
        field_data::Field::Scalars(scalars) => shown_scalars(scalars),
        field_data::Field::Vectors(vectors) => shown_vectors(vectors),
        field_data::Field::StructArrays(structs) => {
            let fields = structs.fields.into_iter();
            let fields =
                fields.map(|field| format!("{}: {}", field.field_name.clone(), shown(field)));
            fields.collect::<Vec<_>>().join(", ")
        }
    }
}

fn shown_scalars(scalars: ScalarField) -> String {
    use scalar_field::Data;
    match scalars.data.unwrap() {
        Data::BoolData(array) => format!("{:?}", array.data),
        Data::IntData(array) => format!("{:?}", array.data),
        Data::LongData(array) => format!("{:?}", array.data),
        Data::FloatData(array) => format!("{:?}", array.data),
        Data::DoubleData(array) => format!("{:?}", array.data),
        Data::StringData(array) => format!("{:?}", array.data),
        Data::GeometryWktData(array) => format!("{:?}", array.data),
        Data::JsonData(array) => String::from_utf8(array.data.concat()).unwrap(),
        Data::ArrayData(array) => array.data.into_iter().map(shown_scalars).collect(),
        other => panic!("unexpected {other:?}"),
    }
}

fn shown_vectors(vectors: VectorField) -> String {
    use vector_field::Data;
    match vectors.data.unwrap() {
        Data::FloatVector(array) => format!("{:?}", array.data),
        Data::VectorArray(array) => array.data.into_iter().map(shown_vectors).collect(),
        other => panic!("unexpected {other:?}"),
    }
}

fn stored(kind: FieldType, record: &str) -> Result<String, BadRecord> {
    let plan = plan(vec![auto_key("id"), field("x", kind)]);
    let mut columns = Columns::new(&plan);
    decode(
        &plan,
        &mut columns,
        format!(r#"{{"x": {record} }}"#).as_bytes(),
    )?;
    Ok(shown_all(columns).remove(0))
}

#[test]
fn every_row_of_the_document_holds() {
    for entry in table() {
        // One row: a scalar column shows as a list of one.
        let whole = ["JSON", "FloatVector", "Array"];
        let scalar = !whole.iter().any(|kind| entry.kind.starts_with(kind));
        let expected = match entry.expected {
            Expected::Stored(value) if scalar => Expected::Stored(format!("[{value}]")),
            expected => expected,
        };
        let outcome = match stored(kind(&entry.kind), &entry.record) {
            Ok(stored) => Expected::Stored(stored),
            Err(bad) => Expected::Refused(bad.found.into_owned()),
        };
        assert_eq!(outcome, expected, "{} from {}", entry.kind, entry.record);
    }
}

#[test]
fn the_document_has_what_each_type_takes_and_what_it_refuses() {
    let kinds = |wanted: fn(&Expected) -> bool| -> BTreeSet<String> {
        let entries = table().into_iter();
        let entries = entries.filter(|entry| wanted(&entry.expected));
        entries.map(|entry| entry.kind).collect()
    };
    let stored = kinds(|expected| matches!(expected, Expected::Stored(_)));
    let mut refused = kinds(|expected| matches!(expected, Expected::Refused(_)));
    // JSON refuses by size alone, which has a test of its own.
    refused.insert("JSON".into());
    assert_eq!(stored.len(), 22, "{stored:?}");
    assert_eq!(stored, refused);
}

#[test]
fn a_refusal_never_quotes_the_value() {
    let secret = "Zx7Qsecret";
    let values = [
        format!("\"{secret}\""),
        format!("[1, \"{secret}\", 3]"),
        format!("{{\"{secret}\": \"{secret}\"}}"),
        format!("[\"{secret}"),
        secret.to_owned(),
    ];
    for name in [
        "Bool",
        "Int8",
        "Float",
        "VarChar(5)",
        "FloatVector(3)",
        "Array(3) of VarChar(5)",
        "Array(2) of Struct",
        "Geometry",
        "Timestamptz",
    ] {
        for value in &values {
            let bad = stored(kind(name), value).unwrap_err();
            assert!(!bad.to_string().contains("secret"), "{bad}");
        }
    }
}
