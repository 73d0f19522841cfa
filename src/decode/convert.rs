//! What fits which type: exact conversions only. docs/types.md is the table; the tests run over it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::half::Half;
use crate::key::Key;
use crate::milvus::schema::FieldType;

use super::misfit::Misfit;
use super::raw::{Array, Object};
use super::{number, raw, timestamp, wkt};

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

/// The bits of the nearest 16-bit float, straight from the text too.
pub(crate) fn half(value: &Value<'_>, half: Half) -> Result<u16, Misfit> {
    match value {
        Value::Number(text) => half.nearest(text),
        _ => Err(value.misfit()),
    }
}

/// A whole number in range as an element: a string is none here.
pub(crate) fn element<T: TryFrom<i64>>(value: &Value<'_>) -> Result<T, Misfit> {
    match value {
        Value::Number(_) => integer(value),
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
pub(crate) fn varchar<'a>(
    value: &'a Value<'_>,
    max_length: Option<usize>,
) -> Result<&'a str, Misfit> {
    let text = match value {
        Value::Text(text) => text.as_ref(),
        Value::Number(text) => text,
        Value::Boolean(true) => "true",
        Value::Boolean(false) => "false",
        _ => return Err(value.misfit()),
    };
    match max_length {
        Some(max) if text.len() > max => Err(Misfit::LongText(text.len())),
        _ => Ok(text),
    }
}

/// A geometry's WKT, as it is.
pub(crate) fn geometry<'a>(value: &'a Value<'_>) -> Result<&'a str, Misfit> {
    let Value::Text(text) = value else {
        return Err(value.misfit());
    };
    wkt::check(text).map_err(Misfit::NoWkt)?;
    Ok(text)
}

/// RFC 3339, or a number of milliseconds since 1970.
pub(crate) fn timestamp<'a>(value: &'a Value<'_>) -> Result<Cow<'a, str>, Misfit> {
    match value {
        Value::Text(text) => timestamp::from_text(text),
        Value::Number(text) => {
            timestamp::from_epoch_milliseconds(number::integer(text)?).map(Cow::Owned)
        }
        _ => Err(value.misfit()),
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

/// Reads an array, which may stand in a string: change capture sends them so.
pub(crate) fn with_array<T>(
    value: &Value<'_>,
    read: impl FnOnce(Array<'_>) -> Result<T, Misfit>,
) -> Result<T, Misfit> {
    let embedded = embedded(value)?;
    match embedded.as_ref().unwrap_or(value) {
        Value::Array(array) => read(*array),
        other => Err(other.misfit()),
    }
}

/// The exact bytes of an object.
pub(crate) fn json_object<'a>(value: &'a Value<'_>) -> Result<&'a [u8], Misfit> {
    match value {
        Value::Json(json) if !json.starts_with('{') => Err(raw::value(json).misfit()),
        _ => json(value),
    }
}

/// The exact bytes of the value.
pub(crate) fn json<'a>(value: &'a Value<'_>) -> Result<&'a [u8], Misfit> {
    let Value::Json(json) = value else {
        return Err(value.misfit());
    };
    if json.len() > MAX_JSON_BYTES {
        return Err(Misfit::LongJson(json.len()));
    }
    match raw::measure(json.as_bytes()).depth {
        depth if depth > MAX_JSON_DEPTH => Err(Misfit::DeepJson(depth)),
        _ => Ok(json.as_bytes()),
    }
}

/// The array or object that is written inside a string, as change capture sends them. `None` where the value is anything
/// but a string, or a string that begins in another way.
pub(crate) fn embedded<'a>(value: &'a Value<'_>) -> Result<Option<Value<'a>>, Misfit> {
    let Value::Text(text) = value else {
        return Ok(None);
    };
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(None);
    }
    // What reads values takes their grammar for checked. This check is a loop, whatever the depth.
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => Ok(Some(raw::value(json.get()))),
        Err(_) => Err(Misfit::BrokenJson(text.len())),
    }
}
