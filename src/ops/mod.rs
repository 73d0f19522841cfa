//! The operations surface: what stands still and why, counts, and both over HTTP. None of it touches the pipeline.

pub mod activity;
pub mod board;
pub mod http;
pub mod metrics;
pub mod requests;

mod collectors;
mod rate_limit;
mod scope;
