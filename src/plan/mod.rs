//! What each record field becomes, computed once from configuration and described schema.

mod describe;
#[cfg(test)]
pub(crate) mod fixture;
mod make;
mod names;
mod primary_key;
mod rules;
mod shape;
mod shape_error;
pub(crate) mod source;

use std::collections::HashMap;
use std::sync::Arc;

use crate::columns::column::Column;
use crate::config::UnknownFields;
use crate::milvus::schema::{DefaultValue, FieldType};
use crate::target::Target;

pub use make::{PlanError, make};
pub(crate) use names::{Names, shown};
pub use rules::Rules;
pub use shape_error::ShapeError;
use source::Shape;
pub use source::Source;

/// The column that holds what has no column of its own.
pub(crate) const DYNAMIC_FIELD: &str = "$meta";

/// Executed by decoding, printed by `check`. A batch carries the plan it was built by.
#[derive(Debug)]
pub struct Plan {
    pub database: String,
    pub collection: Arc<str>,
    /// What offsets are committed for.
    pub target: Arc<Target>,
    /// The schema's, for the server to compare; 0 where it does not say.
    pub schema_timestamp: u64,
    pub operation: Operation,
    /// One per column that is sent, in schema order.
    pub fields: Vec<FieldPlan>,
    /// Index in `fields` of the primary key, or `None` where Milvus makes it.
    pub primary_key: Option<usize>,
    /// Record field name → index in `fields`, where the value has no other use.
    pub by_name: HashMap<Arc<str>, usize>,
    /// Fields of the collection that are never sent.
    pub left_out: Vec<LeftOut>,
    /// Unknown record fields go into `$meta`.
    pub dynamic: bool,
    pub unknown_fields: UnknownFields,
    /// What the configuration makes of a record beside that.
    pub(crate) shape: Shape,
    /// Record fields already named in the log as ignored.
    ignored: Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Upsert,
}

#[derive(Debug, Clone)]
pub struct FieldPlan {
    pub name: Arc<str>,
    pub kind: FieldType,
    pub source: Source,
    pub absent: Absent,
    /// What every batch's column starts from: made with the plan, so that a column cannot fail later.
    pub(crate) empty: Column,
}

/// What a record without a value for the field (or with null) means.
#[derive(Debug, Clone, PartialEq)]
pub enum Absent {
    /// A bad record.
    Required,
    /// Null.
    Null,
    /// The field's default, materialised by us.
    Default(DefaultValue),
}

/// A field whose values Milvus makes itself; a record's value for it is ignored.
#[derive(Debug, Clone)]
pub struct LeftOut {
    pub name: Arc<str>,
    pub kind: FieldType,
    /// Who fills it, e.g. `made by Milvus (autoID)`.
    pub source: &'static str,
}

/// Where the value of a record field belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Index in [`Plan::fields`].
    Field(usize),
    /// Into `$meta`, under its own name.
    Dynamic,
    /// Nowhere now: it is kept for what is taken out of it.
    Used,
    /// Nowhere; the log has named the field once.
    Ignored,
    /// Nowhere, and the rules make that a bad record.
    Unknown,
    /// The record uses the name of the dynamic column itself.
    Reserved,
}

impl Plan {
    /// Where the record field `name` belongs. Names an ignored field in the log at its first time.
    /// With it comes the slot in which its text is kept, where it has another use.
    pub(crate) fn place(&self, name: &str) -> (Place, Option<usize>) {
        if let Some(index) = self.by_name.get(name) {
            return (Place::Field(*index), None);
        }
        match self.shape.uses.get(name) {
            Some(used) => {
                if used.place == Place::Ignored {
                    self.ignore(name, used.ignored);
                }
                (used.place, used.slot)
            }
            None => (self.place_of_other(name), None),
        }
    }

    /// Where a field belongs that the plan has no use for.
    fn place_of_other(&self, name: &str) -> Place {
        if let Some(field) = self.left_out.iter().find(|field| &*field.name == name) {
            self.ignore(name, field.source);
            return Place::Ignored;
        }
        match (self.dynamic, self.unknown_fields) {
            (true, _) if name == DYNAMIC_FIELD => Place::Reserved,
            (true, _) => Place::Dynamic,
            (false, UnknownFields::Fail) => Place::Unknown,
            (false, UnknownFields::Ignore) => {
                self.ignore(name, "the collection has no such field");
                Place::Ignored
            }
        }
    }

    /// Whether a record field, which belongs at `place`, is one that the plan has no place of its own for.
    pub(crate) fn strays(&self, name: &str, place: Place) -> bool {
        let is_left_out = || self.left_out.iter().any(|field| &*field.name == name);
        match place {
            Place::Dynamic | Place::Unknown => true,
            Place::Ignored => !is_left_out(),
            Place::Field(_) | Place::Used | Place::Reserved => false,
        }
    }

    /// The primary key's index and field, where it is sent.
    pub(crate) fn key_field(&self) -> Option<(usize, &FieldPlan)> {
        let index = self.primary_key?;
        Some((index, self.fields.get(index)?))
    }

    fn ignore(&self, name: &str, reason: &'static str) {
        self.ignored.ignore(&self.collection, name, reason);
    }
}
