//! Primary keys out of record keys and out of Kafka's coordinates.

use proptest::prelude::*;

use super::*;

#[test]
fn the_record_key_is_read_as_text_as_json_or_as_what_it_is() {
    use KeyFormat::{Either, Json, Text};
    let check = |format, key: &str, expected: Result<&str, &str>| {
        let plan = plan(ids(TEXT), by_record_key(format));
        let given = keyed(key, r#"{"n":1}"#);
        match expected {
            Ok(text) => check_row(&plan, given, &[&format!("[{text:?}]"), "[1]"]),
            Err(found) => check_bad(
                &plan,
                given,
                &format!(
                    "field 'id' wants a VarChar of at most 60 bytes, found {found}; {IN_FORM}"
                ),
            ),
        }
    };
    check(Text, "a", Ok("a"));
    check(Text, "", Ok(""));
    check(Text, r#""a""#, Ok(r#""a""#));
    check(Text, r#"{"id":1}"#, Ok(r#"{"id":1}"#));

    check(Json, r#""a""#, Ok("a"));
    check(Json, " 12.50 ", Ok("12.50"));
    check(Json, "true", Ok("true"));
    check(Json, r#"{"x":[],"id":"\u0061"}"#, Ok("a"));
    check(Json, r#"{"id":1,"id":2}"#, Ok("2"));
    check(Json, "a", Err("a record key that is not JSON"));
    check(Json, "", Err("a record key that is not JSON"));
    check(Json, "1 2", Err("a record key that is not JSON"));
    check(Json, "null", Err("null in the record key"));
    check(Json, "[1]", Err("an array of 1 in the record key"));
    check(Json, r#"{"id":null}"#, Err("null in the record key"));
    check(
        Json,
        r#"{"x":1}"#,
        Err("a record key that is an object without 'id'"),
    );

    check(Either, "a", Ok("a"));
    check(Either, "", Ok(""));
    check(Either, r#""a""#, Ok("a"));
    check(Either, "12.50", Ok("12.50"));
    check(Either, "007", Ok("007"));
    check(Either, "1-2", Ok("1-2"));
    check(Either, "true", Ok("true"));
    check(Either, "null", Ok("null"));
    check(Either, "[1]", Ok("[1]"));
    check(Either, r#"{"id":"a"}"#, Ok("a"));
    check(Either, r#"{"x":1}"#, Ok(r#"{"x":1}"#));
    check(Either, r#"{"id":1"#, Ok(r#"{"id":1"#));
    // Two keys of Kafka stay two.
    check(Either, r#" "a""#, Ok(r#" "a""#));
    check(Either, "1 ", Ok("1 "));
    let long = "x".repeat(61);
    check(Either, &long, Err("text of 61 bytes in the record key"));
}

#[test]
fn a_record_key_becomes_an_integer_by_the_rules_of_the_field() {
    let plan = plan(ids(FieldType::Int64), by_record_key(KeyFormat::Either));
    let check = |key: &str, expected: &str| {
        check_row(&plan, keyed(key, "{}"), &[&format!("[{expected}]"), "[]"]);
    };
    check("12", "12");
    check("12.0", "12");
    check(r#""-7""#, "-7");
    check(r#"{"id":9223372036854775807}"#, "9223372036854775807");
    let wants = "field 'id' wants an Int64 (a whole number of 64 bits), found";
    let bad = |given, found: &str| check_bad(&plan, given, &format!("{wants} {found}; {IN_FORM}"));
    bad(keyed("a", "{}"), "a string of 1 bytes in the record key");
    bad(
        keyed("1.5", "{}"),
        "a number with a fraction in the record key",
    );
    bad(valued("{}"), "no record key");
    let bytes = Given {
        key: Some(b"\xff"),
        ..valued("{}")
    };
    bad(bytes, "a record key that is not UTF-8");
}

#[test]
fn with_the_key_from_elsewhere_a_member_of_its_name_goes_nowhere() {
    let record = r#"{"id":5,"n":1,"x":2}"#;
    let by_key = shaped(&dynamic(ids(TEXT)), by_record_key(KeyFormat::Text)).unwrap();
    check_row(
        &by_key,
        keyed("k", record),
        &[r#"["k"]"#, "[1]", r#"{"x":2}"#],
    );
    let kafka = Shaping {
        pk_mode: PkMode::Kafka,
        ..Shaping::default()
    };
    let by_offset = shaped(&dynamic(ids(TEXT)), kafka).unwrap();
    check_row(
        &by_offset,
        keyed("k", record),
        &[r#"["articles:3:7"]"#, "[1]", r#"{"x":2}"#],
    );
}

#[test]
fn a_topic_longer_than_the_plan_knew_of_is_a_bad_record() {
    let fields = ids(FieldType::VarChar {
        max_length: Some(39),
    });
    let kafka = Shaping {
        pk_mode: PkMode::Kafka,
        ..Shaping::default()
    };
    let plan = plan(fields, kafka);
    let mut chunk = chunk(valued("{}"));
    chunk.runs[0].tenure = Arc::new(Tenure::new(TopicPartition::new("t".repeat(36), 0), 0));
    let mut columns = Columns::new(&plan);
    let bad = change(&plan, &mut columns, chunk.view(0, 0)).unwrap_err();
    assert!(
        matches!(&bad, Unfit::Bad(bad) if bad.found == "text of 40 bytes"),
        "{bad:?}"
    );
}

#[test]
fn a_name_mapped_to_the_key_is_the_name_within_a_record_key_too() {
    let value = Shaping {
        null_values: NullValues::Delete,
        ..mapped(&[("user.no", "id")])
    };
    let by_value = plan(ids(FieldType::Int64), value);
    check_row(&by_value, valued(r#"{"user":{"no":3}}"#), &["[3]", "[]"]);
    check_delete(&by_value, tombstone(r#"{"user":{"no":4}}"#), 4);
    check_delete(&by_value, tombstone(r#"{"user.no":5}"#), 5);

    let key = Shaping {
        field_map: map(&[("n", "id")]),
        ..by_record_key(KeyFormat::Json)
    };
    let by_key = plan(ids(FieldType::Int64), key);
    check_row(&by_key, keyed(r#"{"n":3}"#, r#"{"n":4}"#), &["[3]", "[4]"]);
}

fn formats() -> impl Strategy<Value = KeyFormat> {
    prop::sample::select(vec![KeyFormat::Text, KeyFormat::Json, KeyFormat::Either])
}

#[test]
fn where_a_record_is_bad_is_told_as_connect_does() {
    use crate::dead_letter::Stage;
    let plan = plan(ids(FieldType::Int64), by_record_key(KeyFormat::Either));
    let check = |given, expected| match changed(&plan, given).0 {
        Err(Unfit::Bad(bad)) => assert_eq!(bad.stage, expected, "{bad}"),
        other => panic!("{other:?}"),
    };
    check(keyed("a", "{}"), Stage::KeyConverter);
    check(keyed("1", "{"), Stage::ValueConverter);
    check(keyed("1", "[]"), Stage::ValueConverter);
    check(keyed("1", r#"{"n":300}"#), Stage::TaskPut);
}

proptest! {
    #[test]
    fn any_record_key_is_a_key_or_a_bad_record_and_the_same_one_by_value_and_by_tombstone(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            "[ \"{}:,a-c0-9\\\\.id]{0,20}".prop_map(String::into_bytes),
            any::<i64>().prop_map(|id| format!("{{\"id\":{id}}}").into_bytes()),
        ],
        format in formats(), text in any::<bool>(),
    ) {
        let kind = if text { TEXT } else { FieldType::Int64 };
        let shaping = Shaping { null_values: NullValues::Delete, ..by_record_key(format) };
        let plan = plan(ids(kind), shaping);
        let given = Given { key: Some(&bytes), ..valued("{}") };
        let (row, columns) = changed(&plan, given);
        let (deleted, _) = changed(&plan, Given { value: None, ..given });
        match row {
            Ok(_) => prop_assert_eq!(deleted, Ok(Change::Delete(columns.key(0).unwrap()))),
            Err(bad) => prop_assert_eq!(deleted, Err(bad)),
        }
    }

    #[test]
    fn every_text_is_a_key_and_no_two_texts_are_one_but_json_of_the_same(
        texts in prop::collection::vec("[ \"a0-9.-]{0,4}", 2),
    ) {
        let plan = plan(ids(TEXT), by_record_key(KeyFormat::Either));
        let key = |text: &str| {
            let (row, columns) = changed(&plan, keyed(text, "{}"));
            row.map(|_| columns.key(0).unwrap()).map_err(|_| TestCaseError::fail("every text is a key"))
        };
        let [one, other] = [key(&texts[0]), key(&texts[1])];
        // Quotes alone make no other key.
        let unquoted = |text: &str| match serde_json::from_str::<String>(text) {
            Ok(unquoted) if text.trim() == text => unquoted,
            _ => text.to_owned(),
        };
        let same = unquoted(&texts[0]) == unquoted(&texts[1]);
        prop_assert_eq!(one? == other?, same);
    }
}
