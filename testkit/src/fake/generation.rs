//! What the generations of Milvus have, and the code by which each refuses.

use crate::proto::schema::{CollectionSchema, DataType, FieldSchema, StructArrayFieldSchema};

/// Which Milvus it behaves like: the newest release of each line that was known when this was written, but for the
/// first, which is 2.3.5.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    V2_3,
    V2_4,
    V2_5,
    V2_6,
    /// Has every type.
    #[default]
    V3_0,
}

/// Code and reason of an answer that is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: i32,
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(code: i32, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// Everybody's code for a request that is wrong.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new(1100, format!("{}: invalid parameter", text.into()))
    }
}

/// What came as a bare error before the errors got codes.
pub(super) const UNEXPECTED: i32 = 65_535;
const IO_FAILED: i32 = 1001;

impl Generation {
    pub const ALL: [Self; 5] = [Self::V2_3, Self::V2_4, Self::V2_5, Self::V2_6, Self::V3_0];

    pub fn version(self) -> &'static str {
        match self {
            Self::V2_3 => "v2.3.5-fake",
            Self::V2_4 => "v2.4.18-fake",
            Self::V2_5 => "v2.5.27-fake",
            Self::V2_6 => "v2.6.19-fake",
            Self::V3_0 => "v3.0.0-fake",
        }
    }

    /// The most bytes of a request.
    pub(super) fn max_request_bytes(self) -> usize {
        if self == Self::V3_0 {
            128 << 20
        } else {
            64 << 20
        }
    }

    /// An error in a value, which got its code in 2.6.
    pub(super) fn bad_value(self, text: impl Into<String>) -> Refusal {
        match self {
            Self::V2_6 | Self::V3_0 => Refusal::invalid(text),
            _ => Refusal::new(UNEXPECTED, text),
        }
    }

    /// JSON that is none, in the words of the decoder.
    pub(super) fn bad_json(self, text: impl Into<String>) -> Refusal {
        match self {
            Self::V2_6 | Self::V3_0 => Refusal::invalid(text),
            _ => Refusal::new(IO_FAILED, text),
        }
    }

    /// A column of another type than its field's. 2.3 says OK and dies when it reads the row.
    pub(super) fn bad_shape(self, text: impl Into<String>) -> Refusal {
        match self {
            Self::V2_3 => Refusal::new(
                UNEXPECTED,
                format!("2.3.5 would die of this: {}", text.into()),
            ),
            _ => Refusal::invalid(text),
        }
    }

    /// Nulls, and so `valid_data`.
    pub(super) fn has_nulls(self) -> bool {
        self >= Self::V2_5
    }

    /// Why it has no such collection.
    pub fn lacks(self, schema: &CollectionSchema) -> Option<String> {
        let structs = &schema.struct_array_fields;
        let lacking = schema
            .fields
            .iter()
            .filter_map(|field| self.lacks_field(field));
        let in_structs = structs
            .iter()
            .filter_map(|field| self.lacks_struct_array(field));
        lacking.chain(in_structs).next()
    }

    fn lacks_field(self, field: &FieldSchema) -> Option<String> {
        let name = &field.name;
        let data_type = field.data_type();
        let since = match data_type {
            DataType::None
            | DataType::String
            | DataType::Struct
            | DataType::ArrayOfStruct
            | DataType::ArrayOfVector => {
                return Some(format!("field '{name}': no generation has {data_type:?}"));
            }
            DataType::SparseFloatVector => Self::V2_4,
            DataType::Geometry => Self::V2_5,
            DataType::Int8Vector | DataType::Timestamptz => Self::V2_6,
            DataType::Text => Self::V3_0,
            _ => Self::V2_3,
        };
        let nulls = match data_type {
            _ if !field.nullable => Self::V2_3,
            _ if is_vector(data_type) => Self::V2_6,
            _ => Self::V2_5,
        };
        let keys = field.is_primary_key || field.is_partition_key;
        if keys && field.nullable {
            return Some(format!("field '{name}': a key is never null"));
        }
        (self < since.max(nulls)).then(|| format!("field '{name}': {self:?} has no such field"))
    }

    fn lacks_struct_array(self, field: &StructArrayFieldSchema) -> Option<String> {
        let since = if field.nullable {
            Self::V3_0
        } else {
            Self::V2_6
        };
        let name = &field.name;
        (self < since).then(|| format!("struct array '{name}': {self:?} has no such field"))
    }
}

pub(super) fn is_vector(data_type: DataType) -> bool {
    (DataType::BinaryVector as i32..=DataType::ArrayOfVector as i32).contains(&(data_type as i32))
}
