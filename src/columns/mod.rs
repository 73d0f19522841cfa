//! Typed columns of a batch.
