//! All integration tests, one binary, so that they share their servers.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "one crate; and what fails in a helper fails its test"
)]

mod milvus_client;
mod panics;
mod support;
mod tidy;
mod walk_through;
