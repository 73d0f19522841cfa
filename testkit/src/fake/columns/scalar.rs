//! Scalars and arrays of scalars.

use std::str::FromStr;

use serde_json::Value;
use wkt::Wkt;

use super::super::generation::{Generation, Refusal};
use super::cell::Cell;
use super::{json, limit, time};
use crate::proto::common::KeyValuePair;
use crate::proto::schema::scalar_field::Data;
use crate::proto::schema::{ArrayArray, DataType, FieldData, FieldSchema, ScalarField, field_data};

/// A type with its limits, by whose rules it is read, and the field to blame.
#[derive(Debug, Clone, Copy)]
struct Kind<'a> {
    generation: Generation,
    name: &'a str,
    data_type: DataType,
    params: &'a [KeyValuePair],
    /// Of an array: Milvus looks less closely.
    is_element: bool,
}

/// The values that the column holds; the member of the oneof is there even when they are none.
pub(super) fn cells(
    generation: Generation,
    field: &FieldSchema,
    column: &FieldData,
) -> Result<Vec<Cell>, Refusal> {
    let kind = Kind {
        generation,
        name: &field.name,
        data_type: field.data_type(),
        params: match field.auto_id {
            // The length of a key that Milvus makes is its own affair.
            true => &[],
            false => &field.type_params,
        },
        is_element: false,
    };
    let scalars = match &column.field {
        Some(field_data::Field::Scalars(scalars)) => scalars,
        _ => return Err(kind.wrong_member()),
    };
    match (kind.data_type, &scalars.data) {
        (DataType::Array, Some(Data::ArrayData(array))) => kind.arrays(array, field.element_type()),
        (DataType::Json, Some(Data::JsonData(array))) => {
            let texts = array.data.iter();
            texts
                .map(|text| json::cell(generation, kind.name, text))
                .collect()
        }
        _ => {
            let values = kind.values(scalars)?;
            Ok(values.into_iter().map(Cell::from).collect())
        }
    }
}

impl Kind<'_> {
    fn values(&self, scalars: &ScalarField) -> Result<Vec<Value>, Refusal> {
        let data = scalars.data.as_ref().ok_or_else(|| self.wrong_member())?;
        match (self.data_type, data) {
            (DataType::Bool, Data::BoolData(array)) => Ok(list(&array.data)),
            (DataType::Int8, Data::IntData(array)) => self.integers(&array.data, -128, 127),
            (DataType::Int16, Data::IntData(array)) => self.integers(&array.data, -32_768, 32_767),
            (DataType::Int32, Data::IntData(array)) => Ok(list(&array.data)),
            (DataType::Int64, Data::LongData(array)) => Ok(list(&array.data)),
            (DataType::Float, Data::FloatData(array)) => {
                self.finite(array.data.iter().all(|value| value.is_finite()))?;
                Ok(list(&array.data))
            }
            (DataType::Double, Data::DoubleData(array)) => {
                self.finite(array.data.iter().all(|value| value.is_finite()))?;
                Ok(list(&array.data))
            }
            (DataType::VarChar, Data::StringData(array)) => self.texts(&array.data),
            (DataType::Text, Data::StringData(array)) => Ok(list(&array.data)),
            (DataType::Geometry, Data::GeometryWktData(array)) => self.geometries(&array.data),
            (DataType::Timestamptz, Data::StringData(array)) => {
                let value = |text: &String| {
                    let name = self.name;
                    let bad =
                        |why| Refusal::invalid(format!("field {name}: invalid timestamptz: {why}"));
                    time::canonical(text).map_err(bad)
                };
                array.data.iter().map(value).collect()
            }
            _ => Err(self.wrong_member()),
        }
    }

    fn integers(&self, data: &[i32], min: i32, max: i32) -> Result<Vec<Value>, Refusal> {
        match data.iter().find(|value| !(min..=max).contains(*value)) {
            None => Ok(list(data)),
            Some(value) => {
                Err(self.invalid(&format!("the value {value} is out of range [{min}, {max}]")))
            }
        }
    }

    /// Not looked at by 2.3, nor in arrays by anybody.
    fn finite(&self, finite: bool) -> Result<(), Refusal> {
        if finite || self.is_element || self.generation == Generation::V2_3 {
            return Ok(());
        }
        let text = format!("field {}: value is not a number or infinity", self.name);
        Err(self.generation.bad_value(text))
    }

    /// Counted in bytes.
    fn texts(&self, data: &[String]) -> Result<Vec<Value>, Refusal> {
        let max = limit(self.params, "max_length").unwrap_or(usize::MAX);
        match data.iter().find(|text| text.len() > max) {
            None => Ok(list(data)),
            Some(text) => {
                let length = text.len();
                Err(self.invalid(&format!(
                    "length of varchar ({length}) exceeds max length ({max})"
                )))
            }
        }
    }

    fn geometries(&self, data: &[String]) -> Result<Vec<Value>, Refusal> {
        let value = |text: &String| match Wkt::<f64>::from_str(text) {
            Ok(_) => Ok(Value::from(text.as_str())),
            Err(why) => {
                let text = format!("field {}: invalid geometry data: {why}", self.name);
                Err(self.generation.bad_json(text))
            }
        };
        data.iter().map(value).collect()
    }

    fn arrays(&self, array: &ArrayArray, element_type: DataType) -> Result<Vec<Cell>, Refusal> {
        // Milvus fills in a type that is not said.
        if array.element_type != 0 && array.element_type != element_type as i32 {
            let found = array.element_type();
            return Err(self.shape(&format!("element type {found:?} is not {element_type:?}")));
        }
        let element = Kind {
            data_type: element_type,
            is_element: true,
            ..*self
        };
        let rows = array.data.iter();
        rows.map(|row| element.array(row).map(Cell::from)).collect()
    }

    fn array(&self, row: &ScalarField) -> Result<Value, Refusal> {
        if row.data.is_none() && self.generation == Generation::V2_3 {
            return Ok(Value::Array(Vec::new()));
        }
        let values = self.values(row)?;
        let capacity = limit(self.params, "max_capacity").unwrap_or(usize::MAX);
        if values.len() > capacity {
            let found = values.len();
            let text = format!("array length ({found}) exceeds max capacity ({capacity})");
            return Err(self.invalid(&text));
        }
        Ok(Value::Array(values))
    }

    fn wrong_member(&self) -> Refusal {
        self.shape(&format!("the data is not that of {:?}", self.data_type))
    }

    fn shape(&self, text: &str) -> Refusal {
        self.generation
            .bad_shape(format!("field {}: {text}", self.name))
    }

    fn invalid(&self, text: &str) -> Refusal {
        Refusal::invalid(format!("field {}: {text}", self.name))
    }
}

fn list<T: Clone + Into<Value>>(data: &[T]) -> Vec<Value> {
    data.iter().cloned().map(Into::into).collect()
}
