//! What is sent of arrays, structs, geometries, times and texts.

use prost::Message;

use super::{scalars, sent};
use crate::columns::Columns;
use crate::decode::json::decode;
use crate::milvus::proto::schema::{
    ArrayArray, DataType, FieldData, GeometryWktArray, IntArray, LongArray, ScalarField,
    StringArray, VectorArray, VectorField, field_data, scalar_field::Data, vector_field,
};
use crate::milvus::schema::{DefaultValue, Field, FieldType, StructArray, StructField};
use crate::plan::fixture::{dynamic_plan, field, key, nullable, with_default};

fn array(element: FieldType) -> FieldType {
    FieldType::Array {
        element: Box::new(element),
        max_capacity: None,
    }
}

fn ints(data: &[i32]) -> ScalarField {
    let data = data.to_vec();
    ScalarField {
        data: Some(Data::IntData(IntArray { data })),
    }
}

fn strings(data: &[&str]) -> Data {
    let data = data.iter().map(|text| (*text).to_owned()).collect();
    Data::StringData(StringArray { data })
}

#[test]
fn every_array_has_its_element_type_and_its_member_also_where_it_is_empty() {
    let check = |element: FieldType, element_type: DataType, member: fn(&Data) -> bool| {
        let sent = sent(field("x", array(element)), &[r#"{"x":[]}"#], &[]);
        assert_eq!(sent.r#type(), DataType::Array);
        let Data::ArrayData(arrays) = scalars(sent) else {
            panic!("not arrays");
        };
        assert_eq!(arrays.element_type(), element_type);
        assert!(
            member(arrays.data[0].data.as_ref().unwrap()),
            "{element_type:?}"
        );
    };
    let text = FieldType::VarChar { max_length: None };
    check(FieldType::Bool, DataType::Bool, |d| {
        matches!(d, Data::BoolData(_))
    });
    check(FieldType::Int8, DataType::Int8, |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int16, DataType::Int16, |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int32, DataType::Int32, |d| {
        matches!(d, Data::IntData(_))
    });
    check(FieldType::Int64, DataType::Int64, |d| {
        matches!(d, Data::LongData(_))
    });
    check(FieldType::Float, DataType::Float, |d| {
        matches!(d, Data::FloatData(_))
    });
    check(FieldType::Double, DataType::Double, |d| {
        matches!(d, Data::DoubleData(_))
    });
    check(text, DataType::VarChar, |d| {
        matches!(d, Data::StringData(_))
    });
}

#[test]
fn null_arrays_are_left_out_and_empty_ones_are_not() {
    let records = [r#"{"x":[1,-2]}"#, "{}", r#"{"x":[]}"#, r#"{"x":[3]}"#];
    let check = |dead: &[bool], rows: &[&[i32]], valid: &[bool]| {
        let sent = sent(nullable("x", array(FieldType::Int8)), &records, dead);
        assert_eq!(sent.valid_data, valid);
        let expected = ArrayArray {
            data: rows.iter().map(|row| ints(row)).collect(),
            element_type: DataType::Int8.into(),
        };
        assert_eq!(scalars(sent), Data::ArrayData(expected));
    };
    check(&[], &[&[1, -2], &[], &[3]], &[true, false, true, true]);
    check(&[true, false, false, true], &[&[]], &[false, true]);
}

#[test]
fn geometries_times_and_texts_go_out_as_text_of_their_own_type() {
    let check = |field: Field, value: &str, data_type: DataType, expected: Data| {
        let valid: &[bool] = if field.nullable { &[true, false] } else { &[] };
        let records = [&format!(r#"{{"x":{value}}}"#), "{}"];
        let count = records.len() - usize::from(!field.nullable);
        let sent = sent(field, &records[..count], &[]);
        assert_eq!(
            (sent.r#type(), &sent.valid_data[..]),
            (data_type, valid),
            "{value}"
        );
        assert_eq!(scalars(sent), expected);
    };
    let wkt = Data::GeometryWktData(GeometryWktArray {
        data: ["POINT (1 2)"].iter().collect(),
    });
    for field in [field, nullable] {
        let geometry = field("x", FieldType::Geometry);
        check(
            geometry,
            r#""POINT (1 2)""#,
            DataType::Geometry,
            wkt.clone(),
        );
        let time = strings(&["1970-01-01T00:00:00.001Z"]);
        let timestamp = field("x", FieldType::Timestamptz);
        check(timestamp, "1", DataType::Timestamptz, time);
        let text = field(
            "x",
            FieldType::Text {
                max_length: Some(1),
            },
        );
        check(text, r#""long""#, DataType::Text, strings(&["long"]));
    }
}

#[test]
fn their_defaults_are_sent_in_full() {
    let check = |kind: FieldType, default: DefaultValue, expected: Data| {
        let records = ["{}", r#"{"x":null}"#];
        let sent = sent(with_default("x", kind, default), &records, &[]);
        assert_eq!(sent.valid_data, [true, true]);
        assert_eq!(scalars(sent), expected);
    };
    let text = |text: &str| DefaultValue::Text(text.into());
    let time = "2025-01-01T08:00:00+08:00";
    let times = strings(&[time, time]);
    check(FieldType::Timestamptz, text(time), times);
    let epoch = "1970-01-01T00:00:00.000001Z";
    let epochs = strings(&[epoch, epoch]);
    check(FieldType::Timestamptz, DefaultValue::Int(1), epochs);
    let data = ["POINT(0 0)"; 2].iter().collect();
    let points = Data::GeometryWktData(GeometryWktArray { data });
    check(FieldType::Geometry, text("POINT(0 0)"), points);
    let texts = strings(&["a", "a"]);
    check(FieldType::Text { max_length: None }, text("a"), texts);
}

fn chunks() -> FieldType {
    let vectors = FieldType::ArrayOfVector {
        element: Box::new(FieldType::FloatVector { dim: 2 }),
        max_capacity: None,
    };
    let field = |name: &str, kind| StructField {
        name: name.into(),
        kind,
    };
    FieldType::ArrayOfStruct(StructArray {
        fields: vec![
            field("page", array(FieldType::Int64)),
            field("vector", vectors),
        ],
        max_capacity: Some(3),
    })
}

fn sub_fields(sent: FieldData) -> [FieldData; 2] {
    assert_eq!(sent.r#type(), DataType::ArrayOfStruct);
    // Nulls are said in the sub-fields.
    assert!(sent.valid_data.is_empty());
    match sent.field {
        Some(field_data::Field::StructArrays(structs)) => structs.fields.try_into().unwrap(),
        other => panic!("unexpected {other:?}"),
    }
}

const TWO: &str =
    r#"{"x":[{"page":1,"vector":[1,2]},{"vector":[3,4],"page":2,"vector":[5,6],"more":0}]}"#;

#[test]
fn structs_go_out_as_one_array_per_field_under_its_bare_name() {
    let check = |field: Field, dead: &[bool], rows: &[(&[i64], &[f32])], valid: &[bool]| {
        let mut records = vec![TWO, r#"{"x":[]}"#, r#"{"x":[{"page":9,"vector":[7,8]}]}"#];
        if field.nullable {
            records.insert(1, "{}");
        }
        let [pages, vectors] = sub_fields(sent(field, &records, dead));
        assert_eq!(
            (pages.r#type(), &*pages.field_name),
            (DataType::Array, "page")
        );
        assert_eq!(vectors.r#type(), DataType::ArrayOfVector);
        assert_eq!(vectors.field_name, "vector");
        assert_eq!(
            (&pages.valid_data[..], &vectors.valid_data[..]),
            (valid, valid)
        );

        let page_row = |(pages, _): &(&[i64], _)| {
            let data = pages.to_vec();
            let data = Some(Data::LongData(LongArray { data }));
            ScalarField { data }
        };
        let expected = ArrayArray {
            data: rows.iter().map(page_row).collect(),
            element_type: DataType::Int64.into(),
        };
        assert_eq!(scalars(pages), Data::ArrayData(expected));

        let vector_row = |(_, numbers): &(_, &[f32])| {
            let data = numbers.to_vec();
            let array = crate::milvus::proto::schema::FloatArray { data };
            VectorField {
                dim: 2,
                data: Some(vector_field::Data::FloatVector(array)),
            }
        };
        let array = VectorArray {
            dim: 2,
            data: rows.iter().map(vector_row).collect(),
            element_type: DataType::FloatVector.into(),
        };
        let expected = VectorField {
            dim: 2,
            data: Some(vector_field::Data::VectorArray(array)),
        };
        let expected = Some(field_data::Field::Vectors(expected));
        assert_eq!(vectors.field, expected);
    };
    let two: (&[i64], &[f32]) = (&[1, 2], &[1.0, 2.0, 5.0, 6.0]);
    let one: (&[i64], &[f32]) = (&[9], &[7.0, 8.0]);
    let none: (&[i64], &[f32]) = (&[], &[]);
    check(field("x", chunks()), &[], &[two, none, one], &[]);
    check(field("x", chunks()), &[false, true], &[two, one], &[]);
    let valid = [true, false, true, true];
    check(nullable("x", chunks()), &[], &[two, none, one], &valid);
    let dead = [true, false, true];
    check(nullable("x", chunks()), &dead, &[one], &[false, true]);
}

#[test]
fn the_size_is_close_to_what_is_sent() {
    let text = FieldType::VarChar { max_length: None };
    let fields = vec![
        key("id", FieldType::Int64),
        nullable("tags", array(text)),
        nullable("numbers", array(FieldType::Int32)),
        nullable("place", FieldType::Geometry),
        nullable("time", FieldType::Timestamptz),
        nullable("chunks", chunks()),
    ];
    let count = fields.len() + 3;
    let plan = dynamic_plan(fields);
    let mut columns = Columns::new(&plan);
    for id in -200..200 {
        let payload = match id % 3 {
            0 => format!(
                r#"{{"id":{id},"tags":["a","bc",""],"numbers":[{id},1],"place":"POINT(1 {id})"}}"#
            ),
            1 => format!(
                r#"{{"id":{id},"time":{id},"chunks":[{{"page":{id},"vector":[1,2]}},{{"page":1,"vector":[3,4]}}]}}"#
            ),
            _ => format!(r#"{{"id":{id},"tags":[],"chunks":[]}}"#),
        };
        decode(&plan, &mut columns, payload.as_bytes()).unwrap();
    }
    let estimate = columns.bytes();
    let fields = columns.into_fields(&[]);
    let encoded: usize = fields.iter().map(Message::encoded_len).sum();
    assert!(
        estimate.abs_diff(encoded) < count * 40,
        "{estimate} for {encoded}"
    );
}
