//! What the Connect plugin 1.0.1, behind Connect's JsonConverter without schemas, makes of one record. Pure.

use std::collections::BTreeSet;

use super::defect::Defect;
use crate::decode::convert::Value;
use crate::decode::raw;
use crate::milvus::schema::{Field, FieldType, Schema};

/// What it makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// As it should be.
    Sound,
    Defects(BTreeSet<Defect>),
    /// Connect's converter does not read it: that is not the plugin's.
    Unreadable,
}

pub(super) struct Judge<'s> {
    schema: &'s Schema,
    auto_id: bool,
}

impl<'s> Judge<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        let mut fields = schema.fields.iter();
        let auto_id = fields.any(|field| field.primary_key && field.auto_id);
        Self { schema, auto_id }
    }

    pub(super) fn judge(&self, value: Option<&[u8]>) -> Judgement {
        // Connect reads an empty value as none.
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return one(Defect::Tombstone);
        };
        let value = std::str::from_utf8(value).ok().and_then(raw::checked);
        let members = match value {
            None => return Judgement::Unreadable,
            Some(Value::Null) => return one(Defect::Tombstone),
            Some(_) if self.auto_id => return one(Defect::AutoId),
            Some(Value::Object(object)) => object.members(),
            Some(_) => return one(Defect::NotAnObject),
        };
        let mut defects = BTreeSet::new();
        let mut met = BTreeSet::new();
        for (name, value) in members {
            let Value::Text(name) = name else {
                continue;
            };
            match self.schema.fields.iter().find(|field| *field.name == *name) {
                Some(field) => {
                    met.insert(field.name.clone());
                    defects.extend(of_field(field, &value));
                }
                None if self.schema.dynamic => {
                    defects.insert(Defect::DynamicField);
                }
                None => {}
            }
        }
        if met.is_empty() {
            defects.insert(Defect::NoField);
        }
        let is_missing = |field: &Field| !met.contains(&field.name) && is_wanted(field);
        if self.schema.fields.iter().any(is_missing) {
            defects.insert(Defect::Unchecked);
        }
        what_happens(defects)
    }

    /// The text of the primary key, where the record brings one.
    pub(super) fn key(&self, value: &[u8]) -> Option<String> {
        let key = self.schema.fields.iter().find(|field| field.primary_key)?;
        let Value::Object(object) = raw::checked(std::str::from_utf8(value).ok()?)? else {
            return None;
        };
        object.member(&key.name).map(str::to_owned)
    }
}

fn one(defect: Defect) -> Judgement {
    Judgement::Defects([defect].into())
}

/// What is skipped is not sent: only that counts of it then. And what the task dies of is not stored.
fn what_happens(mut defects: BTreeSet<Defect>) -> Judgement {
    let gravest = defects.iter().map(|defect| defect.effect()).max();
    match gravest {
        None => Judgement::Sound,
        Some(gravest) => {
            defects.retain(|defect| defect.effect() == gravest);
            Judgement::Defects(defects)
        }
    }
}

/// The server refuses a row without it.
fn is_wanted(field: &Field) -> bool {
    !(field.auto_id || field.function_output || field.nullable || field.default.is_some())
}

fn of_field(field: &Field, value: &Value<'_>) -> Option<Defect> {
    use FieldType as T;
    match (&field.kind, value) {
        // Gson has a null of its own.
        (T::Json | T::JsonObject, _) => None,
        (
            T::Array { .. }
            | T::ArrayOfVector { .. }
            | T::ArrayOfStruct(_)
            | T::Float16Vector { .. }
            | T::BFloat16Vector { .. }
            | T::Int8Vector { .. }
            | T::Geometry
            | T::Timestamptz
            | T::Text { .. }
            | T::Unknown(_),
            _,
        ) => Some(Defect::Type),
        (_, Value::Null) => Some(Defect::Null),
        (T::Bool, Value::Boolean(_)) => None,
        (T::Bool, Value::Text(text)) if is_java_boolean(text) => None,
        (T::Bool, _) => Some(Defect::Bool),
        (T::Int8, value) => integer(value, i16::MIN.into(), i16::MAX.into())
            .or_else(|| is_beyond_int8(value).then_some(Defect::Int8)),
        (T::Int16, value) => integer(value, i16::MIN.into(), i16::MAX.into()),
        (T::Int32, value) => integer(value, i32::MIN.into(), i32::MAX.into()),
        (T::Int64, value) => integer(value, i64::MIN, i64::MAX),
        (T::Float, value) => float(value, |text| text.parse::<f32>().map(f32::is_finite).ok()),
        (T::Double, value) => float(value, |text| text.parse::<f64>().map(f64::is_finite).ok()),
        (T::VarChar { .. }, Value::Array(_) | Value::Object(_)) => Some(Defect::NestedText),
        (T::VarChar { max_length }, Value::Text(text)) => {
            let is_long = max_length.is_some_and(|max| text.len() > max);
            is_long.then_some(Defect::Unchecked)
        }
        (T::VarChar { .. }, _) => None,
        (T::SparseFloatVector, Value::Object(_)) => None,
        (T::SparseFloatVector, _) => Some(Defect::SparseText),
        (T::BinaryVector { .. }, _) => Some(Defect::BinaryVector),
        (T::FloatVector { dim }, value) => vector(value, *dim),
    }
}

