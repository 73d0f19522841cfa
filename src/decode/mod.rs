//! From payload bytes to a row.

pub(crate) mod convert;
pub mod json;
pub(crate) mod misfit;
mod number;
pub(crate) mod raw;

#[cfg(test)]
pub(crate) mod conversion_table;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod records;
