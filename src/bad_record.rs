//! Why one record cannot become a row: the field, what it wants, what was found, and what to do. Never the value.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::dead_letter::Stage;
use crate::decode::convert::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
use crate::decode::misfit::Misfit;
use crate::milvus::schema::{FieldType, StructArray};
use crate::plan::{DYNAMIC_FIELD, FieldPlan, Source, shown};

/// The data's fault; `errors.tolerance` decides what follows. Its position is known to who holds the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    pub stage: Stage,
    /// The field it is about, or `None` for the record as a whole.
    pub field: Option<Arc<str>>,
    /// What would fit, e.g. `a FloatVector of 8 numbers`.
    pub wanted: Cow<'static, str>,
    /// Kind and size of what was found, e.g. `an array of 7`.
    pub found: Cow<'static, str>,
    /// What to do, e.g. `send vectors of the collection's dimension`.
    pub remedy: Cow<'static, str>,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "field '{field}' wants {}", self.wanted)?,
            None => write!(f, "the record should be {}", self.wanted)?,
        }
        write!(f, ", found {}; {}", self.found, self.remedy)
    }
}

impl std::error::Error for BadRecord {}

impl BadRecord {
    /// A value that does not fit its field.
    pub(crate) fn of_field(field: &FieldPlan, primary_key: bool, misfit: &Misfit) -> Self {
        if let FieldType::ArrayOfStruct(array) = &field.kind {
            return Self::of_structs(&field.name, array, misfit);
        }
        Self {
            stage: Stage::TaskPut,
            field: Some(field.name.clone()),
            wanted: wanted(&field.kind),
            found: found(field, misfit).into(),
            remedy: remedy(&field.kind, primary_key, misfit).into(),
        }
    }

    /// A value that does not fit an array of structs, or one of its elements' fields: `chunks[0].text`.
    fn of_structs(name: &Arc<str>, array: &StructArray, misfit: &Misfit) -> Self {
        let (element, field, inner) = match misfit {
            Misfit::Member {
                element,
                field,
                misfit,
            } => (element, array.fields.get(*field), misfit),
            _ => return Self::of_struct_array(name, array, misfit),
        };
        let Some(field) = field else {
            return Self::of_struct_array(name, array, inner);
        };
        let remedy = match **inner {
            Misfit::Nothing | Misfit::Null => "send every field of the struct in every element",
            _ => remedy(field.element(), false, inner),
        };
        Self {
            stage: Stage::TaskPut,
            field: Some(format!("{name}[{element}].{}", field.name).into()),
            wanted: wanted(field.element()),
            found: inner.to_string().into(),
            remedy: remedy.into(),
        }
    }

    fn of_struct_array(name: &Arc<str>, array: &StructArray, misfit: &Misfit) -> Self {
        let kind = FieldType::ArrayOfStruct(array.clone());
        let wanted = match misfit {
            Misfit::UnknownMember { .. } => "only fields that its struct has".into(),
            _ => wanted(&kind),
        };
        Self {
            stage: Stage::TaskPut,
            field: Some(name.clone()),
            wanted,
            found: misfit.to_string().into(),
            remedy: remedy(&kind, false, misfit).into(),
        }
    }

    /// A record key that is not the primary key.
    pub(crate) fn of_record_key(field: &FieldPlan, found: String) -> Self {
        Self {
            stage: Stage::KeyConverter,
            field: Some(field.name.clone()),
            wanted: wanted(&field.kind),
            found: found.into(),
            remedy:
                "send records whose key holds the primary key, in the form that key.converter says"
                    .into(),
        }
    }

