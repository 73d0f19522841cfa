//! Type by type: what is the same value, and what is not.

use super::*;
use crate::milvus::proto::schema::{
    ArrayArray, BoolArray, DoubleArray, FloatArray, GeometryWktArray, IntArray, JsonArray,
    LongArray, SparseFloatArray, StringArray, StructArrayField, VectorArray,
};

fn field(field: field_data::Field) -> FieldData {
    FieldData {
        field_name: "x".to_owned(),
        field: Some(field),
        ..FieldData::default()
    }
}

fn scalars(data: Scalars) -> FieldData {
    field(field_data::Field::Scalars(ScalarField { data: Some(data) }))
}

fn vectors(dim: i64, data: Vectors) -> FieldData {
    let data = Some(data);
    field(field_data::Field::Vectors(VectorField { dim, data }))
}

fn longs(data: &[i64], valid: &[bool]) -> FieldData {
    let data = data.to_vec();
    FieldData {
        valid_data: valid.to_vec(),
        ..scalars(Scalars::LongData(LongArray { data }))
    }
}

fn texts(data: &[&str]) -> FieldData {
    let data = data.iter().map(|text| (*text).to_owned()).collect();
    scalars(Scalars::StringData(StringArray { data }))
}

fn sparse_rows(rows: &[&[(u32, f32)]]) -> FieldData {
    let bytes = |(index, value): &(u32, f32)| [index.to_le_bytes(), value.to_le_bytes()].concat();
    let row = |row: &&[(u32, f32)]| row.iter().flat_map(bytes).collect::<Vec<u8>>();
    let contents = rows.iter().map(row).collect();
    vectors(
        9,
        Vectors::SparseFloatVector(SparseFloatArray { contents, dim: 9 }),
    )
}

fn digests(field: &FieldData, form: Form, rows: usize) -> Vec<u64> {
    let layout = Layout {
        key: "id".to_owned(),
        text_keys: false,
        fields: vec![("x".to_owned(), form)],
    };
    let fields = [field.clone()];
    let columns = Rows::of(&layout, &fields);
    (0..rows).flat_map(|row| columns.digests(row)).collect()
}

/// The rows of `field` are all different values, and `other` has the same ones.
#[track_caller]
fn check(form: Form, rows: usize, field: &FieldData, other: &FieldData) {
    let found = digests(field, form, rows);
    assert_eq!(found, digests(other, form, rows));
    let mut distinct = found.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), rows, "{found:?}");
    assert!(!found.contains(&UNKNOWN));
    assert_eq!(
        digests(field, form, rows + 1)[rows],
        UNKNOWN,
        "past the end"
    );
}

