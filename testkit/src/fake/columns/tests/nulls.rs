//! `valid_data`, nulls, defaults, and columns that are left out.

use serde_json::json;

use super::*;
use crate::proto::schema::value_field::Data as Default_;

/// A field that is neither.
const LEGACY: Codes = [OK, OK, INVALID, INVALID, INVALID];

fn nullable() -> Collection {
    base().scalar("f", Type::Int64).nullable()
}

fn with_default() -> Collection {
    base()
        .scalar("f", Type::Int64)
        .default_value(Default_::LongData(7))
}

fn unset(column: FieldData) -> FieldData {
    FieldData {
        field: None,
        ..column
    }
}

#[test]
fn a_field_without_nulls_has_no_valid_data() {
    let field = base().scalar("f", Type::Int64);
    check(&field, &[longs("f", &[1, 2])], [OK; 5]);
    check(&field, &[valid(longs("f", &[1, 2]), &[true, true])], LEGACY);
    check(&field, &[longs("f", &[1])], [INVALID; 5]);
    check(&field, &[longs("f", &[1, 2, 3])], [INVALID; 5]);
}

#[test]
fn a_nullable_field_has_a_flag_per_row_and_only_the_values_that_are_there() {
    let half = [valid(longs("f", &[5]), &[false, true])];
    check_values(&nullable(), &half, [json!(null), json!(5)]);
    check(
        &nullable(),
        &[valid(longs("f", &[0, 5]), &[false, true])],
        [NO, NO, INVALID, INVALID, INVALID],
    );
    check(
        &nullable(),
        &[valid(longs("f", &[5]), &[true])],
        [NO, NO, INVALID, INVALID, INVALID],
    );
    check(
        &nullable(),
        &[longs("f", &[5, 6])],
        [NO, NO, INVALID, OK, OK],
    );
    check(
        &nullable(),
        &[longs("f", &[5])],
        [NO, NO, INVALID, INVALID, INVALID],
    );
    check_values(
        &nullable(),
        &[valid(longs("f", &[]), &[false, false])],
        [json!(null), json!(null)],
    );
    let unset = unset(valid(longs("f", &[]), &[false, false]));
    check(&nullable(), &[unset], [NO, NO, INVALID, INVALID, INVALID]);
    let array = base().array("f", Type::Int64, 2).nullable();
    let one = crate::proto::schema::ArrayArray {
        data: vec![ScalarField {
            data: Some(Data::LongData(LongArray { data: vec![1] })),
        }],
        ..Default::default()
    };
    let one = valid(
        scalar("f", Type::Array, Data::ArrayData(one)),
        &[false, true],
    );
    check_values(&array, &[one], [json!(null), json!([1])]);
}

#[test]
fn a_default_stands_where_a_row_has_no_value() {
    check(
        &with_default(),
        &[valid(longs("f", &[1, 2]), &[true, true])],
        [OK; 5],
    );
    check(
        &with_default(),
        &[longs("f", &[1, 2])],
        [OK, OK, INVALID, OK, OK],
    );
    for generation in [Generation::V2_5, Generation::V2_6, Generation::V3_0] {
        let columns = [
            longs("id", &[1, 2]),
            valid(longs("f", &[5]), &[false, true]),
        ];
        let rows = read(generation, &with_default(), &columns, 2, false)
            .unwrap()
            .unwrap();
        assert_eq!(
            [&rows[0].row["f"], &rows[1].row["f"]],
            [&json!(7), &json!(5)]
        );
    }
    // Before there were nulls, a whole column could be empty and no single row.
    check(
        &with_default(),
        &[longs("f", &[])],
        [OK, OK, INVALID, INVALID, INVALID],
    );
    check(&with_default(), &[longs("f", &[5])], [INVALID; 5]);
    check(
        &with_default(),
        &[unset(longs("f", &[]))],
        [BARE, INVALID, INVALID, INVALID, INVALID],
    );
    let both = with_default().nullable();
    check_values(
        &both,
        &[valid(longs("f", &[5]), &[false, true])],
        [json!(7), json!(5)],
    );
}

#[test]
fn defaults_of_every_kind_are_read() {
    let check_default = |field: Collection, default: Default_, expected: Value| {
        check_values(
            &field.default_value(default).nullable(),
            &[],
            [expected.clone(), expected],
        );
    };
    check_default(
        base().scalar("f", Type::Bool),
        Default_::BoolData(true),
        json!(true),
    );
    check_default(
        base().scalar("f", Type::Int8),
        Default_::IntData(-3),
        json!(-3),
    );
    check_default(
        base().scalar("f", Type::Float),
        Default_::FloatData(0.5),
        json!(0.5),
    );
    check_default(
        base().scalar("f", Type::Double),
        Default_::DoubleData(0.1),
        json!(0.1),
    );
    check_default(
        base().varchar("f", 8),
        Default_::StringData("x".into()),
        json!("x"),
    );
    check_default(
        base().scalar("f", Type::Json),
        Default_::BytesData(b"{\"a\":1}".to_vec()),
        json!({"a": 1}),
    );
    let time = || base().scalar("f", Type::Timestamptz);
    check_default(
        time(),
        Default_::TimestamptzData(1_500_000),
        json!("1970-01-01T00:00:01.5Z"),
    );
    check_default(
        time(),
        Default_::StringData("2025-01-01T01:00:00+01:00".into()),
        json!("2025-01-01T00:00:00Z"),
    );
}

#[test]
fn nullable_vectors_hold_the_rows_that_are_there() {
    let field = base().float_vector("f", 2).nullable();
    check_values(
        &field,
        &[valid(floats(2, &[0.5, 1.0]), &[false, true])],
        [json!(null), json!([0.5, 1.0])],
    );
    check(
        &field,
        &[valid(floats(2, &[0.0, 0.0, 0.5, 1.0]), &[false, true])],
        [NO, NO, NO, INVALID, INVALID],
    );
    let none = [false, false];
    for empty in [floats(2, &[]), unset(floats(2, &[]))] {
        check_values(&field, &[valid(empty, &none)], [json!(null), json!(null)]);
    }
    check(
        &field,
        &[valid(floats(0, &[]), &none)],
        [NO, NO, NO, INVALID, INVALID],
    );
}

#[test]
fn a_column_that_is_left_out_is_filled_since_2_5() {
    check(
        &base().scalar("f", Type::Int64),
        &[],
        [BARE, INVALID, INVALID, INVALID, INVALID],
    );
    check(&nullable(), &[], [NO, NO, OK, OK, OK]);
    check_values(&nullable(), &[], [json!(null), json!(null)]);
    check(&with_default(), &[], [BARE, INVALID, OK, OK, OK]);
    check(
        &base().scalar("f", Type::Int64).partition_key(),
        &[],
        [INVALID; 5],
    );
    check(
        &base().scalar("f", Type::Int64).nullable().partition_key(),
        &[],
        [NO; 5],
    );
}
