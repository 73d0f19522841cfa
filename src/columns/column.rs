//! The values of one field over the rows of a batch, in the type that the described schema asks for.

use std::sync::Arc;

use crate::decode::convert::{self, MAX_JSON_BYTES, Value};
use crate::decode::misfit::Misfit;
use crate::decode::raw;
use crate::decode::scan::{Checked, Cursor};
use crate::key::Key;
use crate::milvus::proto::schema::ScalarField;
use crate::milvus::schema::{DefaultValue, FieldType, StructArray};
use crate::plan::Absent;

use super::Scratch;
use super::array::Arrays;
use super::defaults;
use super::scalar::{Scalars, Texts};
use super::sparse;
use super::structs::{Strangers, Structs};
use super::vector::Vectors;

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(super) name: Arc<str>,
    pub(super) values: Values,
}

/// One variant per type, so that its values cannot end up under another's name on the wire.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Bool(Scalars<bool>),
    Int8(Scalars<i32>),
    Int16(Scalars<i32>),
    Int32(Scalars<i32>),
    Int64(Scalars<i64>),
    Float(Scalars<f32>),
    Double(Scalars<f64>),
    VarChar(Texts, Option<usize>),
    Json(Texts),
    JsonObject(Texts),
    Array(Scalars<ScalarField>, Arrays),
    Geometry(Texts),
    Text(Texts),
    Timestamptz(Texts),
    Structs(Structs),
    /// The elements know their type.
    Vector(Vectors),
    Sparse(Texts),
}

/// The shape in which a decoder hands over a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As a value; what is in an array or object is read by the column.
    Value,
    /// Its JSON text, untouched.
    Json,
}

/// Why there is no column for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnError {
    UnsupportedType,
    UnfitDefault,
}

/// Runs one expression on whatever holds the values.
macro_rules! each {
    ($values:expr, $held:ident => $run:expr) => {
        match $values {
            Values::Bool($held) => $run,
            Values::Int8($held) | Values::Int16($held) | Values::Int32($held) => $run,
            Values::Int64($held) => $run,
            Values::Float($held) => $run,
            Values::Double($held) => $run,
            Values::VarChar($held, _) => $run,
            Values::Json($held) | Values::JsonObject($held) => $run,
            Values::Array($held, _) => $run,
            Values::Geometry($held) | Values::Text($held) | Values::Timestamptz($held) => $run,
            Values::Structs($held) => $run,
            Values::Vector($held) => $run,
            Values::Sparse($held) => $run,
        }
    };
}

impl Column {
    /// An empty column.
    pub(crate) fn new(
        name: &Arc<str>,
        kind: &FieldType,
        absent: &Absent,
    ) -> Result<Self, ColumnError> {
        let name = name.clone();
        let values = Values::new(kind, absent)?;
        Ok(Self { name, values })
    }

    /// An empty column of an array of structs.
    pub(crate) fn of_structs(
        name: &Arc<str>,
        kind: &StructArray,
        absent: &Absent,
        strangers: Strangers,
    ) -> Result<Self, ColumnError> {
        let name = name.clone();
        let values = Values::Structs(Structs::new(kind, absent, strangers)?);
        Ok(Self { name, values })
    }

    pub(super) fn shape(&self) -> Shape {
        match self.values {
            Values::Json(_) | Values::JsonObject(_) => Shape::Json,
            _ => Shape::Value,
        }
    }

