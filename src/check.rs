//! What would happen, without doing it.