/// `Boolean.parseBoolean` knows these, and takes everything else for false.
fn is_java_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Parsed from the text that Java has of the value: Connect makes a double of a number with a point or an exponent.
fn integer(value: &Value<'_>, least: i64, most: i64) -> Option<Defect> {
    let text = match value {
        Value::Number(text) if text.contains(['.', 'e', 'E']) => {
            return Some(Defect::IntegerAsText);
        }
        Value::Number(text) => text,
        Value::Text(text) => text.as_ref(),
        _ => return Some(Defect::Conversion),
    };
    let fits = text
        .parse()
        .is_ok_and(|number: i64| (least..=most).contains(&number));
    (!fits).then_some(Defect::Conversion)
}

fn is_beyond_int8(value: &Value<'_>) -> bool {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) => text.as_ref(),
        _ => return false,
    };
    text.parse::<i8>().is_err()
}

/// `is_finite` is `None` for what is no number.
fn float(value: &Value<'_>, is_finite: impl Fn(&str) -> Option<bool>) -> Option<Defect> {
    let text = match value {
        Value::Number(text) => text,
        Value::Text(text) => text.trim(),
        _ => return Some(Defect::Conversion),
    };
    match is_finite(text) {
        Some(true) => None,
        Some(false) => Some(Defect::NotFinite),
        None => Some(Defect::Conversion),
    }
}

