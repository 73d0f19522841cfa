//! Columns into the messages that Milvus takes: exact type, exact oneof member, exact dimension. A server may
//! not check them, and may die of a wrong one.

use crate::milvus::proto::schema::{
    ArrayArray, BoolArray, DataType, DoubleArray, FieldData, FloatArray, GeometryWktArray,
    IntArray, JsonArray, LongArray, ScalarField, SparseFloatArray, StringArray, VectorArray,
    VectorField, field_data, scalar_field, vector_field,
};
use crate::plan::DYNAMIC_FIELD;

use super::column::{Column, Values};
use super::dynamic::Dynamic;
use super::scalar::{Cells, Scalars, Store, Texts};
use super::sparse;
use super::vector::Vectors;

/// Tags, lengths and types around a field's name and values.
const FRAME: usize = 32;

/// Encoded size of a field before its rows.
pub(super) fn frame_size(name_length: usize) -> usize {
    FRAME + name_length
}

/// The rows of a column; none is left in it.
pub(super) fn take(column: &mut Column) -> FieldData {
    use scalar_field::Data;
    let (data_type, (field, valid_data)) = match &mut column.values {
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
        Values::Structs(structs) => (DataType::ArrayOfStruct, (structs.take(), Vec::new())),
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

/// Gives the room of what was taken from a column back to it. Of arrays and structs there is none: each row has its own.
pub(super) fn reuse(column: &mut Column, field: FieldData) {
    use scalar_field::Data;
    let valid = field.valid_data;
    let data = match field.field {
        Some(field_data::Field::Scalars(scalars)) => scalars.data,
        Some(field_data::Field::Vectors(vectors)) => {
            return match (&mut column.values, vectors.data) {
                (
                    Values::Sparse(values),
                    Some(vector_field::Data::SparseFloatVector(SparseFloatArray {
                        contents, ..
                    })),
                ) => values.reuse(contents, valid),
                (Values::Vector(values), data) => {
                    values.reuse(VectorField { data, ..vectors }, valid);
                }
                _ => {}
            };
        }
        Some(field_data::Field::StructArrays(_)) | None => None,
    };
    match (&mut column.values, data) {
        (Values::Bool(values), Some(Data::BoolData(array))) => values.reuse(array.data, valid),
        (
            Values::Int8(values) | Values::Int16(values) | Values::Int32(values),
            Some(Data::IntData(array)),
        ) => values.reuse(array.data, valid),
        (Values::Int64(values), Some(Data::LongData(array))) => values.reuse(array.data, valid),
        (Values::Float(values), Some(Data::FloatData(array))) => values.reuse(array.data, valid),
        (Values::Double(values), Some(Data::DoubleData(array))) => values.reuse(array.data, valid),
        (
            Values::VarChar(values, _)
            | Values::Text(values)
            | Values::Timestamptz(values)
            | Values::Geometry(values)
            | Values::Json(values)
            | Values::JsonObject(values),
            Some(Data::StringData(array) | Data::GeometryWktData(array) | Data::JsonData(array)),
        ) => values.reuse(array.data, valid),
        _ => {}
    }
}

/// The objects of `$meta`; none is left in it.
pub(super) fn take_dynamic(column: &mut Dynamic) -> FieldData {
    let data = column.take();
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

pub(super) fn reuse_dynamic(column: &mut Dynamic, field: FieldData) {
    if let Some(field_data::Field::Scalars(scalars)) = field.field
        && let Some(scalar_field::Data::JsonData(array)) = scalars.data
    {
        column.reuse(array.data);
    }
}

/// The oneof member is present even when every row is null: an absent one has no type.
fn scalars<S: Store>(
    values: &mut Cells<S>,
    member: impl FnOnce(S) -> scalar_field::Data,
) -> (field_data::Field, Vec<bool>) {
    let (data, valid_data) = values.take();
    (scalar_data(member(data)), valid_data)
}

fn integers(values: &mut Scalars<i32>) -> (field_data::Field, Vec<bool>) {
    scalars(values, |data| {
        scalar_field::Data::IntData(IntArray { data })
    })
}

fn strings(values: &mut Texts) -> (field_data::Field, Vec<bool>) {
    scalars(values, |data| {
        scalar_field::Data::StringData(StringArray { data })
    })
}

fn scalar_data(data: scalar_field::Data) -> field_data::Field {
    field_data::Field::Scalars(ScalarField { data: Some(data) })
}

fn vectors(vectors: &mut Vectors) -> (field_data::Field, Vec<bool>) {
    let (vectors, valid_data) = vectors.take();
    (field_data::Field::Vectors(vectors), valid_data)
}

fn sparse_vectors(rows: &mut Texts) -> (field_data::Field, Vec<bool>) {
    let (contents, valid_data) = rows.take();
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
