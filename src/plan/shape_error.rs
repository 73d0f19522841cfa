//! Why keys, names and deletes as configured do not fit a collection.

use std::sync::Arc;

/// Why the configuration does not fit the collection, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error(
        "pk.mode=none leaves the key to Milvus, and Milvus does not make '{field}' (it is not autoID); set pk.mode to record_value, record_key or kafka"
    )]
    KeyNotMade { field: Arc<str> },
    #[error(
        "pk.mode={mode} cannot be used, since Milvus makes the key '{field}' (autoID); set pk.mode=none, or let the collection take keys (its property allow_insert_auto_id, from Milvus 2.6.3 on)"
    )]
    KeyMade { field: Arc<str>, mode: &'static str },
    #[error(
        "pk.mode=kafka makes keys topic:partition:offset of up to {needed} bytes, and the key '{field}' is of type {kind}; create the collection anew with a VarChar({needed}) key or a longer one, or set another pk.mode"
    )]
    KeyTooShort {
        field: Arc<str>,
        kind: String,
        needed: usize,
    },
    #[error(
        "{setting} cannot be used, since the key '{field}' is autoID and no record is known to name the row of another; remove it, or create the collection anew with a key of its own"
    )]
    DeleteOfAutoId {
        setting: &'static str,
        field: Arc<str>,
    },
    #[error(
        "{setting} names '{target}', and the collection has neither such a field nor a dynamic one; it has {known}"
    )]
    UnknownTarget {
        setting: &'static str,
        target: String,
        known: String,
    },
    #[error("{setting} names '{target}', which is {made}; name another field")]
    TargetMade {
        setting: &'static str,
        target: String,
        made: &'static str,
    },
    #[error("{setting} names '$meta', the dynamic column itself; name a field or a key within it")]
    TargetReserved { setting: &'static str },
    #[error(
        "{setting} names '{target}', the primary key, which pk.mode={mode} fills; take it out there, or set another pk.mode"
    )]
    KeyHasSource {
        setting: &'static str,
        target: String,
        mode: &'static str,
    },
    #[error(
        "field '{field}' would get no value, since the record's '{field}' goes elsewhere by field.map or delete.when.field; give it a source in field.map, or make it nullable or give it a default in the collection"
    )]
    NoSource { field: Arc<str> },
}
