//! Vectors that do not fit: whole sentences, and JSON in strings that nobody should send.

use std::time::{Duration, Instant};

use crate::columns::Columns;
use crate::milvus::schema::FieldType;
use crate::plan::fixture::{auto_key, field, plan};

use super::json::decode;

/// The sentence about a record with this value, which is JSON text.
fn refused(kind: FieldType, value: &str) -> String {
    let plan = plan(vec![auto_key("id"), field("v", kind)]);
    let mut columns = Columns::new(&plan);
    let bytes = columns.bytes();
    let payload = format!(r#"{{"v":{value}}}"#);
    let bad = decode(&plan, &mut columns, payload.as_bytes()).unwrap_err();
    assert_eq!((columns.rows(), columns.bytes()), (0, bytes));
    bad.to_string()
}

#[track_caller]
fn check(kind: FieldType, value: &str, wanted: &str, found: &str, remedy: &str) {
    let sentence = format!("field 'v' wants {wanted}, found {found}; {remedy}");
    assert_eq!(refused(kind, value), sentence);
}

#[test]
fn the_sentence_says_what_a_float_vector_wants_and_what_to_send() {
    let check = |value: &str, found: &str, remedy: &str| {
        let kind = FieldType::FloatVector { dim: 2 };
        check(kind, value, "a FloatVector of 2 numbers", found, remedy);
    };
    check(
        "[1,1e39]",
        "an array whose element 1 (from 0) is a number out of range",
        "send numbers of at most 3.4e38 as its elements",
    );
    check(
        r#""AACAPw==""#,
        "base64 of 4 bytes",
        "send vectors of the collection's dimension, 4 little-endian bytes for each number",
    );
    check(
        r#""AADAfwAAAAA=""#,
        "base64 whose number 0 (from 0) is NaN or infinite",
        "send finite numbers",
    );
    check(
        r#""[1,2""#,
        "malformed JSON in a string of 4 bytes",
        "send valid JSON in the string, or the array without quotes",
    );
    check(
        "true",
        "a boolean",
        "send an array of numbers, or base64 of their little-endian bytes",
    );
}

#[test]
fn the_sentence_says_what_a_narrow_vector_wants_and_what_to_send() {
    check(
        FieldType::Float16Vector { dim: 4 },
        "[1,2,3,65520]",
        "a Float16Vector of 4 numbers",
        "an array whose element 3 (from 0) is a number out of range",
        "send numbers of at most 65504 as its elements",
    );
    check(
        FieldType::BFloat16Vector { dim: 4 },
        r#""AAAA""#,
        "a BFloat16Vector of 4 numbers",
        "base64 of 3 bytes",
        "send vectors of the collection's dimension, 2 little-endian bytes for each number",
    );
    check(
        FieldType::Int8Vector { dim: 2 },
        "[1,128]",
        "an Int8Vector of 2 whole numbers from -128 to 127",
        "an array whose element 1 (from 0) is a number out of range",
        "send whole numbers from -128 to 127 as its elements",
    );
    check(
        FieldType::BinaryVector { dim: 16 },
        "[1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0]",
        "a BinaryVector of 16 bits in 2 bytes",
        "an array of 16",
        "send one byte for every 8 bits of the collection's dimension",
    );
}

#[test]
fn the_sentence_says_what_a_sparse_vector_wants_and_what_to_send() {
    let check = |value: &str, found: &str, remedy: &str| {
        let wanted = "a SparseFloatVector (indices and their values)";
        check(FieldType::SparseFloatVector, value, wanted, found, remedy);
    };
    check(
        "[[1,-1]]",
        "a sparse vector whose pair 0 (from 0) has a negative value",
        "send whole indices from 0 to 4294967294, each with a value from 0 to 3.4e38",
    );
    check(
        "[[1,1],[1,1]]",
        "an index that occurs twice",
        "send each index once",
    );
    check(
        r#"{"indices":[1,2],"values":[1]}"#,
        "2 indices and 1 values",
        "send one value for each index",
    );
    check(
        "null",
        "null",
        "send a value, or make the field nullable or give it a default in the collection",
    );
    check(
        "1",
        "a number",
        r#"send {"5": 0.3}, [[5, 0.3]] or {"indices": [5], "values": [0.3]}, where 5 is an index"#,
    );
}

/// A reader that calls itself for every level would end the process; one that starts over for each, the day.
#[test]
fn json_in_a_string_may_be_as_deep_as_it_likes() {
    const DEPTH: usize = 200_000;
    let started = Instant::now();
    let check = |kind: FieldType, open: &str, inner: &str, close: &str, found: &str| {
        let json = format!("{}{inner}{}", open.repeat(DEPTH), close.repeat(DEPTH));
        let cut = json.strip_suffix(close).unwrap().to_owned();
        for json in [json, cut, open.repeat(DEPTH)] {
            let whole = serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok();
            let sentence = refused(kind.clone(), &serde_json::to_string(&json).unwrap());
            let found = if whole {
                found
            } else {
                "malformed JSON in a string"
            };
            assert!(sentence.contains(found), "{sentence}");
        }
    };
    let dense = || FieldType::FloatVector { dim: 1 };
    check(dense(), "[", "1", "]", "element 0 (from 0) is an array");
    check(dense(), r#"{"a":"#, "1", "}", "an object of 1");
    let sparse = || FieldType::SparseFloatVector;
    check(
        sparse(),
        "[",
        "1",
        "]",
        "something else than an index and a value",
    );
    check(
        sparse(),
        r#"{"5":"#,
        "1",
        "}",
        "a value that is not a number",
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}
