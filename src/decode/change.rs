//! What one record stands for: a row to write, a key to delete, or nothing.

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::key::Key;
use crate::plan::Plan;
use crate::record::RecordView;

use super::json;

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
        return Ok(Change::Nothing(Why::Tombstone));
    };
    json::decode(plan, columns, value)?;
    Ok(Change::Row)
}
