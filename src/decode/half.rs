//! The two 16-bit floats of vectors, rounded to nearest even, once, from the text of a number.

use std::cmp::Ordering;

use super::misfit::Misfit;
use super::number;

/// A 16-bit float: one sign bit, the exponent, the mantissa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Half {
    mantissa_bits: u32,
    /// Exponent of the least normal number.
    least_exponent: i64,
    /// The bits of infinity; with a mantissa, NaN.
    infinity: u16,
}

/// IEEE 754 binary16.
pub(crate) const FLOAT16: Half = Half {
    mantissa_bits: 10,
    least_exponent: -14,
    infinity: 0x7c00,
};

/// The upper half of a binary32.
pub(crate) const BFLOAT16: Half = Half {
    mantissa_bits: 7,
    least_exponent: -126,
    infinity: 0x7f80,
};

const SIGN: u16 = 0x8000;
const F64_MANTISSA_BITS: u32 = 52;
const F64_BIAS: i64 = 1023;
/// Every midpoint between neighbours of either format has fewer decimal places.
const PLACES: usize = 140;
/// Shifted by more, no mantissa reaches half a unit.
const MAX_SHIFT: i64 = 60;

impl Half {
    /// The bits of the number nearest to `text`; what would be infinite is out of range.
    pub(super) fn nearest(self, text: &str) -> Result<u16, Misfit> {
        let number = number::double(text)?;
        let magnitude = self.round(number.abs(), text);
        let bits = u16::try_from(magnitude).unwrap_or(self.infinity);
        if bits >= self.infinity {
            return Err(Misfit::OutOfRange);
        }
        Ok(if number.is_sign_negative() {
            bits | SIGN
        } else {
            bits
        })
    }

    pub(crate) fn is_finite(self, bits: u16) -> bool {
        bits & self.infinity != self.infinity
    }

    /// `number` is the f64 nearest to `text`. Rounding that once more is right but for where it sits on a midpoint: the
    /// text may be a hair beside it, which the f64 no longer shows.
    fn round(self, number: f64, text: &str) -> u64 {
        let bits = number.to_bits();
        let field = bits >> F64_MANTISSA_BITS;
        // Subnormal f64s are far below either format: they may pass as 0.
        let Some(exponent) = i64::try_from(field)
            .ok()
            .filter(|field| *field > 0)
            .map(|field| field - F64_BIAS)
        else {
            return 0;
        };
        let implicit = 1 << F64_MANTISSA_BITS;
        let mantissa = (bits & (implicit - 1)) | implicit;

        let below_normal = (self.least_exponent - exponent).max(0);
        let shift = i64::from(F64_MANTISSA_BITS - self.mantissa_bits) + below_normal;
        let shift = shift.min(MAX_SHIFT);
        let steps = (exponent - self.least_exponent).max(0).unsigned_abs();
        // The implicit bit, where it is left, raises the exponent by one; so does a carry.
        let down = (steps << self.mantissa_bits) + (mantissa >> shift);
        let (rest, half) = (mantissa & ((1 << shift) - 1), 1 << (shift - 1));
        let up = match rest.cmp(&half) {
            Ordering::Equal => match number::compare_magnitudes(text, &decimal(number)) {
                Ordering::Equal => down & 1,
                Ordering::Less => 0,
                Ordering::Greater => 1,
            },
            Ordering::Less => 0,
            Ordering::Greater => 1,
        };
        down + up
    }
}

/// All digits of a midpoint.
fn decimal(midpoint: f64) -> String {
    format!("{midpoint:.PLACES$}")
}
