//! Columns as they arrive → rows, with every check that some Milvus makes, as a refusal with code 1100.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::proto::common::KeyValuePair;
use crate::proto::schema::{
    CollectionSchema, DataType, FieldData, FieldSchema, ScalarField, VectorField, field_data,
    scalar_field, vector_field,
};

/// Field name → value; an absent dynamic field or a null is `Value::Null`.
pub type Row = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Int(i64),
    Text(String),
}

/// Code and reason.
pub(super) type Refusal = (i32, String);

fn invalid<T>(text: String) -> Result<T, Refusal> {
    Err((1100, format!("{text}: invalid parameter")))
}

/// All or nothing. `generate` makes a key where the collection does.
pub(super) fn read(
    schema: &CollectionSchema,
    columns: &[FieldData],
    num_rows: u32,
    mut generate: impl FnMut() -> i64,
) -> Result<Vec<(Key, Row)>, Refusal> {
    if num_rows == 0 {
        return invalid("num_rows is 0".to_owned());
    }
    let num_rows = num_rows as usize;
    let mut rows = vec![Row::new(); num_rows];
    for (name, values) in named_columns(schema, columns, num_rows)? {
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(name.clone(), value);
        }
    }
    let primary = schema.fields.iter().find(|field| field.is_primary_key);
    let Some(primary) = primary else {
        return invalid("the schema has no primary key".to_owned());
    };
    let mut taken = BTreeSet::new();
    let mut keyed = Vec::with_capacity(num_rows);
    for mut row in rows {
        if primary.auto_id {
            row.insert(primary.name.clone(), Value::from(generate()));
        }
        let key = match row.get(&primary.name) {
            Some(Value::String(text)) => Key::Text(text.clone()),
            Some(value) => Key::Int(value.as_i64().unwrap_or_default()),
            None => return invalid(format!("no primary key '{}'", primary.name)),
        };
        if !taken.insert(key.clone()) {
            return invalid("duplicate primary keys are not allowed in the same batch".to_owned());
        }
        keyed.push((key, row));
    }
    Ok(keyed)
}

/// Each column once, none unknown, none missing.
fn named_columns(
    schema: &CollectionSchema,
    columns: &[FieldData],
    num_rows: usize,
) -> Result<Vec<(String, Vec<Value>)>, Refusal> {
    let mut named: Vec<(String, Vec<Value>)> = Vec::new();
    for column in columns {
        let values = if column.is_dynamic && schema.enable_dynamic_field {
            dynamic_values(column, num_rows)?
        } else {
            let name = &column.field_name;
            match schema.fields.iter().find(|field| &field.name == name) {
                Some(field) if is_sent(field) => values(field, column, num_rows)?,
                Some(_) => return invalid(format!("field '{name}' is not to be sent")),
                None => return invalid(format!("no field '{name}' in the schema")),
            }
        };
        let name = if column.is_dynamic {
            "$meta"
        } else {
            &column.field_name
        };
        if named.iter().any(|(known, _)| known == name) {
            return invalid(format!("duplicated field {name}"));
        }
        named.push((name.to_owned(), values));
    }
    for field in schema.fields.iter().filter(|field| is_sent(field)) {
        if !named.iter().any(|(name, _)| *name == field.name) {
            return invalid(format!("field '{}' is missing", field.name));
        }
    }
    Ok(named)
}

fn is_sent(field: &FieldSchema) -> bool {
    !(field.is_function_output || field.is_primary_key && field.auto_id)
}

fn dynamic_values(column: &FieldData, num_rows: usize) -> Result<Vec<Value>, Refusal> {
    let json = FieldSchema {
        name: "$meta".to_owned(),
        data_type: DataType::Json as i32,
        ..Default::default()
    };
    let values = values(&json, column, num_rows)?;
    match values.iter().all(Value::is_object) {
        true => Ok(values),
        false => invalid("$meta wants objects".to_owned()),
    }
}

