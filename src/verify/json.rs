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

/// `1`, `1.0` and `10e-1` are one number, and so are `1e20` and the one with twenty zeros. Whole ones of up to 38 digits
/// are compared digit by digit, others as doubles.
fn number(written: &str, hasher: &mut DefaultHasher) {
    if let Some(whole) = whole(written) {
        return (b'i', whole).hash(hasher);
    }
    let double = written.parse::<f64>().unwrap_or(f64::NAN);
    (b'f', double.to_bits()).hash(hasher);
}

/// What it is worth, where that is whole.
fn whole(written: &str) -> Option<i128> {
    let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [integer, fraction].concat();
    let digits = all.trim_end_matches('0');
    if digits.trim_start_matches(['-', '0']).is_empty() {
        return Some(0);
    }
    let zeros = i64::try_from(all.len() - digits.len()).ok()? + exponent.parse::<i64>().ok()?;
    let zeros = zeros.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(u32::try_from(zeros).ok()?)?;
    digits.parse::<i128>().ok()?.checked_mul(power)
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
            ("1e20", "100000000000000000000"),
            ("-1.5E+20", "-150000000000000000000"),
            ("1000e-3", "1"),
            ("0e9", "-0"),
            ("9007199254740993.0", "9007199254740993"),
            ("1e38", "100000000000000000000000000000000000000"),
            ("1e39", "1000000000000000000000000000000000000000"),
            ("1e400", "1e401"),
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
            ("1e20", "100000000000000000001"),
            ("1e20", "-1e20"),
            ("10e-2", "1"),
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
