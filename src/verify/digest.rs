//! Rows as digests, one of each field: the same for what a record says and for what Milvus gives back, if they mean the
//! same. One function makes both, from the columns of a request and of a reply.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::json;
use super::text;
use crate::key::Key;
use crate::milvus::proto::schema::scalar_field::Data as Scalars;
use crate::milvus::proto::schema::vector_field::Data as Vectors;
use crate::milvus::proto::schema::{FieldData, ScalarField, VectorField, field_data};
use crate::milvus::schema::FieldType;
use crate::plan::{DYNAMIC_FIELD, Plan};

/// Of a value in a form that cannot be compared.
pub(super) const UNKNOWN: u64 = 0;

/// The fields that are compared, and the key, which is not: rows are found by it.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) key: String,
    pub(super) text_keys: bool,
    pub(super) fields: Vec<(String, Form)>,
}

/// How a value is read whose bytes do not say all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    AsItIs,
    Geometry,
    Moment,
}

impl Layout {
    /// `None` where Milvus makes the key.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let (index, key) = plan.key_field()?;
        let others = plan
            .fields
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != index);
        let form = |kind: &FieldType| match kind {
            FieldType::Geometry => Form::Geometry,
            FieldType::Timestamptz => Form::Moment,
            _ => Form::AsItIs,
        };
        let named = others.map(|(_, field)| (field.name.to_string(), form(&field.kind)));
        let meta = plan
            .dynamic
            .then(|| (DYNAMIC_FIELD.to_owned(), Form::AsItIs));
        Some(Self {
            key: key.name.to_string(),
            text_keys: matches!(key.kind, FieldType::VarChar { .. }),
            fields: named.chain(meta).collect(),
        })
    }

    /// All that a query has to ask for.
    pub(super) fn names(&self) -> Vec<String> {
        let others = self.fields.iter().map(|(name, _)| name);
        std::iter::once(&self.key).chain(others).cloned().collect()
    }
}

