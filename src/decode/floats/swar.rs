//! The kernel for every CPU: eight digits at a time in a 64-bit word.

use super::nearest::{POWERS, nearest, signed};
use super::strict;

/// Bytes that are looked at after the sign, whatever the number: a digit, a point, three words.
const WINDOW: usize = 26;

/// See [`super::Fill`].
pub(super) fn fill(json: &[u8], mut at: usize, slots: &mut [f32]) -> Option<usize> {
    for slot in slots {
        let (number, comma) = element(json, at, b',')?;
        *slot = number;
        at = comma + 1;
    }
    Some(at)
}

/// The number that begins at `at` or after white space, and the index of the separator behind it.
#[inline(always)]
pub(super) fn element(json: &[u8], at: usize, separator: u8) -> Option<(f32, usize)> {
    let start = at + usize::from(json.get(at) == Some(&b' '));
    match number(json, start) {
        Some((number, end)) if json.get(end) == Some(&separator) => Some((number, end)),
        _ => strict::element(json, start, separator),
    }
}

/// The number that begins at `at`, without an exponent that it may have, and where that begins. None unless it is one
/// digit, a point and up to 23 digits, nothing about it is hard, and `json` goes on for some bytes.
#[inline(always)]
pub(super) fn number(json: &[u8], at: usize) -> Option<(f32, usize)> {
    let negative = *json.get(at)? == b'-';
    let start = at + usize::from(negative);
    let window: &[u8; WINDOW] = json.get(start..)?.first_chunk()?;
    let whole = i64::from(window[0] ^ b'0');
    if window[1] != b'.' || whole > 9 {
        return None;
    }
    let first = Word::of(window, 2);
    let (mut mantissa, mut places) = (first.behind(whole), first.digits);
    let mut cut = 0;
    if first.digits == 8 {
        let second = Word::of(window, 10);
        mantissa = second.behind(mantissa);
        places += second.digits;
        if second.digits == 8 {
            cut = Word::of(window, 18).digits;
        }
    }
    if places == 0 || cut == 8 {
        return None;
    }
    let magnitude = nearest(mantissa, POWERS[places], cut > 0)?;
    Some((signed(magnitude, negative), start + 2 + places + cut))
}

/// Eight bytes, the first in the lowest place.
#[derive(Clone, Copy)]
struct Word {
    /// How many of them are digits before the first that is not.
    digits: usize,
    /// A digit as its value.
    values: u64,
}

impl Word {
    #[inline(always)]
    fn of(window: &[u8; WINDOW], at: usize) -> Self {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&window[at..at + 8]);
        let values = u64::from_le_bytes(bytes) ^ repeat(b'0');
        // The high bit of each byte above 9; a carry only spoils bytes behind the first of those.
        let others = (values.wrapping_add(repeat(0x76)) | values) & repeat(0x80);
        let digits = others.trailing_zeros() as usize / 8;
        Self { digits, values }
    }

    /// The number that these digits make behind those of `number`.
    #[inline(always)]
    fn behind(self, number: i64) -> i64 {
        const POWERS: [i64; 9] = [
            1,
            10,
            100,
            1_000,
            10_000,
            100_000,
            1_000_000,
            10_000_000,
            100_000_000,
        ];
        // The last digit goes to the highest byte, and zeros before the first. No digits is a shift by every bit.
        let missing = 64 - 8 * self.digits;
        let values = u32::try_from(missing)
            .ok()
            .and_then(|bits| self.values.checked_shl(bits));
        let values = values.unwrap_or(0);
        // Pairs of digits in every second byte, then all four of them, each times its power, in the upper half.
        let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
        let mask = 0x0000_00ff_0000_00ff;
        let odd = (pairs & mask).wrapping_mul(100 + (1_000_000 << 32));
        let even = (pairs >> 16 & mask).wrapping_mul(1 + (10_000 << 32));
        let value = odd.wrapping_add(even) >> 32;
        number * POWERS[self.digits] + value.cast_signed()
    }
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}
