//! Vectors, dense and sparse.

use serde_json::{Map, Value};

use super::super::generation::{Generation, Refusal};
use super::cell::Cell;
use super::limit;
use crate::half::{bf16, f16};
use crate::proto::schema::vector_field::Data;
use crate::proto::schema::{DataType, FieldData, FieldSchema, VectorField, field_data};

/// A vector type: by whose rules, of which field, how wide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind<'a> {
    pub(super) generation: Generation,
    pub(super) name: &'a str,
    pub(super) data_type: DataType,
    pub(super) dim: usize,
}

pub(super) fn cells(
    generation: Generation,
    field: &FieldSchema,
    column: &FieldData,
    expected: usize,
) -> Result<Vec<Cell>, Refusal> {
    let kind = Kind {
        generation,
        name: &field.name,
        data_type: field.data_type(),
        dim: limit(&field.type_params, "dim").unwrap_or_default(),
    };
    let vectors = match &column.field {
        Some(field_data::Field::Vectors(vectors)) => vectors,
        None if expected == 0 => return Ok(Vec::new()),
        _ => return Err(kind.shape("the data is not that of a vector")),
    };
    if vectors.data.is_none() && expected == 0 {
        return Ok(Vec::new());
    }
    let values = kind.values(vectors)?;
    Ok(values.into_iter().map(Cell::from).collect())
}

impl Kind<'_> {
    pub(super) fn values(&self, vectors: &VectorField) -> Result<Vec<Value>, Refusal> {
        if let (DataType::SparseFloatVector, Some(Data::SparseFloatVector(array))) =
            (self.data_type, &vectors.data)
        {
            // Milvus computes the dimension itself.
            return array.contents.iter().map(|row| self.sparse(row)).collect();
        }
        if usize::try_from(vectors.dim) != Ok(self.dim) {
            let (found, dim) = (vectors.dim, self.dim);
            return Err(self.shape(&format!(
                "the dim of the data is {found}, of the field {dim}"
            )));
        }
        match (self.data_type, &vectors.data) {
            (DataType::FloatVector, Some(Data::FloatVector(array))) => {
                self.finite(&array.data, true)?;
                self.rows(&array.data, self.dim)
            }
            (DataType::BinaryVector, Some(Data::BinaryVector(bytes))) => {
                self.rows(bytes, self.dim / 8)
            }
            (DataType::Float16Vector, Some(Data::Float16Vector(bytes))) => self.halves(bytes, f16),
            (DataType::BFloat16Vector, Some(Data::Bfloat16Vector(bytes))) => {
                self.halves(bytes, bf16)
            }
            (DataType::Int8Vector, Some(Data::Int8Vector(bytes))) => {
                let signed: Vec<i8> = bytes
                    .iter()
                    .map(|byte| i8::from_le_bytes([*byte]))
                    .collect();
                self.rows(&signed, self.dim)
            }
            _ => Err(self.shape(&format!("the data is not that of {:?}", self.data_type))),
        }
    }

    fn halves(&self, bytes: &[u8], widen: fn(u16) -> f32) -> Result<Vec<Value>, Refusal> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.uneven(bytes.len()));
        }
        let values: Vec<f32> = pairs
            .iter()
            .map(|pair| widen(u16::from_le_bytes(*pair)))
            .collect();
        self.finite(&values, self.generation > Generation::V2_3)?;
        self.rows(&values, self.dim)
    }

    fn rows<T: Copy + Into<Value>>(&self, data: &[T], width: usize) -> Result<Vec<Value>, Refusal> {
        if width == 0 || !data.len().is_multiple_of(width) {
            return Err(self.uneven(data.len()));
        }
        let row = |row: &[T]| Value::Array(row.iter().map(|value| (*value).into()).collect());
        Ok(data.chunks_exact(width).map(row).collect())
    }

    fn uneven(&self, found: usize) -> Refusal {
        let (name, dim) = (self.name, self.dim);
        let text =
            format!("field {name}: the length({found}) of data should divide the dim({dim})");
        match self.generation {
            Generation::V2_3 => self.generation.bad_value(text),
            _ => Refusal::invalid(text),
        }
    }

    fn finite(&self, values: &[f32], looks: bool) -> Result<(), Refusal> {
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) if looks => {
                Err(self.bad(&format!("value '{value}' is not a number or infinity")))
            }
            _ => Ok(()),
        }
    }

    /// Pairs of an index and a value.
    fn sparse(&self, row: &[u8]) -> Result<Value, Refusal> {
        let (pairs, rest) = row.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(self.bad("invalid data length in sparse float vector"));
        }
        let mut entries = Map::new();
        let mut last = None;
        for [a, b, c, d, e, f, g, h] in pairs {
            let index = u32::from_le_bytes([*a, *b, *c, *d]);
            let value = f32::from_le_bytes([*e, *f, *g, *h]);
            if index == u32::MAX {
                return Err(
                    self.bad("invalid index in sparse float vector: must be less than 2^32-1")
                );
            }
            if last.is_some_and(|last| index <= last) {
                return Err(self.bad("unsorted or same indices in sparse float vector"));
            }
            if !value.is_finite() || value < 0.0 {
                return Err(self.bad("negative or non-finite value in sparse float vector"));
            }
            last = Some(index);
            entries.insert(index.to_string(), value.into());
        }
        Ok(Value::Object(entries))
    }

    fn bad(&self, text: &str) -> Refusal {
        self.generation
            .bad_value(format!("field {}: {text}", self.name))
    }

    fn shape(&self, text: &str) -> Refusal {
        self.generation
            .bad_shape(format!("field {}: {text}", self.name))
    }
}
