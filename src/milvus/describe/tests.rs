//! Replies of every kind → schemas.

use super::*;
use crate::milvus::proto::schema::CollectionSchema;

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
    check(DataType::ArrayOfStruct, "", FieldType::Unknown(200));
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
fn structs_come_last_with_their_fields_and_the_least_limit() {
    let of = |array: DataType, element: DataType, name: &str, params: &str| FieldSchema {
        name: name.to_owned(),
        element_type: element as i32,
        ..field(array as i32, params)
    };
    let clips = |own: &str| StructArrayFieldSchema {
        name: "clips".to_owned(),
        fields: vec![
            of(
                DataType::Array,
                DataType::VarChar,
                "text",
                "max_capacity=9 max_length=5",
            ),
            of(
                DataType::ArrayOfVector,
                DataType::FloatVector,
                "vector",
                "max_capacity=7 dim=2",
            ),
        ],
        type_params: params(own),
        nullable: true,
    };
    let check = |own: &str, max_capacity: usize| {
        let schema = CollectionSchema {
            fields: vec![field(DataType::Int64 as i32, "")],
            struct_array_fields: vec![clips(own)],
            ..Default::default()
        };
        let fields = described(schema, "").fields;
        assert_eq!((&*fields[0].name, &*fields[1].name), ("f", "clips"));
        assert!(fields[1].nullable);
        let FieldType::ArrayOfStruct(clips) = &fields[1].kind else {
            panic!("{:?}", fields[1].kind);
        };
        assert_eq!(clips.max_capacity, Some(max_capacity));
        let shown = clips
            .fields
            .iter()
            .map(|f| (&*f.name, f.element().to_string()));
        let shown: Vec<_> = shown.collect();
        let expected = [("text", "VarChar(5)"), ("vector", "FloatVector(2)")];
        assert_eq!(shown, expected.map(|(name, kind)| (name, kind.to_owned())));
    };
    check("", 7);
    check("max_capacity=8", 8);
    let nested = of(
        DataType::ArrayOfVector,
        DataType::ArrayOfVector,
        "v",
        "dim=2",
    );
    assert_eq!(FieldType::from_proto(&nested), Ok(FieldType::Unknown(106)));
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
            enable_dynamic_field: true,
            ..Default::default()
        },
        "",
    );
    let names: Vec<_> = schema.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["id"]);
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
