//! A reply to `DescribeCollection` → [`Schema`].

use super::proto::common::KeyValuePair;
use super::proto::milvus::DescribeCollectionResponse;
use super::proto::schema::{
    DataType, FieldSchema, StructArrayFieldSchema, ValueField, value_field,
};
use super::schema::{DefaultValue, Field, FieldType, Schema, StructArray, StructField};

/// Fields of Milvus's own that some servers list.
const SYSTEM_FIELDS: [&str; 3] = ["RowID", "Timestamp", "$meta"];

impl Schema {
    /// `collection` is the name asked for, which may be an alias. The error says what the reply lacks. Public for the fuzz
    /// target.
    #[doc(hidden)]
    pub fn from_reply(collection: &str, reply: DescribeCollectionResponse) -> Result<Self, String> {
        let schema = reply.schema.ok_or("Milvus described it without a schema")?;
        let properties = [reply.properties, schema.properties].concat();
        Ok(Self {
            collection: collection.to_owned(),
            collection_id: reply.collection_id,
            timestamp: reply.update_timestamp,
            fields: schema
                .fields
                .iter()
                .filter(|field| !field.is_dynamic && !SYSTEM_FIELDS.contains(&field.name.as_str()))
                .map(Field::from_proto)
                .chain(schema.struct_array_fields.iter().map(Field::of_structs))
                .collect::<Result<_, _>>()?,
            dynamic: schema.enable_dynamic_field,
            allow_insert_auto_id: properties.iter().any(|property| {
                property.key == "allow_insert_auto_id"
                    && property.value.eq_ignore_ascii_case("true")
            }),
            version: None,
        })
    }
}

impl Field {
    fn from_proto(field: &FieldSchema) -> Result<Self, String> {
        Ok(Self {
            name: field.name.as_str().into(),
            kind: FieldType::from_proto(field)?,
            primary_key: field.is_primary_key,
            auto_id: field.auto_id,
            partition_key: field.is_partition_key,
            nullable: field.nullable,
            default: field
                .default_value
                .as_ref()
                .and_then(DefaultValue::from_proto),
            function_output: field.is_function_output,
        })
    }

    fn of_structs(array: &StructArrayFieldSchema) -> Result<Self, String> {
        let field = |field: &FieldSchema| {
            let name = field.name.as_str().into();
            FieldType::from_proto(field).map(|kind| StructField { name, kind })
        };
        let fields = array.fields.iter().map(field);
        let fields: Vec<StructField> = fields.collect::<Result<_, _>>()?;
        // 2.6 says the limit only with the fields.
        let of_fields = fields.iter().filter_map(|field| match field.kind {
            FieldType::Array { max_capacity, .. } => max_capacity,
            FieldType::ArrayOfVector { max_capacity, .. } => max_capacity,
            _ => None,
        });
        let max_capacity = parameter(&array.type_params, "max_capacity").or(of_fields.min());
        Ok(Self {
            name: array.name.as_str().into(),
            kind: FieldType::ArrayOfStruct(StructArray {
                fields,
                max_capacity,
            }),
            primary_key: false,
            auto_id: false,
            partition_key: false,
            nullable: array.nullable,
            default: None,
            function_output: false,
        })
    }
}

impl FieldType {
    fn from_proto(field: &FieldSchema) -> Result<Self, String> {
        Self::of(field.data_type, field)
    }

    /// The type of this number, by the parameters and the element type of `field`.
    fn of(number: i32, field: &FieldSchema) -> Result<Self, String> {
        let Ok(data_type) = DataType::try_from(number) else {
            return Ok(Self::Unknown(number));
        };
        let dim = || {
            parameter(&field.type_params, "dim")
                .filter(|dim| *dim > 0)
                .ok_or_else(|| {
                    format!(
                        "Milvus describes vector field '{}' without a dim",
                        field.name
                    )
                })
        };
        Ok(match data_type {
            DataType::Array => Self::Array {
                element: Box::new(Self::scalar(field.element_type, &field.type_params)),
                max_capacity: parameter(&field.type_params, "max_capacity"),
            },
            DataType::FloatVector => Self::FloatVector { dim: dim()? },
            DataType::BinaryVector => Self::BinaryVector { dim: dim()? },
            DataType::Float16Vector => Self::Float16Vector { dim: dim()? },
            DataType::BFloat16Vector => Self::BFloat16Vector { dim: dim()? },
            DataType::Int8Vector => Self::Int8Vector { dim: dim()? },
            DataType::SparseFloatVector => Self::SparseFloatVector,
            // Not in itself, or a reply could nest without end.
            DataType::ArrayOfVector if field.element_type != number => Self::ArrayOfVector {
                element: Box::new(Self::of(field.element_type, field)?),
                max_capacity: parameter(&field.type_params, "max_capacity"),
            },
            _ => Self::scalar(number, &field.type_params),
        })
    }

    fn scalar(data_type: i32, params: &[KeyValuePair]) -> Self {
        let max_length = parameter(params, "max_length");
        match DataType::try_from(data_type) {
            Ok(DataType::Bool) => Self::Bool,
            Ok(DataType::Int8) => Self::Int8,
            Ok(DataType::Int16) => Self::Int16,
            Ok(DataType::Int32) => Self::Int32,
            Ok(DataType::Int64) => Self::Int64,
            Ok(DataType::Float) => Self::Float,
            Ok(DataType::Double) => Self::Double,
            Ok(DataType::VarChar) => Self::VarChar { max_length },
            Ok(DataType::Json) => Self::Json,
            Ok(DataType::Geometry) => Self::Geometry,
            Ok(DataType::Text) => Self::Text { max_length },
            Ok(DataType::Timestamptz) => Self::Timestamptz,
            _ => Self::Unknown(data_type),
        }
    }
}

impl DefaultValue {
    fn from_proto(value: &ValueField) -> Option<Self> {
        use value_field::Data;
        Some(match value.data.clone()? {
            Data::BoolData(value) => Self::Bool(value),
            Data::IntData(value) => Self::Int(value.into()),
            Data::LongData(value) | Data::TimestamptzData(value) => Self::Int(value),
            Data::FloatData(value) => Self::Float(value),
            Data::DoubleData(value) => Self::Double(value),
            Data::StringData(value) => Self::Text(value),
            Data::BytesData(value) => Self::Bytes(value),
        })
    }
}

/// A limit that travels as decimal text. Milvus Lite drops some: then there is none to check by.
fn parameter(params: &[KeyValuePair], key: &str) -> Option<usize> {
    params
        .iter()
        .find(|param| param.key == key)
        .and_then(|param| param.value.parse().ok())
}

#[cfg(test)]
mod tests;
