//! All headers of a record in one piece of bytes, in their order: what a dead letter has to bring along.
//!
//! One header is the length of its name, its name, the length of its value plus 1, or 0 for a null, and its value. A
//! length takes as many bytes as it needs, 7 bits in each, the low ones first; all but the last have the 8th bit set.

use std::ops::Range;

/// Appends a header; returns where its value lies.
pub(crate) fn put(name: &[u8], value: Option<&[u8]>, bytes: &mut Vec<u8>) -> Option<Range<usize>> {
    put_length(name.len(), bytes);
    bytes.extend_from_slice(name);
    put_length(value.map_or(0, |value| value.len() + 1), bytes);
    let start = bytes.len();
    bytes.extend_from_slice(value.unwrap_or_default());
    value.map(|_| start..bytes.len())
}

fn put_length(mut length: usize, bytes: &mut Vec<u8>) {
    while length >= 0x80 {
        bytes.push(low_bits(length) | 0x80);
        length >>= 7;
    }
    bytes.push(low_bits(length));
}

#[expect(clippy::cast_possible_truncation, reason = "7 bits are kept")]
fn low_bits(length: usize) -> u8 {
    (length & 0x7f) as u8
}

/// The headers in such a piece: name, which need not be text, and value.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn part(&mut self, length: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(part)
    }

    fn length(&mut self) -> Option<usize> {
        let mut length = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            length |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(length);
            }
        }
        None
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let length = self.length()?;
        let name = self.part(length)?;
        let value = match self.length()? {
            0 => None,
            length => Some(self.part(length - 1)?),
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = Vec<(Vec<u8>, Option<Vec<u8>>)>;

    fn check(headers: &Owned) {
        let mut bytes = b"before".to_vec();
        for (name, value) in headers {
            let place = put(name, value.as_deref(), &mut bytes);
            assert_eq!(
                place.map(|place| &bytes[place]),
                value.as_deref(),
                "its place"
            );
        }
        let found: Owned = Headers::of(&bytes[6..])
            .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
            .collect();
        assert_eq!(&found, headers);
    }

    #[test]
    fn nothing_null_empty_and_long_are_told_apart() {
        let of = |name: &str, value: Option<&[u8]>| (name.into(), value.map(<[u8]>::to_vec));
        check(&vec![]);
        check(&vec![
            of("null", None),
            of("empty", Some(b"")),
            of("", Some(b"of no name")),
            of("twice", Some(b"1")),
            of("twice", Some(b"2")),
        ]);
        for length in [126, 127, 128, 16_382, 16_383, 16_384, 3_000_000] {
            check(&vec![
                of("long", Some(&vec![7; length])),
                of("after", Some(b"x")),
            ]);
        }
    }

    #[test]
    fn few_bytes_are_added() {
        let mut bytes = Vec::new();
        put(b"trace", Some(b"abc"), &mut bytes);
        assert_eq!(bytes, b"\x05trace\x04abc");
    }

    proptest! {
        #[test]
        fn any_headers_come_back_in_their_order(headers: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
            check(&headers);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes: Vec<u8>) {
            assert!(Headers::of(&bytes).count() <= bytes.len());
        }
    }
}
