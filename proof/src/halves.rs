//! The two 16-bit floats from text: every number of either, and every midpoint between two of them.

use crate::decimal::{above, below, middle, shifted};
use crate::half::{BFLOAT16, FLOAT16, Half};
use crate::misfit::Misfit;

const SIGN: u16 = 0x8000;

/// One of the two, and what its bits mean by the definition of the format.
struct Format {
    half: Half,
    infinity: u16,
    value: fn(u16) -> f64,
}

const FORMATS: [Format; 2] = [
    Format {
        half: FLOAT16,
        infinity: 0x7c00,
        value: |bits| {
            let (exponent, mantissa) = (i32::from(bits >> 10), f64::from(bits & 0x03ff));
            match exponent {
                0 => mantissa * 2_f64.powi(-24),
                _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
            }
        },
    },
    Format {
        half: BFLOAT16,
        infinity: 0x7f80,
        // Infinity stands for the number that would follow the greatest one.
        value: |bits| match bits {
            0x7f80 => 2_f64.powi(128),
            _ => f32::from_bits(u32::from(bits) << 16).into(),
        },
    },
];

impl Format {
    #[track_caller]
    fn check(&self, text: &str, bits: u16) {
        for (text, bits) in [(text.to_owned(), bits), (format!("-{text}"), bits | SIGN)] {
            let expected = match bits & !SIGN {
                magnitude if magnitude >= self.infinity => Err(Misfit::OutOfRange),
                _ => Ok(bits),
            };
            assert_eq!(self.half.nearest(&text), expected, "{text}");
        }
    }
}

#[test]
fn every_number_comes_back_as_itself() {
    for format in FORMATS {
        for bits in 0..SIGN {
            assert_eq!(format.half.is_finite(bits), bits < format.infinity);
            assert_eq!(format.half.is_finite(bits | SIGN), bits < format.infinity);
            if bits < format.infinity {
                let value = (format.value)(bits);
                format.check(&format!("{value:?}"), bits);
                format.check(&format!("{value:.140}"), bits);
                format.check(&format!("{value:e}"), bits);
            }
        }
    }
}

/// Up to the middle between the greatest number and what would follow it.
#[test]
fn every_midpoint_goes_to_the_even_neighbour_and_a_hair_beside_it_to_the_nearer() {
    for format in FORMATS {
        for low in 0..format.infinity {
            let high = low + 1;
            let even = if low % 2 == 0 { low } else { high };
            let middle = middle((format.value)(low), (format.value)(high));
            let middle = middle.trim_end_matches('0');
            let cases = [
                (middle.to_owned(), even),
                (above(middle), high),
                (below(middle), low),
            ];
            for (text, bits) in cases {
                format.check(&text, bits);
                format.check(&shifted(&text), bits);
                format.check(&format!("{text}{}", "0".repeat(30)), bits);
            }
        }
    }
}
