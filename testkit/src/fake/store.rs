//! Collections and their rows, in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answer::{self, Filter};
use super::columns::{self, Key, KeyedRow, Request, Row};
use super::expression;
use super::generation::{Generation, Refusal, UNEXPECTED};
use crate::proto::milvus::{DeleteRequest, QueryRequest};
use crate::proto::schema::{CollectionSchema, FieldData, FieldSchema};

/// Where rows go that name no partition.
const DEFAULT_PARTITION: &str = "_default";
/// A hybrid timestamp of some day; its successors follow one by one.
const FIRST_TIMESTAMP: u64 = 460_000_000_000_000_000;

#[derive(Debug)]
pub(super) struct Store {
    generation: Generation,
    collections: BTreeMap<String, Collection>,
    /// Collection ids and generated keys.
    last_id: i64,
    clock: u64,
}

#[derive(Debug)]
pub(super) struct Collection {
    pub(super) schema: CollectionSchema,
    pub(super) id: i64,
    pub(super) update_timestamp: u64,
    partitions: BTreeSet<String>,
    rows: BTreeMap<Key, Vec<Stored>>,
}

/// A row where it lies, with the texts of its JSON values.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    partition: String,
    pub(super) row: Row,
    pub(super) json: BTreeMap<String, String>,
}

/// An Insert or an Upsert.
pub(super) struct Write<'a> {
    pub(super) database: &'a str,
    pub(super) collection: &'a str,
    pub(super) partition: &'a str,
    pub(super) columns: &'a [FieldData],
    pub(super) rows: u32,
    pub(super) schema_timestamp: u64,
    pub(super) replaces: bool,
}

impl Store {
    pub(super) fn new(generation: Generation) -> Self {
        Self {
            generation,
            collections: BTreeMap::new(),
            last_id: 0,
            clock: FIRST_TIMESTAMP,
        }
    }

    /// Panics where the generation has no such collection.
    pub(super) fn create(&mut self, schema: CollectionSchema) {
        let lack = self.generation.lacks(&schema);
        assert!(
            lack.is_none(),
            "{}: {}",
            schema.name,
            lack.unwrap_or_default()
        );
        self.last_id += 1;
        let collection = Collection {
            id: self.last_id,
            update_timestamp: self.tick(),
            partitions: BTreeSet::from([DEFAULT_PARTITION.to_owned()]),
            rows: BTreeMap::new(),
            schema,
        };
        let name = collection.schema.name.clone();
        self.collections.insert(name, collection);
    }

    /// Rows that are there get the null or the default of a new field.
    pub(super) fn alter(&mut self, name: &str, change: impl FnOnce(&mut CollectionSchema)) {
        let (generation, now) = (self.generation, self.tick());
        let collection = self.collections.get_mut(name).expect("a collection");
        change(&mut collection.schema);
        let lack = generation.lacks(&collection.schema);
        assert!(lack.is_none(), "{name}: {}", lack.unwrap_or_default());
        collection.update_timestamp = now;
        for stored in collection.rows.values_mut().flatten() {
            for field in &collection.schema.fields {
                let value = || columns::absent_value(field);
                stored.row.entry(field.name.clone()).or_insert_with(value);
            }
        }
    }

    pub(super) fn create_partition(&mut self, collection: &str, partition: &str) {
        let collection = self.collections.get_mut(collection).expect("a collection");
        collection.partitions.insert(partition.to_owned());
    }

    pub(super) fn drop_collection(&mut self, name: &str) {
        self.collections.remove(name);
    }

    /// All partitions without a name for one.
    pub(super) fn rows(
        &self,
        collection: &str,
        partition: Option<&str>,
    ) -> BTreeMap<Key, Vec<Row>> {
        let Some(collection) = self.collections.get(collection) else {
            return BTreeMap::new();
        };
        let is_there = |stored: &&Stored| partition.is_none_or(|name| stored.partition == name);
        let rows = collection.rows.iter().map(|(key, rows)| {
            let rows = rows.iter().filter(is_there);
            (key.clone(), rows.map(|stored| stored.row.clone()).collect())
        });
        rows.filter(|(_, rows): &(Key, Vec<Row>)| !rows.is_empty())
            .collect()
    }

    pub(super) fn json(&self, collection: &str, key: &Key, field: &str) -> Option<String> {
        let rows = self.collections.get(collection)?.rows.get(key)?;
        rows.last()?.json.get(field).cloned()
    }

    /// As Milvus words it: the database is there, the collection is not, or neither.
    pub(super) fn find(&self, database: &str, name: &str) -> Result<&Collection, Refusal> {
        let first = self.generation == Generation::V2_3;
        if !matches!(database, "" | "default") {
            return Err(match first {
                true => Refusal::new(100, format!("collection not found[database={database}]")),
                false => Refusal::new(800, format!("database not found[database={database}]")),
            });
        }
        let words = if first {
            "can't find collection"
        } else {
            "collection not found"
        };
        let missing = || Refusal::new(100, format!("{words}[database=default][collection={name}]"));
        self.collections.get(name).ok_or_else(missing)
    }

