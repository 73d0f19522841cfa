//! Vectors: what their values become, and which are refused.

use serde_json::json;

use super::*;
use crate::proto::schema::SparseFloatArray;

#[test]
fn float_vectors_have_their_dim_and_are_finite() {
    let field = base().float_vector("f", 2);
    check_values(
        &field,
        &[floats(2, &[0.5, 1.0, 1.5, 2.0])],
        [json!([0.5, 1.0]), json!([1.5, 2.0])],
    );
    check(&field, &[floats(0, &[0.5, 1.0, 1.5, 2.0])], SHAPE);
    check(&field, &[floats(4, &[0.5, 1.0, 1.5, 2.0])], SHAPE);
    check(&field, &[floats(2, &[0.5, 1.0, 1.5])], SHAPE);
    check(&field, &[floats(2, &[0.5, 1.0])], NEVER);
    check(
        &field,
        &[floats(2, &[0.5, 1.0, 1.5, f32::NAN])],
        [BARE, BARE, BARE, INVALID, INVALID],
    );
    let bytes = vector(Type::FloatVector, 2, Vectors::Int8Vector(vec![0; 4]));
    check(&field, &[bytes], SHAPE);
}

#[test]
fn vectors_of_bytes_are_read_by_their_type() {
    let check_type = |data_type, dim: u32, data: &Vectors, expected| {
        let column = vector(data_type, dim.into(), data.clone());
        check_values(&base().vector("f", data_type, dim), &[column], expected);
    };
    check_type(
        Type::BinaryVector,
        16,
        &Vectors::BinaryVector(vec![1, 2, 3, 255]),
        [json!([1, 2]), json!([3, 255])],
    );
    check_type(
        Type::Int8Vector,
        2,
        &Vectors::Int8Vector(vec![1, 255, 128, 127]),
        [json!([1, -1]), json!([-128, 127])],
    );
    // 1.5, the smallest subnormal, the greatest, -2.
    let f16 = Vectors::Float16Vector(vec![0x00, 0x3e, 0x01, 0x00, 0xff, 0x7b, 0x00, 0xc0]);
    check_type(
        Type::Float16Vector,
        2,
        &f16,
        [json!([1.5, 2f64.powi(-24)]), json!([65_504.0, -2.0])],
    );
    let bf16 = Vectors::Bfloat16Vector(vec![0xc0, 0x3f, 0x80, 0x00]);
    check_type(
        Type::BFloat16Vector,
        1,
        &bf16,
        [json!([1.5]), json!([f64::from(f32::MIN_POSITIVE)])],
    );

    let f16 = base().vector("f", Type::Float16Vector, 1);
    let infinite = |data| [vector(Type::Float16Vector, 1, Vectors::Float16Vector(data))];
    check(
        &f16,
        &infinite(vec![0, 0, 0x00, 0x7c]),
        [OK, BARE, BARE, INVALID, INVALID],
    );
    check(
        &f16,
        &infinite(vec![0, 0, 0x01, 0xfc]),
        [OK, BARE, BARE, INVALID, INVALID],
    );
    check(&f16, &infinite(vec![0, 0, 0]), SHAPE);
    let as_floats = FieldData {
        r#type: Type::Float16Vector.into(),
        ..floats(1, &[1.0, 2.0])
    };
    check(&f16, &[as_floats], SHAPE);
    let bf16 = base().vector("f", Type::BFloat16Vector, 1);
    let infinite = vector(
        Type::BFloat16Vector,
        1,
        Vectors::Bfloat16Vector(vec![0, 0, 0x80, 0x7f]),
    );
    check(&bf16, &[infinite], [OK, BARE, BARE, INVALID, INVALID]);
}

#[test]
fn sparse_vectors_are_sorted_pairs_without_negatives() {
    let field = base().scalar("f", Type::SparseFloatVector);
    let sparse = |row: Vec<u8>| {
        let contents = vec![row, Vec::new()];
        [vector(
            Type::SparseFloatVector,
            0,
            Vectors::SparseFloatVector(SparseFloatArray { contents, dim: 0 }),
        )]
    };
    let pairs = |pairs: &[(u32, f32)]| {
        let pairs = pairs
            .iter()
            .map(|(index, value)| [index.to_le_bytes(), value.to_le_bytes()].concat());
        sparse(pairs.collect::<Vec<_>>().concat())
    };
    let good = pairs(&[(3, 0.5), (u32::MAX - 1, 0.0)]);
    check_values(
        &field,
        &good,
        [json!({"3": 0.5, "4294967294": 0.0}), json!({})],
    );
    let bad = [NO, BARE, BARE, INVALID, INVALID];
    check(&field, &pairs(&[(u32::MAX, 1.0)]), bad);
    check(&field, &pairs(&[(3, 1.0), (3, 1.0)]), bad);
    check(&field, &pairs(&[(3, 1.0), (2, 1.0)]), bad);
    check(&field, &pairs(&[(3, -1.0)]), bad);
    check(&field, &pairs(&[(3, f32::NAN)]), bad);
    check(&field, &sparse(vec![0; 7]), bad);
}
