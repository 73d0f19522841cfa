//! Collections and their rows, in memory.

use std::collections::BTreeMap;

use super::columns::{self, Key, Refusal, Row};
use crate::proto::schema::{CollectionSchema, FieldData};

#[derive(Debug, Default)]
pub(super) struct Store {
    collections: BTreeMap<String, Collection>,
    /// Collection ids and generated keys.
    last_id: i64,
}

#[derive(Debug)]
pub(super) struct Collection {
    pub(super) schema: CollectionSchema,
    pub(super) id: i64,
    rows: BTreeMap<Key, Vec<Row>>,
}

impl Store {
    pub(super) fn create(&mut self, schema: CollectionSchema) {
        self.last_id += 1;
        let collection = Collection {
            id: self.last_id,
            rows: BTreeMap::new(),
            schema,
        };
        self.collections
            .insert(collection.schema.name.clone(), collection);
    }

    pub(super) fn drop_collection(&mut self, name: &str) {
        self.collections.remove(name);
    }

    pub(super) fn rows(&self, collection: &str) -> BTreeMap<Key, Vec<Row>> {
        self.collections
            .get(collection)
            .map(|collection| collection.rows.clone())
            .unwrap_or_default()
    }

    /// As Milvus words it: the database is there, the collection is not, or neither.
    pub(super) fn find(&self, database: &str, name: &str) -> Result<&Collection, Refusal> {
        if !matches!(database, "" | "default") {
            return Err((100, format!("collection not found[database={database}]")));
        }
        self.collections.get(name).ok_or_else(|| {
            let text = format!("can't find collection[database=default][collection={name}]");
            (100, text)
        })
    }

    /// Inserting keeps what is there under the key, upserting replaces it.
    pub(super) fn write(&mut self, write: &Write<'_>) -> Result<(), Refusal> {
        let collection = self.find(write.database, write.collection)?;
        if write.replaces && collection.schema.fields.iter().any(|field| field.auto_id) {
            return Err((1100, "upsert can not be used with autoID".to_owned()));
        }
        let mut next_id = self.last_id;
        let rows = columns::read(&collection.schema, write.columns, write.rows, || {
            next_id += 1;
            next_id
        })?;
        self.last_id = next_id;
        if let Some(collection) = self.collections.get_mut(write.collection) {
            for (key, row) in rows {
                let rows = collection.rows.entry(key).or_default();
                if write.replaces {
                    rows.clear();
                }
                rows.push(row);
            }
        }
        Ok(())
    }
}

/// An Insert or an Upsert.
pub(super) struct Write<'a> {
    pub(super) database: &'a str,
    pub(super) collection: &'a str,
    pub(super) columns: &'a [FieldData],
    pub(super) rows: u32,
    pub(super) replaces: bool,
}
