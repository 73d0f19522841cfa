//! JSON payloads, read by two passes: the fast one of `scan.rs`, and for what that leaves the exact one, here, which
//! alone says what is bad about a record. In it serde_json checks the grammar and finds the fields; values stay text
//! until the column's type says what they are to become, since serde's own numbers are rounded.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::columns::row::{Row, Want};
use crate::plan::Plan;

use super::convert::Value;
use super::path::Slots;
use super::{raw, scan};

const WHITE_SPACE: [char; 4] = [' ', '\n', '\t', '\r'];

/// Appends the row that `payload` is, for a plan that wants nothing else of a record. `columns` were made by `plan`.
///
/// # Errors
/// What is bad about the record; the columns are as before.
pub fn decode(plan: &Plan, columns: &mut Columns, payload: &[u8]) -> Result<(), BadRecord> {
    let mut row = Row::begin(plan, columns);
    read(plan, &mut row, payload)?;
    row.end()
}

/// What [`decode`] does, by the exact pass alone: the measure of the fast one.
///
/// # Errors
/// As of [`decode`].
pub fn decode_exactly(plan: &Plan, columns: &mut Columns, payload: &[u8]) -> Result<(), BadRecord> {
    let mut row = Row::begin(plan, columns);
    read_exactly(plan, &mut row, payload)?;
    row.end()
}

/// Hands the members of `payload` to the row, by the plan; whether they say that the record deletes.
pub(super) fn read(plan: &Plan, row: &mut Row<'_>, payload: &[u8]) -> Result<bool, BadRecord> {
    let text = unicode(payload)?;
    if let Some(deletes) = scan::read(plan, row, text) {
        return Ok(deletes);
    }
    row.restart();
    exact(plan, row, text)
}

pub(super) fn read_exactly(
    plan: &Plan,
    row: &mut Row<'_>,
    payload: &[u8],
) -> Result<bool, BadRecord> {
    exact(plan, row, unicode(payload)?)
}

fn unicode(payload: &[u8]) -> Result<&str, BadRecord> {
    std::str::from_utf8(payload).map_err(|error| not_unicode(error.valid_up_to()))
}

fn exact(plan: &Plan, row: &mut Row<'_>, text: &str) -> Result<bool, BadRecord> {
    if !text.trim_start_matches(WHITE_SPACE).starts_with('{') {
        return Err(not_an_object(text));
    }
    let mut slots = Slots::new(plan);
    let mut json = Deserializer::from_str(text);
    let fields = Fields {
        row: &mut *row,
        slots: &mut slots,
    };
    json.deserialize_map(fields)
        .map_err(|error| malformed(text, &error))?;
    json.end().map_err(|error| trailing(text, &error))?;
    Ok(slots.hand_over(plan, row))
}

/// Hands the members of the top-level object to the row.
struct Fields<'r, 'p, 'de> {
    row: &'r mut Row<'p>,
    slots: &'r mut Slots<'de>,
}

impl<'de> Visitor<'de> for Fields<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name)? {
            let (want, slot) = self.row.field(&name);
            let json = members.next_value::<&RawValue>()?.get();
            hand_over(self.row, want, &name, json);
            if let Some(slot) = slot {
                self.slots.keep(slot, json);
            }
        }
        Ok(())
    }
}

pub(super) fn hand_over(row: &mut Row<'_>, want: Want, name: &str, json: &str) {
    match want {
        Want::Nothing => {}
        Want::Member => row.member(name, json),
        Want::Json if json != "null" => row.value(&Value::Json(json)),
        Want::Value | Want::Json => row.value(&raw::value(json)),
    }
}

/// A key, borrowed from the payload unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

const SEND_JSON: &str = "send one JSON object in UTF-8 per record";

fn not_unicode(valid_up_to: usize) -> BadRecord {
    let byte = valid_up_to + 1;
    BadRecord::of_payload(
        format!("bytes that are not UTF-8 at byte {byte}"),
        SEND_JSON,
    )
}

fn not_an_object(text: &str) -> BadRecord {
    if text.trim_start_matches(WHITE_SPACE).is_empty() {
        return BadRecord::of_payload(format!("an empty value of {} bytes", text.len()), SEND_JSON);
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => BadRecord::of_payload(raw::value(json.get()).misfit().to_string(), SEND_JSON),
        Err(error) => malformed(text, &error),
    }
}

fn malformed(text: &str, error: &serde_json::Error) -> BadRecord {
    let byte = byte_of(text, error);
    BadRecord::of_payload(
        format!("malformed JSON at byte {byte} ({})", reason(error)),
        SEND_JSON,
    )
}

fn trailing(text: &str, error: &serde_json::Error) -> BadRecord {
    let byte = byte_of(text, error);
    BadRecord::of_payload(
        format!("more after the object, from byte {byte} on"),
        "send one JSON object per record and nothing after it",
    )
}

/// What serde_json says, without the position. Its syntax errors are fixed texts; others could quote the payload.
fn reason(error: &serde_json::Error) -> String {
    if !(error.is_syntax() || error.is_eof()) {
        return "not readable".to_owned();
    }
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    text.strip_suffix(&position)
        .unwrap_or("not readable")
        .to_owned()
}

/// Counted from 1.
fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    before + error.column()
}
