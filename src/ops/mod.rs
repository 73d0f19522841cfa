//! The operations surface: what stands still and why, counts, and both over HTTP. None of it touches the pipeline.

pub mod activity;
pub mod board;
pub mod http;
pub mod metrics;
pub mod requests;

mod bad_records;
mod buffer;
mod clock;
mod history;
mod page;
mod pages;
mod positions;
mod pulse;
mod rate_limit;
mod scope;
mod standstill;
mod status;

pub use pages::{About, Pages};
