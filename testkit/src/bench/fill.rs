//! Topics full of records, and the records: those of a workload, each with a key of its own.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};

use crate::kafka::Topic;
use crate::wait;
use crate::workload::{SEED, Workload};

const PATIENCE: Duration = Duration::from_secs(120);
/// Records that differ in more than their keys: more than any cache holds, or predictor learns.
const DIFFERENT: u64 = 4096;

/// Records whose keys follow each other.
#[derive(Debug)]
pub struct Bodies {
    /// What follows the key, in each.
    rests: Vec<String>,
}

const BEFORE_KEY: &str = r#"{"id": "#;

impl Bodies {
    pub fn new(workload: Workload) -> Bodies {
        let body = |number| {
            let mut text = String::new();
            workload.record(SEED, number, &mut text);
            let rest = text.strip_prefix(BEFORE_KEY).expect("begins with its key");
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        };
        Bodies {
            rests: (0..DIFFERENT).map(body).collect(),
        }
    }

    /// Replaces `text` with the record of this key.
    pub fn write(&self, key: u64, text: &mut String) {
        let index = usize::try_from(key % DIFFERENT).expect("a small number");
        let rest = self.rests.get(index).expect("as many as there are");
        text.clear();
        text.extend([BEFORE_KEY, &key.to_string(), rest]);
    }
}

pub(super) type Producer = ThreadedProducer<DefaultProducerContext>;

/// One that sends batches of up to `batch_bytes`, uncompressed, and waits `linger_ms` for them to fill.
pub(super) fn producer(topic: &Topic, batch_bytes: u32, linger_ms: u32) -> Producer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", topic.bootstrap());
    config.set("batch.size", batch_bytes.to_string());
    config.set("linger.ms", linger_ms.to_string());
    config.set("acks", "1");
    config.set("queue.buffering.max.messages", "1000000");
    config.set("queue.buffering.max.kbytes", "262144");
    config.create().expect("a producer")
}

/// Sends, once there is room for it.
pub(super) fn send(producer: &Producer, topic: &Topic, partition: i32, value: &str) {
    wait::until(PATIENCE, "room in the producer's queue", || {
        let record = BaseRecord::<(), str>::to(topic.name());
        match producer.send(record.partition(partition).payload(value)) {
            Ok(()) => true,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => false,
            Err((error, _)) => panic!("cannot produce to {}: {error}", topic.name()),
        }
    });
}

/// Puts `records` into the topic, spread evenly, a batch of a partition at a time.
pub(super) fn fill(topic: &Topic, bodies: &Bodies, records: u64, batch_bytes: u32) {
    let producer = producer(topic, batch_bytes, 100);
    let partitions = u64::try_from(topic.partitions()).expect("some");
    let each = records / partitions;
    let mut text = String::new();
    for key in 0..each * partitions {
        bodies.write(key, &mut text);
        let partition = i32::try_from(key / each).expect("a partition");
        send(&producer, topic, partition, &text);
    }
    producer.flush(PATIENCE).expect("every record is acked");
    let there: i64 = topic.end_offsets().iter().sum();
    assert_eq!(u64::try_from(there), Ok(each * partitions), "records");
}
