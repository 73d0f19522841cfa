//! Timestamptz: RFC 3339 in, microseconds inside, RFC 3339 in UTC out.

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Milvus also reads text without an offset, in the collection's own zone: no writer should depend on that.
pub(super) fn canonical(text: &str) -> Result<Value, String> {
    // A space may stand for the T.
    let strict = match text.split_once(' ') {
        Some((date, time)) => format!("{date}T{time}"),
        None => text.to_owned(),
    };
    let time = OffsetDateTime::parse(&strict, &Rfc3339).map_err(|error| error.to_string())?;
    let minutes = time.offset().whole_minutes();
    if !(-12 * 60..=14 * 60).contains(&minutes) {
        return Err("an offset is between -12:00 and +14:00".to_owned());
    }
    shown(time)
}

pub(super) fn from_micros(micros: i64) -> Result<Value, String> {
    let nanos = i128::from(micros) * 1000;
    shown(OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|error| error.to_string())?)
}

fn shown(time: OffsetDateTime) -> Result<Value, String> {
    let time = time.to_offset(UtcOffset::UTC);
    let micros = time.microsecond() * 1000;
    let time = time.replace_nanosecond(micros).map_err(|e| e.to_string())?;
    time.format(&Rfc3339)
        .map(Value::from)
        .map_err(|error| error.to_string())
}
