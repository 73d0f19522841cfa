//! How many rows a request has, without decoding its columns.
//!
//! `num_rows` (7) comes behind the columns (5) in an `InsertRequest` and in an `UpsertRequest`. A column begins with its
//! length, so it is leapt over: of a request of megabytes some dozen bytes are looked at, a tag and a length for each
//! column. (tonic has gathered the frames of the request in one buffer before; that copy is all it costs.)

use prost::Message as _;
use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::proto::milvus::MutationResult;
use crate::proto::schema::{FieldData, field_data, scalar_field};

const FIELDS_DATA: u32 = 5;
const NUM_ROWS: u32 = 7;

/// What is known of a request whose bytes are gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) rows: u32,
    pub(super) bytes: u32,
    /// The first column, where keys are wanted.
    pub(super) keys: Vec<i64>,
}

/// Takes requests apart like this, and answers as ever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaps {
    pub(super) wants_keys: bool,
}

impl Codec for Leaps {
    type Encode = MutationResult;
    type Decode = Taken;
    type Encoder = ProstEncoder<MutationResult>;
    type Decoder = Leaps;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        *self
    }
}

impl Decoder for Leaps {
    type Item = Taken;
    type Error = Status;

    fn decode(&mut self, request: &mut DecodeBuf<'_>) -> Result<Option<Taken>, Status> {
        let taken = leap(request, self.wants_keys);
        let taken = taken.map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Some(taken))
    }
}

/// Leaps through all of `request`.
pub(super) fn leap(request: &mut impl Buf, wants_keys: bool) -> Result<Taken, prost::DecodeError> {
    let mut taken = Taken {
        bytes: u32::try_from(request.remaining()).unwrap_or(u32::MAX),
        ..Taken::default()
    };
    let mut columns = 0;
    while request.has_remaining() {
        let (tag, wire_type) = decode_key(request)?;
        match wire_type {
            WireType::LengthDelimited => {
                let length = decode_varint(request)?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let length = length.min(request.remaining());
                columns += u32::from(tag == FIELDS_DATA);
                if wants_keys && tag == FIELDS_DATA && columns == 1 {
                    taken.keys = keys(FieldData::decode(request.copy_to_bytes(length))?);
                } else {
                    request.advance(length);
                }
            }
            other => {
                let mut number = 0_u64;
                prost::encoding::uint64::merge(
                    other,
                    &mut number,
                    request,
                    prost::encoding::DecodeContext::default(),
                )?;
                if tag == NUM_ROWS {
                    taken.rows = u32::try_from(number).unwrap_or(u32::MAX);
                }
            }
        }
    }
    Ok(taken)
}

fn keys(column: FieldData) -> Vec<i64> {
    let Some(field_data::Field::Scalars(scalars)) = column.field else {
        return Vec::new();
    };
    match scalars.data {
        Some(scalar_field::Data::LongData(keys)) => keys.data,
        _ => Vec::new(),
    }
}
