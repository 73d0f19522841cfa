//! Dead letters: where the bad records go that a policy lets pass, and what they are told apart by.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::record::RecordView;
use crate::topic_partition::TopicPartition;

/// A topic that keeps bad records. One put is one attempt; `Ok` means that its broker has confirmed the record.
pub trait DeadLetterQueue: fmt::Debug + Send + Sync + 'static {
    fn put<'a>(&'a self, letter: Letter<'a>) -> Put<'a>;
}

/// One attempt to keep a dead letter.
pub type Put<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// A bad record as it came from Kafka, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    pub record: RecordView<'a>,
    pub bad: &'a BadRecord,
}

impl Letter<'_> {
    /// Where it comes from and why it is here, by the names that Kafka Connect's dead letters have. No value of the
    /// record is among them.
    pub fn context(&self, connector: &str) -> [(&'static str, String); 10] {
        const EXCEPTION: &str = "kafka_milvus_sink::bad_record::BadRecord";
        let (record, message) = (&self.record, self.bad.to_string());
        let at = record.topic_partition;
        [
            ("__connect.errors.topic", at.topic.to_string()),
            ("__connect.errors.partition", at.partition.to_string()),
            ("__connect.errors.offset", record.offset.to_string()),
            ("__connect.errors.connector.name", connector.to_owned()),
            ("__connect.errors.task.id", "0".to_owned()),
            ("__connect.errors.stage", self.bad.stage.word().to_owned()),
            (
                "__connect.errors.class.name",
                self.bad.stage.place().to_owned(),
            ),
            (
                "__connect.errors.exception.class.name",
                EXCEPTION.to_owned(),
            ),
            ("__connect.errors.exception.message", message.clone()),
            (
                "__connect.errors.exception.stacktrace",
                format!("{EXCEPTION}: {message}"),
            ),
        ]
    }
}

/// Where a record was found to be bad, as Kafka Connect divides its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its key cannot be read.
    KeyConverter,
    /// Its value cannot be read.
    ValueConverter,
    /// It does not fit the collection, or Milvus refuses it.
    TaskPut,
}

impl Stage {
    fn word(self) -> &'static str {
        match self {
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::TaskPut => "TASK_PUT",
        }
    }

    /// In place of the Java class.
    fn place(self) -> &'static str {
        match self {
            Self::KeyConverter => "kafka_milvus_sink::decode::key",
            Self::ValueConverter => "kafka_milvus_sink::decode::json",
            Self::TaskPut => "kafka_milvus_sink::writer",
        }
    }
}

/// Why a dead letter was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// The world is in the way: it is put again, for ever.
    Held(Cause),
    /// Only a person can mend it: its partition halts at the record.
    Halts(Cause),
}

/// What is in the way of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Held.
    Held {
        topic: String,
        detail: String,
        remedy: &'static str,
    },
    /// Halted.
    TooLarge {
        at: TopicPartition,
        offset: i64,
        topic: String,
        /// Of key and value.
        bytes: usize,
    },
}

impl Trouble {
    pub fn label(&self) -> &'static str {
        match self {
            Self::Held { .. } => "dead_letters_held",
            Self::TooLarge { .. } => "dead_letter_too_large",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held {
                topic,
                detail,
                remedy,
            } => write!(
                f,
                "dead letters cannot be put into topic '{topic}' ({detail}); {remedy}"
            ),
            Self::TooLarge {
                at,
                offset,
                topic,
                bytes,
            } => write!(
                f,
                "{at}@{offset}: the bad record has {bytes} bytes, which topic '{topic}' does not take as a dead letter; raise max.message.bytes of that topic (and producer.max.request.size, where it is set), or set producer.compression.type"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::budget::Budget;
    use crate::record::{Chunk, Record, Run};
    use crate::tenure::Tenure;

    #[test]
    fn the_context_has_connects_names_and_no_value() {
        let chunk = Chunk {
            bytes: b"{sesame-4712".to_vec(),
            runs: vec![Run {
                tenure: Arc::new(Tenure::new(TopicPartition::new("orders", 3), 0)),
                from: 0,
                records: vec![Record {
                    offset: 41,
                    value: Some(0..12),
                    ..Record::default()
                }],
                headers: Vec::new(),
            }],
            charge: Budget::new(1).charge(0),
        };
        let bad = BadRecord::of_payload("broken JSON".to_owned(), "send valid JSON");
        let letter = Letter {
            record: chunk.view(0, 0),
            bad: &bad,
        };
        let said = "the record should be one JSON object, found broken JSON; send valid JSON";
        let trace = format!("kafka_milvus_sink::bad_record::BadRecord: {said}");
        let expected = [
            ("topic", "orders"),
            ("partition", "3"),
            ("offset", "41"),
            ("connector.name", "c"),
            ("task.id", "0"),
            ("stage", "VALUE_CONVERTER"),
            ("class.name", "kafka_milvus_sink::decode::json"),
            (
                "exception.class.name",
                "kafka_milvus_sink::bad_record::BadRecord",
            ),
            ("exception.message", said),
            ("exception.stacktrace", trace.as_str()),
        ];
        let found = letter.context("c");
        let found = found.iter().map(|(name, value)| (*name, value.as_str()));
        let full = expected.map(|(name, value)| (format!("__connect.errors.{name}"), value));
        assert!(found.eq(full.iter().map(|(name, value)| (name.as_str(), *value))));
    }
}
