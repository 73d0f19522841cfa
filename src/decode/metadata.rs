//! What Kafka knows of a record, written into fields or into `$meta`.

use std::borrow::Cow;

use crate::bad_record::BadRecord;
use crate::columns::row::{Row, Want};
use crate::config::Metadata;
use crate::plan::Plan;
use crate::plan::source::Target;
use crate::record::RecordView;

use super::convert::Value;

/// Fills the plan's metadata fields. What the record lacks (a key, a header) counts as absent.
pub(super) fn fill(
    plan: &Plan,
    row: &mut Row<'_>,
    record: &RecordView<'_>,
) -> Result<(), BadRecord> {
    for (metadata, target, _) in &plan.shape.metadata {
        let found = find(*metadata, record).map_err(|noun| {
            let name = match target {
                Target::Field(index) => plan.fields.get(*index).map_or("", |field| &field.name),
                Target::Member(name) => name,
                Target::DeleteMark => "",
            };
            BadRecord::of_metadata(name, noun)
        })?;
        if let Some(found) = found {
            put(row, target, &found);
        }
    }
    Ok(())
}

enum Found<'a> {
    Number(i64),
    Text(&'a str),
}

/// `Err` names what is not text.
fn find<'a>(
    metadata: Metadata,
    record: &RecordView<'a>,
) -> Result<Option<Found<'a>>, &'static str> {
    let at = record.topic_partition;
    let text = |bytes: Option<&'a [u8]>, noun| match bytes.map(std::str::from_utf8) {
        Some(Ok(text)) => Ok(Some(Found::Text(text))),
        Some(Err(_)) => Err(noun),
        None => Ok(None),
    };
    match metadata {
        Metadata::Topic => Ok(Some(Found::Text(&at.topic))),
        Metadata::Partition => Ok(Some(Found::Number(at.partition.into()))),
        Metadata::Offset => Ok(Some(Found::Number(record.offset))),
        Metadata::Timestamp => Ok(record.timestamp.map(Found::Number)),
        Metadata::Key => text(record.key, "a record key"),
        Metadata::Header(index) => text(record.header(index), "a header"),
    }
}

fn put(row: &mut Row<'_>, target: &Target, found: &Found<'_>) {
    let json = || match found {
        Found::Number(number) => number.to_string(),
        // Strings are always JSON; the other arm cannot be.
        Found::Text(text) => serde_json::to_string(text).unwrap_or_else(|_| "null".to_owned()),
    };
    match target {
        Target::Field(index) => match (row.start(*index), found) {
            (Want::Json, _) => row.value(&Value::Json(&json())),
            (_, Found::Number(number)) => row.value(&Value::Number(&number.to_string())),
            (_, Found::Text(text)) => row.value(&Value::Text(Cow::Borrowed(text))),
        },
        Target::Member(name) => row.member(name, &json()),
        Target::DeleteMark => {}
    }
}
