//! What became of every key that was given, in a configuration that is taken and in one that is not.

use super::*;
use crate::config::{Fate, KeyRow};

/// The row of a key in what comes of these lines.
fn row(lines: &str, key: &str) -> Option<KeyRow> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    std::fs::write(&path, lines).unwrap();
    let sources = Sources {
        files: vec![path],
        ..Sources::default()
    };
    let keys = match load(&sources) {
        Ok(config) => config.keys,
        Err(errors) => errors.keys().to_vec(),
    };
    let mut found = keys.into_iter().filter(|row| row.key == key);
    let row = found.next();
    assert_eq!(found.next(), None, "{key} has two rows");
    row
}

fn said(fate: &Fate) -> String {
    match fate {
        Fate::Default => "default".to_owned(),
        Fate::Honoured => "honoured".to_owned(),
        Fate::Translated { to } => format!("translated: {to}"),
        Fate::Ignored { why } => format!("ignored: {why}"),
        Fate::Unknown { nearest } => format!("unknown: {nearest:?}"),
        Fate::Refused { why } => format!("refused: {why}"),
    }
}

#[test]
fn every_key_says_what_became_of_it() {
    let check = |line: &str, value: Option<&str>, part: &str| {
        let key = line.split('=').next().unwrap();
        let row = row(&format!("{LEAST}{line}\n"), key).unwrap();
        let said = said(&row.fate);
        assert!(said.contains(part), "{line}: {said}");
        assert_eq!(row.value.as_deref(), value, "{line}");
        assert!(row.origin.ends_with("1:4"), "{line}: {}", row.origin);
    };
    check("linger.ms=5", Some("5"), "honoured");
    check("token=root:geheim", Some("****"), "honoured");
    check("token=****", None, "ignored: the placeholder");
    check("consumer.client.id=c", Some("c"), "honoured");
    check(
        "consumer.max.partition.fetch.bytes=1000000",
        Some("1000000"),
        "translated: ",
    );
    check("consumer.max.poll.records=5", None, "ignored: Java's");
    check(
        "consumer.enable.auto.commit=true",
        None,
        "ignored: stays false",
    );
    check("producer.linger.ms=5", None, "ignored: no effect without");
    check("sasl.mechanism=PLAIN", None, "ignored: no effect with this");
    check("plugin.path=x", None, "ignored: Kafka Connect's");
    check("batch.size=5", None, "here it is batch.max.rows");
    check(
        "fetch.min.bytes=5",
        None,
        "here it is consumer.fetch.min.bytes",
    );
    check("transforms=", None, "ignored: it is empty");
    check("something.else=geheim", None, "unknown: None");
    check("linger.mss=5", None, "unknown: Some(\"linger.ms\")");
    check("transforms=a", None, "refused: transforms and predicates");
    check("batch.max.rows=x", None, "refused: found \"x\"");
}

#[test]
fn a_value_in_another_form_and_what_is_missing_are_told() {
    let lines = "name=n\npublic.endpoint=localhost:19530\nlinger.ms=5\n";
    let endpoint = row(lines, "public.endpoint").unwrap();
    assert_eq!(said(&endpoint.fate), "translated: http://localhost:19530");
    let missing = row(lines, "topics").unwrap();
    assert!(
        said(&missing.fate).starts_with("refused: missing"),
        "{missing:?}"
    );
    assert_eq!((missing.value, missing.origin.as_str()), (None, ""));
    // A mistake elsewhere changes nothing about it.
    let honoured = row(lines, "linger.ms").unwrap();
    assert_eq!(honoured.fate, Fate::Honoured);
}

#[test]
fn keys_that_nobody_set_are_shown_with_their_defaults() {
    let row = row(LEAST, "batch.max.rows").unwrap();
    assert_eq!((row.fate, row.origin.as_str()), (Fate::Default, "default"));
    assert_eq!(row.value.as_deref(), Some("10000"));
}
