//! A record that the plan takes, and the line of a shell that produces it.

use serde::Serialize;

use crate::config::KeyFormat;
use crate::milvus::schema::FieldType;
use crate::plan::{Absent, Plan, Source};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Example {
    /// `None` where the record key does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) record: String,
    /// Reads by Kafka's own console producer, in any shell of today.
    pub(super) line: String,
}

/// Elements that are written out; of more, a shell repeats the first.
const WRITTEN_OUT: usize = 16;
const KEY_SEPARATOR: char = '|';

pub(super) fn example(plan: &Plan, brokers: &str, topic: &str) -> Example {
    let mut value = Node::Object(Vec::new());
    let required = |absent: &Absent| *absent == Absent::Required;
    // First what has to be there; the rest shows what may be.
    let fields = plan.fields.iter();
    let (must, may): (Vec<_>, Vec<_>) = fields.partition(|field| required(&field.absent));
    for field in must.into_iter().chain(may) {
        if let Source::Value(path) = &field.source {
            value.put(path, leaf(&field.kind));
        }
    }
    let key = plan.key_field().and_then(|(_, field)| match &field.source {
        Source::RecordKey(format) => Some(record_key(&field.kind, *format)),
        _ => None,
    });
    let pieces = value.pieces();
    let record: String = pieces.iter().map(Piece::whole).collect();
    let line = line(key.as_deref(), &pieces, brokers, topic);
    Example { key, record, line }
}

/// JSON that is being written, member by member.
enum Node {
    Leaf(Vec<Piece>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The element, with a comma behind all but the last.
    Repeat(&'static str, usize),
}

impl Node {
    /// Where two paths contradict each other, the first one stays.
    fn put(&mut self, path: &str, leaf: Vec<Piece>) {
        let Self::Object(members) = self else {
            return;
        };
        let (name, rest) = match path.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let known = members.iter_mut().find(|(known, _)| known == name);
        match (known, rest) {
            (Some((_, node)), Some(rest)) => node.put(rest, leaf),
            (Some(_), None) => {}
            (None, None) => members.push((name.to_owned(), Self::Leaf(leaf))),
            (None, Some(rest)) => {
                let mut node = Self::Object(Vec::new());
                node.put(rest, leaf);
                members.push((name.to_owned(), node));
            }
        }
    }

    fn pieces(self) -> Vec<Piece> {
        let members = match self {
            Self::Leaf(pieces) => return pieces,
            Self::Object(members) => members,
        };
        let mut pieces = vec![text("{")];
        for (at, (name, node)) in members.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            pieces.push(Piece::Text(format!("{comma}{}:", quoted(&name))));
            pieces.extend(node.pieces());
        }
        pieces.push(text("}"));
        pieces
    }
}

impl Piece {
    fn whole(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Repeat(element, count) => vec![*element; *count].join(","),
        }
    }