    /// Appends the row that the value at `cursor` is, or nothing where it does not fit. Which rule it breaks, only
    /// [`Self::push`] says.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<()> {
        let start = cursor.clone();
        if self.read_common(cursor, scratch).is_some() {
            return Some(());
        }
        *cursor = start;
        let value = match cursor.peek()? {
            b'[' | b'{' => raw::value(cursor.json()?.json),
            _ => cursor.scalar(&mut scratch.text)?,
        };
        self.push(&value).ok()
    }

    /// Takes the common forms of the types that are large or frequent; at any other appends nothing.
    fn read_common(&mut self, cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<()> {
        match (&mut self.values, cursor.peek()?) {
            (Values::Int64(values), b'-' | b'0'..=b'9') => values.push(cursor.integer()?),
            (Values::Float(values), b'-' | b'0'..=b'9') => values.push(cursor.float()?),
            (Values::Vector(vectors), b'[') => vectors.read(cursor)?,
            (Values::Sparse(vectors), b'{') => {
                vectors.push_bytes(sparse::read(cursor, &mut scratch.sparse)?);
            }
            (Values::JsonObject(values), b'{') => values.push_bytes(kept(cursor)?),
            (Values::Json(values), first) if first != b'n' => values.push_bytes(kept(cursor)?),
            _ => return None,
        }
        Some(())
    }

    /// Appends one row, or nothing where the value does not fit.
    pub(super) fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        if matches!(value, Value::Null) {
            return self.push_absent(Misfit::Null);
        }
        match &mut self.values {
            Values::Bool(values) => values.push(convert::boolean(value)?),
            Values::Int8(values) => values.push(convert::integer::<i8>(value)?.into()),
            Values::Int16(values) => values.push(convert::integer::<i16>(value)?.into()),
            Values::Int32(values) => values.push(convert::integer(value)?),
            Values::Int64(values) => values.push(convert::integer(value)?),
            Values::Float(values) => values.push(convert::float(value)?),
            Values::Double(values) => values.push(convert::double(value)?),
            Values::VarChar(values, max_length) => {
                values.push_text(convert::varchar(value, *max_length)?);
            }
            Values::Json(values) => values.push_bytes(convert::json(value)?),
            Values::JsonObject(values) => values.push_bytes(convert::json_object(value)?),
            Values::Array(values, arrays) => values.push(arrays.read(value)?),
            Values::Geometry(values) => values.push_text(convert::geometry(value)?),
            Values::Text(values) => values.push_text(convert::varchar(value, None)?),
            Values::Timestamptz(values) => values.push_text(&convert::timestamp(value)?),
            Values::Structs(structs) => structs.push(value)?,
            Values::Vector(vectors) => vectors.push(value)?,
            Values::Sparse(vectors) => vectors.push_bytes(&sparse::row(value)?),
        }
        Ok(())
    }

    /// Appends the row of a record that has no value here, or gives `why` back.
    pub(super) fn push_absent(&mut self, why: Misfit) -> Result<(), Misfit> {
        each!(&mut self.values, values => values.push_absent(why))
    }

    pub(super) fn rows(&self) -> usize {
        each!(&self.values, values => values.rows())
    }

    /// Drops the rows after the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        each!(&mut self.values, values => values.truncate(rows));
    }

    /// Encoded bytes of the last row.
    pub(super) fn last_size(&self) -> usize {
        each!(&self.values, values => values.last_size())
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        each!(&self.values, values => values.room())
    }

    /// Drops the rows whose flag is set.
    pub(super) fn bury(&mut self, dead: &[bool]) {
        each!(&mut self.values, values => values.bury(dead));
    }

    /// The value of `row` as a primary key.
    pub(super) fn key(&self, row: usize) -> Option<Key> {
        match &self.values {
            Values::Int64(values) => values.get(row).map(|key| Key::Int(*key)),
            Values::VarChar(values, _) => values.text(row).map(|key| Key::Text(key.into())),
            _ => None,
        }
    }
}

/// The JSON text at `cursor`, if a field may keep so much of it.
fn kept<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let Checked { json, .. } = cursor.json()?;
    (json.len() <= MAX_JSON_BYTES).then_some(json.as_bytes())
}

impl Values {
    fn new(kind: &FieldType, absent: &Absent) -> Result<Self, ColumnError> {
        Ok(match kind {
            FieldType::Bool => Self::Bool(Scalars::new(absent, defaults::bool)?),
            FieldType::Int8 => Self::Int8(Scalars::new(absent, |default| {
                defaults::integer::<i8>(default).map(i32::from)
            })?),
            FieldType::Int16 => Self::Int16(Scalars::new(absent, |default| {
                defaults::integer::<i16>(default).map(i32::from)
            })?),
            FieldType::Int32 => Self::Int32(Scalars::new(absent, defaults::integer)?),
            FieldType::Int64 => Self::Int64(Scalars::new(absent, defaults::integer)?),
            FieldType::Float => Self::Float(Scalars::new(absent, defaults::float)?),
            FieldType::Double => Self::Double(Scalars::new(absent, defaults::double)?),
            FieldType::VarChar { max_length } => {
                let text = |default: &DefaultValue| defaults::text(default, *max_length);
                Self::VarChar(Texts::new(absent, text)?, *max_length)
            }
            FieldType::Json => Self::Json(Texts::new(absent, defaults::json)?),
            FieldType::JsonObject => Self::JsonObject(Texts::new(absent, defaults::json)?),
            FieldType::Array {
                element,
                max_capacity,
            } => {
                let arrays = Arrays::of(element, *max_capacity);
                let arrays = arrays.ok_or(ColumnError::UnsupportedType)?;
                Self::Array(Scalars::new(absent, |_| None)?, arrays)
            }
            FieldType::Geometry => Self::Geometry(Texts::new(absent, defaults::geometry)?),
            FieldType::Text { .. } => {
                let text = |default: &DefaultValue| defaults::text(default, None);
                Self::Text(Texts::new(absent, text)?)
            }
            FieldType::Timestamptz => Self::Timestamptz(Texts::new(absent, defaults::timestamp)?),
            kind if kind.is_dense_vector() => Self::Vector(Vectors::new(kind, absent)?),
            FieldType::SparseFloatVector => Self::Sparse(Texts::new(absent, |_| None)?),
            _ => return Err(ColumnError::UnsupportedType),
        })
    }
}
