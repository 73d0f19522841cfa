//! A collection to be made, said field by field.

use prost::Message as _;

use crate::proto::common::KeyValuePair;
use crate::proto::milvus::{CreateCollectionRequest, CreateIndexRequest};
use crate::proto::schema::value_field::Data;
use crate::proto::schema::{CollectionSchema, DataType, FieldSchema, ValueField};

/// Name and schema of a collection: `Collection::new("articles").int64_key("id").float_vector("v", 8)`.
#[derive(Debug, Clone)]
pub struct Collection {
    schema: CollectionSchema,
}

impl Collection {
    pub fn new(name: &str) -> Collection {
        Collection {
            schema: CollectionSchema {
                name: name.to_owned(),
                ..Default::default()
            },
        }
    }

    pub fn name(&self) -> &str {
        &self.schema.name
    }

    pub fn int64_key(self, name: &str) -> Collection {
        self.scalar(name, DataType::Int64).key()
    }

    pub fn varchar_key(self, name: &str, max_length: u32) -> Collection {
        self.varchar(name, max_length).key()
    }

    /// Milvus makes the key (of the field before).
    pub fn auto_id(self) -> Collection {
        self.last(|field| field.auto_id = true)
    }

    /// A field whose type needs nothing else said: Bool, the integers, Float, Double, JSON.
    pub fn scalar(mut self, name: &str, data_type: DataType) -> Collection {
        self.schema.fields.push(FieldSchema {
            name: name.to_owned(),
            data_type: data_type.into(),
            ..Default::default()
        });
        self
    }

    /// `max_length` is in bytes.
    pub fn varchar(self, name: &str, max_length: u32) -> Collection {
        self.scalar(name, DataType::VarChar)
            .param("max_length", max_length)
    }

    pub fn float_vector(self, name: &str, dim: u32) -> Collection {
        self.vector(name, DataType::FloatVector, dim)
    }

    pub fn vector(self, name: &str, data_type: DataType, dim: u32) -> Collection {
        self.scalar(name, data_type).param("dim", dim)
    }

    /// The field before may be null (not on 2.3.5).
    pub fn nullable(self) -> Collection {
        self.last(|field| field.nullable = true)
    }

    /// The field before has a default.
    pub fn default_value(self, value: Data) -> Collection {
        self.last(|field| field.default_value = Some(ValueField { data: Some(value) }))
    }

    /// The field before decides the partition.
    pub fn partition_key(self) -> Collection {
        self.last(|field| field.is_partition_key = true)
    }

    /// Keys without a field of their own are kept in `$meta`.
    pub fn dynamic(mut self) -> Collection {
        self.schema.enable_dynamic_field = true;
        self
    }

    pub(super) fn request(&self) -> CreateCollectionRequest {
        CreateCollectionRequest {
            collection_name: self.schema.name.clone(),
            schema: self.schema.encode_to_vec(),
            shards_num: 1,
            ..Default::default()
        }
    }

    /// An exact index for every vector field: without one the collection cannot be loaded.
    pub(super) fn index_requests(&self) -> Vec<CreateIndexRequest> {
        let is_vector = |field: &&FieldSchema| field.data_type >= DataType::BinaryVector as i32;
        let vectors = self.schema.fields.iter().filter(is_vector);
        let request = |field: &FieldSchema| CreateIndexRequest {
            collection_name: self.schema.name.clone(),
            field_name: field.name.clone(),
            index_name: field.name.clone(),
            extra_params: index_params(field.data_type()),
            ..Default::default()
        };
        vectors.map(request).collect()
    }

    fn key(self) -> Collection {
        self.last(|field| field.is_primary_key = true)
    }

    fn param(self, key: &str, value: u32) -> Collection {
        self.last(|field| field.type_params.push(pair(key, &value.to_string())))
    }

    fn last(mut self, change: impl FnOnce(&mut FieldSchema)) -> Collection {
        change(self.schema.fields.last_mut().expect("a field before"));
        self
    }
}

fn index_params(data_type: DataType) -> Vec<KeyValuePair> {
    let (index, metric) = match data_type {
        DataType::BinaryVector => ("BIN_FLAT", "HAMMING"),
        DataType::SparseFloatVector => ("SPARSE_INVERTED_INDEX", "IP"),
        _ => ("FLAT", "L2"),
    };
    vec![
        pair("index_type", index),
        pair("metric_type", metric),
        pair("params", "{}"),
    ]
}

fn pair(key: &str, value: &str) -> KeyValuePair {
    KeyValuePair {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}
