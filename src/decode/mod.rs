//! From a record's bytes to a change.

pub mod change;
pub(crate) mod convert;
pub mod floats;
pub(crate) mod half;
pub mod json;
mod key;
mod metadata;
pub(crate) mod misfit;
mod number;
pub(crate) mod path;
pub(crate) mod raw;
pub(crate) mod scan;
pub(crate) mod survey;
pub(crate) mod timestamp;
pub(crate) mod wkt;

#[cfg(test)]
pub(crate) mod conversion_table;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod passes;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod records;
#[cfg(test)]
mod unfit_vectors;
