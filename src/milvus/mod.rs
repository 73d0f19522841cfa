//! Milvus: the calls we make, behind one small trait. tonic is named only in this folder.

pub mod arrays;
pub mod client;
pub mod delete;
pub mod query;
pub mod schema;
pub mod status;
pub mod version;

mod codes;
mod credentials;
mod describe;
mod reason;
mod shared;

/// Messages and stubs generated from `proto/`, but for those of [`arrays`].
#[allow(
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod proto {
    pub mod common {
        tonic::include_proto!("milvus.proto.common");
    }
    pub mod schema {
        pub use crate::milvus::arrays::{
            DelimitedArray as GeometryWktArray, DelimitedArray as JsonArray,
            DelimitedArray as StringArray, FloatArray, SparseFloatArray,
        };
        tonic::include_proto!("milvus.proto.schema");
    }
    pub mod milvus {
        tonic::include_proto!("milvus.proto.milvus");
    }
}

use std::future::Future;
use std::sync::Arc;

use prost::Message as _;
use proto::schema::FieldData;
use schema::Schema;
use status::MilvusError;

/// One part of a batch, as it is sent as often as it takes: a copy of it is the same request.
#[derive(Debug, Clone)]
pub enum WriteRequest {
    Insert(Arc<proto::milvus::InsertRequest>),
    Upsert(Arc<proto::milvus::UpsertRequest>),
    Delete(delete::Delete),
}

impl WriteRequest {
    pub fn collection(&self) -> &str {
        match self {
            Self::Insert(request) => &request.collection_name,
            Self::Upsert(request) => &request.collection_name,
            Self::Delete(delete) => &delete.request.collection_name,
        }
    }

    /// The Milvus partition; empty where Milvus is to choose.
    pub fn partition(&self) -> &str {
        match self {
            Self::Insert(request) => &request.partition_name,
            Self::Upsert(request) => &request.partition_name,
            Self::Delete(delete) => &delete.request.partition_name,
        }
    }

    /// The columns of the rows; none for a delete.
    pub fn fields(&self) -> &[FieldData] {
        match self {
            Self::Insert(request) => &request.fields_data,
            Self::Upsert(request) => &request.fields_data,
            Self::Delete(_) => &[],
        }
    }

    /// The columns, where nobody else has the request any more.
    pub(crate) fn into_fields(self) -> Option<Vec<FieldData>> {
        match self {
            Self::Insert(request) => Some(Arc::into_inner(request)?.fields_data),
            Self::Upsert(request) => Some(Arc::into_inner(request)?.fields_data),
            Self::Delete(_) => None,
        }
    }

    /// Whether the request calls its partition or one of its fields so.
    fn has_name(&self, name: &str) -> bool {
        let mut fields = self.fields().iter();
        name == self.partition() || fields.any(|field| field.field_name == name)
    }

    /// As it is sent.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Insert(request) => request.encoded_len(),
            Self::Upsert(request) => request.encoded_len(),
            Self::Delete(delete) => delete.request.encoded_len(),
        }
    }

    /// Rows to write, or keys to delete.
    pub fn rows(&self) -> u32 {
        match self {
            Self::Insert(request) => request.num_rows,
            Self::Upsert(request) => request.num_rows,
            Self::Delete(delete) => delete.keys(),
        }
    }
}

/// What the sink asks of Milvus. A call is one attempt under one deadline; `Ok` means success by status (and, for
/// writes, by count), everything else is a [`MilvusError`] that says what to do.
pub trait Milvus: Send + Sync + 'static {
    /// The collection's schema, read now.
    fn describe(
        &self,
        collection: &str,
    ) -> impl Future<Output = Result<Schema, MilvusError>> + Send;

    /// Writes one request once.
    fn write(&self, request: &WriteRequest)
    -> impl Future<Output = Result<(), MilvusError>> + Send;

    /// For messages: `http(s)://host:port`.
    fn endpoint(&self) -> String;
}
