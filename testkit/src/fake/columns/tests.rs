//! Every rule of every generation, on the smallest request that keeps or breaks it.

mod structs;
mod nulls;
mod requests;
mod types;
mod vectors;

use serde_json::Value;

use super::super::generation::{Generation, Refusal};
use super::{KeyedRow, Request};
use crate::client::{Collection, Type};
use crate::proto::schema::scalar_field::Data;
use crate::proto::schema::vector_field::Data as Vectors;
use crate::proto::schema::{
    FieldData, FloatArray, IntArray, JsonArray, LongArray, ScalarField, StringArray, VectorField,
    field_data,
};

/// What a request comes to in each of [`Generation::ALL`]: 0 is success, and none is a field that the generation
/// has not.
type Codes = [Option<i32>; 5];

const NO: Option<i32> = None;
const OK: Option<i32> = Some(0);
const INVALID: Option<i32> = Some(1100);
const IO: Option<i32> = Some(1001);
const BARE: Option<i32> = Some(65_535);

const NEVER: Codes = [INVALID; 5];
/// What 2.3.5 dies of.
const SHAPE: Codes = [BARE, INVALID, INVALID, INVALID, INVALID];

/// A collection with a key, to be given its second field.
fn base() -> Collection {
    Collection::new("c").int64_key("id")
}

fn read(
    generation: Generation,
    collection: &Collection,
    columns: &[FieldData],
    rows: u32,
    replaces: bool,
) -> Option<Result<Vec<KeyedRow>, Refusal>> {
    let schema = collection.schema();
    if generation.lacks(&schema).is_some() {
        return None;
    }
    let request = Request {
        generation,
        schema: &schema,
        columns,
        rows,
        replaces,
    };
    let mut made = 100;
    Some(request.read(|| {
        made += 1;
        made
    }))
}

/// The code in each generation for an Insert of `columns`, before which come the keys 1 and 2.
#[track_caller]
fn check(collection: &Collection, columns: &[FieldData], codes: Codes) {
    let columns = [&[longs("id", &[1, 2])], columns].concat();
    for (generation, expected) in Generation::ALL.into_iter().zip(codes) {
        let outcome = read(generation, collection, &columns, 2, false);
        let code = outcome.as_ref().map(|outcome| match outcome {
            Ok(_) => 0,
            Err(refusal) => refusal.code,
        });
        assert_eq!(code, expected, "{generation:?}: {outcome:?}");
    }
}

/// The two values of field `f`, in every generation that has it.
#[track_caller]
fn check_values(collection: &Collection, columns: &[FieldData], expected: [Value; 2]) {
    let columns = [&[longs("id", &[1, 2])], columns].concat();
    let mut tried = 0;
    for generation in Generation::ALL {
        let Some(outcome) = read(generation, collection, &columns, 2, false) else {
            continue;
        };
        let rows = outcome.unwrap_or_else(|refusal| panic!("{generation:?}: {refusal:?}"));
        let values: Vec<_> = rows.iter().map(|row| row.row["f"].clone()).collect();
        assert_eq!(values, expected, "{generation:?}");
        tried += 1;
    }
    assert!(tried > 0);
}

fn scalar(name: &str, data_type: Type, data: Data) -> FieldData {
    FieldData {
        r#type: data_type.into(),
        field_name: name.to_owned(),
        field: Some(field_data::Field::Scalars(ScalarField { data: Some(data) })),
        ..Default::default()
    }
}

fn longs(name: &str, data: &[i64]) -> FieldData {
    let data = data.to_vec();
    scalar(name, Type::Int64, Data::LongData(LongArray { data }))
}

fn ints(data_type: Type, data: &[i32]) -> FieldData {
    let data = data.to_vec();
    scalar("f", data_type, Data::IntData(IntArray { data }))
}

fn texts(data_type: Type, data: &[&str]) -> FieldData {
    let data = data.iter().map(|text| (*text).to_owned()).collect();
    scalar("f", data_type, Data::StringData(StringArray { data }))
}

fn jsons(data: &[&str]) -> FieldData {
    let data = data.iter().map(|text| text.as_bytes().to_vec()).collect();
    scalar("f", Type::Json, Data::JsonData(JsonArray { data }))
}

fn vector(data_type: Type, dim: i64, data: Vectors) -> FieldData {
    FieldData {
        r#type: data_type.into(),
        field_name: "f".to_owned(),
        field: Some(field_data::Field::Vectors(VectorField {
            dim,
            data: Some(data),
        })),
        ..Default::default()
    }
}

fn floats(dim: i64, data: &[f32]) -> FieldData {
    let data = data.to_vec();
    vector(
        Type::FloatVector,
        dim,
        Vectors::FloatVector(FloatArray { data }),
    )
}

fn valid(column: FieldData, valid: &[bool]) -> FieldData {
    FieldData {
        valid_data: valid.to_vec(),
        ..column
    }
}

fn named(column: FieldData, name: &str) -> FieldData {
    FieldData {
        field_name: name.to_owned(),
        ..column
    }
}
