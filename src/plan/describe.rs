//! A plan in words, for `check` and `/status`.

use std::fmt;

use crate::config::{NullValues, UnknownFields};
use crate::milvus::schema::FieldType;

use super::source::{Source, Target};
use super::{Absent, DYNAMIC_FIELD, FieldPlan, Plan};

impl Plan {
    /// One aligned line per field: collection field ← where its value comes from, type, what its absence means.
    pub fn describe_lines(&self) -> Vec<String> {
        let mut lines = aligned(&self.describe_fields());
        lines.extend(self.describe_rules());
        lines
    }

    /// Of each field of the collection: its name, where its value comes from, its type, what the absence of that means.
    pub fn describe_fields(&self) -> Vec<[String; 4]> {
        let mut rows: Vec<[String; 4]> = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let rule = rule(field, self.primary_key == Some(index));
            rows.push([
                field.name.to_string(),
                field.source.to_string(),
                field.kind.to_string(),
                rule,
            ]);
        }
        for field in &self.left_out {
            let [source, rule] = [field.source, "a record's value for it is ignored"];
            rows.push([
                field.name.to_string(),
                source.into(),
                field.kind.to_string(),
                rule.into(),
            ]);
        }
        for (name, source) in self.members() {
            let [kind, rule] = ["JSON", "left out where a record has none"];
            rows.push([
                format!("{DYNAMIC_FIELD}.{name}"),
                source,
                kind.into(),
                rule.into(),
            ]);
        }
        if self.dynamic {
            let rule = "{} where a record has no other fields";
            rows.push([
                DYNAMIC_FIELD.into(),
                "every other field".into(),
                FieldType::Json.to_string(),
                rule.into(),
            ]);
        }
        rows
    }

    /// What becomes of other fields, and which records delete.
    pub fn describe_rules(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match (self.dynamic, self.unknown_fields) {
            (true, _) => {}
            (false, UnknownFields::Ignore) => lines.push(
                "other record fields are ignored, each named once in the log (behavior.on.unknown.fields=ignore)".into(),
            ),
            (false, UnknownFields::Fail) => lines.push(
                "another record field makes a bad record (behavior.on.unknown.fields=fail)".into(),
            ),
        }
        lines.extend(self.describe_deletes());
        lines
    }

    /// What goes into `$meta` under a name that the configuration gives it, and from where.
    fn members(&self) -> Vec<(&str, String)> {
        let shape = &self.shape;
        let mapped = shape.taken.iter().filter_map(|taken| {
            let name = member(&taken.target)?;
            Some((name, Source::Value(taken.source.clone()).to_string()))
        });
        let metadata = shape.metadata.iter().filter_map(|(_, target, words)| {
            let name = member(target)?;
            Some((name, words.to_string()))
        });
        mapped.chain(metadata).collect()
    }

    fn describe_deletes(&self) -> Vec<String> {
        let tombstones = match self.shape.null_values {
            NullValues::Ignore => None,
            NullValues::Delete => Some(
                "a record without a value deletes the row of its record key (behavior.on.null.values=delete)".to_owned(),
            ),
            NullValues::Fail => Some(
                "a record without a value is a bad record (behavior.on.null.values=fail)".to_owned(),
            ),
        };
        let marked = self.shape.delete_mark.as_ref().map(|(field, text)| {
            format!("a record whose '{field}' is {text} deletes the row of its primary key (delete.when.field)")
        });
        tombstones.into_iter().chain(marked).collect()
    }
}

fn member(target: &Target) -> Option<&str> {
    match target {
        Target::Member(name) => Some(name),
        Target::Field(_) | Target::DeleteMark => None,
    }
}

fn rule(field: &FieldPlan, primary_key: bool) -> String {
    match field.absent {
        Absent::Null if field.source == Source::Nothing => "always null",
        Absent::Default(_) if field.source == Source::Nothing => "always the field's default",
        Absent::Required if primary_key => "required (primary key)",
        Absent::Required => "required",
        Absent::Null => "absent or null: null",
        Absent::Default(_) => "absent or null: the field's default",
    }
    .into()
}

