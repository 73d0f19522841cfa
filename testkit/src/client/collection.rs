//! A collection to be made, said field by field.

use prost::Message as _;

use crate::proto::common::KeyValuePair;
use crate::proto::milvus::{CreateCollectionRequest, CreateIndexRequest};
use crate::proto::schema::value_field::Data;
use crate::proto::schema::{
    CollectionSchema, DataType, FieldSchema, FunctionSchema, StructArrayFieldSchema, ValueField,
};

const BM25: i32 = 1;

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

    /// For [`crate::fake::Fake::create`].
    pub fn schema(&self) -> CollectionSchema {
        self.schema.clone()
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

    /// A field whose type needs nothing else said: Bool, the integers, Float, Double, JSON, Geometry, Timestamptz,
    /// SparseFloatVector.
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

    pub fn text(self, name: &str, max_length: u32) -> Collection {
        self.scalar(name, DataType::Text)
            .param("max_length", max_length)
    }

    /// Of scalars that need nothing else said.
    pub fn array(self, name: &str, element: DataType, max_capacity: u32) -> Collection {
        self.scalar(name, DataType::Array)
            .last(|field| field.element_type = element.into())
            .param("max_capacity", max_capacity)
    }

    pub fn varchar_array(self, name: &str, max_length: u32, max_capacity: u32) -> Collection {
        self.array(name, DataType::VarChar, max_capacity)
            .param("max_length", max_length)
    }

    /// Of structs with the fields of `element`, which is a collection that has no key.
    pub fn struct_array(
        mut self,
        name: &str,
        element: Collection,
        max_capacity: u32,
    ) -> Collection {
        let fields = element.schema.fields.into_iter().map(|mut field| {
            field.element_type = field.data_type;
            let array = match is_vector(&field) {
                true => DataType::ArrayOfVector,
                false => DataType::Array,
            };
            field.data_type = array.into();
            let capacity = pair("max_capacity", &max_capacity.to_string());
            field.type_params.push(capacity);
            field
        });
        self.schema
            .struct_array_fields
            .push(StructArrayFieldSchema {
                name: name.to_owned(),
                fields: fields.collect(),
                ..Default::default()
            });
        self
    }

    /// The struct array before may be null.
    pub fn nullable_structs(mut self) -> Collection {
        let structs = self.schema.struct_array_fields.last_mut();
        structs.expect("a struct array before").nullable = true;
        self
    }

    /// `output`, a sparse vector, is made by Milvus from the words in the VarChar field `input`.
    pub fn bm25(mut self, input: &str, output: &str) -> Collection {
        let mut fields = self.schema.fields.iter_mut();
        let words = fields.find(|field| field.name == input);
        let analyzer = pair("enable_analyzer", "true");
        words.expect("a field before").type_params.push(analyzer);
        self.schema.functions.push(FunctionSchema {
            name: format!("{output}_of_{input}"),
            r#type: BM25,
            input_field_names: vec![input.to_owned()],
            output_field_names: vec![output.to_owned()],
        });
        self.scalar(output, DataType::SparseFloatVector)
            .last(|field| field.is_function_output = true)
    }

    /// As `allow_insert_auto_id`.
    pub fn property(mut self, key: &str, value: &str) -> Collection {
        self.schema.properties.push(pair(key, value));
        self
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
            properties: self.schema.properties.clone(),
            ..Default::default()
        }
    }

    /// An exact index for every vector field: without one the collection cannot be loaded.
    pub(super) fn index_requests(&self) -> Vec<CreateIndexRequest> {
        let vectors = self.schema.fields.iter().filter(|field| is_vector(field));
        let request = |field: &FieldSchema| CreateIndexRequest {
            collection_name: self.schema.name.clone(),
            field_name: field.name.clone(),
            index_name: field.name.clone(),
            extra_params: index_params(field),
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

fn is_vector(field: &FieldSchema) -> bool {
    field.data_type >= DataType::BinaryVector as i32
}

fn index_params(field: &FieldSchema) -> Vec<KeyValuePair> {
    let (index, metric) = match field.data_type() {
        DataType::BinaryVector => ("BIN_FLAT", "HAMMING"),
        DataType::SparseFloatVector if field.is_function_output => {
            ("SPARSE_INVERTED_INDEX", "BM25")
        }
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
