//! Texts of real servers, and what is left of them.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, secrets: &[&str], expected: &str) {
    let secrets: Vec<_> = secrets.iter().map(|s| Secret::new(*s)).collect();
    assert_eq!(sanitise(text, &secrets), expected);
}

#[test]
fn a_reason_keeps_its_words_and_loses_secrets_and_control_characters() {
    check(" rate limit exceeded\n", &[], "rate limit exceeded");
    check("a\nb\u{1b}[31m\u{2028}c", &[], "a\\nb\\u{1b}[31m\\u{2028}c");
    check("bad key u:pw, pw", &["u:pw", "pw"], "bad key ****, ****");
    check("größe 🦀", &[], "größe 🦀");
}

#[test]
fn what_may_quote_a_record_is_cut_before_that() {
    let check = |text: &str, expected: &str| assert_eq!(before_quotes(text), expected);
    check("failed, expr = id in [\"k\"]", "failed, expr = id in …");
    check("value '5' in list cannot be cast", "value …");
    check("node is down", "node is down");
}

#[test]
fn a_long_reason_is_cut_at_a_character_and_never_inside_a_secret() {
    let clean = sanitise(&"é".repeat(400), &[]);
    assert!(clean.len() <= MAX_BYTES && clean.ends_with('…'));
    let at_the_cut = format!("{}secret", "x".repeat(MAX_BYTES - 6));
    let clean = sanitise(&at_the_cut, &[Secret::new("secret")]);
    assert!(!clean.contains("sec"), "{clean}");
}

fn is_name(name: &str) -> bool {
    ["title", "articles"].contains(&name)
}

#[test]
fn names_lengths_and_limits_stay() {
    for text in [
        "the length (7) of 0th VarChar title exceeds max length (5): invalid parameter",
        "length of varchar field title exceeds max length, row number: 3, length: 7, max length: 5",
        "the dim (3) of field data(v) is not equal to schema dim (8): invalid parameter[expected=8][actual=3]",
        "can't find collection[database=default][collection=articles]",
        "VARCHAR field 'title' value length 7 exceeds max_length=5",
        "vector field 'title' expected dim 8, got 7",
    ] {
        assert_eq!(without_values(text, is_name), text);
    }
}

/// Texts of Milvus 2.3 to 3.0 and of Milvus Lite.
#[test]
fn values_go() {
    for (text, shown) in [
        (
            "field 'title' is illegal: invalid parameter[expected=need string array][actual=got nil]",
            "field 'title' is illegal: invalid parameter[expected=need string array][actual=…",
        ),
        (
            "the 0th element (300) out of range: [-128, 127]",
            "the 0th element … out of range: [-128, 127]",
        ),
        (
            "invalid parameter[300 out of range -128 <= value <= 127]",
            "invalid … out of range -128 <= value <= 127]",
        ),
        (
            "value 'NaN' is not a number or infinity",
            "value … is not a number or infinity",
        ),
        (
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
            "json: cannot unmarshal array into Go value of type map[string]interface …",
        ),
        (
            "Syntax error at index 2: invalid char\n\n\t{\"a\": sesame\n\t..^",
            "Syntax error at index 2: invalid char",
        ),
        (
            "syntax error: unexpected NUM\nLINE 1: POINT (1 2\n          ^",
            "syntax error: unexpected NUM",
        ),
        (
            "field 'title' value {'a': 'b'} does not match dtype DataType.VARCHAR",
            "field 'title' value … does not match dtype DataType.VARCHAR",
        ),
        (
            "field 'title' value 3.75 does not match dtype DataType.VARCHAR",
            "field 'title' value … does not match dtype DataType.VARCHAR",
        ),
        (
            "record has fields ['kind', 'size'] not in schema (enable_dynamic_field is False)",
            "record has fields […] not in schema (enable_dynamic_field is False)",
        ),
    ] {
        assert_eq!(without_values(text, is_name), shown);
    }
}

proptest! {
    #[test]
    fn no_text_of_a_row_survives(before in "[ -~\n…é]{0,9}", after in "[ -~\n…é]{0,9}") {
        let value = format!("{before}sesame{after}");
        for template in [
            "field 'title' value '{}' does not match dtype DataType.VARCHAR",
            "GEOMETRY value '{}' has non-numeric coordinate '{}'",
            "field \"title\": strconv.ParseInt: parsing \"{}\": invalid syntax",
            "cannot parse `{}` of `title`",
            "got invalid timestamptz string: {}",
            "got invalid timestamptz string '{}': invalid timezone name (e.g., 'UTC'): invalid parameter",
            "duplicate key: invalid parameter[expected=a new key][actual={}]",
            "field not found[value={}]",
            "Mismatch type string at index 4\n\n\t{}\n\t..^",
            "value {'title': '{}'} does not match",
        ] {
            let text = template.replace("{}", &value);
            let shown = without_values(&text, is_name);
            prop_assert!(!shown.contains("sesame"), "{text}\n{shown}");
        }
    }
}
