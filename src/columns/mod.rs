//! Typed columns of a batch: rows go in one by one, whole fields come out.

mod array;
pub(crate) mod column;
mod defaults;
mod dynamic;
mod elements;
mod encode;
pub(crate) mod row;
mod scalar;
mod sparse;
pub(crate) mod structs;
mod validity;
mod vector;
#[cfg(test)]
mod wire;

use crate::decode::misfit::Misfit;
use crate::decode::scan::Order;
use crate::key::Key;
use crate::milvus::proto::schema::FieldData;
use crate::plan::{DYNAMIC_FIELD, Plan};

use column::Column;
use dynamic::Dynamic;

/// One column per field of a plan, all of the same number of rows.
#[derive(Debug)]
pub struct Columns {
    fields: Vec<Column>,
    dynamic: Option<Dynamic>,
    /// Index in `fields`.
    primary_key: Option<usize>,
    /// Encoded size up to the end of each row.
    row_ends: Vec<usize>,
    /// Encoded size without any row: names and types.
    frame: usize,
    /// What the open row has brought for each field so far.
    marks: Vec<Mark>,
    /// How the rows before it were written.
    order: Order,
    scratch: Scratch,
    /// The row added last, or refused, brought a field that the plan does not know.
    strayed: bool,
}

/// Room for one value on its way into a column, kept from one to the next.
#[derive(Debug, Default)]
struct Scratch {
    text: String,
    sparse: sparse::Scratch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Unseen,
    Filled,
    Unfit(Misfit),
}

