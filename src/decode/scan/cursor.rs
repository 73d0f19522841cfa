//! A place in JSON text, and steps from there that check the grammar on their way. Where a step gives nothing the place
//! is no longer of use.

use std::borrow::Cow;

use crate::decode::convert::Value;
use crate::decode::floats;

use super::text::{EACH, HIGH_BITS};

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes on by so many bytes, which the caller has looked at.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The text from `start`, an earlier place, up to here.
    pub(super) fn since(&self, start: &Self) -> Option<&'a str> {
        self.text.get(start.at..self.at)
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    pub(crate) fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(crate) fn require(&mut self, wanted: u8) -> Option<()> {
        self.take(wanted).then_some(())
    }

    #[inline]
    pub(crate) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// From the end of a member's name to the beginning of its value.
    #[inline]
    pub(crate) fn colon(&mut self) -> Option<()> {
        self.space();
        self.require(b':')?;
        self.space();
        Some(())
    }

    /// From behind an element to the next one; whether `close` came instead.
    #[inline]
    pub(crate) fn comma_or(&mut self, close: u8) -> Option<bool> {
        self.space();
        match self.next()? {
            b',' => {
                self.space();
                Some(false)
            }
            byte => (byte == close).then_some(true),
        }
    }

    /// A value that is neither an array nor an object. What has escapes is unescaped into `scratch`.
    pub(crate) fn scalar<'s>(&mut self, scratch: &'s mut String) -> Option<Value<'s>>
    where
        'a: 's,
    {
        match self.peek()? {
            b'"' => {
                let text = self.string(scratch)?;
                Some(Value::Text(Cow::Borrowed(text)))
            }
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            b'n' => self.literal("null").map(|()| Value::Null),
            b't' => self.literal("true").map(|()| Value::Boolean(true)),
            b'f' => self.literal("false").map(|()| Value::Boolean(false)),
            _ => None,
        }
    }

    pub(super) fn literal(&mut self, word: &str) -> Option<()> {
        let found = self.rest().starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(())
    }

    /// The text of a number.
    pub(crate) fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take(b'-');
        match self.next()? {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.take(b'.') {
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        self.text.get(start..self.at)
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Option<()> {
        let start = self.at;
        self.digits();
        (self.at > start).then_some(())
    }

    /// The nearest f32 to a number, if that is finite.
    #[inline(always)]
    pub(crate) fn float(&mut self) -> Option<f32> {
        let (number, end) = floats::number(self.text.as_bytes(), self.at)?;
        self.at = end;
        Some(number)
    }

    /// Appends the numbers of an array that has so many, or nothing.
    pub(crate) fn floats(&mut self, count: usize, out: &mut Vec<f32>) -> Option<()> {
        self.require(b'[')?;
        self.at = floats::read(self.text.as_bytes(), self.at, count, out)?;
        Some(())
    }

    /// Appends pairs of a sparse vector and goes past them; see [`floats::pairs`].
    pub(crate) fn pairs(&mut self, out: &mut Vec<floats::Pair>) {
        self.at = floats::pairs(self.text.as_bytes(), self.at, out);
    }

    /// A whole number that is written with a few digits and nothing else.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let magnitude = self.magnitude()?;
        let is_whole = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        is_whole.then_some(if negative { -magnitude } else { magnitude })
    }

    /// The number that a few digits make.
    #[inline(always)]
    pub(crate) fn magnitude(&mut self) -> Option<i64> {
        /// As many always fit.
        const MAX_DIGITS: usize = 18;
        let digits = self.rest();
        let (mut number, mut count) = digits.first_chunk().map_or((0, 0), leading_digits);
        // They are all that there are, unless they fill the word or there was none.
        if count == 0 || count == 8 {
            while let Some(digit @ b'0'..=b'9') = digits.get(count) {
                if count == MAX_DIGITS {
                    return None;
                }
                number = number * 10 + i64::from(digit & 0x0f);
                count += 1;
            }
        }
        self.at += count;
        (count == 1 || (count > 1 && digits.first() != Some(&b'0'))).then_some(number)
    }
}

/// The number that the digits at the beginning of a word make, and how many they are.
#[inline]
fn leading_digits(word: &[u8; 8]) -> (i64, usize) {
    let values = u64::from_le_bytes(*word) ^ (u64::from(b'0') * EACH);
    // The high bit of each byte above 9. A carry spoils only what is behind the first of those.
    let others = (values.wrapping_add(0x76 * EACH) | values) & HIGH_BITS;
    let bits = others.trailing_zeros() & !7;
    // The last digit goes to the highest byte, and zeros before the first.
    let values = values.checked_shl(64 - bits).unwrap_or(0);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (eight.cast_signed(), bits as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn whole_numbers_are_read_where_they_are_plain() {
        let check = |text: &str, expected: Option<i64>, rest: &str| {
            let mut cursor = Cursor::new(text);
            let found = cursor.integer();
            assert_eq!(found, expected, "{text}");
            assert!(
                found.is_none() || cursor.rest() == rest.as_bytes(),
                "{text}"
            );
        };
        check("0", Some(0), "");
        check("-0,", Some(0), ",");
        check("7}", Some(7), "}");
        check("-120 ,        ", Some(-120), " ,        ");
        check("12345678, 12345678", Some(12_345_678), ", 12345678");
        check("1234567890123 ", Some(1_234_567_890_123), " ");
        check("-120 ,", Some(-120), " ,");
        check("999999999999999999]", Some(999_999_999_999_999_999), "]");
        check("-999999999999999999", Some(-999_999_999_999_999_999), "");
        for other in [
            "",
            "-",
            "01",
            "-00",
            "1.0",
            "1e2",
            "1E2",
            "+1",
            "x",
            "9223372036854775807",
            "99999999999999999999999999999",
        ] {
            check(other, None, "");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn digits_make_their_number(number in any::<i64>(), shift in 0..64_u32, behind in "[,/:\\x00\\x7f -]{0,9}") {
            let number = number >> shift;
            let text = format!("{number}{behind}");
            let mut cursor = Cursor::new(&text);
            match cursor.integer() {
                Some(found) => prop_assert_eq!((found, cursor.rest()), (number, behind.as_bytes())),
                None => prop_assert!(number.unsigned_abs() > 999_999_999_999_999_999),
            }
        }

        #[test]
        fn numbers_are_those_of_json(text in "-?[-+0-9.eE]{0,8}") {
            let mut cursor = Cursor::new(&text);
            let whole = cursor.number().filter(|_| cursor.is_at_end());
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(whole, is_json.then_some(text.as_str()));
        }
    }
}
