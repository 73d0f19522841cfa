//! One partition of one Kafka topic, by name; and the id that Kafka gave a topic.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One partition of one Kafka topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

/// Another one each time a topic of the same name is made; as Kafka's own tools print it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TopicId(String);

impl TopicId {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names that a line of the log has room for.
const NAMED: usize = 20;

/// The names of `partitions`, and of many the first and how many more there are.
pub fn listed<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> String {
    let mut partitions = partitions.into_iter();
    let named = partitions.by_ref().take(NAMED);
    let mut names = named
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let more = partitions.count();
    if more > 0 {
        names += &format!(" and {more} more");
    }
    names
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_partitions_the_first_are_named_and_the_others_counted() {
        let check = |count, expected: &str| {
            let partitions: Vec<_> = (0..count).map(|n| TopicPartition::new("t", n)).collect();
            let said = listed(&partitions);
            assert!(said.ends_with(expected), "{said}");
        };
        check(0, "");
        check(2, "t-0, t-1");
        check(20, ", t-18, t-19");
        check(23, ", t-18, t-19 and 3 more");
    }
}