#[test]
fn scalars_are_compared_by_value() {
    let same =
        |rows, data: Scalars| check(Form::AsItIs, rows, &scalars(data.clone()), &scalars(data));
    same(
        2,
        Scalars::BoolData(BoolArray {
            data: vec![true, false],
        }),
    );
    same(
        3,
        Scalars::IntData(IntArray {
            data: vec![0, -1, 7],
        }),
    );
    let floats = |data: Vec<f32>| scalars(Scalars::FloatData(FloatArray { data }));
    check(
        Form::AsItIs,
        3,
        &floats(vec![0.0, 0.1, -0.1]),
        &floats(vec![-0.0, 0.1, -0.1]),
    );
    let doubles = |data: Vec<f64>| scalars(Scalars::DoubleData(DoubleArray { data }));
    check(
        Form::AsItIs,
        3,
        &doubles(vec![0.0, 0.1, f64::MAX]),
        &doubles(vec![-0.0, 0.1, f64::MAX]),
    );
    let words = texts(&["", "a", "A", "1"]);
    check(Form::AsItIs, 4, &words, &words);
    // An Int8 may come back as a long.
    let wide = longs(&[0, -1, 7], &[]);
    check(
        Form::AsItIs,
        3,
        &scalars(Scalars::IntData(IntArray {
            data: vec![0, -1, 7],
        })),
        &wide,
    );
    let json = |texts: &[&str]| {
        let data = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        scalars(Scalars::JsonData(JsonArray { data }))
    };
    let (a, b) = (
        json(&[r#"{"a":1,"b":2}"#, "[]", "1"]),
        json(&[r#"{"b":2.0,"a":1}"#, "[ ]", "1.0"]),
    );
    check(Form::AsItIs, 3, &a, &b);
}

#[test]
fn nulls_are_found_in_compact_and_in_filled_columns() {
    let valid = [true, false, true];
    check(
        Form::AsItIs,
        3,
        &longs(&[5, 6], &valid),
        &longs(&[5, 0, 6], &valid),
    );
    // A column without a null, and with the flags all the same.
    check(
        Form::AsItIs,
        2,
        &longs(&[5, 6], &[]),
        &longs(&[5, 6], &[true, true]),
    );
    assert_ne!(
        digests(&longs(&[0], &[false]), Form::AsItIs, 1),
        digests(&longs(&[0], &[]), Form::AsItIs, 1)
    );
}

#[test]
fn arrays_are_compared_element_by_element() {
    let row = |data: &[i64]| {
        let data = data.to_vec();
        ScalarField {
            data: Some(Scalars::LongData(LongArray { data })),
        }
    };
    let arrays = |data: Vec<ScalarField>| {
        scalars(Scalars::ArrayData(ArrayArray {
            data,
            element_type: 5,
        }))
    };
    let sent = arrays(vec![row(&[]), row(&[1, 2]), row(&[2, 1]), row(&[1])]);
    // An empty array may come back without its member.
    let read = arrays(vec![
        ScalarField { data: None },
        row(&[1, 2]),
        row(&[2, 1]),
        row(&[1]),
    ]);
    check(Form::AsItIs, 4, &sent, &read);
}

#[test]
fn moments_and_geometries_are_compared_by_what_they_mean() {
    let sent = texts(&["2025-01-01T01:00:00+01:00", "2025-01-01T01:00:00Z"]);
    let read = texts(&["2025-01-01T00:00:00Z", "2025-01-01T01:00:00.000000Z"]);
    check(Form::Moment, 2, &sent, &read);
    assert_eq!(
        digests(&texts(&["2025-01-01T01:00:00"]), Form::Moment, 1),
        [UNKNOWN]
    );
    let shapes = |data: &[&str]| {
        let data = data.iter().map(|text| (*text).to_owned()).collect();
        scalars(Scalars::GeometryWktData(GeometryWktArray { data }))
    };
    let sent = shapes(&["POINT(1 2)", "POINT(2 1)"]);
    check(
        Form::Geometry,
        2,
        &sent,
        &texts(&["POINT (1 2)", "POINT (2.0 1.0)"]),
    );
}

#[test]
fn vectors_are_compared_by_their_rows() {
    let floats = |data: Vec<f32>| vectors(2, Vectors::FloatVector(FloatArray { data }));
    check(
        Form::AsItIs,
        2,
        &floats(vec![0.0, 1.0, 1.0, 0.0]),
        &floats(vec![-0.0, 1.0, 1.0, 0.0]),
    );
    let same = |rows, field: FieldData| check(Form::AsItIs, rows, &field, &field);
    same(2, vectors(16, Vectors::BinaryVector(vec![1, 2, 2, 1])));
    same(
        2,
        vectors(2, Vectors::Float16Vector(vec![1, 2, 3, 4, 4, 3, 2, 1])),
    );
    same(
        2,
        vectors(2, Vectors::Bfloat16Vector(vec![1, 2, 3, 4, 4, 3, 2, 1])),
    );
    same(2, vectors(2, Vectors::Int8Vector(vec![1, 2, 2, 1])));
    let sent = sparse_rows(&[&[(1, 0.5), (2, 0.0)], &[(1, 0.25)], &[]]);
    let read = sparse_rows(&[&[(1, 0.5)], &[(1, 0.25)], &[(3, 0.0)]]);
    check(Form::AsItIs, 3, &sent, &read);
}

#[test]
fn structs_are_compared_field_by_field_whatever_their_order() {
    let list = |data: &[&str]| {
        let data = data.iter().map(|text| (*text).to_owned()).collect();
        ScalarField {
            data: Some(Scalars::StringData(StringArray { data })),
        }
    };
    let words = |name: &str, rows: Vec<ScalarField>| FieldData {
        field_name: name.to_owned(),
        ..scalars(Scalars::ArrayData(ArrayArray {
            data: rows,
            element_type: 21,
        }))
    };
    let list_of_vectors = |data: &[f32]| {
        let data = Some(Vectors::FloatVector(FloatArray {
            data: data.to_vec(),
        }));
        VectorField { dim: 2, data }
    };
    let points = |name: &str, rows: Vec<VectorField>| {
        let array = VectorArray {
            dim: 2,
            data: rows,
            element_type: 101,
        };
        FieldData {
            field_name: name.to_owned(),
            ..vectors(2, Vectors::VectorArray(array))
        }
    };
    let structs = |fields: Vec<FieldData>| {
        field(field_data::Field::StructArrays(StructArrayField { fields }))
    };
    let text = vec![list(&["a"]), list(&["b"]), list(&["a"])];
    let vector = || {
        vec![
            list_of_vectors(&[1.0, 2.0]),
            list_of_vectors(&[1.0, 2.0]),
            list_of_vectors(&[2.0, 1.0]),
        ]
    };
    let sent = structs(vec![words("text", text.clone()), points("v", vector())]);
    let read = structs(vec![points("x[v]", vector()), words("x[text]", text)]);
    check(Form::AsItIs, 3, &sent, &read);
}

#[test]
fn a_field_that_does_not_come_back_is_unknown() {
    let layout = Layout {
        key: "id".to_owned(),
        text_keys: false,
        fields: vec![
            ("y".to_owned(), Form::AsItIs),
            ("$meta".to_owned(), Form::AsItIs),
        ],
    };
    let dynamic = FieldData {
        is_dynamic: true,
        ..longs(&[1], &[])
    };
    let fields = [dynamic];
    let digests = Rows::of(&layout, &fields).digests(0);
    assert_eq!(digests[0], UNKNOWN);
    assert_ne!(digests[1], UNKNOWN, "the dynamic column has whatever name");
}