    /// Within single quotes, which it leaves where there is much to repeat.
    fn in_shell(&self) -> String {
        match self {
            Self::Text(text) => text.replace('\'', r"'\''"),
            Self::Repeat(element, count) if *count > WRITTEN_OUT => {
                let but_one = count - 1;
                format!("'$(yes {element}, | head -n {but_one} | tr -d '\\n')'{element}")
            }
            repeat => repeat.whole(),
        }
    }
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

fn quoted(name: &str) -> String {
    // Strings are always JSON; the other arm cannot be.
    serde_json::to_string(name).unwrap_or_default()
}

fn record_key(kind: &FieldType, format: KeyFormat) -> String {
    match (kind, format) {
        (FieldType::Int64, _) => "1".to_owned(),
        (_, KeyFormat::Json) => "\"a\"".to_owned(),
        (_, KeyFormat::Text | KeyFormat::Either) => "a".to_owned(),
    }
}

/// A value that fits the type.
fn leaf(kind: &FieldType) -> Vec<Piece> {
    let repeat = |element, count| vec![text("["), Piece::Repeat(element, count), text("]")];
    match kind {
        FieldType::Bool => vec![text("true")],
        FieldType::Int8 | FieldType::Int16 | FieldType::Int32 | FieldType::Int64 => vec![text("1")],
        FieldType::Float | FieldType::Double => vec![text("0.5")],
        FieldType::VarChar { max_length } | FieldType::Text { max_length } => {
            let word = if max_length.is_some_and(|max| max < 4) {
                ""
            } else {
                "text"
            };
            vec![Piece::Text(quoted(word))]
        }
        FieldType::Json | FieldType::JsonObject => vec![text(r#"{"any":"JSON"}"#)],
        FieldType::Geometry => vec![text(r#""POINT(1 2)""#)],
        FieldType::Timestamptz => vec![text(r#""2025-01-31T12:00:00Z""#)],
        FieldType::FloatVector { dim }
        | FieldType::Float16Vector { dim }
        | FieldType::BFloat16Vector { dim } => repeat("0.5", *dim),
        FieldType::Int8Vector { dim } => repeat("1", *dim),
        FieldType::BinaryVector { dim } => repeat("255", dim / 8),
        FieldType::SparseFloatVector => vec![text(r#"{"1":0.5,"7":0.25}"#)],
        FieldType::Array { element, .. } | FieldType::ArrayOfVector { element, .. } => {
            let mut pieces = vec![text("[")];
            pieces.extend(leaf(element));
            pieces.push(text("]"));
            pieces
        }
        FieldType::ArrayOfStruct(array) => {
            let mut element = Node::Object(Vec::new());
            for field in &array.fields {
                if let Node::Object(members) = &mut element {
                    members.push((field.name.to_string(), Node::Leaf(leaf(field.element()))));
                }
            }
            let mut pieces = vec![text("[")];
            pieces.extend(element.pieces());
            pieces.push(text("]"));
            pieces
        }
        FieldType::Unknown(_) => vec![text("null")],
    }
}

fn line(key: Option<&str>, pieces: &[Piece], brokers: &str, topic: &str) -> String {
    let value: String = pieces.iter().map(Piece::in_shell).collect();
    let (key, properties) = match key {
        Some(key) => (
            format!("{key}{KEY_SEPARATOR}"),
            format!(" --property parse.key=true --property 'key.separator={KEY_SEPARATOR}'"),
        ),
        None => Default::default(),
    };
    // All brokers would be a list to break the line.
    let broker = brokers.split(',').next().unwrap_or(brokers).trim();
    format!(
        "echo '{key}{value}' | kafka-console-producer.sh --bootstrap-server {broker} --topic {topic}{properties}"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::columns::Columns;
    use crate::config::{PkMode, Shaping};
    use crate::decode::json::decode;
    use crate::milvus::schema::{StructArray, StructField};
    use crate::plan::fixture::{field, key, map, nullable, plan, schema, shaped};

    fn of(plan: &Plan) -> Example {
        example(plan, "kafka:9092, other:9092", "articles")
    }

    #[test]
    fn the_sink_takes_the_example_of_every_type() {
        let array = |element| FieldType::Array {
            element: Box::new(element),
            max_capacity: Some(4),
        };
        let structs = FieldType::ArrayOfStruct(StructArray {
            fields: vec![StructField {
                name: "page".into(),
                kind: array(FieldType::Int8),
            }],
            max_capacity: None,
        });
        let short = FieldType::VarChar {
            max_length: Some(1),
        };
        let kinds = [
            FieldType::Bool,
            FieldType::Int8,
            FieldType::Double,
            short,
            FieldType::Json,
            FieldType::JsonObject,
            FieldType::Geometry,
            FieldType::Timestamptz,
            FieldType::Text { max_length: None },
            FieldType::FloatVector { dim: 40 },
            FieldType::Float16Vector { dim: 2 },
            FieldType::Int8Vector { dim: 2 },
            FieldType::BinaryVector { dim: 16 },
            FieldType::SparseFloatVector,
            array(FieldType::Int64),
            array(FieldType::VarChar { max_length: None }),
            structs,
        ];
        for kind in kinds {
            let fields = vec![key("id", FieldType::Int64), field("it's", kind.clone())];
            let plan = plan(fields);
            let Example { record, line, .. } = of(&plan);
            let mut columns = Columns::new(&plan);
            let decoded = decode(&plan, &mut columns, record.as_bytes());
            assert_eq!(decoded, Ok(()), "{kind}: {record}");
            let echo = line.split(" | kafka-console-producer.sh").next().unwrap();
            let shell = Command::new("sh").arg("-c").arg(echo).output().unwrap();
            let said = String::from_utf8(shell.stdout).unwrap();
            assert_eq!(said.trim_end(), record, "{line}");
        }
    }

    #[test]
    fn paths_become_objects_and_a_key_has_its_place() {
        let shaping = Shaping {
            field_map: map(&[("after.title", "title"), ("after.rank", "rank")]),
            pk_mode: PkMode::RecordKey,
            ..Shaping::default()
        };
        let text = FieldType::VarChar {
            max_length: Some(20),
        };
        let fields = vec![
            key("id", FieldType::Int64),
            nullable("rank", FieldType::Int8),
            field("title", text),
        ];
        let plan = shaped(&schema(fields), shaping).unwrap();
        let found = of(&plan);
        assert_eq!(found.record, r#"{"after":{"title":"text","rank":1}}"#);
        assert_eq!(
            found.line,
            r#"echo '1|{"after":{"title":"text","rank":1}}' | kafka-console-producer.sh --bootstrap-server kafka:9092 --topic articles --property parse.key=true --property 'key.separator=|'"#
        );
    }
}
