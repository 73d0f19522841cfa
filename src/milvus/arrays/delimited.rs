//! Values of strings or bytes as a repeated field brings them to a server.

use std::fmt;

use prost::DecodeError;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, bytes, encode_varint};

/// Field 1, length-delimited.
const TAG: u8 = 1 << 3 | 2;

/// Tag, length and bytes of each value, one after the other.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Delimited {
    wire: Vec<u8>,
    /// Where each value ends in `wire`.
    ends: Vec<usize>,
}

impl Delimited {
    pub fn push(&mut self, value: &[u8]) {
        self.wire.push(TAG);
        encode_varint(value.len() as u64, &mut self.wire);
        self.wire.extend_from_slice(value);
        self.ends.push(self.wire.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let value = self.wire.get(self.start(index)..end)?;
        // A varint ends with the first byte that has no high bit.
        let length = value.iter().skip(1).position(u8::is_ascii)? + 1;
        value.get(1 + length..)
    }

    /// The value as text; `None` as well where it is none.
    pub fn text(&self, index: usize) -> Option<&str> {
        std::str::from_utf8(self.get(index)?).ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// What the last value takes in a message.
    pub fn last_size(&self) -> usize {
        match self.len().checked_sub(1) {
            Some(last) => self.wire.len() - self.start(last),
            None => 0,
        }
    }

    /// Drops the values after the first `len`.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.wire.truncate(self.start(len));
            self.ends.truncate(len);
        }
    }

    /// Keeps the values whose flag in `dead` is not set; those past the end of `dead` are alive.
    pub fn bury(&mut self, dead: &[bool]) {
        let (mut start, mut kept, mut kept_bytes) = (0, 0, 0);
        for index in 0..self.len() {
            let end = self.ends[index];
            if !dead.get(index).is_some_and(|dead| *dead) {
                self.wire.copy_within(start..end, kept_bytes);
                kept_bytes += end - start;
                self.ends[kept] = kept_bytes;
                kept += 1;
            }
            start = end;
        }
        self.truncate(kept);
    }

    /// Room is kept.
    pub fn clear(&mut self) {
        self.wire.clear();
        self.ends.clear();
    }

    /// Bytes that are allocated.
    pub fn room(&self) -> usize {
        self.wire.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// All values as they travel.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Appends a value as prost finds it in a message.
    pub(super) fn merge(
        &mut self,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let mut value = Vec::new();
        bytes::merge(wire_type, &mut value, buffer, context)?;
        self.push(&value);
        Ok(())
    }

    fn start(&self, index: usize) -> usize {
        let before = index.checked_sub(1);
        before.map_or(0, |before| self.ends.get(before).copied().unwrap_or(0))
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Delimited {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut delimited = Self::default();
        for value in values {
            delimited.push(value.as_ref());
        }
        delimited
    }
}

/// As texts, where they are.
impl fmt::Debug for Delimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| match std::str::from_utf8(value) {
            Ok(text) => Box::new(text) as Box<dyn fmt::Debug>,
            Err(_) => Box::new(value),
        };
        f.debug_list().entries(self.iter().map(shown)).finish()
    }
}
