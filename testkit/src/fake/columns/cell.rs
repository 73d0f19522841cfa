//! One value of one row.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::generation::Refusal;
use super::time;
use crate::proto::schema::value_field::Data;
use crate::proto::schema::{DataType, FieldSchema};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) value: Value,
    /// Of a JSON value: its text.
    pub(super) json: Option<String>,
}

impl Cell {
    pub(super) fn null() -> Self {
        Self::from(Value::Null)
    }

    /// Not JSON: why. What is nested too deep for a [`Value`] stays text.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).or_else(|error| {
            let sound = serde_json::from_str::<IgnoredAny>(text).is_ok();
            sound.then(|| Value::from(text)).ok_or(error)
        });
        Ok(Self {
            value: value.map_err(|error| error.to_string())?,
            json: Some(text.to_owned()),
        })
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self { value, json: None }
    }
}

/// What a field holds where a row has no value: its default, else null.
pub(super) fn absent(field: &FieldSchema) -> Result<Cell, Refusal> {
    let default = field.default_value.as_ref();
    let Some(data) = default.and_then(|default| default.data.clone()) else {
        return Ok(Cell::null());
    };
    let cell = match (field.data_type(), data) {
        (DataType::Json, Data::BytesData(text)) => Cell::of_json(&String::from_utf8_lossy(&text)),
        (DataType::Json, Data::StringData(text)) => Cell::of_json(&text),
        (DataType::Timestamptz, Data::StringData(text)) => time::canonical(&text).map(Cell::from),
        (DataType::Timestamptz, Data::LongData(micros) | Data::TimestamptzData(micros)) => {
            time::from_micros(micros).map(Cell::from)
        }
        (_, data) => Ok(Cell::from(plain(data))),
    };
    let name = &field.name;
    cell.map_err(|why| Refusal::invalid(format!("the default of field {name}: {why}")))
}

fn plain(data: Data) -> Value {
    match data {
        Data::BoolData(value) => value.into(),
        Data::IntData(value) => value.into(),
        Data::LongData(value) | Data::TimestamptzData(value) => value.into(),
        Data::FloatData(value) => value.into(),
        Data::DoubleData(value) => value.into(),
        Data::StringData(value) => value.into(),
        Data::BytesData(value) => value.into(),
    }
}
