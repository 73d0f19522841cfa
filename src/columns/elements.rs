//! Dense vectors of one type and dimension, one after the other, and all the forms in which a record may bring one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD_INDIFFERENT;

use crate::decode::convert::{self, Value};
use crate::decode::half::{BFLOAT16, FLOAT16, Half};
use crate::decode::misfit::Misfit;
use crate::decode::raw::Array;
use crate::decode::scan::Cursor;
use crate::milvus::proto::schema::{DataType, FloatArray, VectorField, vector_field};
use crate::milvus::schema::FieldType;

#[derive(Debug, Clone)]
pub(super) struct Elements {
    /// As the schema says it: bits of a BinaryVector, else numbers. Not 0.
    dim: usize,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Float(Vec<f32>),
    Bytes(Bytes, Vec<u8>),
}

/// The types that travel as bytes.
#[derive(Debug, Clone, Copy)]
enum Bytes {
    Binary,
    Float16,
    BFloat16,
    Int8,
}

impl Elements {
    /// None yet, of the type of a vector field; `None` for every other type and for a dimension that nothing has.
    pub(super) fn of(kind: &FieldType) -> Option<Self> {
        let bytes = |kind| Data::Bytes(kind, Vec::new());
        let (dim, data) = match kind {
            FieldType::FloatVector { dim } => (*dim, Data::Float(Vec::new())),
            FieldType::BinaryVector { dim } if dim % 8 == 0 => (*dim, bytes(Bytes::Binary)),
            FieldType::Float16Vector { dim } => (*dim, bytes(Bytes::Float16)),
            FieldType::BFloat16Vector { dim } => (*dim, bytes(Bytes::BFloat16)),
            FieldType::Int8Vector { dim } => (*dim, bytes(Bytes::Int8)),
            _ => return None,
        };
        (dim > 0).then_some(Self { dim, data })
    }

    /// Appends one vector, or nothing where the value does not fit.
    pub(super) fn append(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let inner = convert::embedded(value)?;
        let before = self.count();
        let appended = match inner.as_ref().unwrap_or(value) {
            Value::Array(array) => self.append_array(*array),
            Value::Text(text) => self.append_base64(text),
            other => Err(other.misfit()),
        };
        if appended.is_err() {
            self.truncate(before);
        }
        appended
    }

