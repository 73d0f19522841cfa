//! The values of one scalar field over the rows of a batch, and what stands for a row without one.

use prost::Message as _;
use prost::encoding::encoded_len_varint;

use crate::decode::misfit::Misfit;
use crate::milvus::arrays::Delimited;
use crate::milvus::proto::schema::ScalarField;
use crate::milvus::schema::DefaultValue;
use crate::plan::Absent;

use super::column::ColumnError;
use super::validity::{Validity, retain_alive};

/// The values of a column, and which rows have none.
#[derive(Debug, Clone)]
pub(crate) struct Cells<S: Store> {
    /// One per row, but for nulls.
    values: S,
    gaps: Gaps<S::Value>,
}

/// Numbers and booleans, or one message per row.
pub(crate) type Scalars<T> = Cells<Vec<T>>;
/// Strings and bytes, as they travel.
pub(crate) type Texts = Cells<Delimited>;

#[derive(Debug, Clone)]
enum Gaps<T> {
    Refused,
    Null(Validity),
    Filled(T),
}

/// Values one after the other.
pub(crate) trait Store: Clone + Default {
    /// One that is kept apart.
    type Value: Clone;
    fn append(&mut self, value: &Self::Value);
    fn len(&self) -> usize;
    fn truncate(&mut self, len: usize);
    /// Drops the values whose flag is set.
    fn bury(&mut self, dead: &[bool]);
    /// Encoded bytes of the last one; 0 where there is none.
    fn last_size(&self) -> usize;
    /// Drops them all, but not their room.
    fn clear(&mut self);
    /// Bytes that are allocated.
    fn room(&self) -> usize;
}

impl<S: Store> Cells<S> {
    /// `typed` gives the field's default as a value of the column, or `None` where it does not fit.
    pub(super) fn new(
        absent: &Absent,
        typed: impl FnOnce(&DefaultValue) -> Option<S::Value>,
    ) -> Result<Self, ColumnError> {
        let gaps = match absent {
            Absent::Required => Gaps::Refused,
            Absent::Null => Gaps::Null(Validity::default()),
            Absent::Default(default) => {
                Gaps::Filled(typed(default).ok_or(ColumnError::UnfitDefault)?)
            }
        };
        Ok(Self {
            values: S::default(),
            gaps,
        })
    }

    /// Where the value of a row that has one goes.
    fn next(&mut self) -> &mut S {
        if let Gaps::Null(validity) = &mut self.gaps {
            validity.push(true);
        }
        &mut self.values
    }

    /// A row without a value; `why` comes back where the field needs one.
    pub(super) fn push_absent(&mut self, why: Misfit) -> Result<(), Misfit> {
        match &mut self.gaps {
            Gaps::Refused => return Err(why),
            Gaps::Null(validity) => validity.push(false),
            Gaps::Filled(value) => self.values.append(value),
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
        match &self.gaps {
            Gaps::Refused => self.values.last_size(),
            Gaps::Filled(_) => self.values.last_size() + 1,
            Gaps::Null(validity) if validity.last() => self.values.last_size() + 1,
            Gaps::Null(_) => 1,
        }
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        let flags = match &self.gaps {
            Gaps::Null(validity) => validity.room(),
            Gaps::Refused | Gaps::Filled(_) => 0,
        };
        self.values.room() + flags
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        match &mut self.gaps {
            Gaps::Null(validity) => self.values.bury(&validity.bury(dead)),
            Gaps::Refused | Gaps::Filled(_) => self.values.bury(dead),
        }
    }

    /// Values and `valid_data`; no row is left. Defaults are sent as full data with every flag set: the one encoding that
    /// all servers take.
    pub(super) fn take(&mut self) -> (S, Vec<bool>) {
        let values = std::mem::take(&mut self.values);
        let valid = match &mut self.gaps {
            Gaps::Refused => Vec::new(),
            Gaps::Null(validity) => validity.take(),
            Gaps::Filled(_) => vec![true; values.len()],
        };
        (values, valid)
    }

    /// Gives the room of what was taken back, for other rows.
    pub(super) fn reuse(&mut self, mut values: S, valid: Vec<bool>) {
        values.clear();
        self.values = values;
        if let Gaps::Null(validity) = &mut self.gaps {
            validity.reuse(valid);
        }
    }

    /// Where `row` is in the store, where the column has a value for every row.
    fn place(&self, row: usize) -> Option<usize> {
        match self.gaps {
            Gaps::Refused | Gaps::Filled(_) => Some(row),
            Gaps::Null(_) => None,
        }
    }
}

impl<T: Scalar> Scalars<T> {
    pub(super) fn push(&mut self, value: T) {
        self.next().push(value);
    }

    /// The value of `row`, where the column has one for every row.
    pub(super) fn get(&self, row: usize) -> Option<&T> {
        self.values.get(self.place(row)?)
    }
}

impl Texts {
    pub(super) fn push_text(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.next().push(bytes);
    }

    /// The text of `row`, where the column has one for every row.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        self.values.text(self.place(row)?)
    }
}

impl<T: Scalar> Store for Vec<T> {
    type Value = T;

    fn append(&mut self, value: &T) {
        self.push(value.clone());
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn bury(&mut self, dead: &[bool]) {
        retain_alive(self, dead);
    }

    fn last_size(&self) -> usize {
        self.last().map_or(0, Scalar::encoded_size)
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn room(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

impl Store for Delimited {
    type Value = Vec<u8>;

    fn append(&mut self, value: &Vec<u8>) {
        self.push(value);
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn bury(&mut self, dead: &[bool]) {
        self.bury(dead);
    }

    fn last_size(&self) -> usize {
        self.last_size()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn room(&self) -> usize {
        self.room()
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
