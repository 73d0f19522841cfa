//! What each field's source becomes, in the words of `check`, and which plans cannot be made.

use super::*;
use crate::config::{DeleteWhen, KeyFormat, NullValues};
use crate::milvus::schema::{FieldType, Schema};
use crate::plan::Operation;
use crate::plan::fixture::{auto_key, field, key, map, nullable, schema, shaped};

fn text(max: usize) -> FieldType {
    FieldType::VarChar {
        max_length: Some(max),
    }
}

/// `id` Int64 key, `title` nullable text, `n` required.
fn articles() -> Schema {
    schema(vec![
        key("id", FieldType::Int64),
        nullable("title", text(20)),
        field("n", FieldType::Int32),
    ])
}

fn dynamic(schema: Schema) -> Schema {
    Schema {
        dynamic: true,
        ..schema
    }
}

fn mapped(pairs: &[(&str, &str)]) -> Shaping {
    Shaping {
        field_map: map(pairs),
        ..Shaping::default()
    }
}

fn with_mode(pk_mode: PkMode) -> Shaping {
    Shaping {
        pk_mode,
        ..Shaping::default()
    }
}

fn with_metadata(pairs: &[(Metadata, &str)]) -> Shaping {
    let own = |&(metadata, target): &(Metadata, &str)| (metadata, target.to_owned());
    Shaping {
        metadata_fields: pairs.iter().map(own).collect(),
        headers: Arc::from(["trace".to_owned()]),
        ..Shaping::default()
    }
}

fn marked(field: &str) -> Shaping {
    Shaping {
        delete_when: Some(DeleteWhen {
            field: field.to_owned(),
            value: "true".to_owned(),
        }),
        ..Shaping::default()
    }
}

/// The plan's lines for fields, without types, and those that follow them.
fn check(schema: &Schema, shaping: Shaping, expected: &[&str]) {
    let plan = shaped(schema, shaping).unwrap();
    let lines = plan.describe_lines();
    let shown = lines
        .iter()
        .filter(|line| !line.starts_with("other record"));
    let squeeze = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: Vec<String> = shown.map(squeeze).collect();
    assert_eq!(shown, expected);
}

