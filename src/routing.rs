//! Which collection a topic goes to, and which writer a partition goes to.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::topic_partition::TopicPartition;
use crate::writer::Inlet;

const TOPIC: &str = "${topic}";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "collection.name: topics '{first}' and '{second}' would both be written to collection '{collection}', because characters that Milvus forbids become '_'; name one of them otherwise"
)]
pub struct Meeting {
    pub first: String,
    pub second: String,
    pub collection: String,
}

/// The collection of each topic by the template. A literal name takes all topics on purpose; two topics whose names
/// only meet by replacing characters are a mistake.
pub fn collections(topics: &[String], template: &str) -> Result<Vec<(String, String)>, Meeting> {
    let mut by_collection: BTreeMap<String, &String> = BTreeMap::new();
    let mut routes = Vec::new();
    for topic in topics {
        let collection = collection_name(template, topic);
        if template.contains(TOPIC)
            && let Some(first) = by_collection.insert(collection.clone(), topic)
        {
            return Err(Meeting {
                first: first.clone(),
                second: topic.clone(),
                collection,
            });
        }
        routes.push((topic.clone(), collection));
    }
    Ok(routes)
}

/// Milvus takes letters, digits and `_`, not beginning with a digit.
fn collection_name(template: &str, topic: &str) -> String {
    let name = template.replace(TOPIC, topic);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}

/// Every writer's inlet, by topic. Fixed for the life of the process, so a partition never has two writers.
#[derive(Debug, Default)]
pub struct Lanes {
    by_topic: HashMap<String, Vec<Inlet>>,
}

impl Lanes {
    /// `inlets` are the writers of the topic's collection; not empty.
    pub fn add(&mut self, topic: String, inlets: Vec<Inlet>) {
        self.by_topic.insert(topic, inlets);
    }

    pub fn inlet(&self, partition: &TopicPartition) -> Option<&Inlet> {
        let inlets = self.by_topic.get(partition.topic.as_ref())?;
        let mut hasher = DefaultHasher::new();
        partition.hash(&mut hasher);
        let count = u64::try_from(inlets.len()).ok()?.max(1);
        inlets.get(usize::try_from(hasher.finish() % count).ok()?)
    }

    /// Has every writer send what it holds without waiting for company.
    pub fn flush(&self) {
        for inlet in self.by_topic.values().flatten() {
            inlet.flush.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_names_the_collection() {
        for (template, topic, collection) in [
            ("${topic}", "topic_0", "topic_0"),
            ("${topic}", "a.b-c", "a_b_c"),
            ("${topic}", "2024.orders", "_2024_orders"),
            ("prod_${topic}", "orders", "prod_orders"),
            ("articles", "topic_0", "articles"),
        ] {
            let routes = collections(&[topic.to_owned()], template).unwrap();
            assert_eq!(routes, [(topic.to_owned(), collection.to_owned())]);
        }
    }

    #[test]
    fn two_topics_that_meet_in_one_name_by_replacement_are_an_error() {
        let topics = ["a.b".to_owned(), "a-b".to_owned()];
        assert!(collections(&topics, "${topic}").is_err());
        assert_eq!(collections(&topics, "both").unwrap().len(), 2);
    }
}
