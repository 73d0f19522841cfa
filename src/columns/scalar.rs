//! The values of one scalar field over the rows of a batch, and what stands for a row without one.

use prost::Message as _;
use prost::encoding::encoded_len_varint;

use crate::decode::misfit::Misfit;
use crate::milvus::proto::schema::ScalarField;
use crate::milvus::schema::DefaultValue;
use crate::plan::Absent;

use super::column::ColumnError;
use super::validity::{Validity, retain_alive};

#[derive(Debug, Clone)]
pub(crate) struct Scalars<T> {
    /// One per row, but for nulls.
    values: Vec<T>,
    gaps: Gaps<T>,
}

#[derive(Debug, Clone)]
enum Gaps<T> {
    Refused,
    Null(Validity),
    Filled(T),
}

impl<T: Scalar> Scalars<T> {
    /// `typed` gives the field's default as a value of the column, or `None` where it does not fit.
    pub(super) fn new(
        absent: &Absent,
        typed: impl FnOnce(&DefaultValue) -> Option<T>,
    ) -> Result<Self, ColumnError> {
        let gaps = match absent {
            Absent::Required => Gaps::Refused,
            Absent::Null => Gaps::Null(Validity::default()),
            Absent::Default(default) => {
                Gaps::Filled(typed(default).ok_or(ColumnError::UnfitDefault)?)
            }
        };
        Ok(Self {
            values: Vec::new(),
            gaps,
        })
    }

    pub(super) fn push(&mut self, value: T) {
        if let Gaps::Null(validity) = &mut self.gaps {
            validity.push(true);
        }
        self.values.push(value);
    }

    /// A row without a value; `why` comes back where the field needs one.
    pub(super) fn push_absent(&mut self, why: Misfit) -> Result<(), Misfit> {
        match &mut self.gaps {
            Gaps::Refused => return Err(why),
            Gaps::Null(validity) => validity.push(false),
            Gaps::Filled(value) => self.values.push(value.clone()),
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> usize {
        match &self.gaps {
            Gaps::Null(validity) => validity.len(),
            Gaps::Refused | Gaps::Filled(_) => self.values.len(),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let values = match &mut self.gaps {
            Gaps::Null(validity) => {
                let dropped = validity.truncate(rows);
                self.values.len().saturating_sub(dropped)
            }
            Gaps::Refused | Gaps::Filled(_) => rows,
        };
        self.values.truncate(values);
    }

    /// Encoded bytes of the last row.
    pub(super) fn last_size(&self) -> usize {
        let value = || self.values.last().map_or(0, Scalar::encoded_size);
        match &self.gaps {
            Gaps::Refused => value(),
            Gaps::Filled(_) => value() + 1,
            Gaps::Null(validity) if validity.last() => value() + 1,
            Gaps::Null(_) => 1,
        }
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        match &mut self.gaps {
            Gaps::Null(validity) => retain_alive(&mut self.values, &validity.bury(dead)),
            Gaps::Refused | Gaps::Filled(_) => retain_alive(&mut self.values, dead),
        }
    }

    /// The value of `row`, where the column has one for every row.
    pub(super) fn get(&self, row: usize) -> Option<&T> {
        match self.gaps {
            Gaps::Refused | Gaps::Filled(_) => self.values.get(row),
            Gaps::Null(_) => None,
        }
    }

    /// Values and `valid_data`. Defaults are sent as full data with every flag set: the one encoding that all
    /// servers take.
    pub(super) fn into_parts(self) -> (Vec<T>, Vec<bool>) {
        let valid = match self.gaps {
            Gaps::Refused => Vec::new(),
            Gaps::Null(validity) => validity.into_flags(),
            Gaps::Filled(_) => vec![true; self.values.len()],
        };
        (self.values, valid)
    }
}

/// A value as protobuf packs it.
pub(crate) trait Scalar: Clone {
    fn encoded_size(&self) -> usize;
}

impl Scalar for bool {
    fn encoded_size(&self) -> usize {
        1
    }
}

impl Scalar for i32 {
    fn encoded_size(&self) -> usize {
        // A negative int32 is sent as ten bytes, like an int64.
        i64::from(*self).encoded_size()
    }
}

impl Scalar for i64 {
    fn encoded_size(&self) -> usize {
        encoded_len_varint(self.cast_unsigned())
    }
}

impl Scalar for f32 {
    fn encoded_size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Scalar for f64 {
    fn encoded_size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Scalar for String {
    fn encoded_size(&self) -> usize {
        delimited(self.len())
    }
}

impl Scalar for Vec<u8> {
    fn encoded_size(&self) -> usize {
        delimited(self.len())
    }
}

/// The array of one row.
impl Scalar for ScalarField {
    fn encoded_size(&self) -> usize {
        delimited(self.encoded_len())
    }
}

/// Tag, length and bytes of a length-delimited value.
pub(super) fn delimited(bytes: usize) -> usize {
    1 + prost::length_delimiter_len(bytes) + bytes
}
