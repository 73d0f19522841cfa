//! Why one record cannot become a row: the field, what it wants, what was found, and what to do. Never the value.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::decode::convert::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
use crate::decode::misfit::Misfit;
use crate::milvus::schema::FieldType;
use crate::plan::{DYNAMIC_FIELD, FieldPlan, shown};

/// The data's fault; `errors.tolerance` decides what follows. Its position is known to who holds the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
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
    pub(crate) fn of_field(field: &FieldPlan, primary_key: bool, misfit: Misfit) -> Self {
        Self {
            field: Some(field.name.clone()),
            wanted: wanted(&field.kind),
            found: misfit.to_string().into(),
            remedy: remedy(&field.kind, primary_key, misfit).into(),
        }
    }

    /// A key is asked of a plan without one; making the plan has ruled that out.
    pub(crate) fn without_key_field() -> Self {
        Self {
            field: None,
            wanted: "one with a primary key".into(),
            found: "a collection that makes its own".into(),
            remedy: "delete nothing".into(),
        }
    }

    /// The fields without a column of their own, taken together.
    pub(crate) fn of_dynamic(misfit: Misfit) -> Self {
        Self {
            field: Some(DYNAMIC_FIELD.into()),
            wanted: wanted(&FieldType::Json),
            found: misfit.to_string().into(),
            remedy: "send fewer or smaller fields that the collection has no column for".into(),
        }
    }

    /// A field that the collection lacks, where the configuration does not let it pass.
    pub(crate) fn unknown_field(name: &str) -> Self {
        Self {
            field: Some(shown(name).into()),
            wanted: "a field of its name in the collection".into(),
            found: "none".into(),
            remedy: "add it to the collection, or set behavior.on.unknown.fields=ignore".into(),
        }
    }

    /// A record that brings Milvus's own name for the dynamic column.
    pub(crate) fn reserved_name() -> Self {
        Self {
            field: Some(DYNAMIC_FIELD.into()),
            wanted: "another name".into(),
            found: "the name of the dynamic column".into(),
            remedy: "rename it in the record".into(),
        }
    }

    /// The smallest Int64: Milvus 2.3 cannot read it in an expression.
    pub(crate) fn unnameable_key(field: &str) -> Self {
        Self {
            field: Some(field.into()),
            wanted: "a key that a delete can name (an Int64 above the smallest one)".into(),
            found: Misfit::OutOfRange.to_string().into(),
            remedy: "delete that row by hand and pass the record over".into(),
        }
    }

    /// A payload that is not one JSON object.
    pub(crate) fn of_payload(found: String, remedy: &'static str) -> Self {
        Self {
            field: None,
            wanted: "one JSON object".into(),
            found: found.into(),
            remedy: remedy.into(),
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
        FieldType::Json => {
            format!("JSON of at most {MAX_JSON_BYTES} bytes and {MAX_JSON_DEPTH} levels").into()
        }
        FieldType::FloatVector { dim } => format!("a FloatVector of {dim} numbers").into(),
        other => format!("a value of type {other}").into(),
    }
}

fn remedy(kind: &FieldType, primary_key: bool, misfit: Misfit) -> &'static str {
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
        (FieldType::Json, _) => "send less, or split it over several fields",
        (FieldType::FloatVector { .. }, Misfit::Element { .. }) => {
            "send numbers of at most 3.4e38 as its elements"
        }
        (FieldType::FloatVector { .. }, Misfit::Array(_)) => {
            "send vectors of the collection's dimension"
        }
        (FieldType::FloatVector { .. }, _) => "send an array of numbers",
        (_, Misfit::Fraction) => "send a whole number, or use a Double field",
        (_, Misfit::OutOfRange) => {
            "send a number in range, or use a field of a wider type where there is one"
        }
        (_, _) => "send a number, without quotes",
    }
}
