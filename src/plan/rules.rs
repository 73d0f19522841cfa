//! What the configuration has to say about the plan of one collection.

use crate::config::{Config, InsertMode, Shaping, UnknownFields};
use crate::routing::{LONGEST_TOPIC, Topics};

#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// For messages.
    pub endpoint: String,
    pub database: String,
    pub insert_mode: InsertMode,
    pub unknown_fields: UnknownFields,
    /// `partition.name` is set: the Milvus partition is ours to name.
    pub names_partition: bool,
    pub shaping: Shaping,
    /// Bytes of the longest name among the collection's topics.
    pub longest_topic: usize,
}

impl Rules {
    pub fn of(config: &Config, collection: &str) -> Self {
        let longest_topic = match &config.topics {
            Topics::Listed(topics) => {
                let routed =
                    |topic: &&String| *config.router.destination(topic).collection == *collection;
                topics
                    .iter()
                    .filter(routed)
                    .map(String::len)
                    .max()
                    .unwrap_or(0)
            }
            Topics::Matching(_) => LONGEST_TOPIC,
        };
        Self {
            endpoint: config.milvus.endpoint.to_string(),
            database: config.milvus.database.clone(),
            insert_mode: config.insert_mode,
            unknown_fields: config.unknown_fields,
            names_partition: config.router.partition_name.is_some(),
            shaping: config.shaping.clone(),
            longest_topic,
        }
    }
}
