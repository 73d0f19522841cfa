//! The usual way: serde_json makes a tree of each record, and the tree is taken apart.

use serde_json::{Map, Value};

use super::columns::{Columns, Values, base64, sparse_row};
use crate::corpus::Corpus;

#[derive(Debug)]
pub struct Tree<'c> {
    payloads: &'c [String],
    empty: Columns,
}

impl<'c> Tree<'c> {
    pub fn new(corpus: &'c Corpus) -> Self {
        Self {
            payloads: &corpus.payloads,
            empty: Columns::new(corpus.workload),
        }
    }

    /// All records as one request.
    pub fn run(&mut self, request: &mut Vec<u8>) {
        let mut columns = self.empty.clone();
        for payload in self.payloads {
            match serde_json::from_slice(payload.as_bytes()) {
                Ok(Value::Object(record)) => append(&mut columns, record),
                other => panic!("not an object: {other:?}"),
            }
        }
        columns.encode(request);
    }
}

fn append(columns: &mut Columns, record: Map<String, Value>) {
    let mut others = Map::new();
    for (name, value) in record {
        match columns.position(&name) {
            Some(index) => push(&mut columns.columns[index].values, value),
            None => drop(others.insert(name, value)),
        }
    }
    if let Some(dynamic) = &mut columns.dynamic {
        dynamic.push(serde_json::to_vec(&others).expect("JSON"));
    }
    columns.end_row();
}

fn push(values: &mut Values, value: Value) {
    match (values, value) {
        (Values::VarChar(values), Value::String(text)) => values.push(text),
        (Values::Int64(values), Value::Number(number)) => {
            values.push(number.as_i64().expect("an integer"));
        }
        (Values::Bool(values), Value::Bool(value)) => values.push(value),
        (Values::Double(values), Value::Number(number)) => {
            values.push(number.as_f64().expect("a number"));
        }
        (Values::Json(values), value) => values.push(serde_json::to_vec(&value).expect("JSON")),
        (Values::Floats(values), Value::Array(items)) => values.extend(items.iter().map(single)),
        (Values::Bytes(values), Value::String(text)) => base64(&text, values),
        (Values::Sparse(values), Value::Object(members)) => {
            let pair = |(index, value): (&String, &Value)| {
                (index.parse().expect("an index"), single(value))
            };
            values.push(sparse_row(members.iter().map(pair).collect()));
        }
        (values, value) => panic!("{value} does not fit {values:?}"),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "rounded, as serde does for an f32"
)]
fn single(value: &Value) -> f32 {
    let single = value.as_f64().expect("a number") as f32;
    assert!(single.is_finite(), "too large a number");
    single
}
