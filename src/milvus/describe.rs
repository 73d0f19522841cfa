//! A reply to `DescribeCollection` → [`Schema`].

use super::proto::common::KeyValuePair;
use super::proto::milvus::DescribeCollectionResponse;
use super::proto::schema::{DataType, FieldSchema, ValueField, value_field};
use super::schema::{DefaultValue, Field, FieldType, Schema};

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
                .collect::<Result<_, _>>()?,
            struct_arrays: schema
                .struct_array_fields
                .into_iter()
                .map(|field| field.name)
                .collect(),
            dynamic: schema.enable_dynamic_field,
            allow_insert_auto_id: properties.iter().any(|property| {
                property.key == "allow_insert_auto_id"
                    && property.value.eq_ignore_ascii_case("true")
            }),
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
}

impl FieldType {
    fn from_proto(field: &FieldSchema) -> Result<Self, String> {
        let Ok(data_type) = DataType::try_from(field.data_type) else {
            return Ok(Self::Unknown(field.data_type));
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
            DataType::ArrayOfVector => Self::ArrayOfVector,
            DataType::ArrayOfStruct => Self::ArrayOfStruct,
            _ => Self::scalar(field.data_type, &field.type_params),
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
mod tests {
    use super::*;
    use crate::milvus::proto::schema::{CollectionSchema, StructArrayFieldSchema};

    fn params(text: &str) -> Vec<KeyValuePair> {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| KeyValuePair {
                key: key.to_owned(),
                value: value.to_owned(),
            })
            .collect()
    }

    fn field(data_type: i32, type_params: &str) -> FieldSchema {
        FieldSchema {
            name: "f".to_owned(),
            data_type,
            type_params: params(type_params),
            ..Default::default()
        }
    }

    fn described(schema: CollectionSchema, properties: &str) -> Schema {
        let reply = DescribeCollectionResponse {
            schema: Some(schema),
            properties: params(properties),
            collection_id: 7,
            update_timestamp: 9,
            ..Default::default()
        };
        Schema::from_reply("alias", reply).unwrap()
    }

    #[track_caller]
    fn check(data_type: DataType, type_params: &str, expected: FieldType) {
        let found = FieldType::from_proto(&field(data_type as i32, type_params));
        assert_eq!(found, Ok(expected), "{data_type:?} {type_params}");
    }

    #[test]
    fn every_type_is_known_with_its_parameters() {
        check(DataType::Bool, "", FieldType::Bool);
        check(DataType::Int8, "", FieldType::Int8);
        check(DataType::Int16, "", FieldType::Int16);
        check(DataType::Int32, "", FieldType::Int32);
        check(DataType::Int64, "", FieldType::Int64);
        check(DataType::Float, "", FieldType::Float);
        check(DataType::Double, "", FieldType::Double);
        check(DataType::Json, "", FieldType::Json);
        check(DataType::Geometry, "", FieldType::Geometry);
        check(DataType::Timestamptz, "", FieldType::Timestamptz);
        let max_length = Some(64);
        check(
            DataType::VarChar,
            "max_length=64",
            FieldType::VarChar { max_length },
        );
        check(
            DataType::Text,
            "max_length=64",
            FieldType::Text { max_length },
        );
        check(
            DataType::VarChar,
            "",
            FieldType::VarChar { max_length: None },
        );
        check(
            DataType::FloatVector,
            "dim=8",
            FieldType::FloatVector { dim: 8 },
        );
        check(
            DataType::BinaryVector,
            "dim=8",
            FieldType::BinaryVector { dim: 8 },
        );
        check(
            DataType::Float16Vector,
            "dim=8",
            FieldType::Float16Vector { dim: 8 },
        );
        check(
            DataType::BFloat16Vector,
            "dim=8",
            FieldType::BFloat16Vector { dim: 8 },
        );
        check(
            DataType::Int8Vector,
            "dim=8",
            FieldType::Int8Vector { dim: 8 },
        );
        check(
            DataType::SparseFloatVector,
            "",
            FieldType::SparseFloatVector,
        );
        check(DataType::ArrayOfVector, "dim=8", FieldType::ArrayOfVector);
        check(DataType::ArrayOfStruct, "", FieldType::ArrayOfStruct);
        check(DataType::Struct, "", FieldType::Unknown(201));
    }

    #[test]
    fn an_array_knows_its_element() {
        let array = FieldSchema {
            element_type: DataType::VarChar as i32,
            ..field(DataType::Array as i32, "max_capacity=3 max_length=5")
        };
        let expected = FieldType::Array {
            element: Box::new(FieldType::VarChar {
                max_length: Some(5),
            }),
            max_capacity: Some(3),
        };
        assert_eq!(FieldType::from_proto(&array), Ok(expected));
    }

    #[test]
    fn a_type_of_the_future_keeps_its_number_and_a_vector_needs_its_dim() {
        let future = FieldType::from_proto(&field(30, ""));
        assert_eq!(future, Ok(FieldType::Unknown(30)));
        for params in ["", "dim=0", "dim=x"] {
            let error = FieldType::from_proto(&field(DataType::FloatVector as i32, params));
            assert!(error.unwrap_err().contains("'f'"));
        }
    }

    #[test]
    fn what_milvus_keeps_for_itself_is_left_out() {
        let named = |name: &str, is_dynamic| FieldSchema {
            name: name.to_owned(),
            is_dynamic,
            ..field(DataType::Int64 as i32, "")
        };
        let schema = described(
            CollectionSchema {
                fields: vec![
                    named("RowID", false),
                    named("Timestamp", false),
                    named("id", false),
                    named("$meta", false),
                    named("more", true),
                ],
                struct_array_fields: vec![StructArrayFieldSchema {
                    name: "clips".to_owned(),
                    ..Default::default()
                }],
                enable_dynamic_field: true,
                ..Default::default()
            },
            "",
        );
        let names: Vec<_> = schema.fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names, ["id"]);
        assert_eq!(schema.struct_arrays, ["clips"]);
        assert!(schema.dynamic);
        assert_eq!((schema.collection_id, schema.timestamp), (7, 9));
        assert_eq!(
            schema.collection, "alias",
            "what was asked for is what is sent"
        );
    }

    #[test]
    fn the_right_to_bring_the_key_is_read_in_both_places() {
        let schema = |properties: &str| CollectionSchema {
            properties: params(properties),
            ..Default::default()
        };
        let allowed = "allow_insert_auto_id=true";
        assert!(described(schema(""), allowed).allow_insert_auto_id);
        assert!(described(schema(allowed), "").allow_insert_auto_id);
        assert!(!described(schema(""), "allow_insert_auto_id=false").allow_insert_auto_id);
    }

    #[test]
    fn a_default_keeps_its_type() {
        use value_field::Data;
        let check = |data, expected| {
            let value = ValueField { data: Some(data) };
            assert_eq!(DefaultValue::from_proto(&value), Some(expected));
        };
        check(Data::BoolData(true), DefaultValue::Bool(true));
        check(Data::IntData(-3), DefaultValue::Int(-3));
        check(Data::LongData(1 << 40), DefaultValue::Int(1 << 40));
        check(Data::FloatData(0.1), DefaultValue::Float(0.1));
        check(Data::DoubleData(0.1), DefaultValue::Double(0.1));
        check(Data::StringData("x".into()), DefaultValue::Text("x".into()));
        check(Data::BytesData(vec![1]), DefaultValue::Bytes(vec![1]));
        assert_eq!(DefaultValue::from_proto(&ValueField { data: None }), None);
    }
}
