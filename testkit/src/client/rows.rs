//! Columns of a query's answer → rows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Row;
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
        other => panic!("{}: cannot read {other:?}", column.field_name),
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
        Some(Scalars::FloatData(array)) => floats(&array.data),
        Some(Scalars::DoubleData(array)) => all(&array.data),
        Some(Scalars::StringData(array)) => all(&array.data),
        Some(Scalars::JsonData(array)) => array.data.iter().map(|text| json(text)).collect(),
        Some(Scalars::ArrayData(array)) => {
            let rows = array.data.iter();
            rows.map(|row| Value::Array(scalar_values(row))).collect()
        }
        None => Vec::new(),
        other => panic!("cannot read {other:?}"),
    }
}

fn vector_values(vectors: &VectorField) -> Vec<Value> {
    let dim = usize::try_from(vectors.dim).expect("a dimension");
    match &vectors.data {
        Some(Vectors::FloatVector(array)) => {
            let rows = array.data.chunks(dim);
            rows.map(|row| Value::Array(floats(row))).collect()
        }
        other => panic!("cannot read {other:?}"),
    }
}

fn floats(data: &[f32]) -> Vec<Value> {
    data.iter().map(|v| Value::from(f64::from(*v))).collect()
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
