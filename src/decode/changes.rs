//! Records and what they stand for: what the tests of keys, deletes and names share.

mod deletes;
mod keys;
mod names;

use std::sync::Arc;

use crate::budget::Budget;
use crate::columns::Columns;
use crate::config::{DeleteWhen, KeyFormat, Metadata, NullValues, PkMode, Shaping};
use crate::key::Key;
use crate::milvus::schema::{Field, FieldType, Schema};
use crate::plan::Plan;
use crate::plan::fixture::{dynamic_plan, field, key, map, nullable, schema, shaped};
use crate::record::{Chunk, Record, Run};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

use super::change::{Change, Unfit, Why, change};
use super::conversion_table::shown_all;

const TEXT: FieldType = FieldType::VarChar {
    max_length: Some(60),
};

fn ids(kind: FieldType) -> Vec<Field> {
    vec![key("id", kind), nullable("n", FieldType::Int8)]
}

fn dynamic(fields: Vec<Field>) -> Schema {
    Schema {
        dynamic: true,
        ..schema(fields)
    }
}

fn plan(fields: Vec<Field>, shaping: Shaping) -> Plan {
    shaped(&schema(fields), shaping).unwrap()
}

fn by_record_key(key_format: KeyFormat) -> Shaping {
    Shaping {
        pk_mode: PkMode::RecordKey,
        key_format,
        ..Shaping::default()
    }
}

fn deleting() -> Shaping {
    Shaping {
        null_values: NullValues::Delete,
        ..Shaping::default()
    }
}

fn marked(field: &str, value: &str) -> Shaping {
    let [field, value] = [field, value].map(str::to_owned);
    Shaping {
        delete_when: Some(DeleteWhen { field, value }),
        ..Shaping::default()
    }
}

fn mapped(pairs: &[(&str, &str)]) -> Shaping {
    Shaping {
        field_map: map(pairs),
        ..Shaping::default()
    }
}

/// A record at `articles-3@7` with a time, and a header `trace`.
#[derive(Clone, Copy, Default)]
struct Given<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a str>,
    timestamp: Option<i64>,
    trace: Option<&'a [u8]>,
}

fn keyed<'a>(key: &'a str, value: &'a str) -> Given<'a> {
    Given {
        key: Some(key.as_bytes()),
        ..valued(value)
    }
}

fn valued(value: &str) -> Given<'_> {
    Given {
        value: Some(value),
        ..Given::default()
    }
}

fn tombstone(key: &str) -> Given<'_> {
    Given {
        key: Some(key.as_bytes()),
        ..Given::default()
    }
}

fn chunk(given: Given<'_>) -> Chunk {
    let mut bytes = Vec::new();
    let mut put = |part: &[u8]| {
        bytes.extend_from_slice(part);
        bytes.len() - part.len()..bytes.len()
    };
    let record = Record {
        offset: 7,
        timestamp: given.timestamp,
        key: given.key.map(&mut put),
        value: given.value.map(str::as_bytes).map(&mut put),
    };
    let headers = vec![given.trace.map(&mut put)];
    let tenure = Arc::new(Tenure::new(TopicPartition::new("articles", 3), 0));
    Chunk {
        charge: Budget::new(1 << 20).charge(0),
        bytes,
        runs: vec![Run {
            tenure,
            from: 7,
            records: vec![record],
            headers,
        }],
    }
}

/// The change, and the columns afterwards.
fn changed(plan: &Plan, given: Given<'_>) -> (Result<Change, Unfit>, Columns) {
    let mut columns = Columns::new(plan);
    let bytes = columns.bytes();
    let result = change(plan, &mut columns, chunk(given).view(0, 0));
    let rows = usize::from(result == Ok(Change::Row));
    assert_eq!(columns.rows(), rows);
    assert_eq!(columns.bytes() > bytes, rows == 1);
    (result, columns)
}

fn check_row(plan: &Plan, given: Given<'_>, expected: &[&str]) {
    let (result, columns) = changed(plan, given);
    assert_eq!(result, Ok(Change::Row));
    assert_eq!(shown_all(columns), expected);
}

fn check_delete(plan: &Plan, given: Given<'_>, key: impl Into<Key>) {
    assert_eq!(changed(plan, given).0, Ok(Change::Delete(key.into())));
}

fn check_bad(plan: &Plan, given: Given<'_>, sentence: &str) {
    match changed(plan, given).0 {
        Err(Unfit::Bad(bad)) => assert_eq!(bad.to_string(), sentence),
        other => panic!("{other:?}"),
    }
}

fn check_halts(plan: &Plan, given: Given<'_>, sentence: &str) {
    match changed(plan, given).0 {
        Err(Unfit::Halts(bad)) => assert_eq!(bad.to_string(), sentence),
        other => panic!("{other:?}"),
    }
}

impl From<i64> for Key {
    fn from(key: i64) -> Self {
        Self::Int(key)
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self::Text(key.into())
    }
}

const IN_FORM: &str =
    "send records whose key holds the primary key, in the form that key.converter says";
