//! One row on its way into the columns: the narrow interface between a decoder and the columns.
//!
//! A decoder begins a row, names each field it meets, hands over the field's value in the shape that is wanted,
//! and ends the row. A field named again starts anew: the last one wins. A row that is not ended, or ends badly,
//! leaves nothing behind.

use crate::bad_record::BadRecord;
use crate::decode::convert::Value;
use crate::decode::misfit::Misfit;
use crate::plan::{Place, Plan};

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

    pub(crate) fn field(&mut self, name: &str) -> Want {
        let place = self.plan.place(name);
        self.columns.strayed |= match place {
            Place::Dynamic | Place::Unknown => true,
            Place::Ignored => !self.plan.leaves_out(name),
            Place::Field(_) | Place::Reserved => false,
        };
        match place {
            Place::Field(index) => self.start(index),
            Place::Dynamic => Want::Member,
            Place::Ignored => Want::Nothing,
            Place::Unknown => {
                self.refused
                    .get_or_insert_with(|| BadRecord::unknown_field(name));
                Want::Nothing
            }
            Place::Reserved => {
                self.refused.get_or_insert_with(BadRecord::reserved_name);
                Want::Nothing
            }
        }
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

    /// Appends the row, or nothing where any part of it does not fit.
    pub(crate) fn end(mut self) -> Result<(), BadRecord> {
        for (index, mark) in self.columns.marks.iter().enumerate() {
            let fit = match mark {
                Mark::Unseen => self.columns.fields[index].push_absent(Misfit::Nothing),
                Mark::Filled => Ok(()),
                Mark::Unfit(misfit) => Err(*misfit),
            };
            fit.map_err(|misfit| {
                let primary_key = self.plan.primary_key == Some(index);
                BadRecord::of_field(&self.plan.fields[index], primary_key, misfit)
            })?;
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

    fn start(&mut self, index: usize) -> Want {
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