/// The column's values, nulls in place.
fn values(field: &FieldSchema, column: &FieldData, num_rows: usize) -> Result<Vec<Value>, Refusal> {
    let name = &field.name;
    if column.r#type != field.data_type {
        return invalid(format!(
            "field '{name}': type {} is not {}",
            column.r#type, field.data_type
        ));
    }
    let marks_nulls = field.nullable || field.default_value.is_some();
    let valid = &column.valid_data;
    if valid.len() != if marks_nulls { num_rows } else { 0 } {
        return invalid(format!(
            "field '{name}': valid_data has {} entries",
            valid.len()
        ));
    }
    let expected = match marks_nulls {
        true => valid.iter().filter(|valid| **valid).count(),
        false => num_rows,
    };
    let data = match &column.field {
        Some(field_data::Field::Scalars(scalars)) => scalar_values(field, scalars),
        Some(field_data::Field::Vectors(vectors)) => vector_values(field, vectors),
        _ => None,
    };
    let Some(data) = data else {
        return invalid(format!(
            "field '{name}': the data is not of its type, or out of range"
        ));
    };
    if data.len() != expected {
        return invalid(format!(
            "field '{name}': {} values for {expected}",
            data.len()
        ));
    }
    if !marks_nulls {
        return Ok(data);
    }
    let mut data = data.into_iter();
    let in_place = |valid: &bool| if *valid { data.next() } else { None };
    Ok(valid
        .iter()
        .map(in_place)
        .map(Option::unwrap_or_default)
        .collect())
}

/// `None`: another member of the oneof than the field's own, or a value that no server takes.
fn scalar_values(field: &FieldSchema, scalars: &ScalarField) -> Option<Vec<Value>> {
    use scalar_field::Data;
    let ints = |data: &[i32], min: i32, max: i32| {
        let fits = data.iter().all(|value| (min..=max).contains(value));
        fits.then(|| data.iter().copied().map(Value::from).collect())
    };
    match (
        DataType::try_from(field.data_type).ok()?,
        scalars.data.as_ref()?,
    ) {
        (DataType::Bool, Data::BoolData(array)) => Some(list(&array.data)),
        (DataType::Int8, Data::IntData(array)) => ints(&array.data, -128, 127),
        (DataType::Int16, Data::IntData(array)) => ints(&array.data, -32_768, 32_767),
        (DataType::Int32, Data::IntData(array)) => Some(list(&array.data)),
        (DataType::Int64, Data::LongData(array)) => Some(list(&array.data)),
        (DataType::Float, Data::FloatData(array)) => finite(&array.data),
        (DataType::Double, Data::DoubleData(array)) => {
            let finite = array.data.iter().all(|value| value.is_finite());
            finite.then(|| list(&array.data))
        }
        (DataType::VarChar, Data::StringData(array)) => {
            let limit = number(&field.type_params, "max_length").unwrap_or(usize::MAX);
            let fits = array.data.iter().all(|text| text.len() <= limit);
            fits.then(|| list(&array.data))
        }
        (DataType::Json, Data::JsonData(array)) => {
            let json = |bytes: &Vec<u8>| serde_json::from_slice(bytes).ok();
            array.data.iter().map(json).collect()
        }
        _ => None,
    }
}

/// One array of numbers per row; `dim` must be exact.
fn vector_values(field: &FieldSchema, vectors: &VectorField) -> Option<Vec<Value>> {
    use vector_field::Data;
    let dim = number(&field.type_params, "dim")?;
    if dim == 0 || usize::try_from(vectors.dim) != Ok(dim) {
        return None;
    }
    let (data, width) = match (
        DataType::try_from(field.data_type).ok()?,
        vectors.data.as_ref()?,
    ) {
        (DataType::FloatVector, Data::FloatVector(array)) => (finite(&array.data)?, dim),
        (DataType::BinaryVector, Data::BinaryVector(bytes)) => (list(bytes), dim / 8),
        (DataType::Float16Vector, Data::Float16Vector(bytes)) => (list(bytes), dim * 2),
        (DataType::BFloat16Vector, Data::Bfloat16Vector(bytes)) => (list(bytes), dim * 2),
        (DataType::Int8Vector, Data::Int8Vector(bytes)) => (list(bytes), dim),
        _ => return None,
    };
    let rows = data.chunks_exact(width);
    rows.remainder()
        .is_empty()
        .then(|| rows.map(|row| Value::from(row.to_vec())).collect())
}

fn list<T: Clone + Into<Value>>(data: &[T]) -> Vec<Value> {
    data.iter().cloned().map(Into::into).collect()
}

fn finite(data: &[f32]) -> Option<Vec<Value>> {
    let finite = data.iter().all(|value| value.is_finite());
    finite.then(|| list(data))
}

