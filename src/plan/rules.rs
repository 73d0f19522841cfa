//! What the configuration has to say about the plan of one collection.

use crate::config::{Config, InsertMode, Shaping, UnknownFields};
use crate::routing;

#[derive(Debug, Clone)]
pub struct Rules {
    pub database: String,
    pub insert_mode: InsertMode,
    pub unknown_fields: UnknownFields,
    pub shaping: Shaping,
    /// Bytes of the longest name among the collection's topics.
    pub longest_topic: usize,
}

impl Rules {
    pub fn of(config: &Config, collection: &str) -> Self {
        let routes = routing::collections(&config.topics, &config.collection_name);
        let routes = routes.unwrap_or_default().into_iter();
        let topics = routes.filter(|(_, name)| name == collection);
        Self {
            database: config.milvus.database.clone(),
            insert_mode: config.insert_mode,
            unknown_fields: config.unknown_fields,
            shaping: config.shaping.clone(),
            longest_topic: topics.map(|(topic, _)| topic.len()).max().unwrap_or(0),
        }
    }
}
