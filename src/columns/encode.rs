//! Columns into the messages that Milvus takes: exact type, exact oneof member, exact dimension. A server may
//! not check them, and may die of a wrong one.

use crate::milvus::proto::schema::{
    ArrayArray, BoolArray, DataType, DoubleArray, FieldData, FloatArray, GeometryWktArray,
    IntArray, JsonArray, LongArray, ScalarField, StringArray, VectorArray, VectorField, field_data,
    scalar_field, vector_field,
};
use crate::plan::DYNAMIC_FIELD;

use super::column::{Column, Values};
use super::dynamic::Dynamic;
use super::scalar::Scalars;
use super::sparse;
use super::vector::Vectors;

/// Tags, lengths and types around a field's name and values.
const FRAME: usize = 32;

/// Encoded size of a field before its rows.
pub(super) fn frame_size(name_length: usize) -> usize {
    FRAME + name_length
}

pub(super) fn field(column: Column) -> FieldData {
    use scalar_field::Data;
    let (data_type, (field, valid_data)) = match column.values {
        Values::Bool(values) => (
            DataType::Bool,
            scalars(values, |data| Data::BoolData(BoolArray { data })),
        ),
        Values::Int8(values) => (DataType::Int8, integers(values)),
        Values::Int16(values) => (DataType::Int16, integers(values)),
        Values::Int32(values) => (DataType::Int32, integers(values)),
        Values::Int64(values) => (
            DataType::Int64,
            scalars(values, |data| Data::LongData(LongArray { data })),
        ),
        Values::Float(values) => (
            DataType::Float,
            scalars(values, |data| Data::FloatData(FloatArray { data })),
        ),
        Values::Double(values) => (
            DataType::Double,
            scalars(values, |data| Data::DoubleData(DoubleArray { data })),
        ),
        Values::VarChar(values, _) => (DataType::VarChar, strings(values)),
        Values::Json(values) | Values::JsonObject(values) => (
            DataType::Json,
            scalars(values, |data| Data::JsonData(JsonArray { data })),
        ),
        Values::Array(values, arrays) => {
            let element_type = arrays.element_type();
            (
                DataType::Array,
                scalars(values, |rows| arrays_of(rows, element_type)),
            )
        }
        // The other member for geometries, binary, is not taken in a write.
        Values::Geometry(values) => (
            DataType::Geometry,
            scalars(values, |data| {
                Data::GeometryWktData(GeometryWktArray { data })
            }),
        ),
        Values::Text(values) => (DataType::Text, strings(values)),
        // As text: Milvus takes no number here.
        Values::Timestamptz(values) => (DataType::Timestamptz, strings(values)),
        Values::Structs(structs) => (DataType::ArrayOfStruct, (structs.into_field(), Vec::new())),
        Values::Vector(values) => (values.data_type(), vectors(values)),
        Values::Sparse(values) => (DataType::SparseFloatVector, sparse_vectors(values)),
    };
    FieldData {
        r#type: data_type.into(),
        field_name: column.name.to_string(),
        is_dynamic: false,
        valid_data,
        field: Some(field),
    }
}

pub(super) fn dynamic(column: Dynamic) -> FieldData {
    let data = column.into_objects();
    FieldData {
        r#type: DataType::Json.into(),
        field_name: DYNAMIC_FIELD.to_owned(),
        is_dynamic: true,
        valid_data: Vec::new(),
        field: Some(scalar_data(scalar_field::Data::JsonData(JsonArray {
            data,
        }))),
    }
}

/// The oneof member is present even when every row is null: an absent one has no type.
fn scalars<T: super::scalar::Scalar>(
    values: Scalars<T>,
    member: impl FnOnce(Vec<T>) -> scalar_field::Data,
) -> (field_data::Field, Vec<bool>) {
    let (data, valid_data) = values.into_parts();
    (scalar_data(member(data)), valid_data)
}

fn integers(values: Scalars<i32>) -> (field_data::Field, Vec<bool>) {
    scalars(values, |data| {
        scalar_field::Data::IntData(IntArray { data })
    })
}

fn strings(values: Scalars<String>) -> (field_data::Field, Vec<bool>) {
    scalars(values, |data| {
        scalar_field::Data::StringData(StringArray { data })
    })
}

fn scalar_data(data: scalar_field::Data) -> field_data::Field {
    field_data::Field::Scalars(ScalarField { data: Some(data) })
}

fn vectors(vectors: Vectors) -> (field_data::Field, Vec<bool>) {
    let (vectors, valid_data) = vectors.into_parts();
    (field_data::Field::Vectors(vectors), valid_data)
}

fn sparse_vectors(rows: Scalars<Vec<u8>>) -> (field_data::Field, Vec<bool>) {
    let (contents, valid_data) = rows.into_parts();
    let vectors = sparse::message(contents);
    (field_data::Field::Vectors(vectors), valid_data)
}

/// One array per row; each has its member, also where it is empty.
fn arrays_of(rows: Vec<ScalarField>, element_type: DataType) -> scalar_field::Data {
    scalar_field::Data::ArrayData(ArrayArray {
        data: rows,
        element_type: element_type.into(),
    })
}

/// A struct's field of scalars.
pub(super) fn arrays(rows: Vec<ScalarField>, element_type: DataType) -> field_data::Field {
    scalar_data(arrays_of(rows, element_type))
}

/// A struct's field of vectors: in each row as many as the row has elements.
pub(super) fn vector_arrays(
    rows: Vec<VectorField>,
    element_type: DataType,
    dim: i64,
) -> field_data::Field {
    let array = VectorArray {
        dim,
        data: rows,
        element_type: element_type.into(),
    };
    let data = Some(vector_field::Data::VectorArray(array));
    field_data::Field::Vectors(VectorField { dim, data })
}
