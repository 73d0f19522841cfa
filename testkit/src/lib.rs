//! Real and scripted servers for the tests and the demo.
//!
//! ```text
//! let kafka = suite::kafka();                          one broker for the whole test binary
//! let cluster = Cluster::start();                      three brokers, of which one may be killed
//! let milvus = suite::milvus();                        one Milvus 2.3.5, authorization on
//! let lite = suite::lite();                            one Milvus Lite 3.2.2; suite::lite25() is one of 2.5.1
//! let fake = Fake::start_with(Options { generation: Generation::V2_6, ..Options::default() });
//! let topic = kafka.topic("walk_through", 4);
//! topic.produce((0..100).map(|id| Record::json(&json!({"id": id}))));
//! ```
//!
//! Calls block until what they ask for is so, and panic with what to look at when it does not become so. A server is a
//! child process on free ports of 127.0.0.1; it dies with the test process, however that ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails fails its test, with the text"
)]

mod half;
mod ports;
mod runtime;
mod tls_proxy;

pub mod process;
pub mod services;
pub mod wait;

pub mod kafka;
pub mod milvus_server;
pub mod suite;

pub mod client;
pub mod fake;
pub mod null_milvus;
pub mod official;
pub mod proto;
pub mod proxy;
pub mod tls;

pub mod sink;
pub mod stopped_thread;

pub mod bench;
pub mod browser;
pub mod chaos;
pub mod results;

pub mod workload;

/// The sink's `proto/` as it was compiled: an encoded `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
