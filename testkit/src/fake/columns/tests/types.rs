//! One type after another: what its values become, and which are refused.

use serde_json::json;

use super::*;
use crate::proto::schema::{ArrayArray, BoolArray, BytesArray, DoubleArray, GeometryWktArray};

const ALWAYS: Codes = [OK; 5];

#[test]
fn whole_numbers_keep_to_their_range_and_member() {
    for (data_type, max) in [(Type::Int8, 127), (Type::Int16, 32_767)] {
        let field = base().scalar("f", data_type);
        check_values(
            &field,
            &[ints(data_type, &[max, -max - 1])],
            [json!(max), json!(-max - 1)],
        );
        check(&field, &[ints(data_type, &[max, max + 1])], NEVER);
        check(&field, &[ints(data_type, &[-max - 2, 0])], NEVER);
    }
    let int32 = base().scalar("f", Type::Int32);
    check_values(
        &int32,
        &[ints(Type::Int32, &[i32::MIN, i32::MAX])],
        [json!(i32::MIN), json!(i32::MAX)],
    );
    let int64 = base().scalar("f", Type::Int64);
    check_values(
        &int64,
        &[longs("f", &[i64::MIN, i64::MAX])],
        [json!(i64::MIN), json!(i64::MAX)],
    );
    check(&int64, &[ints(Type::Int64, &[1, 2])], SHAPE);
    check(&int64, &[ints(Type::Int32, &[1, 2])], SHAPE);
    check(&int32, &[longs("f", &[1, 2])], SHAPE);
}

#[test]
fn floats_are_finite_but_in_2_3() {
    let float = |data: &[f32]| {
        scalar(
            "f",
            Type::Float,
            Data::FloatData(FloatArray {
                data: data.to_vec(),
            }),
        )
    };
    let double = |data: &[f64]| {
        scalar(
            "f",
            Type::Double,
            Data::DoubleData(DoubleArray {
                data: data.to_vec(),
            }),
        )
    };
    let floats = base().scalar("f", Type::Float);
    let doubles = base().scalar("f", Type::Double);
    check_values(
        &floats,
        &[float(&[0.1, -0.0])],
        [json!(f64::from(0.1_f32)), json!(-0.0)],
    );
    check_values(
        &doubles,
        &[double(&[0.1, 5e-324])],
        [json!(0.1), json!(5e-324)],
    );
    let codes = [OK, BARE, BARE, INVALID, INVALID];
    check(&floats, &[float(&[1.0, f32::NAN])], codes);
    check(&floats, &[float(&[f32::INFINITY, 1.0])], codes);
    check(&doubles, &[double(&[1.0, f64::NEG_INFINITY])], codes);
    let bools = BoolArray {
        data: vec![true, false],
    };
    let bools = [scalar("f", Type::Bool, Data::BoolData(bools))];
    check_values(
        &base().scalar("f", Type::Bool),
        &bools,
        [json!(true), json!(false)],
    );
}

#[test]
fn text_is_counted_in_bytes() {
    let varchar = base().varchar("f", 4);
    check_values(
        &varchar,
        &[texts(Type::VarChar, &["四a", ""])],
        [json!("四a"), json!("")],
    );
    check(&varchar, &[texts(Type::VarChar, &["四ab", ""])], NEVER);
    check(
        &base().text("f", 4),
        &[texts(Type::Text, &["longer than that", ""])],
        [NO, NO, NO, NO, OK],
    );
}

#[test]
fn json_has_65536_bytes_at_most_and_was_an_object_once() {
    let json = base().scalar("f", Type::Json);
    let text = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    check(&json, &[jsons(&["{}", &text(65_536)])], ALWAYS);
    check(&json, &[jsons(&["{}", &text(65_537)])], NEVER);
    check(&json, &[jsons(&["null", "{}"])], ALWAYS);
    let codes = [IO, OK, OK, OK, OK];
    check(&json, &[jsons(&["[1]", "{}"])], codes);
    check(&json, &[jsons(&["1.0", "{}"])], codes);
    check(
        &json,
        &[jsons(&["{", "{}"])],
        [IO, IO, IO, INVALID, INVALID],
    );

    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    let exact = ["{\"b\":1.50, \"a\":9007199254740993123}", deep.as_str()];
    let columns = [longs("id", &[1, 2]), jsons(&exact)];
    let rows = read(Generation::V3_0, &json, &columns, 2, false)
        .unwrap()
        .unwrap();
    assert_eq!([&rows[0].json["f"], &rows[1].json["f"]], exact);
    assert_eq!(rows[0].row["f"]["b"], json!(1.5));
}

