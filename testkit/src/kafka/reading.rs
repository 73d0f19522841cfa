//! Reading a topic of the test broker: its records as they lie there, and its settings.

use std::time::Duration;

use rdkafka::admin::{AdminOptions, ResourceSpecifier};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::topic::{admin, client};
use super::{Record, Topic};
use crate::runtime;

const PATIENCE: Duration = Duration::from_secs(30);

impl Topic {
    /// All its records, in order within a partition.
    pub fn read(&self) -> Vec<Record> {
        let mut config = client(self.bootstrap());
        let config = config.set("enable.partition.eof", "true");
        let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create().unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..self.partitions() {
            let from = Offset::Beginning;
            all.add_partition_offset(self.name(), partition, from)
                .unwrap();
        }
        consumer.assign(&all).unwrap();
        let mut records = Vec::new();
        let mut ends = 0;
        while ends < self.partitions() {
            match consumer.poll(PATIENCE).expect("a record or an end") {
                Ok(message) => records.push(record(&message)),
                Err(KafkaError::PartitionEOF(_)) => ends += 1,
                Err(error) => panic!("cannot read {}: {error}", self.name()),
            }
        }
        records
    }

    /// A setting of it, as `max.message.bytes`.
    pub fn setting(&self, name: &str) -> Option<String> {
        let admin = admin(self.bootstrap());
        let wanted = [ResourceSpecifier::Topic(self.name())];
        let found = runtime::block_on(admin.describe_configs(&wanted, &AdminOptions::new()));
        let found = found.unwrap().remove(0).expect("the topic is there");
        found.get(name)?.value.clone()
    }

    /// How many partitions it has by now; 0 where there is none of its name.
    pub fn found_partitions(&self) -> usize {
        let consumer: BaseConsumer = client(self.bootstrap())
            .set("allow.auto.create.topics", "false")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(self.name()), PATIENCE);
        metadata.unwrap().topics()[0].partitions().len()
    }
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers();
    let headers = headers.map(|headers| headers.iter().collect::<Vec<_>>());
    let headers = headers.into_iter().flatten();
    Record {
        partition: Some(message.partition()),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        timestamp: message.timestamp().to_millis(),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
            .collect(),
    }
}
