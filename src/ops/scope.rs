//! What reports on the board are about.

use std::fmt;
use std::sync::Arc;

use crate::topic_partition::TopicPartition;

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Kafka,
    /// Our membership of it.
    Group,
    Topic(Arc<str>),
    /// `topics.regex`.
    Topics,
    Collection(Arc<str>),
    /// Of a collection, by name.
    MilvusPartition(Arc<str>, Arc<str>),
    Partition(TopicPartition),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kafka => f.write_str("Kafka"),
            Self::Group => f.write_str("consumer group"),
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
