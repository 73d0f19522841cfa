//! The keys that say what a record becomes: what comes out of them, and what is refused.

use super::mistakes::check;
use super::*;

fn shaping(more: &str) -> Shaping {
    load_more(more).expect(more).shaping
}

#[test]
fn nothing_said_means_the_value_has_the_key_and_tombstones_do_nothing() {
    let shaping = shaping("field.map=\nmetadata.fields=\ndelete.when.field=");
    assert_eq!(
        (shaping.pk_mode, shaping.key_format, shaping.null_values),
        (PkMode::RecordValue, KeyFormat::Either, NullValues::Ignore)
    );
    assert!(shaping.field_map.is_empty() && shaping.metadata_fields.is_empty());
    assert_eq!((shaping.delete_when, shaping.headers.len()), (None, 0));
}

#[test]
fn enumerations_take_any_case() {
    let check = |text: &str, mode: PkMode| {
        assert_eq!(shaping(&format!("pk.mode={text}")).pk_mode, mode);
        assert_eq!(mode.name(), text.to_lowercase());
    };
    check("Record_Value", PkMode::RecordValue);
    check("RECORD_KEY", PkMode::RecordKey);
    check("kafka", PkMode::Kafka);
    check("none", PkMode::None);
    let check = |text: &str, null_values: NullValues| {
        let line = format!("behavior.on.null.values={text}");
        assert_eq!(shaping(&line).null_values, null_values);
    };
    check("IGNORE", NullValues::Ignore);
    check("Delete", NullValues::Delete);
    check("fail", NullValues::Fail);
}

#[test]
fn pairs_are_parted_at_the_last_colon_and_trimmed() {
    let own = |(source, target): (&str, &str)| (source.to_owned(), target.to_owned());
    let check = |list: &str, expected: &[(&str, &str)]| {
        let expected: Vec<_> = expected.iter().copied().map(own).collect();
        assert_eq!(shaping(&format!("field.map={list}")).field_map, expected);
    };
    check("a:b", &[("a", "b")]);
    check(
        " after.title : title , xml:lang:language,,a:b",
        &[
            ("after.title", "title"),
            ("xml:lang", "language"),
            ("a", "b"),
        ],
    );
    let mark = shaping("delete.when.field = __deleted : true ").delete_when;
    let [field, value] = ["__deleted", "true"].map(str::to_owned);
    assert_eq!(mark, Some(DeleteWhen { field, value }));
}

#[test]
fn a_header_is_kept_once_however_often_it_is_a_source() {
    let shaping = shaping(
        "metadata.fields=topic:t,partition:p,offset:o,timestamp:ts,key:k,header.a:x,header.b.c:y,header.a:z",
    );
    let sources: Vec<Metadata> = shaping.metadata_fields.iter().map(|(m, _)| *m).collect();
    let targets: Vec<&str> = shaping
        .metadata_fields
        .iter()
        .map(|(_, t)| t.as_str())
        .collect();
    assert_eq!(
        sources,
        [
            Metadata::Topic,
            Metadata::Partition,
            Metadata::Offset,
            Metadata::Timestamp,
            Metadata::Key,
            Metadata::Header(0),
            Metadata::Header(1),
            Metadata::Header(0),
        ]
    );
    assert_eq!(targets, ["t", "p", "o", "ts", "k", "x", "y", "z"]);
    assert_eq!(*shaping.headers, ["a".to_owned(), "b.c".to_owned()]);
}

#[test]
fn a_list_that_is_not_one_of_pairs_says_what_it_should_be() {
    for list in ["a", "a:", ":a", "a:b,c"] {
        check(
            &format!("field.map={list}"),
            &format!("1:4: field.map: found \"{list}\", wanted pairs source:target"),
        );
    }
    let deep = vec!["a"; 17].join(".");
    check(&format!("field.map={deep}:x"), "1:4: field.map: found");
    shaping(&format!("field.map={}:x", vec!["a"; 16].join(".")));
    for list in ["lag:x", "offset", "header.:x", "headers.a:x"] {
        check(
            &format!("metadata.fields={list}"),
            &format!(
                "1:4: metadata.fields: found \"{list}\", wanted pairs source:target separated by commas, where a source is topic, partition, offset, timestamp, key or header.NAME"
            ),
        );
    }
    check(
        "delete.when.field=__deleted",
        "1:4: delete.when.field: found \"__deleted\", wanted a field and its text",
    );
}

#[test]
fn a_value_goes_to_one_place_and_a_place_has_one_value() {
    check(
        "field.map=a:b,a:c",
        "1:4: field.map: 'a' is mapped twice; map it once",
    );
    check(
        "field.map=a:b,c:b",
        "1:4: field.map: 'b' is a target twice, in field.map and metadata.fields together",
    );
    check(
        "field.map=a:b\nmetadata.fields=offset:b",
        "1:4: field.map: 'b' is a target twice",
    );
    check(
        "metadata.fields=offset:b,topic:b",
        "1:4: metadata.fields: 'b' is a target twice",
    );
    check(
        "field.map=op:kind\ndelete.when.field=op:d",
        "1:5: delete.when.field: field.map maps 'op' too",
    );
    shaping("field.map=a:b,b:a,doc:doc,doc.id:id");
}

#[test]
fn deletes_need_a_key_that_records_know() {
    for (mode, why) in [
        ("kafka", "pk.mode=kafka gives every record a key of its own"),
        (
            "none",
            "with pk.mode=none no record knows the key of its row",
        ),
    ] {
        check(
            &format!("behavior.on.null.values=delete\npk.mode={mode}"),
            &format!("1:4: behavior.on.null.values: {why}"),
        );
        check(
            &format!("delete.when.field=d:1\npk.mode={mode}"),
            &format!("1:4: delete.when.field: {why}"),
        );
        shaping(&format!("behavior.on.null.values=fail\npk.mode={mode}"));
    }
    shaping("behavior.on.null.values=delete\ndelete.when.field=d:1\npk.mode=record_key");
}

#[test]
fn the_key_converter_counts_where_the_key_is_read() {
    let format = |more: &str| shaping(more).key_format;
    let text = "key.converter=org.apache.kafka.connect.storage.StringConverter\n";
    let json = "key.converter=JsonConverter\n";
    assert_eq!(format(text), KeyFormat::Text);
    assert_eq!(
        format("key.converter=ByteArrayConverter"),
        KeyFormat::Either
    );
    // Nobody reads it: what Connect would make of it is all the same.
    assert_eq!(format(json), KeyFormat::Json);
    shaping(&format!("{json}key.converter.schemas.enable=true"));
    for read in ["pk.mode=record_key", "behavior.on.null.values=delete"] {
        shaping(&format!("{json}key.converter.schemas.enable=false\n{read}"));
        check(
            &format!("{json}{read}"),
            "1:4: key.converter.schemas.enable: missing; Connect's default is true, and JSON with schemas is not built yet; set it to false in the file that names key.converter",
        );
        check(
            &format!("{json}key.converter.schemas.enable=true\n{read}"),
            "1:5: key.converter.schemas.enable: not built yet; set it to false and send plain JSON",
        );
    }
}
