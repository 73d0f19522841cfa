//! The values of one dense vector field over the rows of a batch.

use crate::decode::convert::Value;
use crate::decode::misfit::Misfit;
use crate::decode::scan::Cursor;
use crate::milvus::proto::schema::{DataType, VectorField};
use crate::milvus::schema::FieldType;
use crate::plan::Absent;

use super::column::ColumnError;
use super::elements::Elements;
use super::validity::Validity;

#[derive(Debug, Clone)]
pub(crate) struct Vectors {
    /// One vector per row, but for nulls.
    elements: Elements,
    nulls: Option<Validity>,
}

impl Vectors {
    pub(super) fn new(kind: &FieldType, absent: &Absent) -> Result<Self, ColumnError> {
        let elements = Elements::of(kind).ok_or(ColumnError::UnsupportedType)?;
        let nulls = match absent {
            Absent::Required => None,
            Absent::Null => Some(Validity::default()),
            Absent::Default(_) => return Err(ColumnError::UnfitDefault),
        };
        Ok(Self { elements, nulls })
    }

    /// Appends one row, or nothing.
    pub(super) fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        self.elements.append(value)?;
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
        Ok(())
    }

    /// Appends the row that the array at `cursor` is, or nothing.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        self.elements.read(cursor)?;
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
        Some(())
    }

    pub(super) fn push_absent(&mut self, why: Misfit) -> Result<(), Misfit> {
        let nulls = self.nulls.as_mut().ok_or(why)?;
        nulls.push(false);
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        match &self.nulls {
            Some(nulls) => nulls.len(),
            None => self.elements.count(),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let vectors = match &mut self.nulls {
            Some(nulls) => {
                let dropped = nulls.truncate(rows);
                self.elements.count().saturating_sub(dropped)
            }
            None => rows,
        };
        self.elements.truncate(vectors);
    }

    pub(super) fn last_size(&self) -> usize {
        let vector = self.elements.size();
        match &self.nulls {
            None => vector,
            Some(nulls) if nulls.last() => vector + 1,
            Some(_) => 1,
        }
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        self.elements.room() + self.nulls.as_ref().map_or(0, Validity::room)
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        match &mut self.nulls {
            Some(nulls) => self.elements.bury(&nulls.bury(dead)),
            None => self.elements.bury(dead),
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        self.elements.data_type()
    }

    /// Vectors and `valid_data`; no row is left.
    pub(super) fn take(&mut self) -> (VectorField, Vec<bool>) {
        let valid = self.nulls.as_mut().map(Validity::take);
        (
            self.elements.take().into_message(),
            valid.unwrap_or_default(),
        )
    }

    /// Gives the room of what was taken back, for other rows.
    pub(super) fn reuse(&mut self, vectors: VectorField, valid: Vec<bool>) {
        self.elements.reuse(vectors);
        if let Some(nulls) = &mut self.nulls {
            nulls.reuse(valid);
        }
    }
}
