//! Arrays of structs: a record's array of objects, turned into one array per field of the struct.

use std::sync::Arc;

use prost::Message as _;

use crate::config::UnknownFields;
use crate::decode::convert::{self, Value};
use crate::decode::misfit::Misfit;
use crate::decode::raw::Object;
use crate::milvus::proto::schema::{
    DataType, FieldData, ScalarField, StructArrayField, VectorField, field_data,
};
use crate::milvus::schema::{FieldType, StructArray, StructField};
use crate::plan::{Absent, Names};

use super::column::ColumnError;
use super::scalar::delimited;
use super::validity::{Validity, retain_alive};
use super::{array, elements, encode};

#[derive(Debug, Clone)]
pub(crate) struct Structs {
    /// At least one; all of the same number of rows, and in each row of the same number of elements.
    fields: Vec<SubColumn>,
    max_capacity: Option<usize>,
    nulls: Option<Validity>,
    strangers: Strangers,
}

#[derive(Debug, Clone)]
struct SubColumn {
    name: Arc<str>,
    rows: Rows,
}

/// Without the nulls.
#[derive(Debug, Clone)]
enum Rows {
    Scalars(array::Elements, Vec<ScalarField>),
    Vectors(elements::Elements, Vec<VectorField>),
}

/// The elements of one row, of one field.
enum Open {
    Scalars(array::Elements),
    Vectors(elements::Elements),
}

/// What becomes of an object's members that its struct has no field for.
#[derive(Debug, Clone)]
pub(crate) struct Strangers {
    collection: Arc<str>,
    rule: UnknownFields,
    named: Arc<Names>,
}

impl Strangers {
    pub(crate) fn new(collection: &Arc<str>, rule: UnknownFields) -> Self {
        Self {
            collection: collection.clone(),
            rule,
            named: Arc::default(),
        }
    }

    fn meet(&self, name: &Value<'_>, element: usize) -> Result<(), Misfit> {
        if self.rule == UnknownFields::Fail {
            return Err(Misfit::UnknownMember { element });
        }
        if let Value::Text(name) = name {
            let reason = "the struct has no such field";
            self.named.ignore(&self.collection, name, reason);
        }
        Ok(())
    }
}

impl Structs {
    pub(super) fn new(
        kind: &StructArray,
        absent: &Absent,
        strangers: Strangers,
    ) -> Result<Self, ColumnError> {
        let fields = kind.fields.iter().map(SubColumn::new);
        let fields: Vec<SubColumn> = fields.collect::<Option<_>>().unwrap_or_default();
        if fields.is_empty() {
            return Err(ColumnError::UnsupportedType);
        }
        let nulls = match absent {
            Absent::Required => None,
            Absent::Null => Some(Validity::default()),
            Absent::Default(_) => return Err(ColumnError::UnfitDefault),
        };
        Ok(Self {
            fields,
            max_capacity: kind.max_capacity,
            nulls,
            strangers,
        })
    }

    /// Appends one row, or nothing.
    pub(super) fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let row = convert::with_array(value, |array| {
            let len = array.len();
            if self.max_capacity.is_some_and(|max| len > max) {
                return Err(Misfit::Array(len));
            }
            let mut row: Vec<Open> = self.fields.iter().map(SubColumn::open).collect();
            for (index, item) in array.items().enumerate() {
                let Value::Object(object) = item else {
                    return Err(item.misfit().in_element(index));
                };
                self.read(object, index, &mut row)?;
            }
            Ok(row)
        })?;
        for (field, open) in self.fields.iter_mut().zip(row) {
            field.close(open);
        }
        self.nulls.iter_mut().for_each(|nulls| nulls.push(true));
        Ok(())
    }

    /// One element: every field of the struct gets its value, of a name that occurs twice the last one.
    fn read(&self, object: Object<'_>, element: usize, row: &mut [Open]) -> Result<(), Misfit> {
        let mut values: Vec<Option<Value<'_>>> = vec![None; self.fields.len()];
        for (name, value) in object.members() {
            let is_named =
                |field: &SubColumn| matches!(&name, Value::Text(name) if **name == *field.name);
            match self.fields.iter().position(is_named) {
                Some(index) => values[index] = Some(value),
                None => self.strangers.meet(&name, element)?,
            }
        }
        for (field, (open, value)) in row.iter_mut().zip(values).enumerate() {
            let fit = value.map_or(Err(Misfit::Nothing), |value| open.push(&value));
            fit.map_err(|misfit| Misfit::Member {
                element,
                field,
                misfit: misfit.into(),
            })?;
        }
        Ok(())
    }

    pub(super) fn push_absent(&mut self, why: Misfit) -> Result<(), Misfit> {
        let nulls = self.nulls.as_mut().ok_or(why)?;
        nulls.push(false);
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        match &self.nulls {
            Some(nulls) => nulls.len(),
            None => self.fields.first().map_or(0, |field| field.rows.len()),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        for field in &mut self.fields {
            // Each field drops the same.
            let kept = match &self.nulls {
                Some(nulls) => field.rows.len().saturating_sub(nulls.values_after(rows)),
                None => rows,
            };
            field.rows.truncate(kept);
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(rows);
        }
    }

    pub(super) fn last_size(&self) -> usize {
        let last = |field: &SubColumn| match &self.nulls {
            None => field.rows.last_size(),
            Some(nulls) if nulls.last() => field.rows.last_size() + 1,
            Some(_) => 1,
        };
        self.fields.iter().map(last).sum()
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        let fields: usize = self.fields.iter().map(|field| field.rows.room()).sum();
        fields + self.nulls.as_ref().map_or(0, Validity::room)
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        let dead = match &mut self.nulls {
            Some(nulls) => &nulls.bury(dead)[..],
            None => dead,
        };
        for field in &mut self.fields {
            field.rows.bury(dead);
        }
    }

    /// All rows; none is left. Nulls are the struct's own, and said in each of its fields.
    pub(super) fn take(&mut self) -> field_data::Field {
        let valid_data = self.nulls.as_mut().map(Validity::take).unwrap_or_default();
        let field = |column: &mut SubColumn| column.take(valid_data.clone());
        let fields: Vec<FieldData> = self.fields.iter_mut().map(field).collect();
        field_data::Field::StructArrays(StructArrayField { fields })
    }
}

