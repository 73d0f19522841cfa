//! From a record's bytes to a change.

pub mod change;
pub(crate) mod convert;
pub mod json;
mod key;
mod metadata;
pub(crate) mod misfit;
mod number;
mod path;
pub(crate) mod raw;

#[cfg(test)]
pub(crate) mod conversion_table;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod records;