fn number(params: &[KeyValuePair], key: &str) -> Option<usize> {
    let param = params.iter().find(|param| param.key == key)?;
    param.value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::schema::{FloatArray, LongArray, StringArray, ValueField};

    fn field(name: &str, data_type: DataType) -> FieldSchema {
        FieldSchema {
            name: name.to_owned(),
            data_type: data_type as i32,
            ..Default::default()
        }
    }

    fn schema() -> CollectionSchema {
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
        let nullable = FieldSchema {
            nullable: true,
            ..field("n", DataType::Int64)
        };
        let default = FieldSchema {
            default_value: Some(ValueField::default()),
            ..field("d", DataType::Int64)
        };
        CollectionSchema {
            fields: vec![id, vector, nullable, default],
            ..Default::default()
        }
    }

    fn scalar(
        name: &str,
        data_type: DataType,
        data: scalar_field::Data,
        valid: &[bool],
    ) -> FieldData {
        FieldData {
            r#type: data_type as i32,
            field_name: name.to_owned(),
            field: Some(field_data::Field::Scalars(ScalarField { data: Some(data) })),
            valid_data: valid.to_vec(),
            ..Default::default()
        }
    }

    fn longs(name: &str, data: &[i64], valid: &[bool]) -> FieldData {
        let data = scalar_field::Data::LongData(LongArray {
            data: data.to_vec(),
        });
        scalar(name, DataType::Int64, data, valid)
    }

    fn vectors(dim: i64, data: &[f32]) -> FieldData {
        let data = vector_field::Data::FloatVector(FloatArray {
            data: data.to_vec(),
        });
        FieldData {
            r#type: DataType::FloatVector as i32,
            field_name: "v".to_owned(),
            field: Some(field_data::Field::Vectors(VectorField {
                dim,
                data: Some(data),
            })),
            ..Default::default()
        }
    }

    /// Two good rows: the second one's `n` is null.
    fn good() -> [FieldData; 4] {
        [
            longs("id", &[1, 2], &[]),
            vectors(2, &[0.5, 1.0, 1.5, 2.0]),
            longs("n", &[7], &[true, false]),
            longs("d", &[8, 9], &[true, true]),
        ]
    }

    #[test]
    fn good_columns_become_rows_with_their_nulls_in_place() {
        let rows = read(&schema(), &good(), 2, || 0).unwrap();
        assert_eq!(rows[0].0, Key::Int(1));
        assert_eq!(rows[1].1["n"], Value::Null);
        assert_eq!(rows[1].1["d"], Value::from(9));
        assert_eq!(rows[1].1["v"], Value::from(vec![1.5, 2.0]));
    }

    #[test]
    fn what_some_server_refuses_or_dies_of_is_refused() {
        let check = |index: usize, column: FieldData, why: &str| {
            let mut columns = good();
            columns[index] = column;
            let (code, reason) = read(&schema(), &columns, 2, || 0).unwrap_err();
            assert_eq!(code, 1100);
            assert!(reason.contains(why), "{reason} instead of {why}");
        };
        let text = scalar_field::Data::StringData(StringArray::default());
        check(
            0,
            scalar("id", DataType::Int64, text, &[]),
            "not of its type",
        );
        let long = scalar_field::Data::LongData(LongArray { data: vec![1, 2] });
        check(
            0,
            scalar("id", DataType::Int32, long, &[]),
            "type 4 is not 5",
        );
        check(0, longs("id", &[1, 1], &[]), "duplicate primary keys");
        check(0, longs("id", &[1, 2], &[true, true]), "valid_data");
        check(0, longs("id", &[1], &[]), "1 values for 2");
        check(0, longs("x", &[1, 2], &[]), "no field 'x'");
        check(0, longs("n", &[7], &[true, false]), "duplicated field");
        check(1, vectors(0, &[0.5, 1.0, 1.5, 2.0]), "not of its type");
        check(1, vectors(2, &[0.5, 1.0, 1.5]), "not of its type");
        check(1, vectors(2, &[0.5, 1.0, 1.5, f32::NAN]), "out of range");
        check(2, longs("n", &[7, 0], &[true, false]), "2 values for 1");
        check(2, longs("n", &[7, 7], &[]), "valid_data");
        check(3, longs("d", &[8, 9], &[]), "valid_data");
        let missing = read(&schema(), &good()[..3], 2, || 0).unwrap_err();
        assert!(missing.1.contains("'d' is missing"), "{}", missing.1);
        assert!(read(&schema(), &good(), 3, || 0).is_err());
        assert!(read(&schema(), &[], 0, || 0).is_err());
    }
}
