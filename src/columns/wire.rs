//! What the columns hand over to be sent: types, oneof members, dimensions, `valid_data`.

mod vectors;

use prost::Message;

use crate::decode::json::decode;
use crate::milvus::proto::schema::{
    DataType, FieldData, VectorField, field_data, scalar_field, vector_field,
};
use crate::milvus::schema::{DefaultValue, Field, FieldType};
use crate::plan::fixture::{auto_key, dynamic_plan, field, key, nullable, plan, with_default};

use super::Columns;

mod nested;

const VECTOR: FieldType = FieldType::FloatVector { dim: 2 };
const TEXT: FieldType = FieldType::VarChar { max_length: None };

/// The first field of a batch of these records.
fn sent(field: Field, records: &[&str], dead: &[bool]) -> FieldData {
    let plan = plan(vec![auto_key("id"), field]);
    let mut columns = Columns::new(&plan);
    for record in records {
        decode(&plan, &mut columns, record.as_bytes()).unwrap();
    }
    columns.into_fields(dead).remove(0)
}

fn scalars(field: FieldData) -> scalar_field::Data {
    match field.field {
        Some(field_data::Field::Scalars(scalars)) => scalars.data.unwrap(),
        other => panic!("unexpected {other:?}"),
    }
}

fn vectors(field: FieldData) -> (i64, Vec<f32>) {
    match field.field {
        Some(field_data::Field::Vectors(VectorField {
            dim,
            data: Some(vector_field::Data::FloatVector(array)),
        })) => (dim, array.data),
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn every_type_goes_out_as_itself_in_its_own_member() {
    use scalar_field::Data;
    let check = |kind: FieldType, expected: DataType, value: &str, member: fn(&Data) -> bool| {
        let sent = sent(field("x", kind), &[&format!(r#"{{"x":{value}}}"#)], &[]);
        assert_eq!(sent.r#type(), expected);
        assert_eq!(sent.field_name, "x");
        assert!(!sent.is_dynamic);
        assert!(member(&scalars(sent)), "{expected:?}");
    };
    check(FieldType::Bool, DataType::Bool, "true", |d| {
        matches!(d, Data::BoolData(_))
    });
    check(FieldType::Int8, DataType::Int8, "1", |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int16, DataType::Int16, "1", |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int32, DataType::Int32, "1", |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int64, DataType::Int64, "1", |d| {
        matches!(d, Data::LongData(_))
    });
    check(FieldType::Float, DataType::Float, "1", |d| {
        matches!(d, Data::FloatData(_))
    });
    check(FieldType::Double, DataType::Double, "1", |d| {
        matches!(d, Data::DoubleData(_))
    });
    check(TEXT, DataType::VarChar, "1", |d| {
        matches!(d, Data::StringData(_))
    });
    check(FieldType::Json, DataType::Json, "1", |d| {
        matches!(d, Data::JsonData(_))
    });

    let vector = sent(
        field("v", VECTOR),
        &[r#"{"v":[1,2]}"#, r#"{"v":[3,4]}"#],
        &[],
    );
    assert_eq!(vector.r#type(), DataType::FloatVector);
    assert_eq!(vectors(vector), (2, vec![1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn nulls_are_packed_and_flagged() {
    let records = [r#"{"x":1}"#, "{}", r#"{"x":null}"#, r#"{"x":4}"#];
    let check = |records: &[&str], dead: &[bool], values: &[i64], valid: &[bool]| {
        let sent = sent(nullable("x", FieldType::Int64), records, dead);
        assert_eq!(sent.valid_data, valid);
        let expected = values.to_vec();
        assert_eq!(
            scalars(sent),
            scalar_field::Data::LongData(crate::milvus::proto::schema::LongArray {
                data: expected
            })
        );
    };
    check(&records, &[], &[1, 4], &[true, false, false, true]);
    check(&records, &[true, true], &[4], &[false, true]);
    check(
        &records,
        &[false, false, false, true],
        &[1],
        &[true, false, false],
    );
    // All null: the member is there and empty.
    check(&["{}", "{}"], &[], &[], &[false, false]);
    check(&[r#"{"x":1}"#], &[], &[1], &[true]);
}

#[test]
fn null_vectors_are_packed_and_keep_their_dimension() {
    let records = [r#"{"v":[1,2]}"#, "{}", r#"{"v":[3,4]}"#];
    let check = |records: &[&str], dead: &[bool], values: &[f32], valid: &[bool]| {
        let sent = sent(nullable("v", VECTOR), records, dead);
        assert_eq!(sent.valid_data, valid);
        assert_eq!(vectors(sent), (2, values.to_vec()));
    };
    check(&records, &[], &[1.0, 2.0, 3.0, 4.0], &[true, false, true]);
    check(&records, &[true, false, false], &[3.0, 4.0], &[false, true]);
    check(&["{}"], &[], &[], &[false]);
}

#[test]
fn defaults_are_sent_in_full_with_every_flag_set() {
    let check = |kind: FieldType, default: DefaultValue, expected: &str| {
        let also_nullable = Field {
            nullable: true,
            ..with_default("x", kind.clone(), default.clone())
        };
        for field in [with_default("x", kind, default), also_nullable] {
            let sent = sent(field, &["{}", r#"{"x":null}"#], &[]);
            assert_eq!(sent.valid_data, [true, true]);
            assert_eq!(format!("{:?}", scalars(sent)), expected);
        }
    };
    check(
        FieldType::Bool,
        DefaultValue::Bool(true),
        "BoolData(BoolArray { data: [true, true] })",
    );
    check(
        FieldType::Int8,
        DefaultValue::Int(-5),
        "IntData(IntArray { data: [-5, -5] })",
    );
    check(
        FieldType::Int64,
        DefaultValue::Int(5),
        "LongData(LongArray { data: [5, 5] })",
    );
    check(
        FieldType::Float,
        DefaultValue::Float(0.5),
        "FloatData(FloatArray { data: [0.5, 0.5] })",
    );
    check(
        FieldType::Double,
        DefaultValue::Double(0.5),
        "DoubleData(DoubleArray { data: [0.5, 0.5] })",
    );
    let text = DefaultValue::Text("a".into());
    check(
        TEXT,
        text,
        r#"StringData(DelimitedArray { data: ["a", "a"] })"#,
    );
    let json = DefaultValue::Bytes(b"1".to_vec());
    check(
        FieldType::Json,
        json,
        r#"JsonData(DelimitedArray { data: ["1", "1"] })"#,
    );
}

#[test]
fn a_required_field_is_sent_without_flags_and_without_its_dead_rows() {
    let records = [r#"{"v":[1,2]}"#, r#"{"v":[3,4]}"#, r#"{"v":[5,6]}"#];
    let sent = sent(field("v", VECTOR), &records, &[false, true, false]);
    assert!(sent.valid_data.is_empty());
    assert_eq!(vectors(sent), (2, vec![1.0, 2.0, 5.0, 6.0]));
}

#[test]
fn the_dynamic_column_goes_last_with_an_object_in_every_row() {
    let plan = dynamic_plan(vec![auto_key("id"), field("x", FieldType::Int8)]);
    let mut columns = Columns::new(&plan);
    for record in [r#"{"x":1,"a":1,"aa":1}"#, r#"{"x":2,"b":2}"#, r#"{"x":3}"#] {
        decode(&plan, &mut columns, record.as_bytes()).unwrap();
    }
    let meta = columns.into_fields(&[true, false, false]).remove(1);
    assert_eq!((meta.r#type(), meta.is_dynamic), (DataType::Json, true));
    assert_eq!(meta.field_name, "$meta");
    assert!(meta.valid_data.is_empty());
    let scalar_field::Data::JsonData(objects) = scalars(meta) else {
        panic!("not JSON");
    };
    assert_eq!(objects.data, [r#"{"b":2}"#, "{}"].iter().collect());
}

#[test]
fn the_size_is_close_to_what_is_sent() {
    let kinds = [
        FieldType::Int64,
        TEXT,
        FieldType::Json,
        FieldType::FloatVector { dim: 9 },
        FieldType::Int32,
    ];
    let fields = kinds.into_iter().enumerate();
    let mut fields: Vec<_> = fields
        .map(|(index, kind)| nullable(&format!("f{index}"), kind))
        .collect();
    fields.push(key("id", FieldType::Int64));
    let plan = dynamic_plan(fields);
    let mut columns = Columns::new(&plan);
    for id in -200..200 {
        let payload = match id % 3 {
            0 => format!(r#"{{"id":{id},"f0":{id},"f4":{id},"f3":[1,2,3,4,5,6,7,8,9]}}"#),
            1 => format!(r#"{{"id":{id},"f1":"some text","f2":[1,2],"more":"{id}"}}"#),
            _ => format!(r#"{{"id":{id}}}"#),
        };
        decode(&plan, &mut columns, payload.as_bytes()).unwrap();
    }
    let estimate = columns.bytes();
    let encoded: usize = columns
        .into_fields(&[])
        .iter()
        .map(Message::encoded_len)
        .sum();
    assert!(
        estimate.abs_diff(encoded) < 7 * 40,
        "{estimate} for {encoded}"
    );
}

#[test]
fn columns_that_are_used_again_send_their_new_rows_in_the_room_of_the_old_ones() {
    let plan = {
        let kinds = [
            FieldType::Bool,
            FieldType::Int8,
            FieldType::Int64,
            FieldType::Float,
            FieldType::Double,
            TEXT,
            FieldType::Json,
            VECTOR,
            FieldType::Int8Vector { dim: 2 },
            FieldType::SparseFloatVector,
        ];
        let fields = kinds.into_iter().enumerate();
        let mut fields: Vec<_> = fields
            .map(|(index, kind)| nullable(&format!("f{index}"), kind))
            .collect();
        fields.push(field("v", VECTOR));
        fields.push(key("id", FieldType::VarChar { max_length: None }));
        dynamic_plan(fields)
    };
    let full = r#"{"id":"a","v":[1,2],"f0":true,"f1":1,"f2":2,"f3":3,"f4":4,"f5":"text","f6":[1],"f7":[3,4],"f8":[5,6],"f9":{"7":1},"more":8}"#;
    let nulls = r#"{"id":"b","v":[9,10],"f5":"t"}"#;
    let send = |columns: &mut Columns, records: &[&str], dead: &[bool]| {
        for record in records {
            decode(&plan, columns, record.as_bytes()).unwrap();
        }
        columns.take_fields(dead)
    };
    let mut columns = Columns::new(&plan);
    let empty = columns.bytes();
    let first = send(&mut columns, &[full, nulls, full, full], &[false, true]);
    assert_eq!((columns.rows(), columns.bytes()), (0, empty));
    let room = format!("{:p}", floats(&first));
    columns.reuse_fields(first);
    for (records, dead) in [
        (&[nulls, full][..], &[][..]),
        (&[full], &[]),
        (&[full, nulls], &[true]),
    ] {
        let sent = send(&mut columns, records, dead);
        assert_eq!(sent, send(&mut Columns::new(&plan), records, dead));
        assert_eq!(format!("{:p}", floats(&sent)), room);
        columns.reuse_fields(sent);
    }
}

/// Of the vectors that every row has.
fn floats(sent: &[FieldData]) -> *const f32 {
    let field = sent.iter().find(|field| field.field_name == "v");
    match field.and_then(|field| field.field.as_ref()) {
        Some(field_data::Field::Vectors(VectorField {
            data: Some(vector_field::Data::FloatVector(array)),
            ..
        })) => array.data.as_ptr(),
        other => panic!("unexpected {other:?}"),
    }
}
