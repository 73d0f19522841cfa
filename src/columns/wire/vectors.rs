//! Vectors as they are sent: member, dimension, packed values, nulls, dead rows.

use prost::Message;

use crate::columns::Columns;
use crate::decode::json::decode;
use crate::milvus::proto::schema::{
    DataType, FieldData, FloatArray, SparseFloatArray, VectorField, field_data, vector_field,
};
use crate::milvus::schema::{Field, FieldType};
use crate::plan::fixture::{auto_key, field, nullable, plan};

use super::sent;

/// A type, two vectors as records bring them, and what either is as bytes or numbers of the message.
struct Case {
    kind: FieldType,
    data_type: DataType,
    dim: i64,
    values: [&'static str; 2],
    member: fn(&[usize]) -> vector_field::Data,
}

/// What the vectors of these indices are, one after the other.
fn packed<T: Copy>(vectors: [&[T]; 2], which: &[usize]) -> Vec<T> {
    which.iter().flat_map(|v| vectors[*v]).copied().collect()
}

fn cases() -> Vec<Case> {
    use vector_field::Data;
    let case = |kind, data_type, dim, values, member| Case {
        kind,
        data_type,
        dim,
        values,
        member,
    };
    vec![
        case(
            FieldType::FloatVector { dim: 2 },
            DataType::FloatVector,
            2,
            ["[1,-2]", "[0.5,0]"],
            |which| {
                let data = packed([&[1.0, -2.0], &[0.5, 0.0]], which);
                Data::FloatVector(FloatArray { data })
            },
        ),
        case(
            FieldType::Float16Vector { dim: 2 },
            DataType::Float16Vector,
            2,
            ["[1,-2]", "[0.5,0]"],
            |which| Data::Float16Vector(packed([&[0, 0x3c, 0, 0xc0], &[0, 0x38, 0, 0]], which)),
        ),
        case(
            FieldType::BFloat16Vector { dim: 2 },
            DataType::BFloat16Vector,
            2,
            ["[1,-2]", "[0.5,0]"],
            |which| {
                let vectors: [&[u8]; 2] = [&[0x80, 0x3f, 0, 0xc0], &[0, 0x3f, 0, 0]];
                Data::Bfloat16Vector(packed(vectors, which))
            },
        ),
        case(
            FieldType::Int8Vector { dim: 3 },
            DataType::Int8Vector,
            3,
            ["[1,-2,127]", "[0,-128,3]"],
            |which| Data::Int8Vector(packed([&[1, 0xfe, 0x7f], &[0, 0x80, 3]], which)),
        ),
        case(
            FieldType::BinaryVector { dim: 16 },
            DataType::BinaryVector,
            16,
            ["[1,255]", "[0,128]"],
            |which| Data::BinaryVector(packed([&[1, 0xff], &[0, 0x80]], which)),
        ),
    ]
}

fn vectors(sent: FieldData) -> VectorField {
    match sent.field {
        Some(field_data::Field::Vectors(vectors)) => vectors,
        other => panic!("unexpected {other:?}"),
    }
}

fn record(value: &str) -> String {
    format!(r#"{{"v":{value}}}"#)
}

#[test]
fn every_dense_vector_goes_out_as_itself_packed_and_with_its_dimension() {
    for case in cases() {
        let check = |field: Field, rows: &[&str], dead: &[bool], kept: &[usize], valid: &[bool]| {
            let records: Vec<_> = rows.iter().map(|value| record(value)).collect();
            let records: Vec<_> = records.iter().map(String::as_str).collect();
            let sent = sent(field, &records, dead);
            assert_eq!(sent.r#type(), case.data_type);
            assert_eq!(sent.valid_data, valid, "{:?}", case.kind);
            let expected = VectorField {
                dim: case.dim,
                data: Some((case.member)(kept)),
            };
            assert_eq!(vectors(sent), expected);
        };
        let required = || field("v", case.kind.clone());
        let [a, b] = case.values;
        check(required(), &[a, b], &[], &[0, 1], &[]);
        check(required(), &[a, b, a], &[false, true], &[0, 0], &[]);
        check(required(), &[b, a, b], &[true, false, true], &[0], &[]);

        let or_null = || nullable("v", case.kind.clone());
        check(or_null(), &[a, b], &[], &[0, 1], &[true, true]);
        let rows = [a, "null", b];
        check(or_null(), &rows, &[], &[0, 1], &[true, false, true]);
        check(or_null(), &rows, &[true], &[1], &[false, true]);
        check(or_null(), &rows, &[false, true], &[0, 1], &[true, true]);
        // All null: the dimension and the empty member.
        check(or_null(), &["null", "null"], &[], &[], &[false, false]);
        check(or_null(), &rows, &[true, false, true], &[], &[false]);
    }
}

#[test]
fn sparse_vectors_go_out_by_row_with_the_dimension_they_need() {
    const A: &str = r#"{"9":0.5,"2":1}"#;
    const B: &str = "[[3,0]]";
    let bytes = |pairs: &[(u32, f32)]| -> Vec<u8> {
        let pair = |(index, value): &(u32, f32)| [index.to_le_bytes(), value.to_le_bytes()];
        pairs.iter().flat_map(pair).flatten().collect()
    };
    let (a, b) = (bytes(&[(2, 1.0), (9, 0.5)]), bytes(&[(3, 0.0)]));
    let check = |field: Field,
                 rows: &[&str],
                 dead: &[bool],
                 contents: &[&[u8]],
                 dim: i64,
                 valid: &[bool]| {
        let records: Vec<_> = rows.iter().map(|value| record(value)).collect();
        let records: Vec<_> = records.iter().map(String::as_str).collect();
        let sent = sent(field, &records, dead);
        assert_eq!(sent.r#type(), DataType::SparseFloatVector);
        assert_eq!(sent.valid_data, valid);
        let contents = contents.iter().map(|row| row.to_vec()).collect();
        let sparse = SparseFloatArray { contents, dim };
        let expected = VectorField {
            dim,
            data: Some(vector_field::Data::SparseFloatVector(sparse)),
        };
        assert_eq!(vectors(sent), expected);
    };
    let required = || field("v", FieldType::SparseFloatVector);
    check(required(), &[A, B, "{}"], &[], &[&a, &b, &[]], 10, &[]);
    check(required(), &[A, B, A], &[true, false, true], &[&b], 4, &[]);
    check(required(), &["[]"], &[], &[&[]], 0, &[]);
    let greatest = bytes(&[(u32::MAX - 1, 1.0)]);
    check(
        required(),
        &[r#"{"4294967294":1}"#],
        &[],
        &[&greatest],
        4_294_967_295,
        &[],
    );

    let or_null = || nullable("v", FieldType::SparseFloatVector);
    check(
        or_null(),
        &[A, "null", B],
        &[],
        &[&a, &b],
        10,
        &[true, false, true],
    );
    check(
        or_null(),
        &[A, "null", B],
        &[true],
        &[&b],
        4,
        &[false, true],
    );
    check(or_null(), &["null", "null"], &[], &[], 0, &[false, false]);
}

#[test]
fn a_collection_may_have_many_vectors_and_their_size_is_close() {
    let kinds = cases().into_iter().map(|case| case.kind);
    let kinds = kinds.chain([FieldType::SparseFloatVector]);
    let mut fields = vec![auto_key("id")];
    for (index, kind) in kinds.enumerate() {
        fields.push(field(&format!("v{index}"), kind.clone()));
        fields.push(nullable(&format!("n{index}"), kind));
    }
    let plan = plan(fields);
    let mut columns = Columns::new(&plan);
    let dense = |prefix: char| -> String {
        let member =
            |(index, case): (usize, Case)| format!(r#""{prefix}{index}":{}"#, case.values[0]);
        cases()
            .into_iter()
            .enumerate()
            .map(member)
            .collect::<Vec<_>>()
            .join(",")
    };
    let all = format!(
        r#"{{{},{},"v5":{{"1":1,"2":2}},"n5":[[1,1]]}}"#,
        dense('v'),
        dense('n')
    );
    let few = format!(r#"{{{},"v5":{{}}}}"#, dense('v'));
    for row in 0..300 {
        let payload = if row % 3 == 0 { &few } else { &all };
        decode(&plan, &mut columns, payload.as_bytes()).unwrap();
    }
    let estimate = columns.bytes();
    let fields = columns.into_fields(&[]);
    let encoded: usize = fields.iter().map(Message::encoded_len).sum();
    assert!(
        estimate.abs_diff(encoded) < 12 * 40,
        "{estimate} for {encoded}"
    );
    assert_eq!(fields.len(), 12);
}
