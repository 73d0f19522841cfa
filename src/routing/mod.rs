//! Which collection and Milvus partition a topic goes to, and which writer a partition goes to.

mod lanes;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use lanes::{Lanes, Opener};
pub use pattern::Pattern;

pub(crate) const TOPIC: &str = "${topic}";
/// Bytes of a topic's name at most, says Kafka.
pub(crate) const LONGEST_TOPIC: usize = 249;

/// What is read.
#[derive(Debug, Clone)]
pub enum Topics {
    /// Not empty, without duplicates.
    Listed(Vec<String>),
    Matching(Pattern),
}

/// Where the rows of a topic go.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    pub collection: Arc<str>,
    /// `None`: Milvus's default, or the one that a partition key says.
    pub milvus_partition: Option<Arc<str>>,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "collection '{}'", self.collection)?;
        match &self.milvus_partition {
            Some(name) => write!(f, ", Milvus partition '{name}'"),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key}: topics '{first}' and '{second}' would both be written to {destination}, because characters that Milvus forbids become '_'; give one of them a collection of its own in topic2collection.map"
)]
pub struct Meeting {
    key: &'static str,
    first: String,
    second: String,
    destination: Destination,
}

/// `collection.name`, `topic2collection.map` and `partition.name`.
#[derive(Debug, Clone)]
pub struct Router {
    /// A name, or a template over `${topic}`.
    pub collection_name: String,
    /// Topic → collection, over the template.
    pub collections: BTreeMap<String, String>,
    /// A name, or a template over `${topic}`.
    pub partition_name: Option<String>,
}

/// What is to be read of the topics that match.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub topics: Vec<String>,
    /// Topics that are left out, each with the one it meets.
    pub meetings: Vec<(String, Meeting)>,
}

impl Router {
    pub fn destination(&self, topic: &str) -> Destination {
        let collection = match self.collections.get(topic) {
            Some(name) => name.clone(),
            None => collection_name(&self.collection_name, topic),
        };
        let partition = self.partition_name.as_deref();
        Destination {
            collection: collection.into(),
            milvus_partition: partition.map(|template| partition_name(template, topic).into()),
        }
    }

    /// The destination of each topic of a list. A literal name takes all topics on purpose; two topics whose names
    /// only meet by replacing characters are a mistake.
    ///
    /// # Errors
    /// The first two topics that meet.
    pub fn routes(&self, topics: &[String]) -> Result<Vec<(String, Destination)>, Meeting> {
        let meetings = self.meetings(topics.iter().map(String::as_str));
        if let Some((_, meeting)) = meetings.into_iter().next() {
            return Err(meeting);
        }
        let route = |topic: &String| (topic.clone(), self.destination(topic));
        Ok(topics.iter().map(route).collect())
    }

    /// What to read where topics come and go. One that is `read` already goes on beside a newcomer that meets it; of
    /// newcomers that meet each other none is read, since a member of the group that starts later could not tell
    /// which of them the others chose.
    pub fn choose(&self, found: &BTreeSet<String>, read: &[String]) -> Choice {
        let mut meetings = self.meetings(found.iter().map(String::as_str));
        meetings.retain(|topic, _| !read.contains(topic));
        let is_chosen = |topic: &&String| !meetings.contains_key(*topic);
        Choice {
            topics: found.iter().filter(is_chosen).cloned().collect(),
            meetings: meetings.into_iter().collect(),
        }
    }

    /// Every topic that meets another, with one of those it meets.
    fn meetings<'a>(&self, topics: impl Iterator<Item = &'a str>) -> BTreeMap<String, Meeting> {
        let mut groups: BTreeMap<(&'static str, Destination), Vec<&str>> = BTreeMap::new();
        for topic in topics {
            for own in self.owns(topic) {
                groups.entry(own).or_default().push(topic);
            }
        }
        let mut meetings = BTreeMap::new();
        for ((key, destination), topics) in groups {
            let [first, second, ..] = topics[..] else {
                continue;
            };
            for topic in topics {
                let other = if topic == first { second } else { first };
                let meeting = Meeting {
                    key,
                    first: other.min(topic).to_owned(),
                    second: other.max(topic).to_owned(),
                    destination: destination.clone(),
                };
                meetings.entry(topic.to_owned()).or_insert(meeting);
            }
        }
        meetings
    }

    /// What no other topic may share with this one, and the key that says so: whatever a template makes of its name.
    fn owns(&self, topic: &str) -> Vec<(&'static str, Destination)> {
        let destination = self.destination(topic);
        let mut own = Vec::new();
        if self.collection_name.contains(TOPIC) && !self.collections.contains_key(topic) {
            let whole = Destination {
                milvus_partition: None,
                ..destination.clone()
            };
            own.push(("collection.name", whole));
        }
        let template = self.partition_name.as_deref().unwrap_or_default();
        if template.contains(TOPIC) {
            own.push(("partition.name", destination));
        }
        own
    }

    /// The one collection that there can ever be, whatever topics come.
    pub fn is_only_collection(&self, collection: &str, topics: &Topics) -> bool {
        let is_it = |topic: &String| *self.destination(topic).collection == *collection;
        match topics {
            Topics::Listed(topics) => topics.iter().all(is_it),
            Topics::Matching(_) => {
                !self.collection_name.contains(TOPIC) && self.collections.keys().all(is_it)
            }
        }
    }
}

/// Milvus takes letters, digits and `_`, not beginning with a digit.
fn collection_name(template: &str, topic: &str) -> String {
    let name = replaced(&template.replace(TOPIC, topic));
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}

/// Milvus takes letters, digits and `_`; later versions than 2.3 also a `-`, which is left as it was written.
fn partition_name(template: &str, topic: &str) -> String {
    template.replace(TOPIC, &replaced(topic))
}

fn replaced(name: &str) -> String {
    let allowed = |c| if is_collection_character(c) { c } else { '_' };
    name.chars().map(allowed).collect()
}

/// Whether `template` is made of what Milvus takes in the name of a partition.
pub(crate) fn is_partition_template(template: &str) -> bool {
    let allowed = |c| is_collection_character(c) || c == '-';
    let begins = template.starts_with(TOPIC) || template.starts_with(is_collection_character);
    begins && template.replace(TOPIC, "").chars().all(allowed)
}

fn is_collection_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether Milvus takes `name` for a collection as it is.
pub(crate) fn is_collection_name(name: &str) -> bool {
    const LONGEST: usize = 255;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.chars().all(is_collection_character) && name.len() <= LONGEST
}

#[cfg(test)]
mod tests;
