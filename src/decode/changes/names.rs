//! Values under other names, and what Kafka knows of a record.

use proptest::prelude::*;

use super::*;
use crate::plan::Place;

#[test]
fn mapped_values_come_from_the_literal_name_first_then_from_the_path() {
    let fields = || {
        vec![
            key("id", FieldType::Int64),
            nullable("j", FieldType::Json),
            nullable("t", TEXT),
        ]
    };
    let plan = plan(fields(), mapped(&[("a.b", "t"), ("doc", "j")]));
    let check = |value: &str, t: &str, j: &str| check_row(&plan, valued(value), &["[1]", j, t]);
    check(r#"{"id":1,"a":{"b":"x"}}"#, r#"["x"]"#, "");
    check(r#"{"id":1,"a":{"b":"x"},"a.b":"y"}"#, r#"["y"]"#, "");
    check(r#"{"id":1,"a.b":null,"a":{"b":"x"}}"#, "[]", "");
    check(r#"{"id":1,"a":{"b":"x"},"a":{"c":1}}"#, "[]", "");
    check(r#"{"id":1,"a":[{"b":"x"}],"t":"own"}"#, "[]", "");
    check(r#"{"id":1,"doc":{"b": 1.0},"j":2}"#, "[]", r#"{"b": 1.0}"#);
    check_bad(
        &plan,
        valued(r#"{"id":1,"a":{"b":[]}}"#),
        "field 't' wants a VarChar of at most 60 bytes, found an array of 0 at 'a.b'; send a string, or use a JSON field",
    );
    let swapped = shaped(
        &schema(vec![
            key("id", FieldType::Int64),
            field("x", FieldType::Int8),
            field("y", FieldType::Int8),
        ]),
        mapped(&[("x", "y"), ("y", "x")]),
    );
    let given = valued(r#"{"id":1,"x":2,"y":3}"#);
    check_row(&swapped.unwrap(), given, &["[1]", "[3]", "[2]"]);
}

#[test]
fn the_dynamic_field_takes_what_the_plan_does_not_use() {
    let fields = || vec![key("id", FieldType::Int64), nullable("t", TEXT)];
    let check = |pairs: &[(&str, &str)], value: &str, t: &str, meta: &str| {
        let plan = shaped(&dynamic(fields()), mapped(pairs)).unwrap();
        check_row(&plan, valued(value), &["[1]", t, meta]);
    };
    let record = r#"{"id":1,"a":{"b":"x","c":2},"t":"own","z":3}"#;
    check(&[], record, r#"["own"]"#, r#"{"a":{"b":"x","c":2},"z":3}"#);
    check(&[("a.b", "t")], record, r#"["x"]"#, r#"{"z":3}"#);
    check(
        &[("a.b", "t"), ("a", "a")],
        record,
        r#"["x"]"#,
        r#"{"z":3,"a":{"b":"x","c":2}}"#,
    );
    check(&[("a.c", "z")], record, r#"["own"]"#, r#"{"z":2}"#);
    check(
        &[("z", "y\"")],
        record,
        r#"["own"]"#,
        r#"{"a":{"b":"x","c":2},"y\"":3}"#,
    );
    check(
        &[("t", "other")],
        record,
        "[]",
        r#"{"a":{"b":"x","c":2},"z":3,"other":"own"}"#,
    );
    check(&[("gone", "here")], r#"{"id":1}"#, "[]", "{}");
}

fn with_metadata(pairs: &[(Metadata, &str)]) -> Shaping {
    let own = |&(metadata, target): &(Metadata, &str)| (metadata, target.to_owned());
    Shaping {
        metadata_fields: pairs.iter().map(own).collect(),
        headers: Arc::from(["trace".to_owned()]),
        ..Shaping::default()
    }
}

/// A plan that fills the required field `m`.
fn filling(kind: FieldType, what: Metadata) -> Plan {
    let fields = vec![key("id", FieldType::Int64), field("m", kind)];
    plan(fields, with_metadata(&[(what, "m")]))
}

fn complete() -> Given<'static> {
    Given {
        key: Some(b"k\"1"),
        timestamp: Some(1_700_000_000_123),
        trace: Some("ü".as_bytes()),
        ..valued(r#"{"id":1,"m":"own"}"#)
    }
}

#[test]
fn metadata_goes_into_a_field_or_into_the_dynamic_one() {
    let check = |kind: FieldType, what: Metadata, expected: &str| {
        check_row(&filling(kind, what), complete(), &["[1]", expected]);
        let id = dynamic(vec![key("id", FieldType::Int64)]);
        let plan = shaped(&id, with_metadata(&[(what, "m")])).unwrap();
        let json = expected.trim_matches(['[', ']']);
        check_row(&plan, complete(), &["[1]", &format!(r#"{{"m":{json}}}"#)]);
    };
    check(FieldType::Int64, Metadata::Offset, "[7]");
    check(FieldType::Int32, Metadata::Partition, "[3]");
    check(FieldType::Int64, Metadata::Timestamp, "[1700000000123]");
    check(TEXT, Metadata::Topic, r#"["articles"]"#);
    check(TEXT, Metadata::Key, r#"["k\"1"]"#);
    check(TEXT, Metadata::Header(0), r#"["ü"]"#);
    check(FieldType::Json, Metadata::Header(0), r#""ü""#);
    check(FieldType::Json, Metadata::Offset, "7");
}

#[test]
fn metadata_follows_the_rules_of_its_field() {
    let text = filling(TEXT, Metadata::Offset);
    check_row(&text, complete(), &["[1]", r#"["7"]"#]);
    check_bad(
        &filling(FieldType::Int8, Metadata::Timestamp),
        complete(),
        "field 'm' wants an Int8 (a whole number from -128 to 127), found a number out of range as the record's timestamp; send a number in range, or use a field of a wider type where there is one",
    );
    let bare = valued(r#"{"id":1}"#);
    let bytes = Given {
        key: Some(b"\xff"),
        trace: Some(b"\xff"),
        ..bare
    };
    for (what, words, noun) in [
        (Metadata::Key, "the record key, as text", "a record key"),
        (Metadata::Header(0), "header 'trace'", "a header"),
    ] {
        let plan = filling(TEXT, what);
        let remedy =
            "send a value, or make the field nullable or give it a default in the collection";
        check_bad(
            &plan,
            bare,
            &format!(
                "field 'm' wants a VarChar of at most 60 bytes, found nothing as {words}; {remedy}"
            ),
        );
        let remedy = "send text there, or take it out of metadata.fields";
        let sentence = format!("field 'm' wants text in UTF-8, found {noun} that is not; {remedy}");
        check_bad(&plan, bytes, &sentence);
        let id = dynamic(vec![key("id", FieldType::Int64)]);
        let absent = shaped(&id, with_metadata(&[(what, "m")])).unwrap();
        check_row(&absent, bare, &["[1]", "{}"]);
    }
}

#[test]
fn a_member_that_is_read_in_part_is_not_said_to_be_ignored() {
    let fields = vec![key("id", FieldType::Int64), nullable("t", TEXT)];
    let plan = plan(fields, mapped(&[("t.x", "t")]));
    assert_eq!(plan.place("t"), (Place::Used, Some(1)));
    check_row(
        &plan,
        valued(r#"{"id":1,"t":{"x":"a"}}"#),
        &["[1]", r#"["a"]"#],
    );
}

#[test]
fn a_plain_plan_has_no_slots() {
    let plain = dynamic_plan(ids(FieldType::Int64));
    assert_eq!((plain.shape.slots, plain.shape.uses.len()), (0, 0));
}

proptest! {
    #[test]
    fn any_value_is_a_row_a_delete_or_unfit_and_leaves_the_columns_even(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "{\"id\":1", "{\"id\":1}", ",", ":", "\"a\":{", "\"b\":", "1", "\"x\"", "[", "]", "null",
            ",\"a\":{\"b\":\"x\"}", ",\"a.b\":1", ",\"op\":\"d\"", ",\"doc\":{}", ",\"t\":2", "\\", "\"",
        ]), 0..10),
    ) {
        let shaping = Shaping {
            field_map: map(&[("a.b", "t"), ("doc.x", "other"), ("doc", "doc")]),
            delete_when: marked("op", "d").delete_when,
            null_values: NullValues::Delete,
            ..with_metadata(&[(Metadata::Header(0), "h")])
        };
        let fields = vec![key("id", FieldType::Int64), nullable("t", TEXT)];
        let plan = shaped(&dynamic(fields), shaping).unwrap();
        let value = pieces.concat();
        let (result, _) = changed(&plan, keyed("1", &value));
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&value).is_ok();
        prop_assert!(is_json || result.is_err(), "{value}: {result:?}");
    }
}
