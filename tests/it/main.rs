//! All integration tests, one binary.

mod milvus_client;
