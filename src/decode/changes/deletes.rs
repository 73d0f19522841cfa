//! Records that delete: tombstones and marked ones.

use super::*;
use crate::milvus::schema::DefaultValue;
use crate::plan::fixture::with_default;

#[test]
fn a_tombstone_does_what_behavior_on_null_values_says() {
    let with = |null_values| {
        let shaping = Shaping {
            null_values,
            ..Shaping::default()
        };
        plan(ids(FieldType::Int64), shaping)
    };
    let ignored = changed(&with(NullValues::Ignore), tombstone("1")).0;
    assert_eq!(ignored, Ok(Change::Nothing(Why::Tombstone)));
    check_bad(
        &with(NullValues::Fail),
        tombstone("1"),
        "the record should be one JSON object, found no value (a tombstone); send a value, or set behavior.on.null.values to ignore or delete",
    );
    let delete = with(NullValues::Delete);
    check_delete(&delete, tombstone("1"), 1);
    check_delete(&delete, tombstone(r#"{"id":"2"}"#), 2);
    let wants = "field 'id' wants an Int64 (a whole number of 64 bits), found";
    let bad =
        |given, found: &str| check_bad(&delete, given, &format!("{wants} {found}; {IN_FORM}"));
    bad(tombstone("a"), "a string of 1 bytes in the record key");
    bad(Given::default(), "no record key");
    let by_key = Shaping {
        pk_mode: PkMode::RecordKey,
        ..deleting()
    };
    check_delete(&plan(ids(TEXT), by_key), tombstone("a b"), "a b");
}

#[test]
fn a_record_key_of_another_row_halts_while_tombstones_delete() {
    const TWO: &str = "field 'id' wants one key in the record key and in the value, found two; a tombstone would delete another row (behavior.on.null.values=delete); key the topic by this field, or set pk.mode=record_key, or delete nothing";
    let numbers = plan(ids(FieldType::Int64), deleting());
    check_halts(&numbers, keyed("2", r#"{"id":1}"#), TWO);
    check_halts(
        &numbers,
        keyed(r#"{"id":2}"#, r#"{"id":1,"n":"unfit"}"#),
        TWO,
    );
    check_row(&numbers, keyed("1.0", r#"{"id":1}"#), &["[1]", "[]"]);
    // Their tombstones are bad records and delete nothing.
    check_row(&numbers, valued(r#"{"id":1}"#), &["[1]", "[]"]);
    check_row(&numbers, keyed("a", r#"{"id":1}"#), &["[1]", "[]"]);
    let texts = plan(ids(TEXT), deleting());
    check_halts(&texts, keyed("b", r#"{"id":"a"}"#), TWO);
    check_row(&texts, keyed("a", r#"{"id":"a"}"#), &[r#"["a"]"#, "[]"]);
    // A record that deletes by its value is followed by its tombstone.
    let both = Shaping {
        delete_when: marked("gone", "1").delete_when,
        ..deleting()
    };
    let both = plan(ids(FieldType::Int64), both);
    check_halts(&both, keyed("2", r#"{"id":1,"gone":1}"#), TWO);
    check_delete(&both, keyed("1", r#"{"id":1,"gone":1}"#), 1);
    // Without deletes nobody asks.
    let ignoring = plan(ids(FieldType::Int64), Shaping::default());
    check_row(&ignoring, keyed("2", r#"{"id":1}"#), &["[1]", "[]"]);
}

#[test]
fn a_key_with_a_default_is_settled_once() {
    let id = with_default("id", FieldType::Int64, DefaultValue::Int(4));
    let id = Field {
        primary_key: true,
        ..id
    };
    let plan = plan(vec![id], deleting());
    check_row(&plan, valued("{}"), &["[4]"]);
}

#[test]
fn a_marked_record_deletes_and_only_its_key_has_to_fit() {
    let fields = || {
        vec![
            key("id", FieldType::Int64),
            field("vector", FieldType::FloatVector { dim: 2 }),
        ]
    };
    let plan_of = |shaping| shaped(&dynamic(fields()), shaping).unwrap();
    let plan = plan_of(marked("__deleted", "true"));
    let deletes = |value: &str| check_delete(&plan, valued(value), 1);
    deletes(r#"{"id":1,"vector":null,"__deleted":true}"#);
    deletes(r#"{"__deleted":"true","id":1}"#);
    deletes(r#"{"id":1,"vector":[1,2],"__deleted":"tr\u0075e","$meta":1}"#);
    deletes(r#"{"__deleted":false,"id":2,"id":1,"__deleted":true}"#);
    check_bad(
        &plan,
        valued(r#"{"__deleted":true}"#),
        "field 'id' wants an Int64 (a whole number of 64 bits), found nothing; send the key in every record",
    );
    for other in [
        "false",
        "null",
        "1",
        r#""TRUE""#,
        r#"["true"]"#,
        r#"{"a":true}"#,
    ] {
        let value = format!(r#"{{"id":1,"vector":[1,2],"__deleted":{other},"x":1}}"#);
        check_row(&plan, valued(&value), &["[1]", "[1.0, 2.0]", r#"{"x":1}"#]);
    }
    let absent = r#"{"id":1,"vector":[1,2]}"#;
    check_row(&plan, valued(absent), &["[1]", "[1.0, 2.0]", "{}"]);
    let numbers = plan_of(marked("source.op", "4.0"));
    check_delete(&numbers, valued(r#"{"id":1,"source":{"op":4.0}}"#), 1);
    let four = r#"{"id":1,"vector":[1,2],"source":{"op":4}}"#;
    check_row(&numbers, valued(four), &["[1]", "[1.0, 2.0]", "{}"]);
    let by_key = plan_of(Shaping {
        pk_mode: PkMode::RecordKey,
        ..marked("op", "d")
    });
    check_delete(&by_key, keyed("8", r#"{"id":1,"op":"d"}"#), 8);
}
