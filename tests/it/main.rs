//! The sink on real servers: one Kafka broker, one Milvus 2.3.5 and one Milvus Lite, shared by all tests
//! (`testkit::suite`).
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute only, and helpers have none"
)]

mod altered;
mod causes;
mod chaos;
mod check;
mod commit_errors;
mod compose;
mod dead_letters;
mod defects;
mod deletes;
mod delivery;
mod faults;
mod footprint;
mod groups;
mod halts;
mod isolation;
mod load;
mod lost_data;
mod matrix;
mod memory;
mod milvus_client;
mod nested;
mod odd_keys;
mod offsets;
mod ops;
mod outages;
mod oversize;
mod pages;
mod panics;
mod partition_key;
mod property;
mod rebalances;
mod recreated;
mod reload;
mod routing;
mod scarcity;
mod schema_changes;
mod secure;
mod service;
mod shaping;
mod shutdown;
mod support;
mod terminal;
mod tidy;
mod transactions;
mod trouble;
mod types;
mod until_end;
mod vectors;
mod verify;
mod walk_through;
mod watchdogs;
mod wire;