/// The columns of a request or of a reply, read row by row.
pub(super) struct Rows<'a> {
    keys: Option<&'a FieldData>,
    /// In the layout's order; `None` where there is no such column.
    columns: Vec<Option<(Column<'a>, Form)>>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(layout: &Layout, fields: &'a [FieldData]) -> Self {
        let find = |name: &str| {
            let is_it = |field: &&FieldData| {
                field.field_name == name || field.is_dynamic && name == DYNAMIC_FIELD
            };
            fields.iter().find(is_it)
        };
        let column = |(name, form): &(String, Form)| Some((Column::of(find(name)?), *form));
        Self {
            keys: find(&layout.key),
            columns: layout.fields.iter().map(column).collect(),
        }
    }

    /// The key of each row, in order.
    pub(super) fn keys(&self) -> Vec<Key> {
        match self.keys.and_then(|field| field.field.as_ref()) {
            Some(field_data::Field::Scalars(ScalarField { data: Some(data) })) => match data {
                Scalars::LongData(array) => array.data.iter().map(|key| Key::Int(*key)).collect(),
                Scalars::StringData(array) => (0..array.data.len())
                    .map(|row| Key::Text(array.data.text(row).unwrap_or_default().into()))
                    .collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Of every field of the row.
    pub(super) fn digests(&self, row: usize) -> Vec<u64> {
        let digest = |column: &Option<(Column<'_>, Form)>| {
            let (column, form) = column.as_ref()?;
            let mut hasher = DefaultHasher::new();
            column.cell(row, *form, &mut hasher)?;
            Some(hasher.finish().max(UNKNOWN + 1))
        };
        let columns = self.columns.iter();
        columns
            .map(|column| digest(column).unwrap_or(UNKNOWN))
            .collect()
    }
}

/// What a value begins with, so that values of two kinds are never the same.
#[derive(Hash)]
enum Tag {
    Null,
    Bool,
    Whole,
    Float,
    Double,
    Text,
    Json,
    Bytes,
    List,
    Struct,
    Shape,
    Moment,
}

/// A field with the place of each row's value in it.
struct Column<'a> {
    data: Option<&'a field_data::Field>,
    /// By row; empty where every row has a value, and these lie in order.
    places: Vec<Option<usize>>,
    /// The columns of a struct's fields, by name.
    members: Vec<(&'a str, Column<'a>)>,
}

impl<'a> Column<'a> {
    fn of(field: &'a FieldData) -> Self {
        let data = field.field.as_ref();
        let mut members = Vec::new();
        if let Some(field_data::Field::StructArrays(structs)) = data {
            let of = |field: &'a FieldData| (member_name(&field.field_name), Column::of(field));
            members = structs.fields.iter().map(of).collect();
            members.sort_by_key(|(name, _)| *name);
        }
        Self {
            data,
            places: places(&field.valid_data, data.map_or(0, count)),
            members,
        }
    }

    /// `None` where the value cannot be compared.
    fn cell(&self, row: usize, form: Form, hasher: &mut DefaultHasher) -> Option<()> {
        let row = match self.places.get(row) {
            Some(None) => {
                Tag::Null.hash(hasher);
                return Some(());
            }
            Some(Some(place)) => *place,
            None if self.places.is_empty() => row,
            None => return None,
        };
        match self.data? {
            field_data::Field::Scalars(scalars) => scalar(scalars, row, form, hasher),
            field_data::Field::Vectors(vectors) => vector(vectors, row, hasher),
            field_data::Field::StructArrays(_) => {
                Tag::Struct.hash(hasher);
                for (name, member) in &self.members {
                    name.hash(hasher);
                    member.cell(row, Form::AsItIs, hasher)?;
                }
                Some(())
            }
        }
    }
}

/// Some servers name a struct's field with the struct's name before it: `chunks[text]`.
fn member_name(name: &str) -> &str {
    let inner = name
        .split_once('[')
        .and_then(|(_, inner)| inner.strip_suffix(']'));
    inner.unwrap_or(name)
}

/// Nulls may be left out of the data, or filled.
fn places(valid: &[bool], values: usize) -> Vec<Option<usize>> {
    let compact = values != valid.len();
    let mut next = 0;
    let place = |(row, valid): (usize, &bool)| {
        let place = if compact { next } else { row };
        next += usize::from(*valid);
        valid.then_some(place)
    };
    valid.iter().enumerate().map(place).collect()
}

fn count(data: &field_data::Field) -> usize {
    match data {
        field_data::Field::Scalars(scalars) => list_length(scalars),
        field_data::Field::Vectors(vectors) => vector_count(vectors),
        field_data::Field::StructArrays(structs) => {
            let first = structs.fields.first();
            first
                .and_then(|field| field.field.as_ref())
                .map_or(0, count)
        }
    }
}

fn list_length(scalars: &ScalarField) -> usize {
    match &scalars.data {
        None => 0,
        Some(Scalars::BoolData(array)) => array.data.len(),
        Some(Scalars::IntData(array)) => array.data.len(),
        Some(Scalars::LongData(array)) => array.data.len(),
        Some(Scalars::FloatData(array)) => array.data.len(),
        Some(Scalars::DoubleData(array)) => array.data.len(),
        Some(Scalars::StringData(array)) => array.data.len(),
        Some(Scalars::BytesData(array)) => array.data.len(),
        Some(Scalars::ArrayData(array)) => array.data.len(),
        Some(Scalars::JsonData(array)) => array.data.len(),
        Some(Scalars::GeometryWktData(array)) => array.data.len(),
    }
}

fn vector_count(vectors: &VectorField) -> usize {
    let dim = usize::try_from(vectors.dim).unwrap_or(0).max(1);
    match &vectors.data {
        None => 0,
        Some(Vectors::FloatVector(array)) => array.data.len() / dim,
        Some(Vectors::BinaryVector(bytes)) => bytes.len() / (dim / 8).max(1),
        Some(Vectors::Float16Vector(bytes) | Vectors::Bfloat16Vector(bytes)) => {
            bytes.len() / (2 * dim)
        }
        Some(Vectors::Int8Vector(bytes)) => bytes.len() / dim,
        Some(Vectors::SparseFloatVector(array)) => array.contents.len(),
        Some(Vectors::VectorArray(array)) => array.data.len(),
    }
}

fn scalar(scalars: &ScalarField, row: usize, form: Form, hasher: &mut DefaultHasher) -> Option<()> {
    match scalars.data.as_ref()? {
        Scalars::BoolData(array) => (Tag::Bool, array.data.get(row)?).hash(hasher),
        Scalars::IntData(array) => (Tag::Whole, i64::from(*array.data.get(row)?)).hash(hasher),
        Scalars::LongData(array) => (Tag::Whole, array.data.get(row)?).hash(hasher),
        // The two zeros are one value.
        Scalars::FloatData(array) => {
            (Tag::Float, (array.data.get(row)? + 0.0).to_bits()).hash(hasher)
        }
        Scalars::DoubleData(array) => {
            (Tag::Double, (array.data.get(row)? + 0.0).to_bits()).hash(hasher)
        }
        Scalars::StringData(array) => return words(array.data.text(row)?, form, hasher),
        Scalars::GeometryWktData(array) => return words(array.data.text(row)?, form, hasher),
        Scalars::BytesData(array) => (Tag::Bytes, array.data.get(row)?).hash(hasher),
        Scalars::JsonData(array) => {
            Tag::Json.hash(hasher);
            json::hash(array.data.get(row)?, hasher);
        }
        Scalars::ArrayData(array) => {
            let list = array.data.get(row)?;
            let length = list_length(list);
            (Tag::List, length).hash(hasher);
            for element in 0..length {
                scalar(list, element, form, hasher)?;
            }
        }
    }
    Some(())
}

fn words(text: &str, form: Form, hasher: &mut DefaultHasher) -> Option<()> {
    match form {
        Form::AsItIs => (Tag::Text, text).hash(hasher),
        Form::Moment => (Tag::Moment, text::microseconds(text)?).hash(hasher),
        Form::Geometry => {
            Tag::Shape.hash(hasher);
            text::hash_wkt(text, hasher);
        }
    }
    Some(())
}

fn vector(vectors: &VectorField, row: usize, hasher: &mut DefaultHasher) -> Option<()> {
    let dim = usize::try_from(vectors.dim).ok()?;
    let bytes = |bytes: &[u8], width: usize, hasher: &mut DefaultHasher| {
        let one = bytes.get(row * width..(row + 1) * width)?;
        (Tag::Bytes, one).hash(hasher);
        Some(())
    };
    match vectors.data.as_ref()? {
        Vectors::FloatVector(array) => {
            let one = array.data.get(row * dim..(row + 1) * dim)?;
            (Tag::List, dim).hash(hasher);
            let bits = one.iter().map(|number| (number + 0.0).to_bits());
            bits.for_each(|bits| bits.hash(hasher));
            Some(())
        }
        Vectors::BinaryVector(data) => bytes(data, dim / 8, hasher),
        Vectors::Float16Vector(data) | Vectors::Bfloat16Vector(data) => {
            bytes(data, 2 * dim, hasher)
        }
        Vectors::Int8Vector(data) => bytes(data, dim, hasher),
        Vectors::SparseFloatVector(array) => {
            Tag::List.hash(hasher);
            sparse(array.contents.get(row)?).hash(hasher);
            Some(())
        }
        Vectors::VectorArray(array) => {
            let list = array.data.get(row)?;
            let length = vector_count(list);
            (Tag::List, length).hash(hasher);
            (0..length).try_for_each(|element| vector(list, element, hasher))
        }
    }
}

/// Pairs of index and value, without the zeros: these are as if they were not there.
fn sparse(row: &[u8]) -> Vec<(u32, u32)> {
    let (pairs, _) = row.as_chunks::<8>();
    let pair = |[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        let value = f32::from_le_bytes([*e, *f, *g, *h]) + 0.0;
        (u32::from_le_bytes([*a, *b, *c, *d]), value.to_bits())
    };
    let pairs = pairs.iter().map(pair);
    let mut pairs: Vec<_> = pairs.filter(|(_, bits)| *bits != 0).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests;