    /// Inserting keeps what is there under the key, upserting replaces it in its partition. Gives the keys of the rows.
    pub(super) fn write(&mut self, write: &Write<'_>) -> Result<Vec<Key>, Refusal> {
        let generation = self.generation;
        let collection = self.find(write.database, write.collection)?;
        collection.check_timestamp(generation, write)?;
        let schema = &collection.schema;
        let auto_id = schema.fields.iter().any(|field| field.auto_id);
        if write.replaces && auto_id && generation == Generation::V2_3 {
            return Err(Refusal::invalid(
                "upsert can not assign primary field data when auto id enabled",
            ));
        }
        let partition = collection
            .partition(generation, write.partition)?
            .to_owned();
        let mut next_id = self.last_id;
        let request = Request {
            generation,
            schema,
            columns: write.columns,
            rows: write.rows,
            replaces: write.replaces,
        };
        let rows = request.read(|| {
            next_id += 1;
            next_id
        })?;
        self.last_id = next_id;
        self.tick();
        let keys = rows.iter().map(|row| row.key.clone()).collect();
        if let Some(collection) = self.collections.get_mut(write.collection) {
            collection.store(rows, &partition, write.replaces);
        }
        Ok(keys)
    }

    /// How many keys the expression names; that there are none such is no mistake.
    pub(super) fn delete(&mut self, request: &DeleteRequest) -> Result<usize, Refusal> {
        let generation = self.generation;
        let collection = self.find(&request.db_name, &request.collection_name)?;
        let keys = expression::keys(generation, collection.primary(), &request.expr)?;
        let partition = match request.partition_name.as_str() {
            "" => None,
            name => Some(collection.partition(generation, name)?.to_owned()),
        };
        self.tick();
        if let Some(collection) = self.collections.get_mut(&request.collection_name) {
            keys.iter()
                .for_each(|key| collection.remove(key, partition.as_deref()));
        }
        Ok(keys.len())
    }

    /// The columns asked for, of the rows that are meant, by rising key; of a key the newest row alone.
    pub(super) fn query(&self, request: &QueryRequest) -> Result<Vec<FieldData>, Refusal> {
        let collection = self.find(&request.db_name, &request.collection_name)?;
        let filter = Filter::read(self.generation, collection.primary(), &request.expr)?;
        let limit = request
            .query_params
            .iter()
            .find(|param| param.key == "limit");
        let limit = limit.map_or(16_384, |limit| limit.value.parse().expect("a number"));
        let partitions = &request.partition_names;
        let is_asked_for =
            |stored: &&Stored| partitions.is_empty() || partitions.contains(&stored.partition);
        let rows = collection.rows.iter().filter(|(key, _)| filter.means(key));
        let newest = rows.filter_map(|(_, rows)| rows.iter().rev().find(is_asked_for));
        let rows: Vec<&Stored> = newest.take(limit).collect();
        let names = request.output_fields.iter();
        names
            .map(|name| answer::column(&collection.schema, name, &rows))
            .collect()
    }

    pub(super) fn change(&mut self, name: &str, key: &Key, change: impl FnOnce(&mut Row)) {
        answer::rewrite(self.newest(name, key), change);
    }

    pub(super) fn remove(&mut self, name: &str, key: &Key) {
        let collection = self.collections.get_mut(name).expect("a collection");
        collection.rows.remove(key).expect("a row");
    }

    pub(super) fn copy(&mut self, name: &str, from: &Key, to: &Key) {
        let mut copy = self.newest(name, from).clone();
        let collection = self.collections.get_mut(name).expect("a collection");
        let key = match to {
            Key::Int(key) => Value::from(*key),
            Key::Text(key) => Value::from(key.as_str()),
        };
        copy.row.insert(collection.primary().name.clone(), key);
        collection.rows.insert(to.clone(), vec![copy]);
    }

    fn newest(&mut self, name: &str, key: &Key) -> &mut Stored {
        let collection = self.collections.get_mut(name).expect("a collection");
        let rows = collection.rows.get_mut(key);
        rows.and_then(|rows| rows.last_mut()).expect("a row")
    }

    pub(super) fn now(&self) -> u64 {
        self.clock
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Collection {
    fn primary(&self) -> &FieldSchema {
        let mut fields = self.schema.fields.iter();
        let primary = fields.find(|field| field.is_primary_key);
        primary.expect("a primary key")
    }

    fn check_timestamp(&self, generation: Generation, write: &Write<'_>) -> Result<(), Refusal> {
        let current =
            matches!(write.schema_timestamp, 0) || write.schema_timestamp == self.update_timestamp;
        if current || generation < Generation::V2_5 {
            return Ok(());
        }
        let text = format!(
            "collection schema mismatch[collection={}]",
            write.collection
        );
        Err(Refusal::new(109, text))
    }

    /// The partition that is meant.
    fn partition<'a>(&self, generation: Generation, name: &'a str) -> Result<&'a str, Refusal> {
        if name.is_empty() {
            return Ok(DEFAULT_PARTITION);
        }
        if self
            .schema
            .fields
            .iter()
            .any(|field: &FieldSchema| field.is_partition_key)
        {
            let text =
                "not support manually specifying the partition names if partition key mode is used";
            return Err(match generation {
                Generation::V2_6 | Generation::V3_0 => Refusal::invalid(text),
                _ => Refusal::new(UNEXPECTED, text),
            });
        }
        let missing = || Refusal::new(200, format!("partition not found[partition={name}]"));
        self.partitions
            .contains(name)
            .then_some(name)
            .ok_or_else(missing)
    }

    fn store(&mut self, rows: Vec<KeyedRow>, partition: &str, replaces: bool) {
        for row in rows {
            if replaces {
                self.remove(&row.replaced, Some(partition));
            }
            self.rows.entry(row.key).or_default().push(Stored {
                partition: partition.to_owned(),
                row: row.row,
                json: row.json,
            });
        }
    }

    fn remove(&mut self, key: &Key, partition: Option<&str>) {
        if let Some(rows) = self.rows.get_mut(key) {
            rows.retain(|stored| partition.is_some_and(|name| stored.partition != name));
            if rows.is_empty() {
                self.rows.remove(key);
            }
        }
    }
}
