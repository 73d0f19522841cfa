//! What a record becomes, as far as the configuration says it: its key, deletes, names, and what Kafka knows of it.

use std::sync::Arc;

use super::converters;
use super::layers::Given;
use super::values::{Values, parse_list};

/// The keys `pk.mode`, `key.converter`, `behavior.on.null.values`, `delete.when.field`, `field.map` and
/// `metadata.fields`.
#[derive(Debug, Clone, Default)]
pub struct Shaping {
    pub pk_mode: PkMode,
    pub key_format: KeyFormat,
    pub null_values: NullValues,
    pub delete_when: Option<DeleteWhen>,
    /// Source and target. No source and no target occurs twice, those of `delete_when` and `metadata_fields` included.
    pub field_map: Vec<(String, String)>,
    /// What it is, and its target.
    pub metadata_fields: Vec<(Metadata, String)>,
    /// The headers that [`Metadata::Header`] means, each once.
    pub headers: Arc<[String]>,
}

/// Where the primary key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PkMode {
    #[default]
    RecordValue,
    RecordKey,
    /// `topic:partition:offset`.
    Kafka,
    /// Milvus makes it.
    None,
}

impl PkMode {
    /// As it is written in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordValue => "record_value",
            Self::RecordKey => "record_key",
            Self::Kafka => "kafka",
            Self::None => "none",
        }
    }
}

/// How the bytes of a record key are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyFormat {
    Text,
    Json,
    /// As JSON where it is a string, a number or an object that holds the primary key; as text otherwise.
    #[default]
    Either,
}

/// What a record without a value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NullValues {
    #[default]
    Ignore,
    Delete,
    Fail,
}

/// A record deletes where this member of its value has this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteWhen {
    pub field: String,
    pub value: String,
}

/// What Kafka knows of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    /// The last header of a name: its index in [`Shaping::headers`].
    Header(usize),
}

/// Names in a path; a record's value nests no deeper where a path leads.
const MAX_PATH: usize = 16;
const HEADER: &str = "header.";

pub(super) fn read(values: &mut Values<'_>) -> Shaping {
    let pk_mode = match values.choice("pk.mode") {
        "record_key" => PkMode::RecordKey,
        "kafka" => PkMode::Kafka,
        "none" => PkMode::None,
        _ => PkMode::RecordValue,
    };
    let null_values = match values.choice("behavior.on.null.values") {
        "delete" => NullValues::Delete,
        "fail" => NullValues::Fail,
        _ => NullValues::Ignore,
    };
    let is_key_read = pk_mode == PkMode::RecordKey || null_values == NullValues::Delete;
    let (metadata_fields, headers) = metadata_fields(values);
    let shaping = Shaping {
        pk_mode,
        key_format: converters::key_format(values, is_key_read),
        null_values,
        delete_when: delete_when(values),
        field_map: field_map(values),
        metadata_fields,
        headers: headers.into(),
    };
    each_once(values, &shaping);
    deletes_know_the_key(values, &shaping);
    shaping
}

/// Two names around the last colon: a field of a collection has none in its name.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (left, right) = text.rsplit_once(':')?;
    let (left, right) = (left.trim(), right.trim());
    (!left.is_empty() && !right.is_empty()).then_some((left, right))
}

fn is_path(source: &str) -> bool {
    source.split('.').count() <= MAX_PATH
}

fn field_map(values: &mut Values<'_>) -> Vec<(String, String)> {
    let own = |(source, target): (&str, &str)| (source.to_owned(), target.to_owned());
    let pair = |text: &String| {
        let pair = pair(text).filter(|(source, _)| is_path(source));
        pair.map(own)
    };
    let parse = |list: &str| parse_list(list).iter().map(pair).collect();
    values
        .given("field.map")
        .and_then(|_| values.typed("field.map", parse))
        .unwrap_or_default()
}

