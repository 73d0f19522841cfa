//! The values of one FloatVector field over the rows of a batch: all numbers in one flat list.

use crate::decode::convert::{self, Value};
use crate::decode::misfit::Misfit;
use crate::plan::Absent;

use super::column::ColumnError;
use super::validity::Validity;

#[derive(Debug, Clone)]
pub(crate) struct FloatVectors {
    /// Not 0.
    dim: usize,
    /// `dim` numbers per row, but for nulls.
    data: Vec<f32>,
    nulls: Option<Validity>,
}

impl FloatVectors {
    pub(super) fn new(dim: usize, absent: &Absent) -> Result<Self, ColumnError> {
        // A description without a dimension; nothing could be sent for it.
        if dim == 0 {
            return Err(ColumnError::UnsupportedType);
        }
        let nulls = match absent {
            Absent::Required => None,
            Absent::Null => Some(Validity::default()),
            Absent::Default(_) => return Err(ColumnError::UnfitDefault),
        };
        Ok(Self {
            dim,
            data: Vec::new(),
            nulls,
        })
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Appends one row of exactly `dim` numbers, or nothing.
    pub(super) fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let Value::Array(array) = value else {
            return Err(value.misfit());
        };
        let start = self.data.len();
        let mut unfit = None;
        let mut count = 0;
        for item in array.items() {
            if unfit.is_none() && count < self.dim {
                match convert::float(&item) {
                    Ok(number) => self.data.push(number),
                    Err(misfit) => unfit = Some(misfit.in_element(count)),
                }
            }
            count += 1;
        }
        let unfit = if count == self.dim {
            unfit
        } else {
            Some(Misfit::Array(count))
        };
        if let Some(misfit) = unfit {
            self.data.truncate(start);
            return Err(misfit);
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
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
            None => self.data.len() / self.dim,
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let numbers = match &mut self.nulls {
            Some(nulls) => {
                let dropped = nulls.truncate(rows) * self.dim;
                self.data.len().saturating_sub(dropped)
            }
            None => rows * self.dim,
        };
        self.data.truncate(numbers);
    }

    pub(super) fn last_size(&self) -> usize {
        let numbers = size_of::<f32>() * self.dim;
        match &self.nulls {
            None => numbers,
            Some(nulls) if nulls.last() => numbers + 1,
            Some(_) => 1,
        }
    }

    pub(super) fn bury(&mut self, dead: &[bool]) {
        let dead = match &mut self.nulls {
            Some(nulls) => &nulls.bury(dead)[..],
            None => dead,
        };
        let mut kept = 0;
        for row in 0..self.data.len() / self.dim {
            if dead.get(row).is_some_and(|dead| *dead) {
                continue;
            }
            let start = row * self.dim;
            self.data.copy_within(start..start + self.dim, kept);
            kept += self.dim;
        }
        self.data.truncate(kept);
    }

    pub(super) fn into_parts(self) -> (Vec<f32>, Vec<bool>) {
        let valid = self.nulls.map(Validity::into_flags).unwrap_or_default();
        (self.data, valid)
    }
}
