//! Delete requests: key literals as Milvus parses them, and how many of them one request takes.

use std::num::NonZeroU32;

use super::WriteRequest;
use super::proto::milvus::DeleteRequest;
use crate::key::Key;

const MAX_KEYS: u32 = 10_000;
const MAX_EXPRESSION_BYTES: usize = 1_000_000;
/// Between two keys of a list.
const COMMA: char = ',';

/// A primary key as it stands in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(String);

impl Literal {
    /// `None` for the one key that no expression can name: Milvus reads the digits before it reads the sign, so the
    /// smallest Int64 is out of range there.
    pub fn of(key: &Key) -> Option<Self> {
        match key {
            Key::Int(i64::MIN) => None,
            Key::Int(number) => Some(Self(number.to_string())),
            Key::Text(text) => Some(Self(quoted(text))),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// In an expression, with what keeps it from the next one.
    pub fn bytes(&self) -> usize {
        self.0.len() + COMMA.len_utf8()
    }
}

/// As a Go string, which is how Milvus unquotes it. Milvus Lite knows no escape by number, so that other control
/// characters stand as they are: both take them.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A delete of at least one key, and of nothing but listed keys: Milvus Lite takes an empty expression for all rows.
#[derive(Debug, Clone)]
pub struct Delete {
    pub(super) request: DeleteRequest,
    keys: NonZeroU32,
}

impl Delete {
    /// Keys named; Milvus need not have them.
    pub fn keys(&self) -> u32 {
        self.keys.get()
    }

    pub fn request(&self) -> &DeleteRequest {
        &self.request
    }
}

/// As many requests as `literals` take, each `like` the one given but for its expression over `field`; none for none.
pub fn requests<'a>(
    like: &DeleteRequest,
    field: &str,
    literals: impl IntoIterator<Item = &'a Literal>,
) -> Vec<WriteRequest> {
    let mut deletes: Vec<Delete> = Vec::new();
    for literal in literals {
        match deletes.last_mut().and_then(|delete| delete.room(literal)) {
            Some(delete) => {
                delete.request.expr.push(COMMA);
                delete.request.expr.push_str(&literal.0);
                delete.keys = delete.keys.saturating_add(1);
            }
            None => {
                let mut request = like.clone();
                request.expr = format!("{field} in [{}", literal.0);
                let keys = NonZeroU32::MIN;
                deletes.push(Delete { request, keys });
            }
        }
    }
    let closed = deletes.into_iter().map(|mut delete| {
        delete.request.expr.push(']');
        WriteRequest::Delete(delete)
    });
    closed.collect()
}

impl Delete {
    /// Itself, where `literal` still goes into it.
    fn room(&mut self, literal: &Literal) -> Option<&mut Self> {
        let bytes = self.request.expr.len() + literal.bytes() + 1;
        (self.keys() < MAX_KEYS && bytes <= MAX_EXPRESSION_BYTES).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(field: &str, keys: &[Key]) -> Vec<(String, u32)> {
        let literals: Vec<Literal> = keys.iter().filter_map(Literal::of).collect();
        let like = DeleteRequest {
            collection_name: "c".to_owned(),
            ..DeleteRequest::default()
        };
        let requests = requests(&like, field, &literals);
        let expression = |request: WriteRequest| match request {
            WriteRequest::Delete(delete) => {
                assert_eq!(delete.request.collection_name, "c");
                (delete.request.expr.clone(), delete.keys())
            }
            other => panic!("{other:?}"),
        };
        requests.into_iter().map(expression).collect()
    }

    #[track_caller]
    fn check(key: Key, expression: &str) {
        assert_eq!(expressions("id", &[key]), [(expression.to_owned(), 1)]);
    }

    #[test]
    fn a_key_is_written_as_milvus_reads_it() {
        check(Key::Int(7), "id in [7]");
        check(Key::Int(-i64::MAX), "id in [-9223372036854775807]");
        check(Key::Text("".into()), r#"id in [""]"#);
        check(
            Key::Text("it's \"q\" \\ \n\0 {}".into()),
            "id in [\"it's \\\"q\\\" \\\\ \\n\0 {}\"]",
        );
        check(Key::Text("é 😀".into()), "id in [\"é 😀\"]");
        assert_eq!(Literal::of(&Key::Int(i64::MIN)), None);
    }

    #[test]
    fn many_keys_go_into_as_few_requests_as_their_limits_allow_and_none_into_none() {
        assert_eq!(expressions("id", &[]), []);
        let keys: Vec<Key> = (0..20_001).map(Key::Int).collect();
        let counts: Vec<u32> = expressions("id", &keys).iter().map(|e| e.1).collect();
        assert_eq!(counts, [10_000, 10_000, 1]);

        let long = Key::Text("x".repeat(60_000).into());
        let expressions = expressions("id", &vec![long; 20]);
        let counts: Vec<u32> = expressions.iter().map(|e| e.1).collect();
        assert_eq!(counts, [16, 4]);
        assert!(
            expressions
                .iter()
                .all(|e| e.0.len() <= MAX_EXPRESSION_BYTES)
        );
    }
}