fn aligned(rows: &[[String; 4]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (name_width, source_width, kind_width) = (width(0), width(1), width(2));
    rows.iter()
        .map(|[name, source, kind, rule]| {
            format!("{name:name_width$} ← {source:source_width$}  {kind:kind_width$}  {rule}")
        })
        .collect()
}

/// Milvus's name of the type, with its parameter.
impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("Bool"),
            Self::Int8 => f.write_str("Int8"),
            Self::Int16 => f.write_str("Int16"),
            Self::Int32 => f.write_str("Int32"),
            Self::Int64 => f.write_str("Int64"),
            Self::Float => f.write_str("Float"),
            Self::Double => f.write_str("Double"),
            Self::VarChar { max_length } => parameter(f, "VarChar", *max_length),
            Self::Json => f.write_str("JSON"),
            Self::JsonObject => f.write_str("JSON (objects)"),
            Self::Array { element, .. } => write!(f, "Array<{element}>"),
            Self::Geometry => f.write_str("Geometry"),
            Self::Text { max_length } => parameter(f, "Text", *max_length),
            Self::Timestamptz => f.write_str("Timestamptz"),
            Self::FloatVector { dim } => parameter(f, "FloatVector", Some(*dim)),
            Self::BinaryVector { dim } => parameter(f, "BinaryVector", Some(*dim)),
            Self::Float16Vector { dim } => parameter(f, "Float16Vector", Some(*dim)),
            Self::BFloat16Vector { dim } => parameter(f, "BFloat16Vector", Some(*dim)),
            Self::SparseFloatVector => f.write_str("SparseFloatVector"),
            Self::Int8Vector { dim } => parameter(f, "Int8Vector", Some(*dim)),
            Self::ArrayOfVector { element, .. } => write!(f, "Array<{element}>"),
            Self::ArrayOfStruct(array) => {
                f.write_str("Array<Struct of")?;
                for (index, field) in array.fields.iter().enumerate() {
                    let separator = if index == 0 { " " } else { ", " };
                    write!(f, "{separator}{}: {}", field.name, field.element())?;
                }
                f.write_str(">")
            }
            Self::Unknown(number) => write!(f, "number {number} (unknown to this version)"),
        }
    }
}

fn parameter(f: &mut fmt::Formatter<'_>, name: &str, value: Option<usize>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{name}({value})"),
        None => f.write_str(name),
    }
}

#[cfg(test)]
mod tests {
    use crate::milvus::schema::{DefaultValue, FieldType, StructArray, StructField};
    use crate::plan::fixture::{auto_key, dynamic_plan, field, key, nullable, plan, with_default};

    #[test]
    fn arrays_name_what_they_are_of() {
        let array = |element| FieldType::Array {
            element: Box::new(element),
            max_capacity: Some(4),
        };
        let field = |name: &str, kind| StructField {
            name: name.into(),
            kind,
        };
        let vectors = FieldType::ArrayOfVector {
            element: Box::new(FieldType::FloatVector { dim: 8 }),
            max_capacity: Some(4),
        };
        assert_eq!(array(FieldType::Int8).to_string(), "Array<Int8>");
        let structs = FieldType::ArrayOfStruct(StructArray {
            fields: vec![field("page", array(FieldType::Int8)), field("v", vectors)],
            max_capacity: None,
        });
        let expected = "Array<Struct of page: Int8, v: FloatVector(8)>";
        assert_eq!(structs.to_string(), expected);
    }

    #[test]
    fn every_field_has_its_line() {
        let text = FieldType::VarChar {
            max_length: Some(512),
        };
        let fields = vec![
            key("id", FieldType::Int64),
            nullable("title", text),
            with_default("rank", FieldType::Int8, DefaultValue::Int(1)),
            field("vector", FieldType::FloatVector { dim: 8 }),
        ];
        assert_eq!(
            plan(fields).describe_lines(),
            [
                "id     ← 'id'      Int64           required (primary key)",
                "title  ← 'title'   VarChar(512)    absent or null: null",
                "rank   ← 'rank'    Int8            absent or null: the field's default",
                "vector ← 'vector'  FloatVector(8)  required",
                "other record fields are ignored, each named once in the log (behavior.on.unknown.fields=ignore)",
            ]
        );
        let fields = vec![auto_key("id"), field("j", FieldType::Json)];
        assert_eq!(
            dynamic_plan(fields).describe_lines(),
            [
                "j     ← 'j'                      JSON   required",
                "id    ← made by Milvus (autoID)  Int64  a record's value for it is ignored",
                "$meta ← every other field        JSON   {} where a record has no other fields",
            ]
        );
    }
}
