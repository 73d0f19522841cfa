//! The writer station.
