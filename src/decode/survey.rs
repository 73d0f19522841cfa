//! What every field of one record comes to, where the sink itself stops at the first that does not fit: for `check`.

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::columns::row::Row;
use crate::plan::{Absent, Place, Plan, Source, shown};
use crate::record::RecordView;

use super::convert::Value;
use super::raw::Object;
use super::{json, key, metadata, path, raw};

/// One field of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    Exact,
    /// Nothing or null, and the plan has a value for that.
    Absent,
    /// Nothing or null, which makes a bad record.
    Missing(BadRecord),
    Refused(BadRecord),
}

/// In the order of the plan's fields. `None` where the record has no value, or one that is no JSON object.
pub(crate) fn survey(
    plan: &Plan,
    columns: &mut Columns,
    record: RecordView<'_>,
) -> Option<Vec<Fit>> {
    let object = object(record.value?)?;
    let mut row = Row::begin(plan, columns);
    json::read(plan, &mut row, record.value?).ok()?;
    let key = key::fill(plan, &mut row, &record).err();
    let metadata = metadata::fill(plan, &mut row, &record).err();
    let fit = |index: usize| {
        let field = plan.fields.get(index)?;
        let is_null = is_null(&field.source, object);
        let bad_key = key.as_ref().filter(|_| plan.primary_key == Some(index));
        let named = |bad: &&BadRecord| bad.field.as_ref() == Some(&field.name);
        let bad = bad_key.or(metadata.as_ref().filter(named));
        let found = match bad {
            Some(bad) => Err(bad.clone()),
            None => row.fit(index),
        };
        Some(match found {
            Ok(true) if is_null && field.absent != Absent::Required => Fit::Absent,
            Ok(true) => Fit::Exact,
            Ok(false) => Fit::Absent,
            Err(bad) if is_null => Fit::Missing(bad),
            Err(bad) => Fit::Refused(bad),
        })
    };
    Some((0..plan.fields.len()).filter_map(fit).collect())
}

/// Names of members that are written nowhere, as they may be shown.
pub(crate) fn ignored(plan: &Plan, value: &[u8]) -> Vec<String> {
    let members = object(value).into_iter().flat_map(Object::members);
    let is_ignored = |name: &str| plan.place(name).0 == Place::Ignored;
    let name = |(name, _): (Value<'_>, _)| match name {
        Value::Text(name) if is_ignored(&name) => Some(shown(&name)),
        _ => None,
    };
    members.filter_map(name).collect()
}

/// Where the grammar is right and it is one.
fn object(value: &[u8]) -> Option<Object<'_>> {
    let text = std::str::from_utf8(value).ok()?;
    match raw::checked(text)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Nothing, or null. What is not in the record's value is never so here.
fn is_null(source: &Source, object: Object<'_>) -> bool {
    match source {
        Source::Value(at) => path::find(object, at).is_none_or(|json| json == "null"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::config::Shaping;
    use crate::milvus::schema::FieldType;
    use crate::plan::fixture::{field, key, map, nullable, schema, shaped};
    use crate::record::{Chunk, Record, Run};
    use crate::tenure::Tenure;
    use crate::topic_partition::TopicPartition;

    fn surveyed(plan: &Plan, value: Option<&str>) -> Option<Vec<Fit>> {
        let bytes = value.unwrap_or_default().as_bytes().to_vec();
        let record = Record {
            value: value.map(|value| 0..value.len()),
            ..Record::default()
        };
        let chunk = Chunk {
            bytes,
            runs: vec![Run {
                tenure: Tenure::new(TopicPartition::new("t", 0), 0).into(),
                from: 0,
                records: vec![record],
                headers: Vec::new(),
            }],
            charge: Budget::new(1).charge(0),
        };
        survey(plan, &mut Columns::new(plan), chunk.view(0, 0))
    }

    #[test]
    fn every_field_is_judged_whatever_the_others_are() {
        let shaping = Shaping {
            field_map: map(&[("after.title", "title")]),
            ..Shaping::default()
        };
        let text = FieldType::VarChar {
            max_length: Some(5),
        };
        let fields = vec![
            key("id", FieldType::Int64),
            field("title", text),
            nullable("rank", FieldType::Int8),
            field("v", FieldType::FloatVector { dim: 2 }),
        ];
        let plan = shaped(&schema(fields), shaping).unwrap();
        let check = |value: &str, expected: Option<&str>| {
            let fits = surveyed(&plan, Some(value));
            let letter = |fit: &Fit| match fit {
                Fit::Exact => 'e',
                Fit::Absent => 'a',
                Fit::Missing(_) => 'm',
                Fit::Refused(_) => 'r',
            };
            let found: Option<String> = fits.map(|fits| fits.iter().map(letter).collect());
            assert_eq!(found.as_deref(), expected, "{value}");
        };
        check(
            r#"{"id":1,"after":{"title":"a"},"rank":3,"v":[1,2]}"#,
            Some("eeee"),
        );
        check(r#"{"id":1.5,"after":{},"v":[1]}"#, Some("rmar"));
        check(
            r#"{"id":null,"after":{"title":"too long"},"rank":null,"v":null}"#,
            Some("mram"),
        );
        check(
            r#"{"id":2,"after.title":"b","rank":300,"v":"x"}"#,
            Some("eerr"),
        );
        check("[1]", None);
        check(r#"{"id":"#, None);
        assert_eq!(surveyed(&plan, None), None);
    }

    #[test]
    fn members_that_go_nowhere_are_named() {
        let fields = vec![key("id", FieldType::Int64), field("x", FieldType::Int8)];
        let plan = shaped(&schema(fields), Shaping::default()).unwrap();
        let found = ignored(&plan, br#"{"id":1,"y":2,"x":3,"z\n":4}"#);
        assert_eq!(found, ["y", "z\\n"]);
    }
}
