//! JSON fields and the dynamic one.

use serde_json::Value;

use super::super::generation::{Generation, Refusal, UNEXPECTED};
use super::cell::Cell;
use super::{META, Request};
use crate::proto::schema::{DataType, FieldData, FieldSchema};

const MAX_BYTES: usize = 65_536;

/// Text that is not JSON is refused here, though no generation after 2.3 looks: no writer can mean it.
pub(super) fn cell(generation: Generation, name: &str, text: &[u8]) -> Result<Cell, Refusal> {
    if text.len() > MAX_BYTES {
        let bytes = text.len();
        let reason =
            format!("field {name}: the length of json ({bytes}) exceeds max length ({MAX_BYTES})");
        return Err(Refusal::invalid(reason));
    }
    let cell = std::str::from_utf8(text)
        .map_err(|error| error.to_string())
        .and_then(Cell::of_json)
        .map_err(|why| generation.bad_json(format!("IO failed[key={name}]: {why}")))?;
    let fits = generation > Generation::V2_3 || cell.value.is_object() || cell.value.is_null();
    let reason = "json: cannot unmarshal into Go value of type map[string]interface {}";
    fits.then_some(cell)
        .ok_or_else(|| generation.bad_json(format!("IO failed[key={name}]: {reason}")))
}

/// `$meta`: one object per row.
pub(super) fn dynamic_cells(
    request: &Request<'_>,
    column: &FieldData,
) -> Result<Vec<Cell>, Refusal> {
    let meta = FieldSchema {
        name: META.to_owned(),
        data_type: DataType::Json as i32,
        ..Default::default()
    };
    let cells = request.field_cells(&meta, column);
    // An object is wanted here by every generation, and 2.3 has another code for it.
    let cells = cells.map_err(|refusal| match request.generation {
        Generation::V2_3 if refusal.code != 1100 => Refusal::new(UNEXPECTED, refusal.reason),
        _ => refusal,
    })?;
    for cell in &cells {
        check_dynamic(request, &cell.value)?;
    }
    Ok(cells)
}

fn check_dynamic(request: &Request<'_>, value: &Value) -> Result<(), Refusal> {
    let generation = request.generation;
    let Value::Object(members) = value else {
        let text = "json: cannot unmarshal into Go value of type map[string]interface {}";
        return Err(match generation {
            Generation::V2_3 => Refusal::new(UNEXPECTED, text),
            _ => generation.bad_json(text),
        });
    };
    if members.contains_key(META) {
        return Err(generation.bad_value(format!("cannot set json key to: {META}")));
    }
    let is_static = |name: &&String| {
        request
            .schema
            .fields
            .iter()
            .any(|field| &field.name == *name)
    };
    match members.keys().find(is_static) {
        Some(name) if generation > Generation::V2_3 => Err(generation.bad_value(format!(
            "dynamic field name cannot include the static field name: {name}"
        ))),
        _ => Ok(()),
    }
}
