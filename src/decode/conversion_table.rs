//! The table in docs/types.md is what the program does, row by row.

use std::collections::{BTreeMap, BTreeSet};

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::milvus::proto::schema::{
    FieldData, ScalarField, field_data, scalar_field, vector_field,
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
        "JSON on 2.3" => FieldType::JsonObject,
        "FloatVector(3)" => FieldType::FloatVector { dim: 3 },
        "Float16Vector(2)" => FieldType::Float16Vector { dim: 2 },
        "BFloat16Vector(2)" => FieldType::BFloat16Vector { dim: 2 },
        "Int8Vector(3)" => FieldType::Int8Vector { dim: 3 },
        "BinaryVector(16)" => FieldType::BinaryVector { dim: 16 },
        "SparseFloatVector" => FieldType::SparseFloatVector,
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
        field_data::Field::Vectors(vectors) => shown_vectors(vectors.data.unwrap()),
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
        Data::JsonData(array) => {
            let objects: Vec<&[u8]> = array.data.iter().collect();
            String::from_utf8(objects.concat()).unwrap()
        }
        Data::ArrayData(array) => array.data.into_iter().map(shown_scalars).collect(),
        other => panic!("unexpected {other:?}"),
    }
}

/// Numbers, whatever their bytes; of a sparse vector its pairs.
pub(super) fn shown_vectors(vectors: vector_field::Data) -> String {
    use vector_field::Data;
    match vectors {
        Data::FloatVector(array) => format!("{:?}", array.data),
        Data::Float16Vector(bytes) => format!("{:?}", halves(&bytes, float16)),
        Data::Bfloat16Vector(bytes) => format!("{:?}", halves(&bytes, bfloat16)),
        Data::Int8Vector(bytes) => {
            let signed = bytes.iter().map(|byte| byte.cast_signed());
            format!("{:?}", signed.collect::<Vec<_>>())
        }
        Data::BinaryVector(bytes) => format!("{bytes:?}"),
        Data::SparseFloatVector(array) => {
            let rows = array.contents.iter();
            rows.map(|row| format!("{:?}", pairs(row))).collect()
        }
        Data::VectorArray(array) => {
            let rows = array.data.into_iter();
            rows.map(|row| shown_vectors(row.data.unwrap())).collect()
        }
    }
}

fn halves(bytes: &[u8], number: fn(u16) -> f32) -> Vec<f32> {
    let (words, _) = bytes.as_chunks();
    let words = words.iter().map(|word| u16::from_le_bytes(*word));
    words.map(number).collect()
}

/// What the bits of a binary16 mean.
pub(super) fn float16(bits: u16) -> f32 {
    let (field, mantissa) = ((bits & 0x7fff) >> 10, bits & 0x03ff);
    let implicit = if field == 0 { 0 } else { 0x0400 };
    let power = i32::from(field.max(1)) - 25;
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    sign * f32::from(implicit + mantissa) * 2_f32.powi(power)
}

pub(super) fn bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

fn pairs(row: &[u8]) -> BTreeMap<u32, f32> {
    let (pairs, rest) = row.as_chunks::<8>();
    assert!(rest.is_empty());
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let pairs = pairs
        .iter()
        .map(|pair| (number(&pair[..4]), f32::from_bits(number(&pair[4..]))));
    let pairs: Vec<_> = pairs.collect();
    assert!(pairs.is_sorted_by_key(|(index, _)| *index));
    pairs.into_iter().collect()
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
        let whole = ["JSON", "Array"];
        let whole = whole.iter().any(|kind| entry.kind.starts_with(kind));
        let scalar = !whole && !entry.kind.contains("Vector");
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
    assert_eq!(stored.len(), 28, "{stored:?}");
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
        format!("\"[{secret}]\""),
        format!("\"{{\\\"{secret}\\\": 1}}\""),
        secret.to_owned(),
    ];
    let kinds = table().into_iter().map(|entry| entry.kind);
    for name in kinds
        .filter(|kind| !(kind == "Text" || kind.starts_with("JSON")))
        .collect::<BTreeSet<_>>()
    {
        for value in &values {
            let bad = stored(kind(&name), value).unwrap_err();
            assert!(!bad.to_string().contains("secret"), "{bad}");
        }
    }
}
