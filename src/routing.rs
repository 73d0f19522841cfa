//! Topic to collection.
