//! The arrays that make up most of a request, held as they travel. prost's own types take an allocation for every
//! string and write floats one by one; on the wire nothing is different.

mod delimited;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{
    self, DecodeContext, WireType, encode_key, encode_varint, int64, skip_field,
};
use prost::{DecodeError, Message};

pub use delimited::Delimited;

/// The number of the one field that `StringArray`, `JSONArray`, `GeometryWktArray` and `FloatArray` have, and of the rows
/// in a `SparseFloatArray`.
const DATA: u32 = 1;
/// In `SparseFloatArray`.
const DIM: u32 = 2;
/// Floats put into a buffer at a time.
const STRETCH: usize = 256;

/// `StringArray`, `JSONArray` and `GeometryWktArray`: strings and bytes travel alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DelimitedArray {
    pub data: Delimited,
}

/// `SparseFloatArray`
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SparseFloatArray {
    /// One row each: pairs of u32 index and f32 value, little-endian, indices strictly increasing.
    pub contents: Delimited,
    pub dim: i64,
}

/// `FloatArray`
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FloatArray {
    pub data: Vec<f32>,
}

impl Message for DelimitedArray {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(self.data.wire());
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            DATA => self.data.merge(wire_type, buffer, context),
            _ => skip_field(wire_type, tag, buffer, context),
        }
    }

    fn encoded_len(&self) -> usize {
        self.data.wire().len()
    }

    fn clear(&mut self) {
        self.data.clear();
    }
}

impl Message for SparseFloatArray {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(self.contents.wire());
        if self.dim != 0 {
            int64::encode(DIM, &self.dim, buffer);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            DATA => self.contents.merge(wire_type, buffer, context),
            DIM => int64::merge(wire_type, &mut self.dim, buffer, context),
            _ => skip_field(wire_type, tag, buffer, context),
        }
    }

    fn encoded_len(&self) -> usize {
        let dim = match self.dim {
            0 => 0,
            dim => int64::encoded_len(DIM, &dim),
        };
        self.contents.wire().len() + dim
    }

    fn clear(&mut self) {
        self.contents.clear();
        self.dim = 0;
    }
}

impl Message for FloatArray {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        if self.data.is_empty() {
            return;
        }
        encode_key(DATA, WireType::LengthDelimited, buffer);
        encode_varint(size_of_val(&self.data[..]) as u64, buffer);
        // By way of a stretch that stays in the cache: as fast as one copy, whatever the machine's order of bytes.
        let mut bytes = [[0; size_of::<f32>()]; STRETCH];
        for floats in self.data.chunks(STRETCH) {
            let bytes = &mut bytes[..floats.len()];
            for (bytes, float) in bytes.iter_mut().zip(floats) {
                *bytes = float.to_le_bytes();
            }
            buffer.put_slice(bytes.as_flattened());
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            DATA => encoding::float::merge_repeated(wire_type, &mut self.data, buffer, context),
            _ => skip_field(wire_type, tag, buffer, context),
        }
    }

    fn encoded_len(&self) -> usize {
        encoding::float::encoded_len_packed(DATA, &self.data)
    }

    fn clear(&mut self) {
        self.data.clear();
    }
}

#[cfg(test)]
mod tests;
