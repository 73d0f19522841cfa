//! The expressions of a Delete that need no loaded collection: `key in [literals]` and `key == literal`.

use serde_json::Value;

use super::columns::Key;
use super::generation::{Generation, Refusal};
use crate::proto::schema::{DataType, FieldSchema};

/// The keys that the expression names. Whole numbers in decimal, text as JSON writes it.
pub(super) fn keys(
    generation: Generation,
    primary: &FieldSchema,
    expression: &str,
) -> Result<Vec<Key>, Refusal> {
    let unreadable = |why: &str| {
        let text = format!("failed to create delete plan: cannot parse expression: {why}");
        Err(match generation {
            Generation::V2_3 => generation.bad_value(text),
            _ => Refusal::invalid(text),
        })
    };
    if expression.trim().is_empty() {
        return Err(Refusal::invalid("delete expression is empty"));
    }
    let Some(rest) = expression.trim().strip_prefix(primary.name.as_str()) else {
        return unreadable("it begins with something else than the primary key");
    };
    let rest = rest.trim_start();
    let literals = match (rest.strip_prefix("=="), rest.strip_prefix("in")) {
        (Some(literal), _) => serde_json::from_str::<Value>(literal).map(|literal| vec![literal]),
        (_, Some(list)) => serde_json::from_str(list),
        _ => return unreadable("neither in nor =="),
    };
    let literals = match literals {
        Ok(literals) if !literals.is_empty() => literals,
        Ok(_) => return unreadable("no key"),
        Err(why) => return unreadable(&why.to_string()),
    };
    let mut keys = Vec::with_capacity(literals.len());
    for literal in literals {
        match (primary.data_type(), literal) {
            // Its grammar reads the digits before the sign, and they are too many.
            (DataType::Int64, literal) if generation == Generation::V2_3 && literal == i64::MIN => {
                return unreadable("out of range");
            }
            (DataType::Int64, Value::Number(number)) if number.is_i64() => {
                keys.extend(number.as_i64().map(Key::Int));
            }
            (DataType::VarChar, Value::String(text)) => keys.push(Key::Text(text)),
            _ => return unreadable("a literal of another type than the primary key's"),
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data_type: DataType, expression: &str, expected: Result<&[Key], i32>) {
        let primary = FieldSchema {
            name: "id".to_owned(),
            data_type: data_type as i32,
            ..Default::default()
        };
        let found = keys(Generation::V3_0, &primary, expression);
        let found = found.as_deref().map_err(|refusal| refusal.code);
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn keys_are_read_from_literals_of_their_type() {
        let text = |text: &str| Key::Text(text.to_owned());
        check(
            DataType::Int64,
            "id in [1, -2]",
            Ok(&[Key::Int(1), Key::Int(-2)]),
        );
        check(DataType::Int64, "id==7", Ok(&[Key::Int(7)]));
        let least = "id in [-9223372036854775808]";
        check(DataType::Int64, least, Ok(&[Key::Int(i64::MIN)]));
        check(
            DataType::VarChar,
            r#"id == "a\"\\\n""#,
            Ok(&[text("a\"\\\n")]),
        );
        check(
            DataType::VarChar,
            r#"id in ["]", ""]"#,
            Ok(&[text("]"), text("")]),
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for expression in [
            "",
            " ",
            "id in []",
            "id > 1",
            "x in [1]",
            "id in [1",
            "id in [1,]",
            "id in [1] or true",
        ] {
            check(DataType::Int64, expression, Err(1100));
        }
        for expression in [
            "id in [1.0]",
            r#"id in ["1"]"#,
            "id in [9223372036854775808]",
            "id == null",
        ] {
            check(DataType::Int64, expression, Err(1100));
        }
        check(DataType::VarChar, "id in [1]", Err(1100));
        check(DataType::VarChar, "id in ['a']", Err(1100));
    }

    #[test]
    fn the_first_generation_cannot_read_the_least_integer() {
        let primary = FieldSchema {
            name: "id".to_owned(),
            data_type: DataType::Int64 as i32,
            ..Default::default()
        };
        let found = keys(Generation::V2_3, &primary, "id == -9223372036854775808");
        assert_eq!(found.unwrap_err().code, 65_535);
        assert!(keys(Generation::V2_3, &primary, "id == -9223372036854775807").is_ok());
    }
}
