//! A described collection in our own words: what the plan is made from.

use std::sync::Arc;

use super::version::Version;

/// What `DescribeCollection` says that matters to a writer.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    pub collection: String,
    /// Changes when a collection is dropped and made again; 0 where the server does not say.
    pub collection_id: i64,
    /// `update_timestamp`; 0 where the server does not say.
    pub timestamp: u64,
    /// In schema order, without `$meta`; arrays of structs last.
    pub fields: Vec<Field>,
    pub dynamic: bool,
    /// Property `allow_insert_auto_id`.
    pub allow_insert_auto_id: bool,
    /// The server's, where it says and where it matters: with a partition key.
    pub version: Option<Version>,
}

impl Schema {
    /// Some servers do something else with a field of it than others.
    pub(super) fn depends_on_version(&self) -> bool {
        let depends = |field: &Field| field.partition_key || field.kind == FieldType::Json;
        self.fields.iter().any(depends)
    }

    /// What the server's version says of the fields beside the schema itself.
    pub(super) fn served_by(&mut self, version: Option<Version>) {
        self.version = version;
        if version.is_some_and(Version::wants_json_objects) {
            let json = self.fields.iter_mut();
            let json = json.filter(|field| field.kind == FieldType::Json);
            json.for_each(|field| field.kind = FieldType::JsonObject);
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: Arc<str>,
    pub kind: FieldType,
    pub primary_key: bool,
    pub auto_id: bool,
    pub partition_key: bool,
    pub nullable: bool,
    pub default: Option<DefaultValue>,
    /// Filled by a function of the collection (BM25): never sent.
    pub function_output: bool,
}

/// Every type that Milvus has, with its parameters. `None` where the server names no limit.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldType {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Float,
    Double,
    /// Limit in bytes.
    VarChar {
        max_length: Option<usize>,
    },
    Json,
    /// JSON where the server takes objects alone.
    JsonObject,
    Array {
        element: Box<FieldType>,
        max_capacity: Option<usize>,
    },
    Geometry,
    Text {
        max_length: Option<usize>,
    },
    Timestamptz,
    FloatVector {
        dim: usize,
    },
    BinaryVector {
        dim: usize,
    },
    Float16Vector {
        dim: usize,
    },
    BFloat16Vector {
        dim: usize,
    },
    SparseFloatVector,
    Int8Vector {
        dim: usize,
    },
    /// Only within a struct.
    ArrayOfVector {
        element: Box<FieldType>,
        max_capacity: Option<usize>,
    },
    ArrayOfStruct(StructArray),
    /// A type this version does not know, by its number.
    Unknown(i32),
}

impl FieldType {
    /// A vector with a number, or bits, for every dimension.
    pub(crate) fn is_dense_vector(&self) -> bool {
        matches!(
            self,
            Self::FloatVector { .. }
                | Self::BinaryVector { .. }
                | Self::Float16Vector { .. }
                | Self::BFloat16Vector { .. }
                | Self::Int8Vector { .. }
        )
    }
}

/// An array whose elements all have the same fields.
#[derive(Debug, Clone, PartialEq)]
pub struct StructArray {
    pub fields: Vec<StructField>,
    pub max_capacity: Option<usize>,
}

/// One of them: over all elements of a row it is an array itself, of scalars or of vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct StructField {
    /// Without the struct's.
    pub name: Arc<str>,
    pub kind: FieldType,
}

impl StructField {
    /// The type of what one element has here.
    pub fn element(&self) -> &FieldType {
        match &self.kind {
            FieldType::Array { element, .. } | FieldType::ArrayOfVector { element, .. } => element,
            other => other,
        }
    }
}

/// A field's `default_value` as described.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    Bool(bool),
    Int(i64),
    Float(f32),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}