    /// Appends the vector that the array at `cursor` is, or nothing.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let before = self.count();
        let length = self.length();
        let read = match &mut self.data {
            Data::Float(data) => cursor.floats(length, data),
            Data::Bytes(..) => self.read_items(cursor, length),
        };
        if read.is_none() {
            self.truncate(before);
        }
        read
    }

    fn read_items(&mut self, cursor: &mut Cursor<'_>, length: usize) -> Option<()> {
        cursor.require(b'[')?;
        cursor.space();
        for _ in 1..length {
            self.append_item(&Value::Number(cursor.number()?)).ok()?;
            if cursor.comma_or(b']')? {
                return None;
            }
        }
        self.append_item(&Value::Number(cursor.number()?)).ok()?;
        cursor.comma_or(b']')?.then_some(())
    }

    /// Elements of an array that is a vector.
    fn length(&self) -> usize {
        match &self.data {
            Data::Bytes(Bytes::Binary, _) => self.dim / 8,
            _ => self.dim,
        }
    }

    /// How many vectors there are.
    pub(super) fn count(&self) -> usize {
        match &self.data {
            Data::Float(data) => data.len() / self.dim,
            Data::Bytes(kind, data) => data.len() / kind.size(self.dim),
        }
    }

    /// Drops the vectors after the first `vectors`.
    pub(super) fn truncate(&mut self, vectors: usize) {
        match &mut self.data {
            Data::Float(data) => data.truncate(vectors * self.dim),
            Data::Bytes(kind, data) => data.truncate(vectors * kind.size(self.dim)),
        }
    }

    /// Drops the vectors whose flag is set.
    pub(super) fn bury(&mut self, dead: &[bool]) {
        match &mut self.data {
            Data::Float(data) => bury(data, self.dim, dead),
            Data::Bytes(kind, data) => bury(data, kind.size(self.dim), dead),
        }
    }

    /// Bytes that are allocated.
    pub(super) fn room(&self) -> usize {
        match &self.data {
            Data::Float(data) => size_of::<f32>() * data.capacity(),
            Data::Bytes(_, data) => data.capacity(),
        }
    }

    /// Bytes of one vector.
    pub(super) fn size(&self) -> usize {
        match &self.data {
            Data::Float(_) => size_of::<f32>() * self.dim,
            Data::Bytes(kind, _) => kind.size(self.dim),
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match &self.data {
            Data::Float(_) => DataType::FloatVector,
            Data::Bytes(Bytes::Binary, _) => DataType::BinaryVector,
            Data::Bytes(Bytes::Float16, _) => DataType::Float16Vector,
            Data::Bytes(Bytes::BFloat16, _) => DataType::BFloat16Vector,
            Data::Bytes(Bytes::Int8, _) => DataType::Int8Vector,
        }
    }

    /// All of them; none is left.
    pub(super) fn take(&mut self) -> Self {
        let data = match &mut self.data {
            Data::Float(data) => Data::Float(std::mem::take(data)),
            Data::Bytes(kind, data) => Data::Bytes(*kind, std::mem::take(data)),
        };
        Self {
            dim: self.dim,
            data,
        }
    }

    /// Gives the room of what was taken back, for other vectors.
    pub(super) fn reuse(&mut self, vectors: VectorField) {
        use vector_field::Data as Member;
        match (&mut self.data, vectors.data) {
            (Data::Float(data), Some(Member::FloatVector(array))) => {
                *data = array.data;
                data.clear();
            }
            (
                Data::Bytes(_, data),
                Some(
                    Member::BinaryVector(bytes)
                    | Member::Float16Vector(bytes)
                    | Member::Bfloat16Vector(bytes)
                    | Member::Int8Vector(bytes),
                ),
            ) => {
                *data = bytes;
                data.clear();
            }
            _ => {}
        }
    }

    /// The dimension and the type's own member, also where there is no vector.
    pub(super) fn into_message(self) -> VectorField {
        use vector_field::Data as Member;
        let member = match self.data {
            Data::Float(data) => Member::FloatVector(FloatArray { data }),
            Data::Bytes(Bytes::Binary, data) => Member::BinaryVector(data),
            Data::Bytes(Bytes::Float16, data) => Member::Float16Vector(data),
            Data::Bytes(Bytes::BFloat16, data) => Member::Bfloat16Vector(data),
            Data::Bytes(Bytes::Int8, data) => Member::Int8Vector(data),
        };
        VectorField {
            // Milvus's own limit of a dimension is 32,768.
            dim: i64::try_from(self.dim).unwrap_or(i64::MAX),
            data: Some(member),
        }
    }

    fn append_array(&mut self, array: Array<'_>) -> Result<(), Misfit> {
        let length = self.length();
        let mut unfit = None;
        let mut count = 0;
        for item in array.items() {
            if unfit.is_none() && count < length {
                unfit = self.append_item(&item).err();
                unfit = unfit.map(|misfit| misfit.in_element(count));
            }
            count += 1;
        }
        match unfit {
            _ if count != length => Err(Misfit::Array(count)),
            Some(misfit) => Err(misfit),
            None => Ok(()),
        }
    }

    fn append_item(&mut self, item: &Value<'_>) -> Result<(), Misfit> {
        match &mut self.data {
            Data::Float(data) => data.push(convert::float(item)?),
            Data::Bytes(Bytes::Binary, data) => data.push(convert::element(item)?),
            Data::Bytes(Bytes::Int8, data) => {
                data.push(convert::element::<i8>(item)?.cast_unsigned());
            }
            Data::Bytes(Bytes::Float16, data) => {
                data.extend_from_slice(&convert::half(item, FLOAT16)?.to_le_bytes());
            }
            Data::Bytes(Bytes::BFloat16, data) => {
                data.extend_from_slice(&convert::half(item, BFLOAT16)?.to_le_bytes());
            }
        }
        Ok(())
    }

    fn append_base64(&mut self, text: &str) -> Result<(), Misfit> {
        let size = self.size();
        let not_base64 = |_| Misfit::Text(text.len());
        let fits = |bytes: usize| {
            if bytes == size {
                Ok(())
            } else {
                Err(Misfit::Base64(bytes))
            }
        };
        match &mut self.data {
            Data::Float(data) => {
                let bytes = STANDARD_NO_PAD_INDIFFERENT.decode(text);
                let bytes = bytes.map_err(not_base64)?;
                fits(bytes.len())?;
                let (words, _) = bytes.as_chunks();
                for (index, word) in words.iter().enumerate() {
                    let number = f32::from_le_bytes(*word);
                    if !number.is_finite() {
                        return Err(Misfit::NotFinite(index));
                    }
                    data.push(number);
                }
            }
            Data::Bytes(kind, data) => {
                let start = data.len();
                let decoded = STANDARD_NO_PAD_INDIFFERENT.decode_vec(text, data);
                decoded.map_err(not_base64)?;
                let bytes = data.get(start..).unwrap_or_default();
                fits(bytes.len())?;
                kind.half().map_or(Ok(()), |half| finite(half, bytes))?;
            }
        }
        Ok(())
    }
}

impl Bytes {
    /// Bytes of one vector.
    fn size(self, dim: usize) -> usize {
        match self {
            Self::Binary => dim / 8,
            Self::Float16 | Self::BFloat16 => 2 * dim,
            Self::Int8 => dim,
        }
    }

    fn half(self) -> Option<Half> {
        match self {
            Self::Float16 => Some(FLOAT16),
            Self::BFloat16 => Some(BFLOAT16),
            Self::Binary | Self::Int8 => None,
        }
    }
}

fn finite(half: Half, bytes: &[u8]) -> Result<(), Misfit> {
    let (words, _) = bytes.as_chunks();
    let is_finite = |word: &[u8; 2]| half.is_finite(u16::from_le_bytes(*word));
    // All of them without a branch first: several at a time.
    if words.iter().fold(true, |all, word| all & is_finite(word)) {
        return Ok(());
    }
    match words.iter().position(|word| !is_finite(word)) {
        Some(index) => Err(Misfit::NotFinite(index)),
        None => Ok(()),
    }
}

/// Closes the gaps of dead vectors, `width` values each.
fn bury<T: Copy>(data: &mut Vec<T>, width: usize, dead: &[bool]) {
    let mut kept = 0;
    for vector in 0..data.len() / width {
        if dead.get(vector).is_some_and(|dead| *dead) {
            continue;
        }
        let start = vector * width;
        data.copy_within(start..start + width, kept);
        kept += width;
    }
    data.truncate(kept);
}
