//! The columns of an Insert or Upsert → rows, refused where the generation refuses them. Written from what Milvus
//! checks, not from what the sink sends.

mod cell;
mod json;
mod presence;
mod scalar;
mod structs;
#[cfg(test)]
mod tests;
mod time;
mod vector;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::cell::Cell;
use super::generation::{Generation, Refusal, UNEXPECTED};
use crate::proto::common::KeyValuePair;
use crate::proto::schema::{CollectionSchema, FieldData, FieldSchema};

/// Field name → value, a null as `Value::Null`. An f32 is widened to f64; a vector is an array of its elements (a
/// binary one of its bytes), a sparse one `{"index": value}`, a struct array an array of objects, a Timestamptz RFC 3339
/// in UTC, a Geometry its text. `$meta` is there wherever the collection has a dynamic field.
pub type Row = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Int(i64),
    Text(String),
}

pub(super) const META: &str = "$meta";

/// What is to be read, and by whose rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) generation: Generation,
    pub(super) schema: &'a CollectionSchema,
    pub(super) columns: &'a [FieldData],
    pub(super) rows: u32,
    /// An Upsert.
    pub(super) replaces: bool,
}

#[derive(Debug)]
pub(super) struct KeyedRow {
    pub(super) key: Key,
    /// The key of the rows that an Upsert removes.
    pub(super) replaced: Key,
    pub(super) row: Row,
    /// The text of every JSON value, byte for byte.
    pub(super) json: BTreeMap<String, String>,
}

