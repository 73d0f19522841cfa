//! What fits which type: exact conversions only. docs/types.md is the table; the tests run over it.

use std::borrow::Cow;

use crate::key::Key;
use crate::milvus::schema::FieldType;

use super::misfit::Misfit;
use super::raw::{Array, Object};
use super::{number, raw};

/// Milvus's limit of a JSON value.
pub(crate) const MAX_JSON_BYTES: usize = 65_536;
/// Levels of a JSON value that is stored. The common readers stop here.
pub(crate) const MAX_JSON_DEPTH: usize = 128;

/// A value of a record, before it is known whether it fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    /// Its text by the grammar of JSON.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A string that is not Unicode.
    LoneSurrogate,
    /// Valid JSON text, for a field that keeps it.
    Json(&'a str),
    /// Read item by item, by the columns that take one.
    Array(Array<'a>),
    Object(Object<'a>),
}

impl Value<'_> {
    /// The value as something that does not fit.
    pub(crate) fn misfit(&self) -> Misfit {
        match self {
            Self::Null => Misfit::Null,
            Self::Boolean(_) => Misfit::Boolean,
            Self::Number(_) => Misfit::Number,
            Self::Text(text) => Misfit::Text(text.len()),
            Self::LoneSurrogate => Misfit::LoneSurrogate,
            Self::Json(json) => Misfit::LongJson(json.len()),
            Self::Array(array) => Misfit::Array(array.len()),
            Self::Object(object) => Misfit::Object(object.len()),
        }
    }
}

pub(crate) fn boolean(value: &Value<'_>) -> Result<bool, Misfit> {
    match value {
        Value::Boolean(value) => Ok(*value),
        _ => Err(value.misfit()),
    }
}

/// Whole numbers in range, however they are written: `3`, `3.0`, `3e0`, `"3"`.
pub(crate) fn integer<T: TryFrom<i64>>(value: &Value<'_>) -> Result<T, Misfit> {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) if number::is_number(text) => text.as_ref(),
        _ => return Err(value.misfit()),
    };
    T::try_from(number::integer(text)?).map_err(|_| Misfit::OutOfRange)
}

/// The nearest f32, straight from the text: by way of an f64 it would be rounded twice.
pub(crate) fn float(value: &Value<'_>) -> Result<f32, Misfit> {
    match value {
        Value::Number(text) => number::float(text),
        _ => Err(value.misfit()),
    }
}

/// The nearest f64.
pub(crate) fn double(value: &Value<'_>) -> Result<f64, Misfit> {
    match value {
        Value::Number(text) => number::double(text),
        _ => Err(value.misfit()),
    }
}

/// Strings, and the text of numbers and booleans as written. The limit counts bytes.
pub(crate) fn varchar(value: &Value<'_>, max_length: Option<usize>) -> Result<String, Misfit> {
    let text = match value {
        Value::Text(text) => text.as_ref(),
        Value::Number(text) => text,
        Value::Boolean(true) => "true",
        Value::Boolean(false) => "false",
        _ => return Err(value.misfit()),
    };
    match max_length {
        Some(max) if text.len() > max => Err(Misfit::LongText(text.len())),
        _ => Ok(text.to_owned()),
    }
}

/// The value as a primary key of the type, by the same rules as in its column.
pub(crate) fn key(kind: &FieldType, value: &Value<'_>) -> Result<Key, Misfit> {
    match kind {
        FieldType::Int64 => integer(value).map(Key::Int),
        FieldType::VarChar { max_length } => {
            varchar(value, *max_length).map(|text| Key::Text(text.into()))
        }
        _ => Err(value.misfit()),
    }
}

/// The exact bytes of the value.
pub(crate) fn json(value: &Value<'_>) -> Result<Vec<u8>, Misfit> {
    let Value::Json(json) = value else {
        return Err(value.misfit());
    };
    if json.len() > MAX_JSON_BYTES {
        return Err(Misfit::LongJson(json.len()));
    }
    match raw::measure(json.as_bytes()).depth {
        depth if depth > MAX_JSON_DEPTH => Err(Misfit::DeepJson(depth)),
        _ => Ok(json.as_bytes().to_vec()),
    }
}
