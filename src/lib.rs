//! Kafka → Milvus, in one direction.
//!
//! ```text
//!  Kafka ──► consumer ──chunks, bounded channel──► writer ─Insert/Upsert/Delete─► Milvus
//!    ▲          │ ▲                                  │
//!    │          │ └───────── tenure.settled ─────────┘
//!    └─ commit thread
//! ```
//!
//! The consumer copies records into chunks; a writer decodes them into columns by its plan, batches and
//! sends them; a settled batch raises `settled` in the tenures it covers; the commit thread tells Kafka.
//! The words (record, row, tenure, settled, held, halted, …) are defined in ARCHITECTURE.md.

pub mod cli;
pub mod log;
pub mod exit;
pub mod daemon;
pub mod reload;
pub mod service;
pub mod progress;
pub mod config;
pub mod pipeline;

pub mod topic_partition;
pub mod bound;
pub mod headers;
pub mod record;
pub mod target;
pub mod origin;
pub mod tenure;
pub mod budget;
pub mod wake;
pub mod watchdog;
pub mod gate;
pub mod ledger;

pub mod routing;
pub mod plan;
pub mod key;
pub mod bad_record;
pub mod dead_letter;
pub mod decode;
pub mod columns;
pub mod writer;

pub mod kafka;
pub mod milvus;

pub mod cause;
pub mod data_loss;
pub mod ops;
pub mod check;
pub mod verify;
pub mod offsets;

#[cfg(test)]
mod sim;
