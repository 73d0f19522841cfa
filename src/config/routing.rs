//! What is read, and where it goes: `topics`, `topics.regex`, `collection.name`, `topic2collection.map`, `partition.name`.

use std::collections::BTreeMap;

use super::report::quote;
use super::values::{Values, parse_list};
use crate::routing::{
    LONGEST_TOPIC, Pattern, Router, TOPIC, Topics, is_collection_name, is_partition_template,
};

const LIST: &str = "topics";
const REGEX: &str = "topics.regex";
const MAP: &str = "topic2collection.map";

pub(super) fn read(values: &mut Values<'_>) -> (Topics, Router) {
    let topics = topics(values);
    let router = Router {
        collections: collections(values, topics.as_ref()),
        collection_name: collection_name(values).unwrap_or_default(),
        partition_name: partition_name(values),
    };
    (topics.unwrap_or(Topics::Listed(Vec::new())), router)
}

/// `None` where that is a mistake.
fn topics(values: &mut Values<'_>) -> Option<Topics> {
    let list = values.text(LIST).map(|value| parse_list(&value));
    let list = list.filter(|topics| !topics.is_empty());
    match (list, values.given(REGEX)) {
        (Some(topics), None) => listed(values, topics),
        (None, Some(given)) => match Pattern::new(&given.value) {
            Ok(pattern) => Some(Topics::Matching(pattern)),
            Err(fault) => {
                let why = format!("not a regular expression ({fault})");
                values.report.unfit(REGEX, given, why);
                None
            }
        },
        (None, None) => {
            let wanted = "exactly one of topics or topics.regex says what to read";
            values.report.missing(LIST, wanted);
            None
        }
        (Some(_), Some(given)) => {
            let why = "topics is given as well; keep one of them";
            values.report.refused(REGEX, given, why);
            None
        }
    }
}

fn listed(values: &mut Values<'_>, topics: Vec<String>) -> Option<Topics> {
    if let Some(given) = values.given(LIST)
        && !topics.iter().all(|topic| is_topic_name(topic))
    {
        let wanted = "topic names of letters, digits, '.', '_' and '-', separated by commas";
        values.report.invalid(LIST, given, wanted);
        return None;
    }
    Some(Topics::Listed(topics))
}

/// Kafka's rule for names; a leading `^` would be a pattern to librdkafka.
pub(super) fn is_topic_name(topic: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let length = 1..=LONGEST_TOPIC;
    topic.chars().all(legal) && length.contains(&topic.len()) && topic != "." && topic != ".."
}

/// Which collections there are is the routing's matter; here only that the template is one.
fn collection_name(values: &mut Values<'_>) -> Option<String> {
    values.typed("collection.name", |template| {
        let rest = template.replace(TOPIC, "");
        (!template.is_empty() && !rest.contains("${")).then(|| template.to_owned())
    })
}

fn partition_name(values: &mut Values<'_>) -> Option<String> {
    const KEY: &str = "partition.name";
    values.given(KEY)?;
    values.typed(KEY, |template| {
        is_partition_template(template).then(|| template.to_owned())
    })
}

/// `topicA:collA,topicB:collB`; every entry that is wrong is a mistake of its own.
fn collections(values: &mut Values<'_>, topics: Option<&Topics>) -> BTreeMap<String, String> {
    let mut collections = BTreeMap::new();
    let Some(given) = values.given(MAP) else {
        return collections;
    };
    let entries = given.value.split(',').map(str::trim);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let taken = entry_of(entry).and_then(|(topic, collection)| {
            if collections.contains_key(topic) {
                return Err(format!("topic '{topic}' is there twice; keep one entry"));
            }
            collections.insert(topic.to_owned(), collection.to_owned());
            is_read(topic, topics)
        });
        if let Err(why) = taken {
            values.report.refused(MAP, given, why);
        }
    }
    collections
}

fn entry_of(entry: &str) -> Result<(&str, &str), String> {
    let parts = entry.split_once(':');
    let (topic, collection) = parts
        .map(|(topic, collection)| (topic.trim(), collection.trim()))
        .filter(|(topic, _)| is_topic_name(topic))
        .ok_or_else(|| format!("{} is not topic:collection", quote(entry)))?;
    if is_collection_name(collection) {
        return Ok((topic, collection));
    }
    let found = quote(collection);
    Err(format!(
        "{found} is not a collection name; Milvus takes letters, digits and '_', not a digit first, 255 at most"
    ))
}

/// An entry that never applies is a name mistyped.
fn is_read(topic: &str, topics: Option<&Topics>) -> Result<(), String> {
    match topics {
        Some(Topics::Listed(topics)) if !topics.iter().any(|listed| listed == topic) => Err(
            format!("topic '{topic}' is not in topics; add it there, or remove the entry"),
        ),
        Some(Topics::Matching(pattern)) if !pattern.matches(topic) => Err(format!(
            "topic '{topic}' does not match topics.regex; correct one of them, or remove the entry"
        )),
        _ => Ok(()),
    }
}
