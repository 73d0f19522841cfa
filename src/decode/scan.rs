//! The fast pass over a payload: once from its first byte to its last, each value read straight into its column.
//!
//! It takes what records are like, and never explains. At whatever is out of the ordinary (broken JSON, a value that
//! does not fit, a name that occurs twice) it gives up; the exact pass, in `json.rs`, then reads the record from its
//! beginning and finds what there is to say. What the fast pass takes, the exact one takes with the same result.

mod cursor;
mod order;
mod skip;
mod text;

use crate::columns::row::Row;
use crate::plan::{Place, Plan};

use super::path::Slots;

pub(crate) use cursor::Cursor;
pub(crate) use order::{Met, Order};
pub(crate) use skip::Checked;

/// Hands the members of `text` to the row; whether they say that the record deletes. `None` leaves a part of a row.
pub(super) fn read(plan: &Plan, row: &mut Row<'_>, text: &str) -> Option<bool> {
    let mut slots = Slots::new(plan);
    let mut cursor = Cursor::new(text);
    cursor.space();
    cursor.require(b'{')?;
    cursor.space();
    let mut is_over = cursor.take(b'}');
    while !is_over {
        member(row, &mut cursor, &mut slots)?;
        is_over = cursor.comma_or(b'}')?;
    }
    cursor.space();
    cursor.is_at_end().then(|| slots.hand_over(plan, row))
}

fn member<'a>(row: &mut Row<'_>, cursor: &mut Cursor<'a>, slots: &mut Slots<'a>) -> Option<()> {
    let Met { place, slot, .. } = row.next_name(cursor)?;
    cursor.colon()?;
    let start = cursor.clone();
    match place {
        Place::Field(index) => row.read(index, cursor)?,
        Place::Dynamic => {
            let json = cursor.json()?;
            row.named_member(json);
        }
        Place::Used | Place::Ignored => {
            cursor.json()?;
        }
        Place::Unknown | Place::Reserved => return None,
    }
    if let Some(slot) = slot {
        slots.keep(slot, cursor.since(&start)?);
    }
    Some(())
}
