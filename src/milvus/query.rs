//! Queries: rows by their keys, the keys there are, and how many rows one query asks for.

use super::delete::Literal;
use super::proto::common::{ConsistencyLevel, KeyValuePair};
use super::proto::milvus::QueryRequest;
use crate::key::Key;

/// Less than the 16,384 rows that Milvus gives at most, since a key may have several.
pub const MAX_KEYS: usize = 4_000;
/// A timestamp that says so, besides the level.
const EVENTUALLY: u64 = 1;
const MAX_EXPRESSION_BYTES: usize = 400_000;
/// Of a page of all keys there are.
pub const MAX_PAGE: usize = 10_000;

#[derive(Debug, Clone)]
pub struct Query {
    request: QueryRequest,
}

/// Where a query looks.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub collection: &'a str,
    /// `None`: in all of them.
    pub milvus_partition: Option<&'a str>,
    /// Its primary key.
    pub key_field: &'a str,
}

impl Query {
    /// The rows of the first of `keys`, as many as one query takes, and how many these are: at most `most`, and at least
    /// one. It sees every write that was acknowledged before.
    pub fn of_keys(
        place: Place<'_>,
        keys: &[Key],
        fields: &[String],
        most: usize,
    ) -> (Self, usize) {
        let mut expression = String::new();
        let mut count = 0;
        for key in keys.iter().take(most.clamp(1, MAX_KEYS)) {
            let Some(literal) = Literal::of(key) else {
                // The smallest Int64, which Milvus cannot read, goes alone.
                if count == 0 {
                    expression = format!("{} < -{}", place.key_field, i64::MAX);
                    return (Self::new(place, expression, fields, None), 1);
                }
                break;
            };
            if count > 0 && expression.len() + literal.bytes() > MAX_EXPRESSION_BYTES {
                break;
            }
            let begin = format!("{} in [", place.key_field);
            expression.push_str(if count == 0 { &begin } else { "," });
            expression.push_str(literal.text());
            count += 1;
        }
        expression.push(']');
        (Self::new(place, expression, fields, None), count)
    }

    /// The keys that follow `last` in Milvus's order, or the first ones, `most` of them. The smallest Int64 is never among
    /// them: Milvus cannot read it. What was written last need not be seen: which keys matter is asked by key again.
    pub fn of_page(place: Place<'_>, last: Option<&Key>, text_keys: bool, most: usize) -> Self {
        let field = place.key_field;
        let literal = last.and_then(Literal::of);
        let expression = match (literal, text_keys) {
            (Some(literal), _) => format!("{field} > {}", literal.text()),
            (None, true) => format!("{field} >= \"\""),
            (None, false) => format!("{field} >= -{}", i64::MAX),
        };
        let mut query = Self::new(place, expression, &[field.to_owned()], Some(most));
        query.request.consistency_level = ConsistencyLevel::Eventually.into();
        query.request.guarantee_timestamp = EVENTUALLY;
        query
    }

    fn new(place: Place<'_>, expr: String, fields: &[String], limit: Option<usize>) -> Self {
        let limit = limit.map(|limit| KeyValuePair {
            key: "limit".to_owned(),
            value: limit.to_string(),
        });
        let partition = place.milvus_partition.map(str::to_owned);
        Self {
            // Without a level and a timestamp it is strong consistency that is asked for.
            request: QueryRequest {
                collection_name: place.collection.to_owned(),
                expr,
                output_fields: fields.to_vec(),
                partition_names: partition.into_iter().collect(),
                query_params: limit.into_iter().collect(),
                ..QueryRequest::default()
            },
        }
    }

    pub fn collection(&self) -> &str {
        &self.request.collection_name
    }

    pub(super) fn message(&self, database: &str) -> QueryRequest {
        QueryRequest {
            db_name: database.to_owned(),
            ..self.request.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        collection: "c",
        milvus_partition: Some("p"),
        key_field: "id",
    };

    #[test]
    fn keys_are_asked_for_by_as_many_as_fit() {
        let check = |keys: &[Key], most: usize, expression: &str, count: usize| {
            let (query, taken) = Query::of_keys(PLACE, keys, &["x".to_owned()], most);
            assert_eq!((query.request.expr.as_str(), taken), (expression, count));
            assert_eq!(query.request.output_fields, ["x"]);
            assert_eq!(query.request.partition_names, ["p"]);
            assert_eq!(query.request.query_params, []);
        };
        let keys = [Key::Int(1), Key::Int(-2), Key::Int(i64::MIN), Key::Int(3)];
        check(&keys, 9, "id in [1,-2]", 2);
        check(&keys, 1, "id in [1]", 1);
        check(&keys, 0, "id in [1]", 1);
        check(&keys[2..], 9, "id < -9223372036854775807", 1);
        check(&[Key::Text("a\"".into())], 9, r#"id in ["a\""]"#, 1);
        let long = vec![Key::Text("x".repeat(60_000).into()); 20];
        assert_eq!(Query::of_keys(PLACE, &long, &[], 20).1, 6);
        let many = vec![Key::Int(1); 5_000];
        assert_eq!(Query::of_keys(PLACE, &many, &[], usize::MAX).1, MAX_KEYS);
    }

    #[test]
    fn a_page_begins_behind_the_last_key() {
        let check = |last: Option<Key>, text_keys: bool, expression: &str| {
            let query = Query::of_page(PLACE, last.as_ref(), text_keys, 10_000);
            assert_eq!(query.request.expr, expression);
            assert_eq!(query.request.output_fields, ["id"]);
            assert_eq!(query.request.query_params[0].value, "10000");
        };
        check(None, false, "id >= -9223372036854775807");
        check(Some(Key::Int(7)), false, "id > 7");
        check(None, true, "id >= \"\"");
        check(Some(Key::Text("a\\".into())), true, r#"id > "a\\""#);
    }
}