impl SubColumn {
    fn new(field: &StructField) -> Option<Self> {
        let rows = match &field.kind {
            FieldType::Array { element, .. } => {
                Rows::Scalars(array::Elements::of(element)?, Vec::new())
            }
            FieldType::ArrayOfVector { element, .. } => {
                Rows::Vectors(elements::Elements::of(element)?, Vec::new())
            }
            _ => return None,
        };
        let name = field.name.clone();
        Some(Self { name, rows })
    }

    fn open(&self) -> Open {
        match &self.rows {
            Rows::Scalars(empty, _) => Open::Scalars(empty.clone()),
            Rows::Vectors(empty, _) => Open::Vectors(empty.clone()),
        }
    }

    fn close(&mut self, open: Open) {
        match (&mut self.rows, open) {
            (Rows::Scalars(_, rows), Open::Scalars(row)) => rows.push(row.into_message()),
            (Rows::Vectors(_, rows), Open::Vectors(row)) => rows.push(row.into_message()),
            _ => debug_assert!(false, "opened by another column"),
        }
    }

    fn take(&mut self, valid_data: Vec<bool>) -> FieldData {
        let (data_type, field) = match &mut self.rows {
            Rows::Scalars(empty, rows) => {
                let rows = std::mem::take(rows);
                (DataType::Array, encode::arrays(rows, empty.data_type()))
            }
            Rows::Vectors(empty, rows) => {
                let (element_type, dim) = (empty.data_type(), empty.clone().into_message().dim);
                let vectors = encode::vector_arrays(std::mem::take(rows), element_type, dim);
                (DataType::ArrayOfVector, vectors)
            }
        };
        FieldData {
            r#type: data_type.into(),
            field_name: self.name.to_string(),
            is_dynamic: false,
            valid_data,
            field: Some(field),
        }
    }
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Self::Scalars(_, rows) => rows.len(),
            Self::Vectors(_, rows) => rows.len(),
        }
    }

    fn truncate(&mut self, len: usize) {
        match self {
            Self::Scalars(_, rows) => rows.truncate(len),
            Self::Vectors(_, rows) => rows.truncate(len),
        }
    }

    fn bury(&mut self, dead: &[bool]) {
        match self {
            Self::Scalars(_, rows) => retain_alive(rows, dead),
            Self::Vectors(_, rows) => retain_alive(rows, dead),
        }
    }

    fn room(&self) -> usize {
        match self {
            Self::Scalars(_, rows) => rows.capacity() * size_of::<ScalarField>(),
            Self::Vectors(_, rows) => rows.capacity() * size_of::<VectorField>(),
        }
    }

    fn last_size(&self) -> usize {
        let message = match self {
            Self::Scalars(_, rows) => rows.last().map(ScalarField::encoded_len),
            Self::Vectors(_, rows) => rows.last().map(VectorField::encoded_len),
        };
        delimited(message.unwrap_or(0))
    }
}

impl Open {
    fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        match self {
            Self::Scalars(elements) => elements.push(value),
            Self::Vectors(vectors) => vectors.append(value),
        }
    }
}
