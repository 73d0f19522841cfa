//! Columns of a query's answer → rows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Row;
use crate::half::{bf16, f16};
use crate::proto::schema::field_data::Field;
use crate::proto::schema::scalar_field::Data as Scalars;
use crate::proto::schema::vector_field::Data as Vectors;
use crate::proto::schema::{FieldData, ScalarField, VectorField};

pub(super) fn from_columns(columns: &[FieldData]) -> Vec<Row> {
    let columns: Vec<(&str, Vec<Value>)> = columns
        .iter()
        .map(|column| (column.field_name.as_str(), values(column)))
        .collect();
    let rows = columns.iter().map(|(_, values)| values.len()).max();
    let row = |index: usize| {
        let value = |(name, values): &(&str, Vec<Value>)| {
            let value = values.get(index).expect("columns of one length");
            ((*name).to_owned(), value.clone())
        };
        columns.iter().map(value).collect::<BTreeMap<_, _>>()
    };
    (0..rows.unwrap_or(0)).map(row).collect()
}

/// One value per row, null where `valid_data` says so.
fn values(column: &FieldData) -> Vec<Value> {
    let data = match &column.field {
        Some(Field::Scalars(scalars)) => scalar_values(scalars),
        Some(Field::Vectors(vectors)) => vector_values(vectors),
        Some(Field::StructArrays(structs)) => struct_arrays(&structs.fields),
        None => Vec::new(),
    };
    if column.valid_data.is_empty() {
        return data;
    }
    // Some servers leave null rows out of the data, others fill them.
    let compact = data.len() != column.valid_data.len();
    let mut data = data.into_iter();
    let mut value_or_null = |valid: bool| {
        let value = if valid || !compact { data.next() } else { None };
        value.filter(|_| valid).unwrap_or(Value::Null)
    };
    column
        .valid_data
        .iter()
        .map(|v| value_or_null(*v))
        .collect()
}

fn scalar_values(scalars: &ScalarField) -> Vec<Value> {
    fn all<T: Clone + Into<Value>>(data: &[T]) -> Vec<Value> {
        data.iter().cloned().map(Into::into).collect()
    }
    match &scalars.data {
        Some(Scalars::BoolData(array)) => all(&array.data),
        Some(Scalars::IntData(array)) => all(&array.data),
        Some(Scalars::LongData(array)) => all(&array.data),
        Some(Scalars::FloatData(array)) => all(&array.data),
        Some(Scalars::DoubleData(array)) => all(&array.data),
        Some(Scalars::StringData(array)) => all(&array.data),
        Some(Scalars::JsonData(array)) => array.data.iter().map(|text| json(text)).collect(),
        Some(Scalars::ArrayData(array)) => {
            let rows = array.data.iter();
            rows.map(|row| Value::Array(scalar_values(row))).collect()
        }
        Some(Scalars::GeometryWktData(array)) => all(&array.data),
        None => Vec::new(),
        other => panic!("cannot read {other:?}"),
    }
}

/// A binary vector as its bytes, a sparse one as `{"index": value}`.
fn vector_values(vectors: &VectorField) -> Vec<Value> {
    fn rows<T: Copy + Into<Value>>(data: &[T], width: usize) -> Vec<Value> {
        let row = |row: &[T]| Value::Array(row.iter().map(|value| (*value).into()).collect());
        data.chunks(width).map(row).collect()
    }
    let dim = usize::try_from(vectors.dim).expect("a dimension");
    match &vectors.data {
        Some(Vectors::FloatVector(array)) => rows(&array.data, dim),
        Some(Vectors::BinaryVector(bytes)) => rows(bytes, dim / 8),
        Some(Vectors::Float16Vector(bytes)) => rows(&halves(bytes, f16), dim),
        Some(Vectors::Bfloat16Vector(bytes)) => rows(&halves(bytes, bf16), dim),
        Some(Vectors::Int8Vector(bytes)) => {
            let signed: Vec<i8> = bytes
                .iter()
                .map(|byte| i8::from_le_bytes([*byte]))
                .collect();
            rows(&signed, dim)
        }
        Some(Vectors::SparseFloatVector(array)) => {
            array.contents.iter().map(|row| sparse(row)).collect()
        }
        Some(Vectors::VectorArray(array)) => {
            let rows = array.data.iter();
            rows.map(|row| Value::Array(vector_values(row))).collect()
        }
        None => Vec::new(),
    }
}

fn halves(bytes: &[u8], widen: fn(u16) -> f32) -> Vec<f32> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let values = pairs.iter();
    values
        .map(|pair| widen(u16::from_le_bytes(*pair)))
        .collect()
}

fn sparse(row: &[u8]) -> Value {
    let (pairs, _) = row.as_chunks::<8>();
    let entry = |[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        let index = u32::from_le_bytes([*a, *b, *c, *d]);
        let value = f32::from_le_bytes([*e, *f, *g, *h]);
        (index.to_string(), Value::from(value))
    };
    Value::Object(pairs.iter().map(entry).collect())
}

/// Arrays of objects out of a column for each sub-field.
fn struct_arrays(subs: &[FieldData]) -> Vec<Value> {
    let columns = subs
        .iter()
        .map(|sub| (sub.field_name.as_str(), values(sub)));
    let columns: Vec<(&str, Vec<Value>)> = columns.collect();
    let rows = columns.first().map_or(0, |(_, rows)| rows.len());
    let row = |index: usize| {
        let arrays = columns
            .iter()
            .map(|(name, rows)| (*name, rows[index].as_array()));
        let arrays: Vec<_> = arrays.collect();
        if arrays.iter().any(|(_, array)| array.is_none()) {
            return Value::Null;
        }
        let length = arrays
            .iter()
            .filter_map(|(_, array)| *array)
            .map(Vec::len)
            .max();
        let object = |at: usize| {
            let member = |(name, array): &(&str, Option<&Vec<Value>>)| {
                let element = array.and_then(|array| array.get(at));
                (
                    (*name).to_owned(),
                    element.cloned().expect("arrays of one length"),
                )
            };
            Value::Object(arrays.iter().map(member).collect::<Map<_, _>>())
        };
        Value::Array((0..length.unwrap_or(0)).map(object).collect())
    };
    (0..rows).map(row).collect()
}

/// Milvus Lite takes the quotes off a JSON string.
fn json(text: &[u8]) -> Value {
    let bare = || Value::String(String::from_utf8_lossy(text).into_owned());
    serde_json::from_slice(text).unwrap_or_else(|_| bare())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::proto::schema::LongArray;

    fn check(data: &[i64], valid: &[bool], expected: &[Value]) {
        let array = LongArray {
            data: data.to_vec(),
        };
        let scalars = ScalarField {
            data: Some(Scalars::LongData(array)),
        };
        let column = FieldData {
            field_name: "n".to_owned(),
            field: Some(Field::Scalars(scalars)),
            valid_data: valid.to_vec(),
            ..Default::default()
        };
        let rows = from_columns(&[column]);
        let read: Vec<Value> = rows.iter().map(|row| row["n"].clone()).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn nulls_are_read_from_compact_and_from_filled_columns() {
        let null = Value::Null;
        check(&[1, 2], &[], &[json!(1), json!(2)]);
        check(
            &[1, 2],
            &[true, false, true],
            &[json!(1), null.clone(), json!(2)],
        );
        check(
            &[1, 0, 2],
            &[true, false, true],
            &[json!(1), null.clone(), json!(2)],
        );
        check(&[], &[false, false], &[null.clone(), null]);
    }
}
