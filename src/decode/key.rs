//! Record keys: their bytes read as the configuration says, and what they are as a primary key.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bad_record::BadRecord;
use crate::columns::row::Row;
use crate::config::KeyFormat;
use crate::key::Key;
use crate::plan::source::Path;
use crate::plan::{FieldPlan, Plan, Source, shown};
use crate::record::RecordView;

use super::convert::{self, Value};
use super::path::descend;
use super::raw;

/// Why there is nothing to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    Nothing,
    NotUnicode,
    NotJson,
    /// An object without the member.
    Lacks,
}

/// Fills the primary key, where it is not in the record's value.
pub(super) fn fill(
    plan: &Plan,
    row: &mut Row<'_>,
    record: &RecordView<'_>,
) -> Result<(), BadRecord> {
    let Some((index, field)) = plan.key_field() else {
        return Ok(());
    };
    match field.source {
        Source::RecordKey(_) => {
            let value = read(plan, record.key).map_err(|why| unreadable(plan, field, why))?;
            let fit = row.put(index, &value);
            fit.map_err(|misfit| {
                BadRecord::of_record_key(field, format!("{misfit} in the record key"))
            })
        }
        Source::Coordinates => {
            let coordinates = coordinates(record);
            let fit = row.put(index, &Value::Text(Cow::Owned(coordinates)));
            fit.map_err(|misfit| BadRecord::of_field(field, true, &misfit))
        }
        _ => Ok(()),
    }
}

fn coordinates(record: &RecordView<'_>) -> String {
    let at = record.topic_partition;
    format!("{}:{}:{}", at.topic, at.partition, record.offset)
}

/// The primary key that the record key is.
pub(super) fn convert(plan: &Plan, key: Option<&[u8]>) -> Result<Key, BadRecord> {
    let Some((_, field)) = plan.key_field() else {
        return Err(BadRecord::without_key_field());
    };
    let value = read(plan, key).map_err(|why| unreadable(plan, field, why))?;
    convert::key(&field.kind, &value)
        .map_err(|misfit| BadRecord::of_record_key(field, format!("{misfit} in the record key")))
}

fn unreadable(plan: &Plan, field: &FieldPlan, why: Unreadable) -> BadRecord {
    let found = match why {
        Unreadable::Nothing => "no record key".to_owned(),
        Unreadable::NotUnicode => "a record key that is not UTF-8".to_owned(),
        Unreadable::NotJson => "a record key that is not JSON".to_owned(),
        Unreadable::Lacks => {
            let name = shown(&plan.shape.key_path.text);
            format!("a record key that is an object without '{name}'")
        }
    };
    BadRecord::of_record_key(field, found)
}

fn read<'a>(plan: &Plan, key: Option<&'a [u8]>) -> Result<Value<'a>, Unreadable> {
    let bytes = key.ok_or(Unreadable::Nothing)?;
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUnicode)?;
    let path = &plan.shape.key_path;
    match plan.shape.key_format {
        KeyFormat::Text => Ok(Value::Text(Cow::Borrowed(text))),
        KeyFormat::Json => of_json(json(text).ok_or(Unreadable::NotJson)?, path),
        KeyFormat::Either => Ok(either(text, path)),
    }
}

/// The value itself, or the member of an object.
fn of_json<'a>(json: &'a str, path: &Path) -> Result<Value<'a>, Unreadable> {
    match raw::value(json) {
        Value::Object(_) => member(json, path).map(raw::value).ok_or(Unreadable::Lacks),
        value => Ok(value),
    }
}

/// JSON where it is a string, a number or an object with the member, and text otherwise. White space around a string
/// or a number makes it text, or two keys of Kafka would be one of Milvus.
fn either<'a>(text: &'a str, path: &Path) -> Value<'a> {
    let as_text = Value::Text(Cow::Borrowed(text));
    // Text is the common case, and asking serde_json about it would make an error each time.
    if !text
        .trim_start()
        .starts_with(|c: char| matches!(c, '"' | '{' | '-') || c.is_ascii_digit())
    {
        return as_text;
    }
    let Some(json) = json(text) else {
        return as_text;
    };
    match raw::value(json) {
        Value::Object(_) => member(json, path).map_or(as_text, raw::value),
        value @ (Value::Text(_) | Value::Number(_)) if json.len() == text.len() => value,
        _ => as_text,
    }
}

fn json(text: &str) -> Option<&str> {
    let json: &RawValue = serde_json::from_str(text).ok()?;
    Some(json.get())
}

/// The member that has the whole path as its name, or what the path leads to.
fn member<'a>(json: &'a str, path: &Path) -> Option<&'a str> {
    descend(json, &[path.text.as_ref().into()]).or_else(|| descend(json, &path.names))
}
