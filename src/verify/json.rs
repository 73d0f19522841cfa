//! JSON by value: members in any order, of a name that occurs twice the last one; numbers by what they are worth.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash};

use serde_json::value::RawValue;

use crate::decode::convert::Value;
use crate::decode::raw;

/// Deeper than the sink writes.
const MAX_DEPTH: usize = 256;

/// Milvus Lite takes the quotes off a text: what is no JSON is one.
pub(super) fn hash(json: &[u8], hasher: &mut DefaultHasher) {
    match serde_json::from_slice::<&RawValue>(json) {
        Ok(json) => value(&raw::value(json.get()), 0, hasher),
        Err(_) => value(&Value::Text(String::from_utf8_lossy(json)), 0, hasher),
    }
}

fn value(json: &Value<'_>, depth: usize, hasher: &mut DefaultHasher) {
    match json {
        Value::Null => b'n'.hash(hasher),
        Value::Boolean(truth) => (b'b', truth).hash(hasher),
        Value::Number(written) => number(written, hasher),
        Value::Text(text) => (b't', text).hash(hasher),
        Value::Json(written) => value(&raw::value(written), depth, hasher),
        Value::LoneSurrogate => b'?'.hash(hasher),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => b'd'.hash(hasher),
        Value::Array(array) => {
            b'['.hash(hasher);
            array.items().for_each(|item| {
                b','.hash(hasher);
                value(&item, depth + 1, hasher);
            });
        }
        Value::Object(object) => {
            let mut members: Vec<(Cow<'_, str>, Value<'_>)> = object
                .members()
                .map(|(name, value)| (name_of(name), value))
                .collect();
            // The last one of a name stays: sorting keeps their order.
            members.reverse();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.dedup_by(|(a, _), (b, _)| a == b);
            (b'{', members.len()).hash(hasher);
            for (name, member) in &members {
                name.hash(hasher);
                value(member, depth + 1, hasher);
            }
        }
    }
    b';'.hash(hasher);
}

fn name_of(name: Value<'_>) -> Cow<'_, str> {
    match name {
        Value::Text(name) => name,
        _ => Cow::Borrowed("\u{fffd}"),
    }
}

/// `1`, `1.0` and `10e-1` are one number. Whole ones beyond a double's are compared digit by digit.
fn number(written: &str, hasher: &mut DefaultHasher) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(whole) = written.parse::<i128>() {
        return (b'i', whole).hash(hasher);
    }
    let double = written.parse::<f64>().unwrap_or(f64::NAN);
    if double.fract() == 0.0 && double.abs() <= EXACT {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a whole number of 54 bits at most"
        )]
        let whole = double as i128;
        return (b'i', whole).hash(hasher);
    }
    (b'f', double.to_bits()).hash(hasher);
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher as _;

    use super::*;

    fn hashed(json: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash(json.as_bytes(), &mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("-0.0", "0"),
            ("0.1", "1e-1"),
            (
                r#"{"a":1,"b":[true,null]}"#,
                r#" { "b" : [ true , null ], "a" : 1.0 } "#,
            ),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#""é""#, r#""\u00e9""#),
            (r#""bare words""#, "bare words"),
        ] {
            assert_eq!(hashed(a), hashed(b), "{a} {b}");
        }
    }

    #[test]
    fn what_does_not_is_not() {
        for (a, b) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("0.1", "0.2"),
            ("9007199254740993", "9007199254740992"),
            ("[1,2]", "[2,1]"),
            ("[[1],2]", "[[1,2]]"),
            ("{}", "[]"),
            ("null", "false"),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#),
        ] {
            assert_ne!(hashed(a), hashed(b), "{a} {b}");
        }
    }
}
