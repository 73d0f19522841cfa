//! Reading JSON text whose grammar has been checked already: one value, the items of an array, how big it is.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::convert::Value;

/// The value that `json` is.
pub(crate) fn value(json: &str) -> Value<'_> {
    match json.as_bytes().first() {
        Some(b'n') | None => Value::Null,
        Some(b't') => Value::Boolean(true),
        Some(b'f') => Value::Boolean(false),
        Some(b'"') => string(json),
        Some(b'[') => Value::Array(Array(json)),
        Some(b'{') => Value::Object(Object(json)),
        Some(_) => Value::Number(json),
    }
}

/// The value that `text` is, where it is JSON and nothing else.
pub(crate) fn checked(text: &str) -> Option<Value<'_>> {
    let json: &RawValue = serde_json::from_str(text).ok()?;
    Some(value(json.get()))
}

fn string(json: &str) -> Value<'_> {
    let inner = json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default();
    if !inner.contains('\\') {
        return Value::Text(Cow::Borrowed(inner));
    }
    // The grammar is checked, so what is left to fail is an escape that is half a surrogate pair.
    match serde_json::from_str(json) {
        Ok(text) => Value::Text(Cow::Owned(text)),
        Err(_) => Value::LoneSurrogate,
    }
}

/// An array that nobody has read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Array<'a>(&'a str);

impl<'a> Array<'a> {
    /// How many elements it has.
    pub(crate) fn len(self) -> usize {
        measure(self.0.as_bytes()).len
    }

    pub(crate) fn items(self) -> Items<'a> {
        let rest = self.0.strip_prefix('[').unwrap_or_default();
        Items { rest }
    }
}

/// An object that nobody has read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object<'a>(&'a str);

impl<'a> Object<'a> {
    /// How many members it has, a name that occurs twice counted twice.
    pub(crate) fn len(self) -> usize {
        measure(self.0.as_bytes()).len
    }

    /// The JSON text of the last member of that name.
    pub(crate) fn member(self, name: &str) -> Option<&'a str> {
        let mut pieces = self.members().pieces;
        let mut last = None;
        while let (Some(key), Some(json)) = (pieces.next(), pieces.next_text()) {
            if matches!(key, Value::Text(text) if text == name) {
                last = Some(json);
            }
        }
        last
    }

    pub(crate) fn members(self) -> Members<'a> {
        let rest = self.0.strip_prefix('{').unwrap_or_default();
        Members {
            pieces: Items { rest },
        }
    }
}

/// The members of an object, in order: name and value. A name is a [`Value::Text`] or a [`Value::LoneSurrogate`].
#[derive(Debug)]
pub(crate) struct Members<'a> {
    pieces: Items<'a>,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.pieces.next()?;
        let value = self.pieces.next()?;
        Some((name, value))
    }
}

/// The elements of an array, in order.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    rest: &'a str,
}

impl<'a> Items<'a> {
    /// The JSON text of the next element.
    fn next_text(&mut self) -> Option<&'a str> {
        let rest = self
            .rest
            .trim_start_matches([',', ':', ' ', '\n', '\t', '\r']);
        let end = end_of_value(rest.as_bytes());
        let (item, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        (!item.is_empty()).then_some(item)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.next_text().map(value)
    }
}

/// Where the value that `json` begins with ends; 0 before a closing bracket.
fn end_of_value(json: &[u8]) -> usize {
    match json.first() {
        Some(b'"') => 1 + string_length(json.get(1..).unwrap_or_default()),
        Some(b'[' | b'{') => measure(json).end,
        _ => json
            .iter()
            .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\t' | b'\r'))
            .unwrap_or(json.len()),
    }
}

/// The size of one array or object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Elements or members; 0 for a scalar.
    pub(crate) len: usize,
    /// Levels: 0 for a scalar, 1 for an array of scalars.
    pub(crate) depth: usize,
    /// Bytes up to its closing bracket, that included.
    end: usize,
}

/// Measures the array or object that `json` begins with. A loop, not a recursion: depth is the sender's choice.
pub(crate) fn measure(json: &[u8]) -> Extent {
    let (mut depth, mut deepest, mut commas, mut at) = (0_usize, 0, 0, 0);
    let mut empty = true;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                empty &= depth == 0;
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            b',' if depth == 1 => commas += 1,
            b' ' | b'\n' | b'\t' | b'\r' => {}
            b'"' => {
                at += string_length(json.get(at..).unwrap_or_default());
                empty = false;
            }
            _ => empty = false,
        }
    }
    let len = if empty || deepest == 0 { 0 } else { commas + 1 };
    Extent {
        len,
        depth: deepest,
        end: at,
    }
}

/// Bytes of a string after its opening quote, the closing one included.
fn string_length(json: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_objects_are_measured() {
        let check = |json: &str, len: usize, depth: usize| {
            let extent = measure(json.as_bytes());
            assert_eq!((extent.len, extent.depth), (len, depth), "{json}");
        };
        check("[]", 0, 1);
        check("[ ]", 0, 1);
        check("{\n}", 0, 1);
        check("[[]]", 1, 2);
        check("[[],{}]", 2, 2);
        check("[1,2,3]", 3, 1);
        check(r#"{"a":[1,2],"b":{"c":[]}}"#, 2, 3);
        check(r#"["],[\"","\\"]"#, 2, 1);
        check("12", 0, 0);
        check(r#""[[[""#, 0, 0);
    }

    #[test]
    fn items_come_out_whole_and_in_order() {
        let check = |json: &str, expected: &[Value<'_>]| {
            let items: Vec<_> = Array(json).items().collect();
            assert_eq!(items, expected, "{json}");
        };
        let text = |text| Value::Text(Cow::Borrowed(text));
        check("[]", &[]);
        check(" [ ]".trim(), &[]);
        check("[1 , -2e3\n,0.5]", &["1", "-2e3", "0.5"].map(Value::Number));
        check(
            r#"["a,]\"b",null,true,[1,[2]],{"x":"]"}]"#,
            &[
                text("a,]\"b"),
                Value::Null,
                Value::Boolean(true),
                Value::Array(Array("[1,[2]]")),
                Value::Object(Object(r#"{"x":"]"}"#)),
            ],
        );
    }

    #[test]
    fn members_come_out_in_pairs_and_in_order() {
        let check = |json: &str, expected: &[(&str, &str)]| {
            let members: Vec<_> = Object(json).members().collect();
            let expected: Vec<_> = expected.iter().map(|(n, v)| (value(n), value(v))).collect();
            assert_eq!(members, expected, "{json}");
            assert_eq!(Object(json).len(), expected.len(), "{json}");
        };
        check("{}", &[]);
        check("{ }", &[]);
        check(
            r#"{ "5" :1, "a:,}" : {"b":[2]} ,"a":"\":,", "":null }"#,
            &[
                (r#""5""#, "1"),
                (r#""a:,}""#, r#"{"b":[2]}"#),
                (r#""a""#, r#""\":,""#),
                (r#""""#, "null"),
            ],
        );
    }

    #[test]
    fn strings_are_unescaped() {
        let check = |json: &str, expected: Value<'_>| assert_eq!(value(json), expected, "{json}");
        let text = |text| Value::Text(Cow::Borrowed(text));
        check(r#""""#, text(""));
        check(r#""é\n\u00e9\ud83d\ude00""#, text("é\né😀"));
        check(r#""\ud83d""#, Value::LoneSurrogate);
        check(r#""\ude00x""#, Value::LoneSurrogate);
    }
}
