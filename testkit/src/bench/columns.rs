//! Rows as JSON → columns of a request, for the types of the workloads that are sent.

use serde_json::Value;

use crate::client::Collection;
use crate::proto::schema::scalar_field::Data;
use crate::proto::schema::{
    BoolArray, DataType, DoubleArray, FieldData, FieldSchema, FloatArray, LongArray, ScalarField,
    StringArray, VectorField, field_data, vector_field,
};

/// One column for each field of the collection.
pub(super) fn columns(collection: &Collection, rows: &[Value]) -> Vec<FieldData> {
    let schema = collection.schema();
    schema
        .fields
        .iter()
        .map(|field| column(field, rows))
        .collect()
}

fn column(field: &FieldSchema, rows: &[Value]) -> FieldData {
    let values = || rows.iter().map(|row| &row[&field.name]);
    let scalars = match field.data_type() {
        DataType::FloatVector => return vectors(field, values()),
        DataType::Int64 => Data::LongData(LongArray {
            data: values().filter_map(Value::as_i64).collect(),
        }),
        DataType::VarChar => Data::StringData(StringArray {
            data: values()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }),
        DataType::Double => Data::DoubleData(DoubleArray {
            data: values().filter_map(Value::as_f64).collect(),
        }),
        DataType::Bool => Data::BoolData(BoolArray {
            data: values().filter_map(Value::as_bool).collect(),
        }),
        other => panic!("{} is {other:?}: not sent by a benchmark", field.name),
    };
    let scalars = field_data::Field::Scalars(ScalarField {
        data: Some(scalars),
    });
    data(field, scalars)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the numbers are those of f32"
)]
fn vectors<'a>(field: &FieldSchema, values: impl Iterator<Item = &'a Value>) -> FieldData {
    let dim = field.type_params.iter().find(|param| param.key == "dim");
    let dim = dim
        .and_then(|dim| dim.value.parse().ok())
        .expect("a dimension");
    let numbers = values.filter_map(Value::as_array).flatten();
    let numbers = numbers
        .filter_map(Value::as_f64)
        .map(|number| number as f32);
    let floats = vector_field::Data::FloatVector(FloatArray {
        data: numbers.collect(),
    });
    let vectors = field_data::Field::Vectors(VectorField {
        dim,
        data: Some(floats),
    });
    data(field, vectors)
}

fn data(field: &FieldSchema, data: field_data::Field) -> FieldData {
    FieldData {
        r#type: field.data_type,
        field_name: field.name.clone(),
        field: Some(data),
        ..FieldData::default()
    }
}
