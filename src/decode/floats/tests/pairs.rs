//! The pairs of a sparse vector, against the grammar and the standard library.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::super::{Pair, pairs};
use super::{FORMS, WRONG};

const BEFORE: &str = "{\"some vector\": {";
const AFTER: &str = "\"7\": 0.5}, \"and\": \"more behind it, and more\"}";

/// What is read of `members`, which stand in a record, and the text that was gone past; that has to be those pairs.
#[track_caller]
fn read(members: &str) -> (Vec<Pair>, String) {
    let json = format!("{BEFORE}{members}{AFTER}");
    let mut found = Vec::new();
    let end = pairs(json.as_bytes(), BEFORE.len(), &mut found);
    let past = json.get(BEFORE.len()..end).unwrap().to_owned();
    let members: Vec<&str> = past.split_terminator(',').map(str::trim).collect();
    let members = members.into_iter().filter(|member| !member.is_empty());
    let expected: Vec<(u32, u32)> = members
        .map(|member| {
            let is_json = serde_json::from_str::<IgnoredAny>(&format!("{{{member}}}")).is_ok();
            assert!(is_json, "{json}");
            let (name, value) = member.split_once(':').unwrap();
            let index: u32 = name.trim_matches('"').parse().unwrap();
            assert_eq!(name, format!("\"{index}\""), "{json}");
            (index, value.trim().parse::<f32>().unwrap().to_bits())
        })
        .collect();
    let bits: Vec<(u32, u32)> = found.iter().map(|(i, v)| (*i, v.to_bits())).collect();
    assert_eq!(bits, expected, "{json}");
    (found, past)
}

#[test]
fn pairs_as_they_mostly_come_are_all_read_where_the_cpu_can() {
    let all = [
        (0, 0.5),
        (7, 0.123_456_79),
        (30521, 1.25),
        (4_294_967_295, 0.0),
    ];
    let expected = if super::Kernel::all().len() > 1 {
        &all[..]
    } else {
        &[]
    };
    for members in [
        "\"0\": 0.5, \"7\": 0.12345679, \"30521\": 1.25, \"4294967295\": 0.0, ",
        "\"0\":0.5,\"7\":0.123456789,\"30521\":1.25,\"4294967295\":0,",
    ] {
        let (found, past) = read(members);
        assert_eq!(found.get(..expected.len()), Some(expected), "{members}");
        assert!(expected.is_empty() || past == members, "{members}");
    }
}

#[test]
fn numbers_of_every_form_are_the_nearest_or_left_alone() {
    for form in FORMS {
        for members in [
            format!("\"5\": {form}, "),
            format!("\"1\": 0.5,\"23456\":{form},"),
        ] {
            read(&members);
        }
    }
}

#[test]
fn what_is_no_pair_is_left_alone() {
    let check = |member: &str| {
        let (found, past) = read(&format!("\"1\": 0.5, {member}, "));
        assert!(found.len() <= 1, "{member}");
        assert!(past.len() <= "\"1\": 0.5, ".len(), "{member}");
    };
    for value in WRONG {
        check(&format!("\"5\": {value}"));
    }
    for name in [
        "",
        "-1",
        "+1",
        "01",
        "00",
        "1.0",
        "1e1",
        " 1",
        "1 ",
        "x",
        "4294967296",
        "99999999999",
        "1,2",
        "1\\",
        "a:",
    ] {
        check(&format!("\"{name}\": 0.5"));
    }
    for member in [
        "5: 0.5",
        "\"5\" 0.5",
        "\"5: 0.5",
        "5\": 0.5",
        "\"5\"= 0.5",
        "\"5\"",
        "\"5\":",
        "\"5\": \"0.5\"",
    ] {
        check(member);
    }
}

#[test]
fn a_text_that_ends_early_is_read_up_to_its_last_whole_pair() {
    let json = "{\"some vector\": {\"0\": 0.5, \"7\": 0.25, \"12345\": 0.12345678, ";
    for end in 0..json.len() {
        let mut found = Vec::new();
        let at = pairs(&json.as_bytes()[..end], BEFORE.len().min(end), &mut found);
        assert!(at <= end && found.len() <= 3, "{end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whatever_is_read_is_there(members in "(\"[0-9]{0,11}\"[: ]{1,2}-?[0-9.]{0,19}[,} ]{1,2}){0,4}[\"0-9.,:e +-]{0,12}") {
        read(&members);
    }
}