/// An array, or the text of one: its brackets go, and what is between the commas is parsed.
fn vector(value: &Value<'_>, dim: usize) -> Option<Defect> {
    let is_finite = |text: &str| text.parse::<f32>().map(f32::is_finite).ok();
    let mut found = 0;
    let mut take = |element: &Value<'_>| {
        found += 1;
        float(element, is_finite)
    };
    let defect = match value {
        Value::Array(array) => array.items().find_map(|element| take(&element)),
        Value::Text(text) => {
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            let mut elements = inner.split(',');
            elements.find_map(|element| take(&Value::Text(element.into())))
        }
        _ => Some(Defect::Conversion),
    };
    match defect {
        Some(defect) => Some(defect),
        // The empty text that is left of an empty array is no number.
        None if found == 0 => Some(Defect::Conversion),
        None => (found != dim).then_some(Defect::Unchecked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milvus::schema::DefaultValue;
    use crate::plan::fixture::{auto_key, field, key, nullable, schema, with_default};

    fn judged(schema: &Schema, value: Option<&str>) -> Vec<&'static str> {
        match Judge::new(schema).judge(value.map(str::as_bytes)) {
            Judgement::Sound => Vec::new(),
            Judgement::Unreadable => vec!["unreadable"],
            Judgement::Defects(defects) => defects.into_iter().map(Defect::label).collect(),
        }
    }

    /// A collection of `id` and one more field `x`, and the value of that.
    #[track_caller]
    fn check(kind: &FieldType, x: &str, expected: &[&str]) {
        let schema = schema(vec![key("id", FieldType::Int64), field("x", kind.clone())]);
        let value = format!(r#"{{"id":1,"x":{x}}}"#);
        assert_eq!(judged(&schema, Some(&value)), expected, "{kind} {x}");
    }

    #[test]
    fn a_value_meets_the_defect_of_its_type() {
        use FieldType as T;
        let text = T::VarChar {
            max_length: Some(5),
        };
        let vector = T::FloatVector { dim: 2 };
        for (kind, x, expected) in [
            (T::Bool, "true", ""),
            (T::Bool, r#""TRUE""#, ""),
            (T::Bool, "1", "bool_read_as_false"),
            (T::Bool, r#""yes""#, "bool_read_as_false"),
            (T::Int8, "127", ""),
            (T::Int8, "300", "int8_out_of_range"),
            (T::Int8, "70000", "conversion_failed"),
            (T::Int16, "300", ""),
            (T::Int64, "3.0", "integer_with_fraction"),
            (T::Int64, "3e0", "integer_with_fraction"),
            (T::Int64, r#""3""#, ""),
            (T::Int64, "true", "conversion_failed"),
            (T::Int32, "3000000000", "conversion_failed"),
            (T::Float, "1.5", ""),
            (T::Float, "1e39", "not_finite"),
            (T::Float, r#""NaN""#, "not_finite"),
            (T::Double, "1e39", ""),
            (T::Double, "[]", "conversion_failed"),
            (T::Double, "null", "null"),
            (T::Json, "null", ""),
            (T::Json, r#"{"a":1}"#, ""),
            (text.clone(), r#""abc""#, ""),
            (text.clone(), "12", ""),
            (text.clone(), r#"{"a":1}"#, "nested_value_in_varchar"),
            (text.clone(), r#""abcdef""#, "sent_unchecked"),
            (text, "null", "null"),
            (vector.clone(), "[1,0.5]", ""),
            (vector.clone(), r#""[1, 0.5]""#, ""),
            (vector.clone(), "[1]", "sent_unchecked"),
            (vector.clone(), "[]", "conversion_failed"),
            (vector.clone(), "[1,null]", "conversion_failed"),
            (vector.clone(), "[1,1e39]", "not_finite"),
            (vector, r#""AACAPwAAAD8=""#, "conversion_failed"),
            (T::SparseFloatVector, r#"{"1":0.5}"#, ""),
            (T::SparseFloatVector, r#""{}""#, "sparse_vector_not_a_map"),
            (T::BinaryVector { dim: 8 }, "[1]", "binary_vector"),
            (T::Float16Vector { dim: 1 }, "[1]", "type_not_handled"),
            (T::Int8Vector { dim: 1 }, "[1]", "type_not_handled"),
            (T::Geometry, r#""POINT(1 2)""#, "type_not_handled"),
        ] {
            let expected: Vec<&str> = Some(expected)
                .filter(|e| !e.is_empty())
                .into_iter()
                .collect();
            check(&kind, x, &expected);
        }
    }

    #[test]
    fn a_record_meets_the_defects_of_its_form() {
        let fields = || {
            vec![
                key("id", FieldType::Int64),
                nullable("n", FieldType::Int8),
                with_default("d", FieldType::Int8, DefaultValue::Int(1)),
            ]
        };
        let check = |schema: &Schema, value: Option<&str>, expected: &[&str]| {
            assert_eq!(judged(schema, value), expected, "{value:?}");
        };
        let plain = schema(fields());
        check(&plain, None, &["tombstone"]);
        check(&plain, Some(""), &["tombstone"]);
        check(&plain, Some("null"), &["tombstone"]);
        check(&plain, Some("{"), &["unreadable"]);
        check(&plain, Some("[1]"), &["not_an_object"]);
        check(&plain, Some(r#"{"id":1}"#), &[]);
        check(&plain, Some(r#"{"id":1,"other":2}"#), &[]);
        check(&plain, Some(r#"{"n":1}"#), &["sent_unchecked"]);
        let envelope = r#"{"before":null,"after":{"id":1}}"#;
        check(
            &plain,
            Some(envelope),
            &["no_field_matches", "sent_unchecked"],
        );
        // What is skipped is not sent as well.
        check(&plain, Some(r#"{"n":null}"#), &["null"]);
        let dynamic = Schema {
            dynamic: true,
            ..schema(fields())
        };
        check(
            &dynamic,
            Some(r#"{"id":1,"x":2}"#),
            &["dynamic_field_dropped"],
        );
        let auto = schema(vec![auto_key("id"), field("n", FieldType::Int8)]);
        check(&auto, Some(r#"{"n":1}"#), &["auto_id"]);
        check(&auto, None, &["tombstone"]);
    }
}
