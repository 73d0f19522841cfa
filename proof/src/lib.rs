//! The sink's conversion of numbers against the standard library's, bit for bit, millions of times.
//!
//! The source files are the sink's own. They are compiled here once more, since Cargo optimises by package and all of
//! the sink optimised would make every build of the tests four times as slow.
#![cfg(test)]

#[path = "../../src/decode/half.rs"]
#[allow(dead_code, reason = "only the conversion is tested here")]
mod half;
#[path = "../../src/decode/misfit.rs"]
#[allow(dead_code, reason = "only what a number can be is tested here")]
mod misfit;
#[path = "../../src/decode/wkt.rs"]
#[allow(dead_code, reason = "only its error is named here")]
mod wkt;
#[path = "../../src/decode/number.rs"]
#[allow(dead_code, reason = "only the conversion is tested here")]
mod number;

mod decimal;
mod floats;
mod halves;