    /// Another primary key in the record key than in the record's value.
    pub(crate) fn of_two_keys(field: &FieldPlan) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(field.name.clone()),
            wanted: "one key in the record key and in the value".into(),
            found: "two".into(),
            remedy: "a tombstone would delete another row (behavior.on.null.values=delete); key the topic by this field, or set pk.mode=record_key, or delete nothing".into(),
        }
    }

    /// A record without a value, where that is not to be.
    pub(crate) fn of_tombstone() -> Self {
        Self::of_payload(
            "no value (a tombstone)".to_owned(),
            "send a value, or set behavior.on.null.values to ignore or delete",
        )
    }

    /// A record key or a header that is not text.
    pub(crate) fn of_metadata(target: &str, noun: &str) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(target.into()),
            wanted: "text in UTF-8".into(),
            found: format!("{noun} that is not").into(),
            remedy: "send text there, or take it out of metadata.fields".into(),
        }
    }

    /// A key is asked of a plan without one; making the plan has ruled that out.
    pub(crate) fn without_key_field() -> Self {
        Self {
            stage: Stage::TaskPut,
            field: None,
            wanted: "one with a primary key".into(),
            found: "a collection that makes its own".into(),
            remedy: "delete nothing".into(),
        }
    }

    /// The fields without a column of their own, taken together.
    pub(crate) fn of_dynamic(misfit: Misfit) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(DYNAMIC_FIELD.into()),
            wanted: wanted(&FieldType::Json),
            found: misfit.to_string().into(),
            remedy: "send fewer or smaller fields that the collection has no column for".into(),
        }
    }

    /// A field that the collection lacks, where the configuration does not let it pass.
    pub(crate) fn unknown_field(name: &str) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(shown(name).into()),
            wanted: "a field of its name in the collection".into(),
            found: "none".into(),
            remedy: "add it to the collection, or set behavior.on.unknown.fields=ignore".into(),
        }
    }

    /// A record that brings Milvus's own name for the dynamic column.
    pub(crate) fn reserved_name() -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(DYNAMIC_FIELD.into()),
            wanted: "another name".into(),
            found: "the name of the dynamic column".into(),
            remedy: "rename it in the record".into(),
        }
    }

    /// The smallest Int64: Milvus 2.3 cannot read it in an expression.
    pub(crate) fn unnameable_key(field: &str) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: Some(field.into()),
            wanted: "a key that a delete can name (an Int64 above the smallest one)".into(),
            found: Misfit::OutOfRange.to_string().into(),
            remedy: "delete that row by hand and pass the record over".into(),
        }
    }

    /// What only Milvus finds fault with.
    pub(crate) fn refused(reason: &str) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: None,
            wanted: "one that Milvus takes".into(),
            found: format!("one that it refuses alone ({reason})").into(),
            remedy: "mend the record or the collection".into(),
        }
    }

    /// Larger than a request may be.
    pub(crate) fn too_large(reason: &str) -> Self {
        Self {
            stage: Stage::TaskPut,
            field: None,
            wanted: "one that Milvus takes in one request".into(),
            found: format!("one that is too large alone ({reason})").into(),
            remedy: "send a smaller one, or raise the limit of Milvus".into(),
        }
    }

    /// A payload that is not one JSON object.
    pub(crate) fn of_payload(found: String, remedy: &'static str) -> Self {
        Self {
            stage: Stage::ValueConverter,
            field: None,
            wanted: "one JSON object".into(),
            found: found.into(),
            remedy: remedy.into(),
        }
    }
}

fn found(field: &FieldPlan, misfit: &Misfit) -> String {
    match &field.source {
        Source::Value(path) if *path != field.name => format!("{misfit} at '{}'", shown(path)),
        Source::Metadata(words) => format!("{misfit} as {words}"),
        Source::Nothing | Source::Value(_) | Source::RecordKey(_) | Source::Coordinates => {
            misfit.to_string()
        }
    }
}

fn wanted(kind: &FieldType) -> Cow<'static, str> {
    match kind {
        FieldType::Bool => "a Bool (true or false)".into(),
        FieldType::Int8 => "an Int8 (a whole number from -128 to 127)".into(),
        FieldType::Int16 => "an Int16 (a whole number from -32768 to 32767)".into(),
        FieldType::Int32 => "an Int32 (a whole number of 32 bits)".into(),
        FieldType::Int64 => "an Int64 (a whole number of 64 bits)".into(),
        FieldType::Float => "a Float (a number of at most 3.4e38)".into(),
        FieldType::Double => "a Double (a number of at most 1.7e308)".into(),
        FieldType::VarChar {
            max_length: Some(max),
        } => format!("a VarChar of at most {max} bytes").into(),
        FieldType::JsonObject => {
            format!("a JSON object of at most {MAX_JSON_BYTES} bytes and {MAX_JSON_DEPTH} levels")
                .into()
        }
        FieldType::Json => {
            format!("JSON of at most {MAX_JSON_BYTES} bytes and {MAX_JSON_DEPTH} levels").into()
        }
        FieldType::Array {
            element,
            max_capacity: Some(max),
        } => format!("an Array of at most {max} elements of type {element}").into(),
        FieldType::Array { element, .. } => {
            format!("an Array of elements of type {element}").into()
        }
        FieldType::Geometry => "a Geometry (WKT in a string)".into(),
        FieldType::Text { .. } => "a Text (a string)".into(),
        FieldType::Timestamptz => {
            "a Timestamptz (RFC 3339 in a string, or milliseconds since 1970)".into()
        }
        FieldType::ArrayOfStruct(StructArray {
            max_capacity: Some(max),
            ..
        }) => format!("an array of at most {max} objects").into(),
        FieldType::ArrayOfStruct(_) => "an array of objects".into(),

        FieldType::FloatVector { dim } => format!("a FloatVector of {dim} numbers").into(),
        FieldType::Float16Vector { dim } => format!("a Float16Vector of {dim} numbers").into(),
        FieldType::BFloat16Vector { dim } => format!("a BFloat16Vector of {dim} numbers").into(),
        FieldType::Int8Vector { dim } => {
            format!("an Int8Vector of {dim} whole numbers from -128 to 127").into()
        }
        FieldType::BinaryVector { dim } => {
            format!("a BinaryVector of {dim} bits in {} bytes", dim / 8).into()
        }
        FieldType::SparseFloatVector => "a SparseFloatVector (indices and their values)".into(),
        other => format!("a value of type {other}").into(),
    }
}

