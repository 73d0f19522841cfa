//! A field's default as a value of its column, or `None` where it does not fit.

use std::borrow::Cow;

use crate::decode::{timestamp, wkt};
use crate::milvus::schema::DefaultValue;

pub(super) fn bool(default: &DefaultValue) -> Option<bool> {
    match default {
        DefaultValue::Bool(value) => Some(*value),
        _ => None,
    }
}

pub(super) fn integer<T: TryFrom<i64>>(default: &DefaultValue) -> Option<T> {
    match default {
        DefaultValue::Int(value) => T::try_from(*value).ok(),
        _ => None,
    }
}

pub(super) fn float(default: &DefaultValue) -> Option<f32> {
    match default {
        DefaultValue::Float(value) if value.is_finite() => Some(*value),
        _ => None,
    }
}

pub(super) fn double(default: &DefaultValue) -> Option<f64> {
    match default {
        DefaultValue::Double(value) if value.is_finite() => Some(*value),
        _ => None,
    }
}

pub(super) fn text(default: &DefaultValue, max_length: Option<usize>) -> Option<Vec<u8>> {
    match default {
        DefaultValue::Text(text) if max_length.is_none_or(|max| text.len() <= max) => {
            Some(text.clone().into_bytes())
        }
        _ => None,
    }
}

pub(super) fn json(default: &DefaultValue) -> Option<Vec<u8>> {
    match default {
        DefaultValue::Bytes(json) => Some(json.clone()),
        DefaultValue::Text(json) => Some(json.clone().into_bytes()),
        _ => None,
    }
}

pub(super) fn geometry(default: &DefaultValue) -> Option<Vec<u8>> {
    match default {
        DefaultValue::Text(text) if wkt::check(text).is_ok() => Some(text.clone().into_bytes()),
        _ => None,
    }
}

/// As text, or as Milvus's own microseconds.
pub(super) fn timestamp(default: &DefaultValue) -> Option<Vec<u8>> {
    let text = match default {
        DefaultValue::Text(text) => timestamp::from_text(text).map(Cow::into_owned),
        DefaultValue::Int(microseconds) => timestamp::from_epoch_microseconds(*microseconds),
        _ => return None,
    };
    text.ok().map(String::into_bytes)
}
