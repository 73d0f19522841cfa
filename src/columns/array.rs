//! Arrays of scalars: one message of Milvus's per row, filled element by element.

use crate::decode::convert::{self, Value};
use crate::decode::misfit::Misfit;
use crate::milvus::arrays::Delimited;
use crate::milvus::proto::schema::scalar_field::Data;
use crate::milvus::proto::schema::{
    BoolArray, DataType, DoubleArray, FloatArray, IntArray, LongArray, ScalarField, StringArray,
};
use crate::milvus::schema::FieldType;

/// How the arrays of a field are read.
#[derive(Debug, Clone)]
pub(crate) struct Arrays {
    empty: Elements,
    max_capacity: Option<usize>,
}

/// The elements of one row, in the member of their type.
#[derive(Debug, Clone)]
pub(super) enum Elements {
    Bool(Vec<bool>),
    Int8(Vec<i32>),
    Int16(Vec<i32>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    VarChar(Delimited, Option<usize>),
}

impl Arrays {
    /// `None` where Milvus has no arrays of the type.
    pub(super) fn of(element: &FieldType, max_capacity: Option<usize>) -> Option<Self> {
        let empty = Elements::of(element)?;
        Some(Self {
            empty,
            max_capacity,
        })
    }

    /// One row. The message has its member even where the array is empty: without one it has no type.
    pub(super) fn read(&self, value: &Value<'_>) -> Result<ScalarField, Misfit> {
        convert::with_array(value, |array| {
            let len = array.len();
            if self.max_capacity.is_some_and(|max| len > max) {
                return Err(Misfit::Array(len));
            }
            let mut elements = self.empty.clone();
            for (index, item) in array.items().enumerate() {
                let fit = elements.push(&item);
                fit.map_err(|misfit| misfit.in_element(index))?;
            }
            Ok(elements.into_message())
        })
    }

    pub(super) fn element_type(&self) -> DataType {
        self.empty.data_type()
    }
}

impl Elements {
    pub(super) fn of(element: &FieldType) -> Option<Self> {
        Some(match element {
            FieldType::Bool => Self::Bool(Vec::new()),
            FieldType::Int8 => Self::Int8(Vec::new()),
            FieldType::Int16 => Self::Int16(Vec::new()),
            FieldType::Int32 => Self::Int32(Vec::new()),
            FieldType::Int64 => Self::Int64(Vec::new()),
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Double => Self::Double(Vec::new()),
            FieldType::VarChar { max_length } => Self::VarChar(Delimited::default(), *max_length),
            _ => return None,
        })
    }

    /// Null is not an element in any release of Milvus.
    pub(super) fn push(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        match self {
            Self::Bool(data) => data.push(convert::boolean(value)?),
            Self::Int8(data) => data.push(convert::integer::<i8>(value)?.into()),
            Self::Int16(data) => data.push(convert::integer::<i16>(value)?.into()),
            Self::Int32(data) => data.push(convert::integer(value)?),
            Self::Int64(data) => data.push(convert::integer(value)?),
            Self::Float(data) => data.push(convert::float(value)?),
            Self::Double(data) => data.push(convert::double(value)?),
            Self::VarChar(data, max_length) => {
                data.push(convert::varchar(value, *max_length)?.as_bytes());
            }
        }
        Ok(())
    }

    pub(super) fn into_message(self) -> ScalarField {
        let data = match self {
            Self::Bool(data) => Data::BoolData(BoolArray { data }),
            Self::Int8(data) | Self::Int16(data) | Self::Int32(data) => {
                Data::IntData(IntArray { data })
            }
            Self::Int64(data) => Data::LongData(LongArray { data }),
            Self::Float(data) => Data::FloatData(FloatArray { data }),
            Self::Double(data) => Data::DoubleData(DoubleArray { data }),
            Self::VarChar(data, _) => Data::StringData(StringArray { data }),
        };
        ScalarField { data: Some(data) }
    }

    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Bool(_) => DataType::Bool,
            Self::Int8(_) => DataType::Int8,
            Self::Int16(_) => DataType::Int16,
            Self::Int32(_) => DataType::Int32,
            Self::Int64(_) => DataType::Int64,
            Self::Float(_) => DataType::Float,
            Self::Double(_) => DataType::Double,
            Self::VarChar(..) => DataType::VarChar,
        }
    }
}