fn metadata_fields(values: &mut Values<'_>) -> (Vec<(Metadata, String)>, Vec<String>) {
    const KEY: &str = "metadata.fields";
    let mut headers = Vec::new();
    if values.given(KEY).is_none() {
        return (Vec::new(), headers);
    }
    let mut entry = |text: &String| {
        let (source, target) = pair(text)?;
        let metadata = match source {
            "topic" => Metadata::Topic,
            "partition" => Metadata::Partition,
            "offset" => Metadata::Offset,
            "timestamp" => Metadata::Timestamp,
            "key" => Metadata::Key,
            other => Metadata::Header(index_of(
                &mut headers,
                other.strip_prefix(HEADER).filter(|name| !name.is_empty())?,
            )),
        };
        Some((metadata, target.to_owned()))
    };
    let fields = values.typed(KEY, |list| {
        parse_list(list).iter().map(&mut entry).collect()
    });
    (fields.unwrap_or_default(), headers)
}

fn index_of(names: &mut Vec<String>, name: &str) -> usize {
    let known = names.iter().position(|known| known == name);
    known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn delete_when(values: &mut Values<'_>) -> Option<DeleteWhen> {
    const KEY: &str = "delete.when.field";
    values.given(KEY)?;
    values.typed(KEY, |text| {
        let (field, value) = pair(text).filter(|(field, _)| is_path(field))?;
        Some(DeleteWhen {
            field: field.to_owned(),
            value: value.to_owned(),
        })
    })
}

/// A value goes to one place, and a place has one value.
fn each_once(values: &mut Values<'_>, shaping: &Shaping) {
    let mapped = shaping.field_map.iter();
    let mut sources: Vec<&str> = mapped.clone().map(|(source, _)| source.as_str()).collect();
    if let Some(source) = twice(&mut sources) {
        refuse(
            values,
            "field.map",
            &format!("'{source}' is mapped twice; map it once"),
        );
    }
    if let Some(when) = &shaping.delete_when
        && sources.contains(&when.field.as_str())
    {
        let why = format!(
            "field.map maps '{}' too, which is not written where it says what deletes; take it out of one of them",
            when.field
        );
        refuse(values, "delete.when.field", &why);
    }
    let metadata = shaping
        .metadata_fields
        .iter()
        .map(|(_, target)| target.as_str());
    let mut targets: Vec<&str> = mapped.map(|(_, target)| target.as_str()).collect();
    let of_map = targets.len();
    targets.extend(metadata);
    let key = if of_map == 0 {
        "metadata.fields"
    } else {
        "field.map"
    };
    if let Some(target) = twice(&mut targets) {
        let why = format!(
            "'{target}' is a target twice, in field.map and metadata.fields together; name each target once"
        );
        refuse(values, key, &why);
    }
}

fn twice<'a>(names: &mut [&'a str]) -> Option<&'a str> {
    names.sort_unstable();
    let mut neighbours = names.windows(2);
    let pair = neighbours.find(|pair| pair[0] == pair[1])?;
    pair.first().copied()
}

fn deletes_know_the_key(values: &mut Values<'_>, shaping: &Shaping) {
    let why = match shaping.pk_mode {
        PkMode::RecordValue | PkMode::RecordKey => return,
        PkMode::Kafka => {
            "pk.mode=kafka gives every record a key of its own, so that none can delete the row of another"
        }
        PkMode::None => "with pk.mode=none no record knows the key of its row",
    };
    let remedy = "set pk.mode to record_value or record_key, or delete nothing";
    if shaping.null_values == NullValues::Delete {
        refuse(
            values,
            "behavior.on.null.values",
            &format!("{why}; {remedy}"),
        );
    }
    if shaping.delete_when.is_some() {
        refuse(values, "delete.when.field", &format!("{why}; {remedy}"));
    }
}

fn refuse(values: &mut Values<'_>, key: &str, why: &str) {
    let given: Option<&Given> = values.given(key);
    if let Some(given) = given {
        values.report.refused(key, given, why);
    }
}
