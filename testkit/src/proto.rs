//! Messages and stubs, both ends, generated from the sink's `proto/`.
#![allow(
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated"
)]

pub mod common {
    tonic::include_proto!("milvus.proto.common");
}
pub mod schema {
    tonic::include_proto!("milvus.proto.schema");
}
pub mod milvus {
    tonic::include_proto!("milvus.proto.milvus");
}
