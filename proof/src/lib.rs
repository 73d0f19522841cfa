//! The sink's conversion of numbers against the standard library's, bit for bit, millions of times.
//!
//! The source files are the sink's own. They are compiled here once more, since Cargo optimises by package and all of
//! the sink optimised would make every build of the tests four times as slow.
#![cfg(test)]

#[path = "../../src/decode/floats/mod.rs"]
pub mod kernels;
#[path = "../../src/decode/half.rs"]
#[allow(dead_code, reason = "only the conversion is tested here")]
mod half;
#[path = "../../src/decode/number.rs"]
#[allow(dead_code, reason = "only the conversion is tested here")]
mod number;

/// What those files say of a number that does not fit.
mod misfit {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Misfit {
        Fraction,
        OutOfRange,
    }
}

mod arrays;
mod decimal;
mod floats;
mod halves;