fn remedy(kind: &FieldType, primary_key: bool, misfit: &Misfit) -> &'static str {
    match (kind, misfit) {
        (_, Misfit::Nothing | Misfit::Null) if primary_key => "send the key in every record",
        (_, Misfit::Nothing | Misfit::Null) => {
            "send a value, or make the field nullable or give it a default in the collection"
        }
        (_, Misfit::LoneSurrogate) => "send valid Unicode",
        (FieldType::Bool, _) => "send true or false, without quotes",
        (FieldType::VarChar { .. }, Misfit::LongText(_)) => {
            "shorten it, or raise the field's max_length; it counts bytes, not characters"
        }
        (FieldType::VarChar { .. }, _) => "send a string, or use a JSON field",
        (FieldType::Json, _)
        | (FieldType::JsonObject, Misfit::LongJson(_) | Misfit::DeepJson(_)) => {
            "send less, or split it over several fields"
        }
        (FieldType::JsonObject, _) => {
            "send an object; Milvus before 2.4 takes nothing else into a JSON field"
        }
        (FieldType::SparseFloatVector, _) => sparse_remedy(misfit),
        (kind, _) if kind.is_dense_vector() => vector_remedy(kind, misfit),
        (FieldType::Array { .. }, Misfit::Array(_)) => {
            "send fewer elements, or raise the field's max_capacity"
        }
        (FieldType::Array { .. }, Misfit::Element { .. }) => {
            "send elements of the array's type and within its limits, and no null"
        }
        (FieldType::Array { .. }, _) => "send a JSON array",
        (FieldType::Geometry, Misfit::NoWkt(_)) => "mend the WKT; only as such Milvus takes it",
        (FieldType::Geometry, _) => "send WKT in a string, as \"POINT(1 2)\"",
        (FieldType::Text { .. }, _) => "send a string",
        (FieldType::Timestamptz, Misfit::FarOffset) => "send an offset from -12:00 to +14:00",
        (FieldType::Timestamptz, Misfit::OutOfRange) => {
            "send milliseconds since 1970, in the years 0 to 9999"
        }
        (FieldType::Timestamptz, _) => {
            "send a time as 2025-01-01T00:00:00Z, or milliseconds since 1970"
        }
        (FieldType::ArrayOfStruct(_), Misfit::UnknownMember { .. }) => {
            "leave it out, or set behavior.on.unknown.fields=ignore"
        }
        (FieldType::ArrayOfStruct(_), Misfit::Array(_)) => {
            "send fewer elements, or raise the struct's max_capacity"
        }
        (FieldType::ArrayOfStruct(_), _) => "send a JSON array of objects",
        (_, Misfit::Fraction) => "send a whole number, or use a Double field",
        (_, Misfit::OutOfRange) => {
            "send a number in range, or use a field of a wider type where there is one"
        }
        (_, _) => "send a number, without quotes",
    }
}

fn vector_remedy(kind: &FieldType, misfit: &Misfit) -> &'static str {
    match (misfit, kind) {
        (Misfit::Element { .. }, FieldType::BinaryVector { .. }) => {
            "send whole numbers from 0 to 255 as its elements, 8 bits in each"
        }
        (Misfit::Element { .. }, FieldType::Int8Vector { .. }) => {
            "send whole numbers from -128 to 127 as its elements"
        }
        (Misfit::Element { .. }, FieldType::Float16Vector { .. }) => {
            "send numbers of at most 65504 as its elements"
        }
        (Misfit::Element { .. }, FieldType::BFloat16Vector { .. }) => {
            "send numbers of at most 3.38e38 as its elements"
        }
        (Misfit::Element { .. }, _) => "send numbers of at most 3.4e38 as its elements",
        (Misfit::Array(_) | Misfit::Base64(_), FieldType::BinaryVector { .. }) => {
            "send one byte for every 8 bits of the collection's dimension"
        }
        (Misfit::Array(_), _) => "send vectors of the collection's dimension",
        (Misfit::Base64(_), FieldType::FloatVector { .. }) => {
            "send vectors of the collection's dimension, 4 little-endian bytes for each number"
        }
        (Misfit::Base64(_), FieldType::Int8Vector { .. }) => {
            "send vectors of the collection's dimension, one byte for each number"
        }
        (Misfit::Base64(_), _) => {
            "send vectors of the collection's dimension, 2 little-endian bytes for each number"
        }
        (Misfit::NotFinite(_), _) => "send finite numbers",
        (Misfit::BrokenJson(_), _) => "send valid JSON in the string, or the array without quotes",
        (_, FieldType::BinaryVector { .. }) => "send an array of its bytes, or base64 of them",
        (_, _) => "send an array of numbers, or base64 of their little-endian bytes",
    }
}

fn sparse_remedy(misfit: &Misfit) -> &'static str {
    match misfit {
        Misfit::Pair { .. } => {
            "send whole indices from 0 to 4294967294, each with a value from 0 to 3.4e38"
        }
        Misfit::Uneven { .. } => "send one value for each index",
        Misfit::SameIndex => "send each index once",
        Misfit::BrokenJson(_) => "send valid JSON in the string, or the object without quotes",
        _ => {
            "send {\"5\": 0.3}, [[5, 0.3]] or {\"indices\": [5], \"values\": [0.3]}, where 5 is an index"
        }
    }
}