fn check_refused(schema: &Schema, shaping: Shaping, expected: &str) {
    let error = shaped(schema, shaping).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_mapped_field_has_its_source_and_a_source_is_not_written_under_its_own_name() {
    check(
        &articles(),
        mapped(&[("key.id", "id"), ("n", "title"), ("count", "n")]),
        &[
            "id ← 'key.id' Int64 required (primary key)",
            "title ← 'n' VarChar(20) absent or null: null",
            "n ← 'count' Int32 required",
        ],
    );
    check(
        &articles(),
        mapped(&[("title", "n")]),
        &[
            "id ← 'id' Int64 required (primary key)",
            "title ← nothing VarChar(20) always null",
            "n ← 'title' Int32 required",
        ],
    );
    check(
        &dynamic(articles()),
        mapped(&[("a.b", "c"), ("n", "n")]),
        &[
            "id ← 'id' Int64 required (primary key)",
            "title ← 'title' VarChar(20) absent or null: null",
            "n ← 'n' Int32 required",
            "$meta.c ← 'a.b' JSON left out where a record has none",
            "$meta ← every other field JSON {} where a record has no other fields",
        ],
    );
}

#[test]
fn metadata_and_deletes_are_said() {
    check(
        &dynamic(articles()),
        Shaping {
            null_values: NullValues::Delete,
            delete_when: marked("__deleted").delete_when,
            ..with_metadata(&[(Metadata::Offset, "n"), (Metadata::Header(0), "trace")])
        },
        &[
            "id ← 'id' Int64 required (primary key)",
            "title ← 'title' VarChar(20) absent or null: null",
            "n ← the record's offset Int32 required",
            "$meta.trace ← header 'trace' JSON left out where a record has none",
            "$meta ← every other field JSON {} where a record has no other fields",
            "a record without a value deletes the row of its record key (behavior.on.null.values=delete)",
            "a record whose '__deleted' is true deletes the row of its primary key (delete.when.field)",
        ],
    );
    check(
        &schema(vec![key("id", FieldType::Int64)]),
        Shaping {
            null_values: NullValues::Fail,
            ..Shaping::default()
        },
        &[
            "id ← 'id' Int64 required (primary key)",
            "a record without a value is a bad record (behavior.on.null.values=fail)",
        ],
    );
}

#[test]
fn the_primary_key_comes_from_where_pk_mode_says() {
    let of = |kind: FieldType| schema(vec![key("id", kind)]);
    let by_key = |key_format| Shaping {
        key_format,
        ..with_mode(PkMode::RecordKey)
    };
    for (format, words) in [
        (KeyFormat::Text, "the record key, as text"),
        (KeyFormat::Json, "the record key, as JSON"),
        (KeyFormat::Either, "the record key, as JSON or text"),
    ] {
        let line = format!("id ← {words} Int64 required (primary key)");
        check(&of(FieldType::Int64), by_key(format), &[&line]);
    }
    check(
        &of(text(39)),
        with_mode(PkMode::Kafka),
        &["id ← topic:partition:offset VarChar(39) required (primary key)"],
    );
    let auto = schema(vec![auto_key("id"), nullable("x", FieldType::Int8)]);
    for mode in [PkMode::None, PkMode::RecordValue] {
        check(
            &auto,
            with_mode(mode),
            &[
                "x ← 'x' Int8 absent or null: null",
                "id ← made by Milvus (autoID) Int64 a record's value for it is ignored",
            ],
        );
    }
}

#[test]
fn a_collection_that_takes_keys_for_autoid_gets_them_by_insert_unless_pk_mode_is_none() {
    let takes_keys = || Schema {
        allow_insert_auto_id: true,
        ..schema(vec![auto_key("id"), nullable("x", FieldType::Int8)])
    };
    let operation = |mode| {
        let plan = shaped(&takes_keys(), with_mode(mode)).unwrap();
        (plan.operation, plan.primary_key)
    };
    assert_eq!(operation(PkMode::RecordValue), (Operation::Insert, Some(0)));
    assert_eq!(operation(PkMode::RecordKey), (Operation::Insert, Some(0)));
    assert_eq!(operation(PkMode::None), (Operation::Insert, None));
}

#[test]
fn a_key_that_does_not_fit_pk_mode_is_refused() {
    check_refused(
        &articles(),
        with_mode(PkMode::None),
        "pk.mode=none leaves the key to Milvus, and Milvus does not make 'id' (it is not autoID); set pk.mode to record_value, record_key or kafka",
    );
    for (mode, name) in [(PkMode::RecordKey, "record_key"), (PkMode::Kafka, "kafka")] {
        check_refused(
            &schema(vec![auto_key("id")]),
            with_mode(mode),
            &format!(
                "pk.mode={name} cannot be used, since Milvus makes the key 'id' (autoID); set pk.mode=none, or let the collection take keys (its property allow_insert_auto_id, from Milvus 2.6.3 on)"
            ),
        );
    }
    // The fixture's longest topic has 8 bytes: 8 + 1 + 10 + 1 + 19.
    for (kind, name) in [(FieldType::Int64, "Int64"), (text(38), "VarChar(38)")] {
        check_refused(
            &schema(vec![key("id", kind)]),
            with_mode(PkMode::Kafka),
            &format!(
                "pk.mode=kafka makes keys topic:partition:offset of up to 39 bytes, and the key 'id' is of type {name}; create the collection anew with a VarChar(39) key or a longer one, or set another pk.mode"
            ),
        );
    }
}

#[test]
fn deletes_of_an_autoid_collection_are_refused() {
    let tombstones = || Shaping {
        null_values: NullValues::Delete,
        ..Shaping::default()
    };
    for takes_keys in [false, true] {
        let auto = Schema {
            allow_insert_auto_id: takes_keys,
            ..schema(vec![auto_key("id")])
        };
        for (shaping, setting) in [
            (tombstones(), "behavior.on.null.values=delete"),
            (marked("d"), "delete.when.field"),
        ] {
            check_refused(
                &auto,
                shaping,
                &format!(
                    "{setting} cannot be used, since the key 'id' is autoID and no record is known to name the row of another; remove it, or create the collection anew with a key of its own"
                ),
            );
        }
    }
}

#[test]
fn a_target_has_to_be_there_and_free() {
    check_refused(
        &articles(),
        mapped(&[("a", "b")]),
        "field.map names 'b', and the collection has neither such a field nor a dynamic one; it has id, title, n",
    );
    check_refused(
        &articles(),
        with_metadata(&[(Metadata::Offset, "o")]),
        "metadata.fields names 'o', and the collection has neither such a field nor a dynamic one; it has id, title, n",
    );
    check_refused(
        &dynamic(articles()),
        mapped(&[("a", "$meta")]),
        "field.map names '$meta', the dynamic column itself; name a field or a key within it",
    );
    let auto = schema(vec![auto_key("id"), nullable("x", FieldType::Int8)]);
    check_refused(
        &dynamic(auto),
        mapped(&[("a", "id")]),
        "field.map names 'id', which is made by Milvus (autoID); name another field",
    );
    check_refused(
        &articles(),
        with_metadata(&[(Metadata::Key, "id")]),
        "metadata.fields names 'id', the primary key, which pk.mode=record_value fills; take it out there, or set another pk.mode",
    );
    check_refused(
        &schema(vec![key("id", text(100))]),
        Shaping {
            pk_mode: PkMode::Kafka,
            ..mapped(&[("a", "id")])
        },
        "field.map names 'id', the primary key, which pk.mode=kafka fills; take it out there, or set another pk.mode",
    );
}

#[test]
fn a_required_field_whose_source_goes_elsewhere_is_refused() {
    let sentence = |field: &str| {
        format!(
            "field '{field}' would get no value, since the record's '{field}' goes elsewhere by field.map or delete.when.field; give it a source in field.map, or make it nullable or give it a default in the collection"
        )
    };
    check_refused(&articles(), mapped(&[("n", "title")]), &sentence("n"));
    check_refused(&articles(), mapped(&[("id", "title")]), &sentence("id"));
    check_refused(&articles(), marked("n"), &sentence("n"));
}
