//! Other ways from payloads to the same bytes, as one would write them with the usual crates.

mod columns;
mod floats;
mod tree;
mod visitor;

pub use floats::Floats;
pub use tree::Tree;
pub use visitor::Visitor;

/// What the request is about.
pub const COLLECTION: &str = "bench";
