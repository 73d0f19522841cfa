//! What a reply of Milvus means, and what to do about it: one table.

use crate::cause::Cause;

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilvusError {
    pub action: Action,
    /// Why, in the terms of the one enum that everything speaks.
    pub cause: Cause,
    /// The request may have been applied although it failed.
    pub outcome_unknown: bool,
}

/// What to do with the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Repeat unchanged, for ever.
    Hold,
    /// Repeat unchanged five times over 30 s, then treat as refused.
    RepeatThenHalt,
    /// Milvus refuses the request: a person is needed.
    Halt,
}
