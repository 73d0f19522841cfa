//! Against what JDK 17 read from the same files, and against any bytes at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Cases that Java accepts and we do not, or reads differently, with what we make of them instead.
const DELIBERATE: [(&str, &str); 2] = [
    (
        "16_bom",
        "\"b\" => \"1\"\n\"bootstrap.servers\" => \"x:9092\"\n",
    ),
    ("20_lone_surrogate", "ERR IllegalArgumentException\n"),
];

#[test]
fn every_file_reads_as_java_reads_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/properties");
    let expected = std::fs::read_to_string(folder.join("EXPECTED-java17.txt")).unwrap();
    let mut cases = 0;
    for case in expected.split("## ").skip(1) {
        let (name, java) = case.split_once('\n').unwrap();
        let wanted = DELIBERATE
            .iter()
            .find(|(deliberate, _)| *deliberate == name)
            .map_or(java, |(_, ours)| ours);
        let bytes = std::fs::read(folder.join(name)).unwrap();
        assert_eq!(show(&parse_latin1(&bytes)), wanted, "{name}");
        cases += 1;
    }
    assert_eq!(cases, 32);
}

/// The notation of the golden file: sorted, printable ASCII as it is, every other UTF-16 unit as an escape.
fn show(properties: &Properties) -> String {
    if !properties.faults.is_empty() {
        return "ERR IllegalArgumentException\n".to_owned();
    }
    let last: BTreeMap<&str, &str> = properties
        .entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_str()))
        .collect();
    last.iter().fold(String::new(), |mut shown, (key, value)| {
        writeln!(shown, "\"{}\" => \"{}\"", quote(key), quote(value)).unwrap();
        shown
    })
}

fn quote(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(b) if (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\' => char::from(b).into(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

#[test]
fn an_entry_knows_the_line_of_its_start() {
    let read = parse_latin1(b"# one\r\na=\\\r\n  b\r\n\rc=d\n\n e=f");
    let lines: Vec<_> = read
        .entries
        .iter()
        .map(|e| (e.key.as_str(), e.line))
        .collect();
    assert_eq!(lines, [("a", 2), ("c", 5), ("e", 7)]);
}

#[test]
fn faults_name_their_lines_and_the_rest_is_read() {
    let read = parse_latin1(b"a=\\u12\nb=1\n\\uD800=x\nc=\\\n\\u+123\n");
    let faults: Vec<_> = read.faults.iter().map(|f| (f.line, f.kind)).collect();
    assert_eq!(
        faults,
        [
            (1, FaultKind::Escape),
            (3, FaultKind::Surrogate),
            (4, FaultKind::Escape)
        ]
    );
    assert_eq!(read.entries.len(), 1);
}

#[test]
fn a_backslash_before_the_end_of_the_file_is_dropped() {
    for (text, expected) in [
        ("a=b\\", Some(("a", "b"))),
        ("\\", Some(("", ""))),
        ("\\\n", None),
        ("a=b\\\\", Some(("a", "b\\"))),
    ] {
        let read = parse(text);
        let entry = read
            .entries
            .first()
            .map(|e| (e.key.as_str(), e.value.as_str()));
        assert_eq!(entry, expected, "{text:?}");
    }
}

/// Java's `Properties.store`, with every character that needs it escaped.
fn encode(key: &str, value: &str) -> String {
    let escape = |text: &str| {
        text.encode_utf16()
            .map(|unit| match u8::try_from(unit) {
                Ok(b) if b.is_ascii_alphanumeric() => char::from(b).into(),
                _ => format!("\\u{unit:04X}"),
            })
            .collect::<String>()
    };
    format!("  {} = {}\n", escape(key), escape(value))
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes: Vec<u8>) {
        let lines = bytes.len() + 1;
        let read = parse_latin1(&bytes);
        prop_assert!(read.entries.iter().all(|e| (1..=lines).contains(&e.line)));
    }

    #[test]
    fn bytes_with_much_syntax_can_be_read(text in r"[\\u0-9aD=: \t\r\n#!]{0,60}") {
        parse_latin1(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read_back(pairs: Vec<(String, String)>) {
        let text: String = pairs.iter().map(|(key, value)| encode(key, value)).collect();
        let read = parse_latin1(text.as_bytes());
        prop_assert_eq!(read.faults, []);
        let back: Vec<_> = read.entries.into_iter().map(|e| (e.key, e.value)).collect();
        prop_assert_eq!(back, pairs);
    }
}
