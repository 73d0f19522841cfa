//! What a committed offset belongs to: the making of the topic it counts in, and the collection that the records before it
//! are in. Commits carry it as their metadata.

use serde::{Deserialize, Serialize};

use crate::target::Target;
use crate::topic_partition::TopicId;

/// What Kafka's brokers keep beside an offset by default (`offset.metadata.max.bytes`).
const MAX_TEXT_BYTES: usize = 4096;

/// Each part as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub target: Option<Target>,
    pub topic: Option<TopicId>,
    /// How many partitions the topic had when the group was new to it: later ones are read from their beginning.
    pub partitions: Option<i32>,
}

/// The metadata of a commit. A text of any other form, or of another version, says nothing.
#[derive(Serialize, Deserialize)]
enum Metadata {
    #[serde(rename = "kafka-milvus-sink/1")]
    Origin(Fields),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic_id: Option<TopicId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partitions: Option<i32>,
}

impl Origin {
    /// What a commit carries; `None` where there is nothing to say, or brokers would not take it.
    pub fn to_metadata(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let target = self.target.as_ref();
        let fields = Fields {
            database: target.map(|target| target.database.clone()),
            collection: target.map(|target| target.collection.clone()),
            id: target.map(|target| target.id),
            endpoint: target.map(|target| target.endpoint.clone()),
            topic_id: self.topic.clone(),
            partitions: self.partitions,
        };
        let text = serde_json::to_string(&Metadata::Origin(fields)).ok()?;
        (text.len() <= MAX_TEXT_BYTES).then_some(text)
    }

    /// What the metadata of a commit says; nothing where somebody else wrote it.
    pub fn from_metadata(text: &str) -> Self {
        let Ok(Metadata::Origin(fields)) = serde_json::from_str(text) else {
            return Self::default();
        };
        let target = match (
            fields.database,
            fields.collection,
            fields.id,
            fields.endpoint,
        ) {
            (Some(database), Some(collection), Some(id), Some(endpoint)) => Some(Target {
                database,
                collection,
                id,
                endpoint,
            }),
            (None, None, None, None) => None,
            _ => return Self::default(),
        };
        Self {
            target,
            topic: fields.topic_id,
            partitions: fields.partitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(collection: &str) -> Origin {
        Origin {
            target: Some(Target {
                database: "default".to_owned(),
                collection: collection.to_owned(),
                id: 449,
                endpoint: "http://m:19530".to_owned(),
            }),
            topic: Some(TopicId::new("Zm9v")),
            partitions: None,
        }
    }

    #[test]
    fn the_text_is_the_documented_one() {
        let check = |origin: &Origin, text: &str| {
            assert_eq!(origin.to_metadata().as_deref(), Some(text));
            assert_eq!(Origin::from_metadata(text), *origin);
        };
        let mut origin = origin("articles");
        let text = r#"{"kafka-milvus-sink/1":{"database":"default","collection":"articles","id":449,"endpoint":"http://m:19530","topic_id":"Zm9v"}}"#;
        check(&origin, text);
        origin.topic = None;
        check(&origin, &text.replace(r#","topic_id":"Zm9v""#, ""));
        origin.target = None;
        origin.partitions = Some(6);
        check(&origin, r#"{"kafka-milvus-sink/1":{"partitions":6}}"#);
        assert_eq!(Origin::default().to_metadata(), None);
    }

    #[test]
    fn absent_and_foreign_metadata_says_nothing() {
        let ours = origin("c").to_metadata().unwrap();
        for text in [
            "",
            "NO_METADATA",
            "7",
            "null",
            "{}",
            r#"{"database":"d","collection":"c","id":1,"endpoint":"e"}"#,
            &ours.replace("sink/1", "sink/2"),
            &ours.replace("\"id\":449", "\"id\":\"449\""),
            &ours.replace("\"id\":449", "\"id\":449,\"else\":1"),
            &ours.replace("\"id\":449,", ""),
            &format!("{ours}x"),
            ours.strip_suffix('}').unwrap(),
        ] {
            assert_eq!(Origin::from_metadata(text), Origin::default(), "{text}");
        }
    }

    #[test]
    fn what_brokers_would_not_take_is_not_sent() {
        let longest = |length: usize| origin(&"c".repeat(length)).to_metadata();
        let frame = longest(0).unwrap().len();
        assert_eq!(longest(4096 - frame).map(|text| text.len()), Some(4096));
        assert_eq!(longest(4097 - frame), None);
    }

    proptest! {
        #[test]
        fn any_origin_comes_back_as_it_was(
            database: String, collection: String, id: i64, endpoint: String, topic: Option<String>, partitions: Option<i32>,
        ) {
            let target = Some(Target { database, collection, id, endpoint });
            let origin = Origin { target, topic: topic.map(TopicId::new), partitions };
            if let Some(text) = origin.to_metadata() {
                prop_assert_eq!(Origin::from_metadata(&text), origin);
            }
        }

        #[test]
        fn no_bytes_of_others_are_taken_for_ours(bytes: Vec<u8>) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(Origin::from_metadata(&text), Origin::default());
        }
    }
}
