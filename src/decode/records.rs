//! Whole records: what is missing, what is too much, what occurs twice, what is not JSON.

use crate::columns::Columns;
use crate::config::{InsertMode, UnknownFields};
use crate::milvus::schema::{FieldType, StructArray, StructField};
use crate::plan::fixture::{auto_key, dynamic_plan, field, key, nullable, plan, rules, schema};
use crate::plan::{Plan, Rules, make};

use super::conversion_table::shown_all;
use super::json::decode;

const TEXT: FieldType = FieldType::VarChar {
    max_length: Some(20),
};

fn articles() -> Plan {
    plan(vec![
        key("id", FieldType::Int64),
        nullable("title", TEXT),
        field("vector", FieldType::FloatVector { dim: 2 }),
    ])
}

/// A record that is bad, and the sentence it makes; the columns stay as they were.
fn check_bad(plan: &Plan, payload: &[u8], sentence: &str) {
    let mut columns = Columns::new(plan);
    let bytes = columns.bytes();
    let bad = decode(plan, &mut columns, payload).unwrap_err();
    assert_eq!(bad.to_string(), sentence);
    assert_eq!((columns.rows(), columns.bytes()), (0, bytes));
}

/// One good record, and its columns as text.
fn check_row(plan: &Plan, payload: &str, expected: &[&str]) {
    let mut columns = Columns::new(plan);
    decode(plan, &mut columns, payload.as_bytes()).unwrap();
    assert_eq!(columns.rows(), 1);
    assert_eq!(shown_all(columns), expected, "{payload}");
}

#[test]
fn what_is_not_one_json_object_is_a_bad_record() {
    let check = |payload: &[u8], found: &str| {
        let sentence = format!("the record should be one JSON object, found {found}");
        check_bad(&articles(), payload, &sentence);
    };
    let send = "send one JSON object in UTF-8 per record";
    check(b"", &format!("an empty value of 0 bytes; {send}"));
    check(b" \n", &format!("an empty value of 2 bytes; {send}"));
    check(b"[1, 2]", &format!("an array of 2; {send}"));
    check(b"null", &format!("null; {send}"));
    check(b"\"text\"", &format!("a string of 4 bytes; {send}"));
    check(
        b"{\"id\": 1",
        &format!("malformed JSON at byte 8 (EOF while parsing an object); {send}"),
    );
    check(
        b"{\n\"id\": 01}",
        &format!("malformed JSON at byte 10 (invalid number); {send}"),
    );
    check(
        b"{\"id\": NaN}",
        &format!("malformed JSON at byte 8 (expected value); {send}"),
    );
    check(
        b"{\"id\": 1,}",
        &format!("malformed JSON at byte 10 (trailing comma); {send}"),
    );
    check(
        b"hello",
        &format!("malformed JSON at byte 1 (expected value); {send}"),
    );
    check(
        b"{\"t\": \"\xff\"}",
        &format!("bytes that are not UTF-8 at byte 8; {send}"),
    );
    check(
        b"{\"id\": 1, \"vector\": [1, 2]} {}",
        "more after the object, from byte 29 on; send one JSON object per record and nothing after it",
    );
}

#[test]
fn missing_null_and_unfit_fields_make_a_sentence() {
    let plan = articles();
    check_bad(
        &plan,
        br#"{"vector": [1, 2]}"#,
        "field 'id' wants an Int64 (a whole number of 64 bits), found nothing; send the key in every record",
    );
    check_bad(
        &plan,
        br#"{"id": 1, "vector": null}"#,
        "field 'vector' wants a FloatVector of 2 numbers, found null; send a value, or make the field nullable or give it a default in the collection",
    );
    check_bad(
        &plan,
        br#"{"id": 1, "vector": [1, 2, 3]}"#,
        "field 'vector' wants a FloatVector of 2 numbers, found an array of 3; send vectors of the collection's dimension",
    );
    check_bad(
        &plan,
        br#"{"id": 1, "title": "a title that is longer", "vector": [1, 2]}"#,
        "field 'title' wants a VarChar of at most 20 bytes, found text of 22 bytes; shorten it, or raise the field's max_length; it counts bytes, not characters",
    );
}

