//! What reports on the board are about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::routing::Router;
use crate::topic_partition::TopicPartition;

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Kafka,
    /// Our membership of it.
    Group,
    /// Of offsets.
    Commits,
    Topic(Arc<str>),
    /// `topics.regex`.
    Topics,
    Collection(Arc<str>),
    /// Of a collection, by name.
    MilvusPartition(Arc<str>, Arc<str>),
    Partition(TopicPartition),
}

impl Scope {
    /// Whether what is in the way of it is in the way of this partition, whose records go there.
    fn covers(
        &self,
        partition: &TopicPartition,
        collection: &str,
        milvus_partition: Option<&str>,
    ) -> bool {
        match self {
            Self::Kafka | Self::Group | Self::Commits | Self::Topics => true,
            Self::Topic(topic) => *topic == partition.topic,
            Self::Partition(held) => held == partition,
            Self::Collection(name) => **name == *collection,
            Self::MilvusPartition(name, part) => {
                **name == *collection && Some(&**part) == milvus_partition
            }
        }
    }
}

/// All that is said to stand still, and why it may.
#[derive(Debug, Default)]
pub struct Standing {
    pub(super) held: Vec<Scope>,
    pub(super) halted: BTreeSet<TopicPartition>,
    /// See [`super::board::Board::step`].
    pub(super) steps: BTreeMap<Scope, u64>,
}

impl Standing {
    /// Whether something is in the way of the partition, or of where its records go.
    pub fn excuses(&self, router: &Router, partition: &TopicPartition) -> bool {
        if self.held.is_empty() && self.halted.is_empty() {
            return false;
        }
        let to = router.destination(&partition.topic);
        self.covers(partition, &to.collection, to.milvus_partition.as_deref())
    }

    /// Steps that were done where its records go.
    pub fn steps(&self, router: &Router, partition: &TopicPartition) -> u64 {
        if self.steps.is_empty() {
            return 0;
        }
        let to = router.destination(&partition.topic);
        let part = to.milvus_partition.as_deref();
        let steps = self.steps.iter();
        let steps = steps.filter(|(scope, _)| scope.covers(partition, &to.collection, part));
        steps.map(|(_, steps)| steps).sum()
    }

    /// Whether this partition, whose records go to that collection, is among it.
    fn covers(
        &self,
        partition: &TopicPartition,
        collection: &str,
        milvus_partition: Option<&str>,
    ) -> bool {
        let covers = |scope: &Scope| scope.covers(partition, collection, milvus_partition);
        self.halted.contains(partition) || self.held.iter().any(covers)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kafka => f.write_str("Kafka"),
            Self::Group => f.write_str("consumer group"),
            Self::Commits => f.write_str("commits"),
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Topics => f.write_str("topics"),
            Self::Collection(name) => write!(f, "collection {name}"),
            Self::MilvusPartition(collection, name) => {
                write!(f, "collection {collection}, Milvus partition {name}")
            }
            Self::Partition(topic_partition) => write!(f, "partition {topic_partition}"),
        }
    }
}

/// The two servers between which the sink stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Kafka,
    Milvus,
}

impl Peer {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Milvus => "milvus",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_covers_what_it_is_about_and_a_halt_its_partition() {
        let partition = TopicPartition::new("t", 0);
        let collection = || Arc::from("c");
        for (scope, expected) in [
            (Scope::Kafka, true),
            (Scope::Group, true),
            (Scope::Commits, true),
            (Scope::Topics, true),
            (Scope::Topic("t".into()), true),
            (Scope::Topic("u".into()), false),
            (Scope::Partition(partition.clone()), true),
            (Scope::Partition(TopicPartition::new("t", 1)), false),
            (Scope::Collection(collection()), true),
            (Scope::Collection("d".into()), false),
            (Scope::MilvusPartition(collection(), "p".into()), true),
            (Scope::MilvusPartition(collection(), "q".into()), false),
            (Scope::MilvusPartition("d".into(), "p".into()), false),
        ] {
            assert_eq!(
                scope.covers(&partition, "c", Some("p")),
                expected,
                "{scope}"
            );
            let held = Standing {
                held: vec![scope],
                ..Standing::default()
            };
            assert_eq!(held.covers(&partition, "c", Some("p")), expected);
        }
        let halted = Standing {
            halted: BTreeSet::from([partition.clone()]),
            ..Standing::default()
        };
        assert!(halted.covers(&partition, "c", None));
        assert!(!halted.covers(&TopicPartition::new("t", 1), "c", None));
    }
}