#[test]
fn geometry_is_well_known_text() {
    let geometry = base().scalar("f", Type::Geometry);
    let wkt = |data: &[&str]| {
        let data = data.iter().map(|text| (*text).to_owned()).collect();
        scalar(
            "f",
            Type::Geometry,
            Data::GeometryWktData(GeometryWktArray { data }),
        )
    };
    let polygon = "POLYGON ((0 0, 4 0, 4 4, 0 0))";
    check_values(
        &geometry,
        &[wkt(&["POINT (30.5 -10)", polygon])],
        [json!("POINT (30.5 -10)"), json!(polygon)],
    );
    for bad in ["POINT (1)", "POINTS (1 2)", "", "POLYGON ((0 0, 4"] {
        check(
            &geometry,
            &[wkt(&["POINT EMPTY", bad])],
            [NO, NO, IO, INVALID, INVALID],
        );
    }
    let shape = [NO, NO, INVALID, INVALID, INVALID];
    check(
        &geometry,
        &[texts(Type::Geometry, &["POINT (1 2)", "POINT (1 2)"])],
        shape,
    );
    let wkb = Data::BytesData(BytesArray {
        data: vec![vec![1], vec![1]],
    });
    check(&geometry, &[scalar("f", Type::Geometry, wkb)], shape);
}

#[test]
fn timestamptz_is_text_with_an_offset() {
    let time = base().scalar("f", Type::Timestamptz);
    let given = ["2025-01-01T00:00:00.1234567+08:00", "2024-02-29 23:59:59Z"];
    let expected = [
        json!("2024-12-31T16:00:00.123456Z"),
        json!("2024-02-29T23:59:59Z"),
    ];
    check_values(&time, &[texts(Type::Timestamptz, &given)], expected);
    let good = ["2025-01-01T00:00:00-12:00", "2025-01-01T00:00:00+14:00"];
    check(
        &time,
        &[texts(Type::Timestamptz, &good)],
        [NO, NO, NO, OK, OK],
    );
    for bad in [
        "2025-01-01T00:00:00+14:01",
        "2025-01-01T00:00:00-12:01",
        "2025-02-29T00:00:00Z",
        "2025-01-01T00:00:00",
        "1735689600000",
    ] {
        check(
            &time,
            &[texts(Type::Timestamptz, &[good[0], bad])],
            [NO, NO, NO, INVALID, INVALID],
        );
    }
    let micros = LongArray { data: vec![1, 2] };
    check(
        &time,
        &[scalar("f", Type::Timestamptz, Data::LongData(micros))],
        [NO, NO, NO, INVALID, INVALID],
    );
}

fn arrays(element: Type, rows: &[Option<Data>]) -> FieldData {
    let array = ArrayArray {
        data: rows
            .iter()
            .map(|data| ScalarField { data: data.clone() })
            .collect(),
        element_type: element.into(),
    };
    scalar("f", Type::Array, Data::ArrayData(array))
}

#[test]
fn arrays_keep_to_capacity_element_type_and_element_limits() {
    let int = |data: &[i32]| {
        Some(Data::IntData(IntArray {
            data: data.to_vec(),
        }))
    };
    let int8 = base().array("f", Type::Int8, 2);
    check_values(
        &int8,
        &[arrays(Type::Int8, &[int(&[1, -128]), int(&[])])],
        [json!([1, -128]), json!([])],
    );
    check(
        &int8,
        &[arrays(Type::None, &[int(&[1]), int(&[2])])],
        ALWAYS,
    );
    check(
        &int8,
        &[arrays(Type::Int8, &[int(&[1, 2, 3]), int(&[])])],
        NEVER,
    );
    check(
        &int8,
        &[arrays(Type::Int8, &[int(&[128]), int(&[])])],
        NEVER,
    );
    check(&int8, &[arrays(Type::Int16, &[int(&[1]), int(&[])])], SHAPE);
    let none = [OK, INVALID, INVALID, INVALID, INVALID];
    check(&int8, &[arrays(Type::Int8, &[int(&[1]), None])], none);
    let long = Some(Data::LongData(LongArray { data: vec![1] }));
    check(&int8, &[arrays(Type::Int8, &[int(&[1]), long])], SHAPE);

    let text = |data: &[&str]| {
        let data = data.iter().map(|text| (*text).to_owned()).collect();
        Some(Data::StringData(StringArray { data }))
    };
    let varchar = base().varchar_array("f", 2, 3);
    check(
        &varchar,
        &[arrays(Type::VarChar, &[text(&["é", ""]), text(&[])])],
        ALWAYS,
    );
    check(
        &varchar,
        &[arrays(Type::VarChar, &[text(&["éa"]), text(&[])])],
        NEVER,
    );
    let nan = Some(Data::FloatData(FloatArray {
        data: vec![f32::NAN],
    }));
    check(
        &base().array("f", Type::Float, 2),
        &[arrays(Type::Float, &[nan.clone(), nan])],
        ALWAYS,
    );
}
