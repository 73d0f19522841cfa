//! The careful way: serde_json without a tree, each member by its type straight into its column.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess};
use serde::{Deserialize as _, de};
use serde_json::value::RawValue;

use super::columns::{Columns, Values, base64, sparse_row};
use crate::corpus::Corpus;

#[derive(Debug)]
pub struct Visitor<'c> {
    payloads: &'c [String],
    empty: Columns,
}

impl<'c> Visitor<'c> {
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
            let mut json = serde_json::Deserializer::from_slice(payload.as_bytes());
            json.deserialize_map(Record(&mut columns))
                .expect("a record");
            json.end().expect("nothing behind it");
            columns.end_row();
        }
        columns.encode(request);
    }
}

struct Record<'a>(&'a mut Columns);

impl<'de> de::Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut others = Vec::new();
        while let Some(name) = members.next_key_seed(Name(self.0))? {
            match name {
                Ok(column) => members.next_value_seed(Cell(&mut self.0.columns[column].values))?,
                Err(name) => {
                    let value: &RawValue = members.next_value()?;
                    others.push(if others.is_empty() { b'{' } else { b',' });
                    serde_json::to_writer(&mut others, &name).map_err(A::Error::custom)?;
                    others.push(b':');
                    others.extend_from_slice(value.get().as_bytes());
                }
            }
        }
        if let Some(dynamic) = &mut self.0.dynamic {
            others.push(b'}');
            dynamic.push(others);
        }
        Ok(())
    }
}

/// The column of that name, or the name.
struct Name<'a>(&'a Columns);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl de::Visitor<'_> for Name<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.position(name).ok_or_else(|| name.to_owned()))
    }
}

struct Cell<'a>(&'a mut Values);

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.0 {
            Values::Json(values) => {
                let text = <&RawValue>::deserialize(json)?.get();
                values.push(text.as_bytes().to_vec());
                Ok(())
            }
            Values::Floats(_) => json.deserialize_seq(self),
            Values::Sparse(_) => json.deserialize_map(self),
            Values::VarChar(_) | Values::Bytes(_) => json.deserialize_str(self),
            Values::Int64(values) => i64::deserialize(json).map(|value| values.push(value)),
            Values::Bool(values) => bool::deserialize(json).map(|value| values.push(value)),
            Values::Double(values) => f64::deserialize(json).map(|value| values.push(value)),
        }
    }
}

impl<'de> de::Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value for {:?}", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.0 {
            Values::VarChar(values) => values.push(text.to_owned()),
            Values::Bytes(values) => base64(text, values),
            _ => return Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Values::Floats(values) = self.0 else {
            return Err(A::Error::invalid_type(de::Unexpected::Seq, &self));
        };
        while let Some(single) = items.next_element::<f32>()? {
            if !single.is_finite() {
                return Err(A::Error::custom("too large a number"));
            }
            values.push(single);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Values::Sparse(values) = self.0 else {
            return Err(A::Error::invalid_type(de::Unexpected::Map, &self));
        };
        let mut pairs = Vec::new();
        while let Some(pair) = members.next_entry::<u32, f32>()? {
            pairs.push(pair);
        }
        values.push(sparse_row(pairs));
        Ok(())
    }
}
