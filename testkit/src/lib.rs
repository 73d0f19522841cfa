//! Servers for tests.

pub mod fake;
pub mod proto;
