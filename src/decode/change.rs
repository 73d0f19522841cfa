//! What one record stands for: a row to write, a key to delete, or nothing.

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::columns::row::Row;
use crate::config::NullValues;
use crate::key::Key;
use crate::plan::{Plan, Source};
use crate::record::RecordView;

use super::{json, key, metadata};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is the last row of the columns now.
    Row,
    Delete(Key),
    Nothing(Why),
}

/// Why a record changes nothing; said and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Tombstone,
}

/// Why a record cannot become a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// `errors.tolerance` decides.
    Bad(BadRecord),
    /// Going on would harm other rows: its partition halts, whatever is tolerated.
    Halts(BadRecord),
}

impl From<BadRecord> for Unfit {
    fn from(bad: BadRecord) -> Self {
        Self::Bad(bad)
    }
}

/// The change that `record` is by `plan`, which made `columns`.
///
/// # Errors
/// What is the matter with the record; the columns are as before.
pub fn change(plan: &Plan, columns: &mut Columns, record: RecordView<'_>) -> Result<Change, Unfit> {
    let Some(value) = record.value else {
        return tombstone(plan, &record);
    };
    let mut row = Row::begin(plan, columns);
    let deletes = json::read(plan, &mut row, value)?;
    key::fill(plan, &mut row, &record)?;
    let tombstones_delete = plan.shape.null_values == NullValues::Delete;
    if deletes || tombstones_delete {
        let key = row.key()?;
        if tombstones_delete {
            tombstone_would_hit_it(plan, &key, &record)?;
        }
        // Of a record that deletes nothing but the key has to fit.
        if deletes {
            return Ok(Change::Delete(key));
        }
    }
    metadata::fill(plan, &mut row, &record)?;
    row.end()?;
    Ok(Change::Row)
}

fn tombstone(plan: &Plan, record: &RecordView<'_>) -> Result<Change, Unfit> {
    match plan.shape.null_values {
        NullValues::Ignore => Ok(Change::Nothing(Why::Tombstone)),
        NullValues::Delete => Ok(Change::Delete(key::convert(plan, record.key)?)),
        NullValues::Fail => Err(BadRecord::of_tombstone().into()),
    }
}

/// A record key that is another row's would have its tombstone delete that row. One that is no primary key at all, or
/// none, deletes nothing: its tombstone is a bad record.
fn tombstone_would_hit_it(plan: &Plan, key: &Key, record: &RecordView<'_>) -> Result<(), Unfit> {
    let Some((_, field)) = plan.key_field() else {
        return Ok(());
    };
    if matches!(field.source, Source::RecordKey(_)) {
        return Ok(());
    }
    match key::convert(plan, record.key) {
        Ok(other) if other != *key => Err(Unfit::Halts(BadRecord::of_two_keys(field))),
        _ => Ok(()),
    }
}
