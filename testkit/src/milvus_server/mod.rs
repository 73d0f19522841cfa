//! Real Milvus servers: 2.3.5 standalone, and two releases of Milvus Lite.

mod lite;
mod standalone;

pub use lite::{Lite, LiteRelease};
pub use standalone::{ROOT_TOKEN, Standalone, StandaloneOptions};

use std::time::Duration;

use crate::client::MilvusClient;
use crate::process::Process;

const START: Duration = Duration::from_secs(120);

/// Waits until it answers a question about collections; the open port alone says nothing.
fn await_ready(process: &Process, client: &MilvusClient) {
    process.await_ready(START, || client.is_ready().then_some(()));
}
