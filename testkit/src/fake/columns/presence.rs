//! `valid_data`: which rows have a value. The data of a column holds those rows alone.

use super::super::generation::{Generation, Refusal};
use super::cell::Cell;
use crate::proto::schema::FieldSchema;

/// One flag per row.
pub(super) fn of(
    generation: Generation,
    field: &FieldSchema,
    valid: &[bool],
    rows: usize,
) -> Result<Vec<bool>, Refusal> {
    let has_absent = field.nullable || field.default_value.is_some();
    of_nullable(generation, &field.name, has_absent, valid, rows)
}

pub(super) fn of_nullable(
    generation: Generation,
    name: &str,
    nullable: bool,
    valid: &[bool],
    rows: usize,
) -> Result<Vec<bool>, Refusal> {
    let wanted = if nullable { rows } else { 0 };
    let may_be_left_out = generation >= Generation::V2_6 && valid.is_empty();
    if !generation.has_nulls() || may_be_left_out {
        return Ok(vec![true; rows]);
    }
    if valid.len() != wanted {
        let found = valid.len();
        let text = format!("field {name}: valid_data has {found} entries, {wanted} expected");
        return Err(Refusal::invalid(text));
    }
    Ok(if nullable {
        valid.to_vec()
    } else {
        vec![true; rows]
    })
}

/// The values in their rows, `absent` in the others. There is a value for every row that is present.
pub(super) fn fill(
    presence: &[bool],
    cells: Vec<Cell>,
    absent: &Cell,
) -> Result<Vec<Cell>, Refusal> {
    let mut cells = cells.into_iter();
    let mut cell = |present: &bool| match present {
        true => cells.next(),
        false => Some(absent.clone()),
    };
    let filled: Option<Vec<Cell>> = presence.iter().map(&mut cell).collect();
    filled.ok_or_else(|| Refusal::invalid("fewer values than rows"))
}
