//! Whether the collection's primary key can come from where `pk.mode` says, and deletes can name it.

use crate::config::{NullValues, PkMode, Shaping};
use crate::milvus::schema::{Field, FieldType};

use super::{Plan, ShapeError};

/// A topic's name is followed by a colon, up to 10 digits, a colon, and up to 19 digits.
const COORDINATES: usize = 31;

/// # Errors
/// What of the configuration the key rules out.
pub(super) fn fits(
    plan: &Plan,
    key: &Field,
    shaping: &Shaping,
    longest_topic: usize,
) -> Result<(), ShapeError> {
    pk_mode(plan, key, shaping, longest_topic)?;
    deletes(key, shaping)
}

fn pk_mode(
    plan: &Plan,
    key: &Field,
    shaping: &Shaping,
    longest_topic: usize,
) -> Result<(), ShapeError> {
    let field = key.name.clone();
    let mode = shaping.pk_mode;
    match (mode, plan.primary_key) {
        (PkMode::None, Some(_)) => Err(ShapeError::KeyNotMade { field }),
        (PkMode::RecordKey | PkMode::Kafka, None) => {
            let mode = mode.name();
            Err(ShapeError::KeyMade { field, mode })
        }
        (PkMode::Kafka, Some(_)) => {
            let needed = longest_topic + COORDINATES;
            match key.kind {
                FieldType::VarChar { max_length } if max_length.is_none_or(|max| max >= needed) => {
                    Ok(())
                }
                _ => Err(ShapeError::KeyTooShort {
                    field,
                    kind: key.kind.to_string(),
                    needed,
                }),
            }
        }
        _ => Ok(()),
    }
}

fn deletes(key: &Field, shaping: &Shaping) -> Result<(), ShapeError> {
    let setting = if shaping.null_values == NullValues::Delete {
        "behavior.on.null.values=delete"
    } else if shaping.delete_when.is_some() {
        "delete.when.field"
    } else {
        return Ok(());
    };
    if key.auto_id {
        let field = key.name.clone();
        return Err(ShapeError::DeleteOfAutoId { setting, field });
    }
    Ok(())
}