impl Request<'_> {
    /// All or nothing. `generate` makes a key where the collection does.
    pub(super) fn read(&self, generate: impl FnMut() -> i64) -> Result<Vec<KeyedRow>, Refusal> {
        if self.rows == 0 {
            return Err(Refusal::invalid("num_rows should be greater than 0"));
        }
        let row_count = self.rows as usize;
        let mut rows = vec![(Row::new(), BTreeMap::new()); row_count];
        for (name, cells) in self.named_columns()? {
            for ((row, json), cell) in rows.iter_mut().zip(cells) {
                row.insert(name.clone(), cell.value);
                json.extend(cell.json.map(|text| (name.clone(), text)));
            }
        }
        self.keyed(rows, generate)
    }

    fn keyed(
        &self,
        rows: Vec<(Row, BTreeMap<String, String>)>,
        mut generate: impl FnMut() -> i64,
    ) -> Result<Vec<KeyedRow>, Refusal> {
        let primary = self.schema.fields.iter().find(|field| field.is_primary_key);
        let primary = primary.ok_or_else(|| Refusal::invalid("primary key not found"))?;
        let mut taken = BTreeSet::new();
        let mut keyed = Vec::with_capacity(rows.len());
        for (mut row, json) in rows {
            let given = row.get(&primary.name).and_then(key);
            // An upsert gives the row of an autoID collection a new key.
            let makes_key = primary.auto_id && (self.replaces || given.is_none());
            if makes_key {
                let made = generate();
                let made = match primary.data_type() {
                    crate::proto::schema::DataType::VarChar => Value::from(made.to_string()),
                    _ => Value::from(made),
                };
                row.insert(primary.name.clone(), made);
            }
            let missing = || Refusal::invalid(format!("no value for primary key {}", primary.name));
            let key = row.get(&primary.name).and_then(key).ok_or_else(missing)?;
            let replaced = given.unwrap_or_else(|| key.clone());
            let again = !taken.insert(replaced.clone());
            if again && self.replaces && self.generation >= Generation::V2_6 {
                let text = "duplicate primary keys are not allowed in the same batch";
                return Err(Refusal::invalid(text));
            }
            keyed.push(KeyedRow {
                key,
                replaced,
                row,
                json,
            });
        }
        Ok(keyed)
    }

    /// Each column once, none unknown, none missing.
    fn named_columns(&self) -> Result<Vec<(String, Vec<Cell>)>, Refusal> {
        let mut named: Vec<(String, Vec<Cell>)> = Vec::new();
        for column in self.columns {
            // Milvus gives every dynamic column this name.
            let name = match column.is_dynamic && self.schema.enable_dynamic_field {
                true => META,
                false => &column.field_name,
            };
            if named.iter().any(|(known, _)| known == name) {
                return Err(Refusal::invalid(format!("duplicated field {name}")));
            }
            named.push((name.to_owned(), self.cells(column)?));
        }
        for field in &self.schema.fields {
            if self.wants(field) && !named.iter().any(|(name, _)| *name == field.name) {
                named.push((field.name.clone(), self.missing(field)?));
            }
        }
        for field in &self.schema.struct_array_fields {
            if !named.iter().any(|(name, _)| *name == field.name) {
                named.push((field.name.clone(), structs::missing(self, field)?));
            }
        }
        if self.schema.enable_dynamic_field && !named.iter().any(|(name, _)| name == META) {
            let none = Cell::of_json("{}").map_err(Refusal::invalid)?;
            named.push((META.to_owned(), vec![none; self.rows as usize]));
        }
        Ok(named)
    }

    /// The cells of one column that was sent.
    fn cells(&self, column: &FieldData) -> Result<Vec<Cell>, Refusal> {
        let name = &column.field_name;
        if column.is_dynamic && self.schema.enable_dynamic_field {
            return json::dynamic_cells(self, column);
        }
        if name == META && self.schema.enable_dynamic_field {
            return Err(Refusal::invalid(format!("duplicated field {META}")));
        }
        let mut structs = self.schema.struct_array_fields.iter();
        if let Some(field) = structs.find(|field| &field.name == name) {
            return structs::cells(self, field, column);
        }
        let field = self.schema.fields.iter().find(|field| &field.name == name);
        let field = field.ok_or_else(|| {
            Refusal::invalid(format!("fieldName {name} not exist in collection schema"))
        })?;
        if field.is_function_output {
            let text = format!("field {name} is function output field and must not be sent");
            return Err(Refusal::invalid(text));
        }
        if field.auto_id && !self.takes_auto_id() {
            let text = format!("autoID is on, so field {name} must not be sent");
            return Err(Refusal::invalid(text));
        }
        self.field_cells(field, column)
    }

    /// One value per row.
    fn field_cells(&self, field: &FieldSchema, column: &FieldData) -> Result<Vec<Cell>, Refusal> {
        if column.r#type != field.data_type {
            let (name, found) = (&field.name, column.r#type());
            let text = format!(
                "field {name}: type {found:?} is not {:?}",
                field.data_type()
            );
            return Err(self.generation.bad_shape(text));
        }
        let row_count = self.rows as usize;
        let presence = presence::of(self.generation, field, &column.valid_data, row_count)?;
        let expected = presence.iter().filter(|present| **present).count();
        let cells = match super::generation::is_vector(field.data_type()) {
            true => vector::cells(self.generation, field, column, expected)?,
            false => scalar::cells(self.generation, field, column)?,
        };
        let all_default = cells.is_empty() && field.default_value.is_some();
        if all_default && !self.generation.has_nulls() {
            return Ok(vec![cell::absent(field)?; row_count]);
        }
        if cells.len() != expected {
            let (name, found) = (&field.name, cells.len());
            let text =
                format!("the length of field {name} is wrong: {found} values for {expected}");
            return Err(Refusal::invalid(text));
        }
        presence::fill(&presence, cells, &cell::absent(field)?)
    }

    /// The cells of a field without a column.
    fn missing(&self, field: &FieldSchema) -> Result<Vec<Cell>, Refusal> {
        let name = &field.name;
        let fills = field.nullable || field.default_value.is_some();
        if fills && self.generation.has_nulls() {
            return Ok(vec![cell::absent(field)?; self.rows as usize]);
        }
        let is_key = field.is_primary_key || field.is_partition_key;
        Err(match self.generation {
            Generation::V2_3 if fills => self
                .generation
                .bad_shape(format!("no column for default field {name}")),
            Generation::V2_3 if !is_key => Refusal::new(
                UNEXPECTED,
                format!("{name}: %!s(<nil>) is not supported now"),
            ),
            _ => Refusal::invalid(format!(
                "fieldSchema({name}) has no corresponding fieldData pass in"
            )),
        })
    }

    /// Whether the field wants a column.
    fn wants(&self, field: &FieldSchema) -> bool {
        let makes_key = field.is_primary_key && field.auto_id && !self.replaces;
        !(field.is_function_output || makes_key)
    }

    fn takes_auto_id(&self) -> bool {
        let allowed = property(&self.schema.properties, "allow_insert_auto_id");
        // An upsert names the row that it replaces.
        self.replaces || self.generation >= Generation::V2_6 && allowed == Some("true")
    }
}

/// A field's value in rows that were there before it.
pub(super) fn absent_value(field: &FieldSchema) -> Value {
    cell::absent(field).map_or(Value::Null, |cell| cell.value)
}

fn key(value: &Value) -> Option<Key> {
    match value {
        Value::String(text) => Some(Key::Text(text.clone())),
        value => value.as_i64().map(Key::Int),
    }
}

pub(super) fn property<'a>(properties: &'a [KeyValuePair], key: &str) -> Option<&'a str> {
    let found = properties.iter().find(|property| property.key == key)?;
    Some(&found.value)
}

/// A limit of a type, as `dim`.
fn limit(params: &[KeyValuePair], key: &str) -> Option<usize> {
    property(params, key)?.parse().ok()
}
