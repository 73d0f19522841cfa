//! All integration tests, one binary, so that they share their servers.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "one crate; and what fails in a helper fails its test"
)]

mod delivery;
mod halts;
mod load;
mod milvus_client;
mod outages;
mod support;
mod until_end;
mod walk_through;
