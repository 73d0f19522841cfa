//! The defects of the Connect plugin 1.0.1 that a record can meet, each with what becomes of the record.

use serde::Serialize;

/// In the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Defect {
    AutoId,
    Tombstone,
    NotAnObject,
    Null,
    Type,
    SparseText,
    BinaryVector,
    IntegerAsText,
    NotFinite,
    Conversion,
    NoField,
    Unchecked,
    SameKey,
    Bool,
    Int8,
    NestedText,
    DynamicField,
}

/// What becomes of the record; of several defects the gravest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::check) enum Effect {
    /// Something else is stored than the record says.
    Corrupted,
    /// The task ends, and again at each restart.
    DiedOf,
    /// Its offset is committed and its row is nowhere.
    Dropped,
}

impl Defect {
    pub(super) const ALL: [Self; 17] = [
        Self::AutoId,
        Self::Tombstone,
        Self::NotAnObject,
        Self::Null,
        Self::Type,
        Self::SparseText,
        Self::BinaryVector,
        Self::IntegerAsText,
        Self::NotFinite,
        Self::Conversion,
        Self::NoField,
        Self::Unchecked,
        Self::SameKey,
        Self::Bool,
        Self::Int8,
        Self::NestedText,
        Self::DynamicField,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::AutoId => "auto_id",
            Self::Tombstone => "tombstone",
            Self::NotAnObject => "not_an_object",
            Self::Null => "null",
            Self::Type => "type_not_handled",
            Self::SparseText => "sparse_vector_not_a_map",
            Self::BinaryVector => "binary_vector",
            Self::IntegerAsText => "integer_with_fraction",
            Self::NotFinite => "not_finite",
            Self::Conversion => "conversion_failed",
            Self::NoField => "no_field_matches",
            Self::Unchecked => "sent_unchecked",
            Self::SameKey => "same_key_in_a_poll",
            Self::Bool => "bool_read_as_false",
            Self::Int8 => "int8_out_of_range",
            Self::NestedText => "nested_value_in_varchar",
            Self::DynamicField => "dynamic_field_dropped",
        }
    }

    pub(super) fn effect(self) -> Effect {
        match self {
            Self::NoField | Self::Unchecked => Effect::DiedOf,
            Self::SameKey | Self::Bool | Self::Int8 | Self::NestedText | Self::DynamicField => {
                Effect::Corrupted
            }
            _ => Effect::Dropped,
        }
    }

    pub(super) fn says(self) -> &'static str {
        match self {
            Self::AutoId => {
                "the collection makes its keys (autoID): every record is discarded, and nothing is logged"
            }
            Self::Tombstone => "no value: skipped, so that what it deletes stays and is found",
            Self::NotAnObject => "a value that is no object: skipped",
            Self::Null => "null in a field: a NullPointerException, and the record is skipped",
            Self::Type => {
                "a field of a type that is not handled (arrays, 16-bit and Int8 vectors, structs, geometries, times): skipped"
            }
            Self::SparseText => "a sparse vector that is not written as a map: skipped",
            Self::BinaryVector => "a binary vector: an exception on Java 17, and skipped",
            Self::IntegerAsText => {
                "a whole number written with a fraction or an exponent, as 3.0: skipped"
            }
            Self::NotFinite => "a number that is infinite or NaN as a float: skipped",
            Self::Conversion => {
                "a value that does not convert: skipped, whatever errors.tolerance says and without a dead letter"
            }
            Self::NoField => {
                "no field of it is the collection's, as in change capture with an envelope: an empty row is sent, and the task ends"
            }
            Self::Unchecked => {
                "a field is missing, too long or of another dimension: sent all the same, refused with the whole poll, and the task ends"
            }
            Self::SameKey => {
                "a key that occurs twice within one poll (500 records): two rows of it up to Milvus 2.5, refused from 2.6 on, and the task ends"
            }
            Self::Bool => "a Bool that is neither true nor false: stored as false",
            Self::Int8 => "a number out of an Int8's range: sent as it is",
            Self::NestedText => {
                "an object or array in a VarChar: stored as Java's text of it, {a=1}"
            }
            Self::DynamicField => {
                "a field that belongs into the dynamic field: dropped from the row"
            }
        }
    }
}