impl Columns {
    pub fn new(plan: &Plan) -> Self {
        let names = plan.fields.iter().map(|field| field.name.len());
        let dynamic = plan.dynamic.then(Dynamic::default);
        let meta = dynamic.as_ref().map(|_| DYNAMIC_FIELD.len());
        Self {
            fields: plan.fields.iter().map(|f| f.empty.clone()).collect(),
            dynamic,
            primary_key: plan.primary_key,
            row_ends: Vec::new(),
            frame: names.chain(meta).map(encode::frame_size).sum(),
            marks: vec![Mark::Unseen; plan.fields.len()],
            order: Order::default(),
            scratch: Scratch::default(),
            strayed: false,
        }
    }

    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }

    /// About the bytes that the columns take in a request.
    pub fn bytes(&self) -> usize {
        self.row_ends.last().copied().unwrap_or(self.frame)
    }

    /// Drops the rows after the first `rows`.
    pub fn truncate(&mut self, rows: usize) {
        self.row_ends.truncate(rows);
        self.drop_open_row();
    }

    /// Bytes that are allocated, whatever is in them: also for rows of before, and for one that was refused.
    pub(crate) fn room(&self) -> usize {
        let fields: usize = self.fields.iter().map(Column::room).sum();
        let scratch = self.scratch.text.capacity() + self.scratch.sparse.room();
        let dynamic = self.dynamic.as_ref().map_or(0, Dynamic::room);
        let ends = self.row_ends.capacity() * size_of::<usize>();
        fields + dynamic + scratch + ends + self.order.room()
    }

    /// Whether the row added last brought a field that the plan has no place of its own for.
    pub fn has_strayed(&self) -> bool {
        self.strayed
    }

    /// The primary key of `row`; `None` where Milvus makes it, or past the end.
    pub fn key(&self, row: usize) -> Option<Key> {
        let column = self.fields.get(self.primary_key?)?;
        column.key(row)
    }

    /// The columns as Milvus takes them, without the rows whose flag in `dead` is set. Rows past the end of
    /// `dead` are alive, so an empty one keeps all.
    pub fn into_fields(mut self, dead: &[bool]) -> Vec<FieldData> {
        self.take_fields(dead)
    }

    /// As [`Self::into_fields`]; no row is left.
    pub(crate) fn take_fields(&mut self, dead: &[bool]) -> Vec<FieldData> {
        if dead.contains(&true) {
            self.fields.iter_mut().for_each(|field| field.bury(dead));
            self.dynamic.iter_mut().for_each(|meta| meta.bury(dead));
        }
        self.row_ends.clear();
        let fields = self.fields.iter_mut().map(encode::take);
        let dynamic = self.dynamic.iter_mut().map(encode::take_dynamic);
        fields.chain(dynamic).collect()
    }

    /// Gives the room of what was taken back, for other rows.
    pub(crate) fn reuse_fields(&mut self, fields: Vec<FieldData>) {
        let mut taken = fields.into_iter();
        for (column, field) in self.fields.iter_mut().zip(taken.by_ref()) {
            encode::reuse(column, field);
        }
        for (meta, field) in self.dynamic.iter_mut().zip(taken) {
            encode::reuse_dynamic(meta, field);
        }
    }

    fn begin_row(&mut self) {
        self.marks.fill(Mark::Unseen);
        self.strayed = false;
        self.order.begin_record();
        self.dynamic.iter_mut().for_each(Dynamic::begin);
    }

    /// Makes the open row a row. Every column must have got its value for it.
    fn keep_open_row(&mut self) {
        let fields: usize = self.fields.iter().map(Column::last_size).sum();
        let dynamic = self.dynamic.as_ref().map_or(0, Dynamic::last_size);
        self.row_ends.push(self.bytes() + fields + dynamic);
        debug_assert!(self.is_even());
    }

    fn drop_open_row(&mut self) {
        let rows = self.rows();
        self.fields.iter_mut().for_each(|f| f.truncate(rows));
        self.dynamic.iter_mut().for_each(|d| d.truncate(rows));
        debug_assert!(self.is_even());
    }

    /// All columns have the same length.
    fn is_even(&self) -> bool {
        let fields = self.fields.iter().map(Column::rows);
        let mut lengths = fields.chain(self.dynamic.as_ref().map(Dynamic::rows));
        lengths.all(|length| length == self.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::conversion_table::shown_all;
    use crate::decode::json::decode;
    use crate::milvus::schema::FieldType;
    use crate::plan::fixture::{dynamic_plan, key, nullable};

    #[test]
    fn rows_are_counted_cut_and_keyed() {
        let plan = dynamic_plan(vec![
            key("id", FieldType::VarChar { max_length: None }),
            nullable("n", FieldType::Int8),
        ]);
        let mut columns = Columns::new(&plan);
        let sizes: Vec<usize> = [
            r#"{"id":"a","n":1}"#,
            r#"{"id":7}"#,
            r#"{"id":"c","n":3,"x":1}"#,
        ]
        .into_iter()
        .map(|payload| {
            decode(&plan, &mut columns, payload.as_bytes()).unwrap();
            columns.bytes()
        })
        .collect();
        assert_eq!(columns.key(1), Some(Key::Text("7".into())));
        assert_eq!(columns.key(3), None);

        decode(&plan, &mut columns, b"{\"n\":5}").unwrap_err();
        assert_eq!((columns.rows(), columns.bytes()), (3, sizes[2]));
        columns.truncate(5);
        assert_eq!((columns.rows(), columns.bytes()), (3, sizes[2]));
        columns.truncate(2);
        assert_eq!((columns.rows(), columns.bytes()), (2, sizes[1]));
        assert_eq!(columns.key(2), None);
        decode(&plan, &mut columns, br#"{"id":"d","n":4,"y":2}"#).unwrap();
        assert_eq!(columns.bytes(), sizes[2]);
        assert_eq!(
            shown_all(columns),
            [r#"["a", "7", "d"]"#, "[1, 4]", r#"{}{}{"y":2}"#]
        );
    }

    #[test]
    fn room_is_what_was_allocated_for_rows_that_are_gone_or_were_refused_as_well() {
        const LONG: usize = 100_000;
        let plan = dynamic_plan(vec![
            key("id", FieldType::Int64),
            nullable("text", FieldType::VarChar { max_length: None }),
            nullable("json", FieldType::Json),
            nullable("vector", FieldType::FloatVector { dim: 20_000 }),
            nullable("bytes", FieldType::BinaryVector { dim: 400_000 }),
            nullable("sparse", FieldType::SparseFloatVector),
        ]);
        let long = "x".repeat(LONG);
        let pairs: Vec<String> = (0..LONG / 8).map(|i| format!("\"{i}\":1")).collect();
        for (what, member, is_row) in [
            ("text", format!("\"text\":\"{long}\""), true),
            (
                "escapes",
                format!("\"text\":\"\\n{long}\\n\",\"id\":[]"),
                false,
            ),
            ("dynamic", format!("\"other\":\"{long}\""), false),
            (
                "vector",
                format!("\"vector\":[{}0]", "0,".repeat(19_999)),
                true,
            ),
            (
                "bytes",
                format!("\"bytes\":[{}0]", "0,".repeat(49_999)),
                true,
            ),
            (
                "sparse",
                format!("\"sparse\":{{{}}}", pairs.join(",")),
                true,
            ),
        ] {
            let mut columns = Columns::new(&plan);
            assert!(columns.room() < LONG / 10, "{what}");
            let payload = format!("{{\"id\":1,{member}}}");
            let decoded = decode(&plan, &mut columns, payload.as_bytes());
            assert_eq!(decoded.is_ok(), is_row, "{what}: {decoded:?}");
            columns.truncate(0);
            assert!(columns.room() >= LONG / 2, "{what}: {}", columns.room());
        }
    }
}
