//! Strings at the place of a cursor, read eight bytes at a time up to what ends them or is written in another way.

use super::cursor::Cursor;

/// One in every byte of a word.
pub(super) const EACH: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGH_BITS: u64 = 0x80 * EACH;

impl<'a> Cursor<'a> {
    /// The text that a string stands for; in `scratch`, where it has escapes.
    pub(crate) fn string<'s>(&mut self, scratch: &'s mut String) -> Option<&'s str>
    where
        'a: 's,
    {
        self.require(b'"')?;
        let text = self.run()?;
        match self.next()? {
            b'"' => Some(text),
            b'\\' => self.unescaped(text, scratch),
            _ => None,
        }
    }

    /// The rest of a string that began with `text` and goes on behind a backslash.
    fn unescaped<'s>(&mut self, text: &str, scratch: &'s mut String) -> Option<&'s str> {
        scratch.clear();
        scratch.push_str(text);
        loop {
            scratch.push(self.escape()?);
            scratch.push_str(self.run()?);
            match self.next()? {
                b'"' => return Some(scratch),
                b'\\' => {}
                _ => return None,
            }
        }
    }

    /// Goes past a string. An escape may be half a surrogate pair: where nobody reads it, that is JSON.
    pub(super) fn skip_string(&mut self) -> Option<()> {
        self.require(b'"')?;
        loop {
            self.run()?;
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        self.hexadecimal()?;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// The characters up to the next quote, backslash or control character.
    fn run(&mut self) -> Option<&'a str> {
        let start = self.clone();
        self.advance(plain(self.rest()));
        self.since(&start)
    }

    /// What an escape stands for, from behind its backslash.
    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.character(),
            _ => return None,
        })
    }

    /// One UTF-16 unit, or two that belong together.
    fn character(&mut self) -> Option<char> {
        let unit = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.literal("\\u")?;
        let low = self.hexadecimal()?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let (digits, _) = self.rest().split_first_chunk::<4>()?;
        self.advance(digits.len());
        digits.iter().try_fold(0, |number, digit| {
            Some(number << 4 | char::from(*digit).to_digit(16)?)
        })
    }
}

/// How many bytes come before the first quote, backslash or control character.
fn plain(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let in_rest = rest.iter().position(is_special).unwrap_or(rest.len());
    words.len() * 8 + in_rest
}

/// The high bit of each byte that ends a run. Above the lowest of them further bits may be set that mean nothing: the
/// subtractions borrow.
fn special(word: u64) -> u64 {
    let quote = word ^ (u64::from(b'"') * EACH);
    let backslash = word ^ (u64::from(b'\\') * EACH);
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * EACH) & !word;
    (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn the_first_byte_that_ends_a_run_is_found_wherever_it_stands() {
        for length in 0..40 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let ends = matches!(byte, b'"' | b'\\' | 0..0x20);
                    let expected = if ends { at } else { length };
                    assert_eq!(plain(&text), expected, "{byte} at {at} of {length}");
                }
            }
        }
        assert_eq!(plain(b"abc\"\\\x01defghijk"), 3);
        assert_eq!(plain(b"abcdefghij \x1f\"\\"), 11);
    }

    #[test]
    fn escapes_stand_for_characters() {
        let check = |json: &str, expected: Option<&str>| {
            let mut scratch = String::from("old");
            let mut cursor = Cursor::new(json);
            let found = cursor.string(&mut scratch).map(str::to_owned);
            assert_eq!(found.as_deref(), expected, "{json}");
            assert!(found.is_none() || cursor.rest() == b",", "{json}");
        };
        check(r#""","#, Some(""));
        check(r#""é","#, Some("é"));
        check(r#""\"\\\/\b\f\n\r\t","#, Some("\"\\/\u{8}\u{c}\n\r\t"));
        check(
            r#""a\u00e9b\u2028\ud83d\ude00\uD83D\uDE00c","#,
            Some("aéb\u{2028}😀😀c"),
        );
        check(r#""\u0000","#, Some("\0"));
        for broken in [
            "",
            "\"",
            "\"a",
            "\"a\\",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
            r#""\ud83d\ud83d""#,
            r#""\ude00""#,
        ] {
            check(broken, None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn strings_are_those_of_json(
            inner in "(\\PC|[a-f0-9]{1,20}|\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-fA-F]{3,5}|\\\\u[dD][89a-fA-F]..|[\"\x00-\x20]){0,8}",
        ) {
            let json = format!("\"{inner}\"");
            let (mut cursor, mut scratch) = (Cursor::new(&json), String::new());
            let text = cursor.string(&mut scratch).filter(|_| cursor.is_at_end());
            let expected: Option<String> = serde_json::from_str(&json).ok();
            prop_assert_eq!(text, expected.as_deref());

            let mut cursor = Cursor::new(&json);
            let is_json = cursor.skip_string().is_some() && cursor.is_at_end();
            prop_assert_eq!(is_json, serde_json::from_str::<IgnoredAny>(&json).is_ok());
        }
    }
}
