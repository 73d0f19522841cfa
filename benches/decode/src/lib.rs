//! The sink's decoding beside other ways to do the same, on the same records, in the same minute.
//!
//! ```text
//! workload ──► corpus ──┬─► sink            what the sink does ──┐
//!                       ├─► peers::tree     serde_json Value    ─┼─► the same request, byte for byte
//!                       ├─► peers::visitor  serde_json, typed  ──┘
//!                       └─► peers::floats   fast-float2 on the numbers alone
//! rounds · allocations · instructions ──► figures ──► report, docs/benchmarks.json
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool that ends where it cannot go on"
)]

pub mod corpus;
pub mod sink;
pub mod peers;
pub mod agreement;

pub mod rounds;
pub mod allocations;
pub mod instructions;

pub mod figures;
pub mod check;
pub mod report;