/// Chunks of a text, at most two.
fn chunks() -> FieldType {
    let text = FieldType::Array {
        element: Box::new(TEXT),
        max_capacity: None,
    };
    let vector = FieldType::ArrayOfVector {
        element: Box::new(FieldType::FloatVector { dim: 2 }),
        max_capacity: None,
    };
    let field = |name: &str, kind| StructField {
        name: name.into(),
        kind,
    };
    FieldType::ArrayOfStruct(StructArray {
        fields: vec![field("text", text), field("vector", vector)],
        max_capacity: Some(2),
    })
}

#[test]
fn nested_values_make_a_sentence_that_names_the_place() {
    let check = |kind: FieldType, value: &str, sentence: &str| {
        let rules = Rules {
            unknown_fields: UnknownFields::Fail,
            ..rules(InsertMode::Auto)
        };
        let plan = make(&schema(vec![auto_key("id"), field("x", kind)]), &rules).unwrap();
        check_bad(&plan, format!(r#"{{"x":{value}}}"#).as_bytes(), sentence);
    };
    let array = FieldType::Array {
        element: Box::new(TEXT),
        max_capacity: Some(2),
    };
    check(
        array.clone(),
        r#"["a","b","c"]"#,
        "field 'x' wants an Array of at most 2 elements of type VarChar(20), found an array of 3; send fewer elements, or raise the field's max_capacity",
    );
    check(
        array,
        r#"["a",null]"#,
        "field 'x' wants an Array of at most 2 elements of type VarChar(20), found an array whose element 1 (from 0) is null; send elements of the array's type and within its limits, and no null",
    );
    check(
        FieldType::Geometry,
        r#""POINT(1)""#,
        "field 'x' wants a Geometry (WKT in a string), found a string that is no WKT at byte 8 (no point of two numbers or more); mend the WKT; only as such Milvus takes it",
    );
    check(
        FieldType::Timestamptz,
        r#""2025-01-01T00:00:00+15:00""#,
        "field 'x' wants a Timestamptz (RFC 3339 in a string, or milliseconds since 1970), found a time with an offset out of range; send an offset from -12:00 to +14:00",
    );
    check(
        FieldType::Text { max_length: None },
        "[]",
        "field 'x' wants a Text (a string), found an array of 0; send a string",
    );
    check(
        chunks(),
        "[{},{},{}]",
        "field 'x' wants an array of at most 2 objects, found an array of 3; send fewer elements, or raise the struct's max_capacity",
    );
    check(
        chunks(),
        r#"[{"text":"a","vector":[1,2]},{"text":"b","vector":[1]}]"#,
        "field 'x[1].vector' wants a FloatVector of 2 numbers, found an array of 1; send vectors of the collection's dimension",
    );
    check(
        chunks(),
        r#"[{"vector":[1,2]}]"#,
        "field 'x[0].text' wants a VarChar of at most 20 bytes, found nothing; send every field of the struct in every element",
    );
    check(
        chunks(),
        r#"[{"text":"a","vector":[1,2],"more":1}]"#,
        "field 'x' wants only fields that its struct has, found one that it lacks in element 0 (from 0); leave it out, or set behavior.on.unknown.fields=ignore",
    );
}

#[test]
fn the_last_of_two_members_of_one_name_counts() {
    let check = |payload: &str, title: &str, vector: &str| {
        check_row(&articles(), payload, &["[1]", title, vector]);
    };
    check(
        r#"{"id":7,"id":1,"vector":[9,9],"vector":[1,2]}"#,
        "[]",
        "[1.0, 2.0]",
    );
    check(
        r#"{"id":"x","vector":[1],"id":1,"vector":[1,2]}"#,
        "[]",
        "[1.0, 2.0]",
    );
    check(
        r#"{"id":1,"vector":[1,2],"title":"a","title":null}"#,
        "[]",
        "[1.0, 2.0]",
    );
    check(
        r#"{"id":1,"vector":[1,2],"title":null,"title":"b"}"#,
        r#"["b"]"#,
        "[1.0, 2.0]",
    );
    check(
        r#"{"id":1,"vector":[1,2],"t\u0069tle":"a","title":"b"}"#,
        r#"["b"]"#,
        "[1.0, 2.0]",
    );
    check_bad(
        &articles(),
        br#"{"id":1,"vector":[1,2],"id":true}"#,
        "field 'id' wants an Int64 (a whole number of 64 bits), found a boolean; send a number, without quotes",
    );
}

#[test]
fn unknown_fields_go_by_the_rules() {
    let fields = || vec![key("id", FieldType::Int64)];
    check_row(&plan(fields()), r#"{"id":1,"x":[1],"$meta":2}"#, &["[1]"]);
    let strict = Rules {
        unknown_fields: UnknownFields::Fail,
        ..rules(InsertMode::Auto)
    };
    check_bad(
        &make(&schema(fields()), &strict).unwrap(),
        br#"{"id":1,"x\n":[1]}"#,
        "field 'x\\n' wants a field of its name in the collection, found none; add it to the collection, or set behavior.on.unknown.fields=ignore",
    );
}

#[test]
fn dynamic_fields_are_kept_byte_for_byte() {
    let plan = dynamic_plan(vec![auto_key("id"), field("n", FieldType::Int8)]);
    let check = |payload: &str, meta: &str| check_row(&plan, payload, &["[1]", meta]);
    check(r#"{"n":1}"#, "{}");
    check(
        r#"{"n":1,"a": 1.50 ,"b":{"c": [1e2]}}"#,
        r#"{"a":1.50,"b":{"c": [1e2]}}"#,
    );
    check(
        r#"{"a":null,"n":1,"b":"\u00e9"}"#,
        r#"{"a":null,"b":"\u00e9"}"#,
    );
    check(r#"{"a":1,"n":1,"b":2,"\u0061":3}"#, r#"{"b":2,"a":3}"#);
    check(r#"{"n":1,"\"\\\u0001\u00e9/":1}"#, r#"{"\"\\\u0001é/":1}"#);
    // A field that Milvus makes may not turn up in $meta: it is a static name.
    check(r#"{"n":1,"id":5,"\u006e":1}"#, "{}");
    check_bad(
        &plan,
        br#"{"n":1,"\u0024meta":{}}"#,
        "field '$meta' wants another name, found the name of the dynamic column; rename it in the record",
    );
}

#[test]
fn json_is_bounded_in_bytes_and_levels() {
    let json = plan(vec![auto_key("id"), field("j", FieldType::Json)]);
    let meta = dynamic_plan(vec![auto_key("id")]);
    let fits = |plan: &Plan, value: &str| {
        let payload = format!(r#"{{"j":{value}}}"#);
        decode(plan, &mut Columns::new(plan), payload.as_bytes()).map_err(|bad| bad.found)
    };
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));

    assert_eq!(fits(&json, &text(65_536)), Ok(()));
    assert_eq!(
        fits(&json, &text(65_537)),
        Err("JSON of 65537 bytes".into())
    );
    assert_eq!(fits(&json, &nested(128)), Ok(()));
    assert_eq!(fits(&json, &nested(129)), Err("JSON of 129 levels".into()));
    // {"j":…} takes six bytes and one level.
    assert_eq!(fits(&meta, &text(65_530)), Ok(()));
    assert_eq!(
        fits(&meta, &text(65_531)),
        Err("JSON of 65537 bytes".into())
    );
    assert_eq!(fits(&meta, &nested(127)), Ok(()));
    assert_eq!(fits(&meta, &nested(128)), Err("JSON of 129 levels".into()));
    // Deep nesting where nothing is kept costs no stack.
    assert_eq!(
        fits(
            &plan(vec![auto_key("id"), nullable("n", FieldType::Int8)]),
            &nested(1 << 20)
        ),
        Ok(())
    );
}

#[test]
fn a_record_of_very_many_names_takes_time_by_its_size_alone() {
    let check = |plan: &Plan, names: usize, fits: bool| {
        let members = (0..200_000).map(|index| format!(r#""f{}":1"#, index % names));
        let payload = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let start = std::time::Instant::now();
        let outcome = decode(plan, &mut Columns::new(plan), payload.as_bytes());
        // A comparison of each name with each other would take minutes.
        assert!(start.elapsed().as_secs() < 10, "took {:?}", start.elapsed());
        let found = outcome.map_err(|bad| bad.found.into_owned());
        let too_long = format!("JSON of {} bytes", payload.len());
        assert_eq!(found, if fits { Ok(()) } else { Err(too_long) });
    };
    let meta = dynamic_plan(vec![auto_key("id")]);
    check(&meta, 1_000, true);
    check(&meta, 200_000, false);
    let nothing = nullable("n", FieldType::Int8);
    check(&plan(vec![auto_key("id"), nothing]), 200_000, true);
}
