//! One row on its way into the columns: the narrow interface between a decoder and the columns.
//!
//! A decoder begins a row, names each field it meets, hands over the field's value in the shape that is wanted,
//! and ends the row. A field named again starts anew: the last one wins. A row that is not ended, or ends badly,
//! leaves nothing behind.

use crate::bad_record::BadRecord;
use crate::decode::convert::Value;
use crate::decode::misfit::Misfit;
use crate::decode::scan::{Checked, Cursor, Met};
use crate::key::Key;
use crate::plan::{Absent, Place, Plan};

use super::column::Shape;
use super::{Columns, Mark};

#[derive(Debug)]
pub(crate) struct Row<'a> {
    plan: &'a Plan,
    columns: &'a mut Columns,
    /// Index of the field named last.
    current: usize,
    /// A record field that may not be there.
    refused: Option<BadRecord>,
    kept: bool,
}

/// What to do with the value of the field just named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// [`Row::value`].
    Value,
    /// [`Row::value`] with the JSON text; null as null.
    Json,
    /// [`Row::member`].
    Member,
    /// Skip it.
    Nothing,
}

impl<'a> Row<'a> {
    /// A row for `columns`, which were made by `plan`.
    pub(crate) fn begin(plan: &'a Plan, columns: &'a mut Columns) -> Self {
        columns.begin_row();
        Self {
            plan,
            columns,
            current: 0,
            refused: None,
            kept: false,
        }
    }

    /// Forgets what the row has so far: a decoder begins anew.
    pub(crate) fn restart(&mut self) {
        self.columns.drop_open_row();
        self.columns.begin_row();
        self.refused = None;
    }

    /// Goes past the name of a member, and says what it means.
    pub(crate) fn next_name(&mut self, cursor: &mut Cursor<'_>) -> Option<Met> {
        let met = self.columns.order.next(self.plan, cursor)?;
        self.columns.strayed |= met.strays;
        Some(met)
    }

    /// Reads the value of a field, by its index, straight into its column. `None` where it does not fit, or where the
    /// field has been named before.
    pub(crate) fn read(&mut self, index: usize, cursor: &mut Cursor<'_>) -> Option<()> {
        let Columns {
            fields,
            marks,
            scratch,
            ..
        } = &mut *self.columns;
        let (column, mark) = (fields.get_mut(index)?, marks.get_mut(index)?);
        if *mark != Mark::Unseen {
            return None;
        }
        column.read(cursor, scratch)?;
        *mark = Mark::Filled;
        Some(())
    }

    /// A field without a column of its own, by the name that [`Self::next_name`] went past.
    pub(crate) fn named_member(&mut self, value: Checked<'_>) {
        if let Some(dynamic) = &mut self.columns.dynamic {
            dynamic.add(self.columns.order.name(), value.json);
        }
    }

    /// What to do with the field's value, and the slot in which its text is to be kept besides.
    pub(crate) fn field(&mut self, name: &str) -> (Want, Option<usize>) {
        let (place, slot) = self.plan.place(name);
        self.columns.strayed |= self.plan.strays(name, place);
        let want = match place {
            Place::Field(index) => self.start(index),
            Place::Dynamic => Want::Member,
            Place::Used | Place::Ignored => Want::Nothing,
            Place::Unknown => {
                self.refused
                    .get_or_insert_with(|| BadRecord::unknown_field(name));
                Want::Nothing
            }
            Place::Reserved => {
                self.refused.get_or_insert_with(BadRecord::reserved_name);
                Want::Nothing
            }
        };
        (want, slot)
    }

    /// The value of a primary key that the record's value does not bring.
    pub(crate) fn put(&mut self, index: usize, value: &Value<'_>) -> Result<(), Misfit> {
        self.start(index);
        let fit = self.columns.fields[index].push(value);
        self.mark(fit.clone());
        fit
    }

    /// The primary key that the row has so far.
    pub(crate) fn key(&mut self) -> Result<Key, BadRecord> {
        let Some(index) = self.plan.primary_key else {
            return Err(BadRecord::without_key_field());
        };
        self.settle(index)?;
        let key = self.columns.fields[index].key(self.columns.rows());
        key.ok_or_else(BadRecord::without_key_field)
    }

    pub(crate) fn value(&mut self, value: &Value<'_>) {
        let fit = self.columns.fields[self.current].push(value);
        self.mark(fit);
    }

    /// A field without a column of its own, and the JSON text of its value.
    pub(crate) fn member(&mut self, name: &str, json: &str) {
        if let Some(dynamic) = &mut self.columns.dynamic {
            dynamic.add(name, json);
        }
    }

    /// What the record has brought for the field so far: a value that fits, nothing (`Ok(false)`, where that is no fault),
    /// or a fault.
    pub(crate) fn fit(&self, index: usize) -> Result<bool, BadRecord> {
        let Some((field, mark)) = self
            .plan
            .fields
            .get(index)
            .zip(self.columns.marks.get(index))
        else {
            return Ok(false);
        };
        let misfit = match mark {
            Mark::Filled => return Ok(true),
            Mark::Unseen if field.absent != Absent::Required => return Ok(false),
            Mark::Unseen => &Misfit::Nothing,
            Mark::Unfit(misfit) => misfit,
        };
        let primary_key = self.plan.primary_key == Some(index);
        Err(BadRecord::of_field(field, primary_key, misfit))
    }

    /// Appends the row, or nothing where any part of it does not fit.
    pub(crate) fn end(mut self) -> Result<(), BadRecord> {
        for index in 0..self.columns.marks.len() {
            self.settle(index)?;
        }
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        if let Some(dynamic) = &mut self.columns.dynamic {
            dynamic.finish().map_err(BadRecord::of_dynamic)?;
        }
        self.columns.keep_open_row();
        self.kept = true;
        Ok(())
    }

    /// Gives a field its value for absence, where the record had none.
    fn settle(&mut self, index: usize) -> Result<(), BadRecord> {
        let mark = std::mem::replace(&mut self.columns.marks[index], Mark::Filled);
        let fit = match mark {
            Mark::Filled => return Ok(()),
            Mark::Unseen => self.columns.fields[index].push_absent(Misfit::Nothing),
            Mark::Unfit(misfit) => Err(misfit),
        };
        fit.map_err(|misfit| {
            let primary_key = self.plan.primary_key == Some(index);
            BadRecord::of_field(&self.plan.fields[index], primary_key, &misfit)
        })
    }

    /// The field of the collection that the next value is for, by its index.
    pub(crate) fn start(&mut self, index: usize) -> Want {
        self.current = index;
        let rows = self.columns.rows();
        let column = &mut self.columns.fields[index];
        let earlier = std::mem::replace(&mut self.columns.marks[index], Mark::Unseen);
        if earlier == Mark::Filled {
            column.truncate(rows);
        }
        match column.shape() {
            Shape::Value => Want::Value,
            Shape::Json => Want::Json,
        }
    }

    fn mark(&mut self, fit: Result<(), Misfit>) {
        self.columns.marks[self.current] = match fit {
            Ok(()) => Mark::Filled,
            Err(misfit) => Mark::Unfit(misfit),
        };
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.columns.drop_open_row();
        }
    }
}
