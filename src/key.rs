//! A primary key as a batch compares it.

/// The value of a row's primary key field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Int(i64),
    Text(Box<str>),
}
