//! Struct arrays.

use serde_json::json;

use super::*;
use crate::proto::schema::{ArrayArray, StructArrayField, VectorArray};

const SINCE_2_6: Codes = [NO, NO, NO, OK, OK];
const REFUSED: Codes = [NO, NO, NO, INVALID, INVALID];

fn structs() -> Collection {
    let element = Collection::new("")
        .scalar("a", Type::Int64)
        .float_vector("v", 2);
    base().struct_array("f", element, 2)
}

fn of(subs: &[FieldData]) -> FieldData {
    FieldData {
        r#type: Type::ArrayOfStruct.into(),
        field_name: "f".to_owned(),
        field: Some(field_data::Field::StructArrays(StructArrayField {
            fields: subs.to_vec(),
        })),
        ..Default::default()
    }
}

fn numbers(rows: &[&[i64]]) -> FieldData {
    let row = |data: &&[i64]| ScalarField {
        data: Some(Data::LongData(LongArray {
            data: data.to_vec(),
        })),
    };
    let data = rows.iter().map(row).collect();
    let element_type = Type::Int64.into();
    scalar(
        "a",
        Type::Array,
        Data::ArrayData(ArrayArray { data, element_type }),
    )
}

fn vectors(dim: i64, rows: &[&[f32]]) -> FieldData {
    let row = |data: &&[f32]| VectorField {
        dim,
        data: Some(Vectors::FloatVector(FloatArray {
            data: data.to_vec(),
        })),
    };
    let array = VectorArray {
        dim,
        data: rows.iter().map(row).collect(),
        element_type: Type::FloatVector.into(),
    };
    named(
        vector(Type::ArrayOfVector, dim, Vectors::VectorArray(array)),
        "v",
    )
}

fn good() -> [FieldData; 2] {
    [
        numbers(&[&[1, 2], &[]]),
        vectors(2, &[&[0.5, 1.0, 1.5, 2.0], &[]]),
    ]
}

#[test]
fn sub_columns_become_arrays_of_objects() {
    check(&structs(), &[of(&good())], SINCE_2_6);
    let first = json!([{"a": 1, "v": [0.5, 1.0]}, {"a": 2, "v": [1.5, 2.0]}]);
    check_values(&structs(), &[of(&good())], [first, json!([])]);
}

#[test]
fn sub_columns_agree_with_each_other_and_with_the_schema() {
    let [a, v] = good();
    let refused = |subs: &[FieldData]| check(&structs(), &[of(subs)], REFUSED);
    check(&structs(), &[], REFUSED);
    refused(std::slice::from_ref(&a));
    refused(&[a.clone(), v.clone(), numbers(&[&[1], &[]])]);
    refused(&[named(a.clone(), "f[a]"), v.clone()]);
    refused(&[a.clone(), a.clone()]);
    refused(&[numbers(&[&[1], &[]]), v.clone()]);
    refused(&[numbers(&[&[1, 2]]), vectors(2, &[&[0.5, 1.0, 1.5, 2.0]])]);
    refused(&[numbers(&[&[1, 2, 3], &[]]), vectors(2, &[&[0.0; 6], &[]])]);
    refused(&[a.clone(), vectors(2, &[&[0.5, 1.0, 1.5], &[]])]);
    refused(&[a.clone(), vectors(4, &[&[0.0; 8], &[]])]);
    refused(&[a.clone(), valid(v.clone(), &[true, true])]);
    refused(&[
        valid(a.clone(), &[true, true]),
        valid(v.clone(), &[true, true]),
    ]);
    check(&structs(), &[named(longs("a", &[1, 2]), "f")], REFUSED);
    check(&structs(), &[valid(of(&good()), &[true, true])], REFUSED);
}

#[test]
fn a_struct_array_is_null_as_a_whole() {
    let field = structs().nullable_structs();
    let flags = [false, true];
    let subs = [
        valid(numbers(&[&[1]]), &flags),
        valid(vectors(2, &[&[0.5, 1.0]]), &flags),
    ];
    check(&field, &[of(&subs)], [NO, NO, NO, NO, OK]);
    check_values(
        &field,
        &[of(&subs)],
        [json!(null), json!([{"a": 1, "v": [0.5, 1.0]}])],
    );
    check_values(&field, &[], [json!(null), json!(null)]);
}
