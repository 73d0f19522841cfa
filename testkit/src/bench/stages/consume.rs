//! Consume only: polls and drops, with the sink's settings of librdkafka.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use super::Clock;

const PATIENCE: Duration = Duration::from_secs(60);

/// As the sink has them for one partition.
const SETTINGS: [(&str, &str); 8] = [
    ("isolation.level", "read_committed"),
    ("check.crcs", "true"),
    ("fetch.queue.backoff.ms", "10"),
    ("queued.min.messages", "2000"),
    ("queued.max.messages.kbytes", "8192"),
    ("fetch.message.max.bytes", "1048576"),
    ("fetch.max.bytes", "8388608"),
    ("enable.auto.commit", "false"),
];

/// Reads `records` of partition 0. The clock runs from the first one on.
pub fn run(bootstrap: &str, topic: &str, records: u64) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config.set("group.id", "bench-consume");
    for (key, value) in SETTINGS {
        config.set(key, value);
    }
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut all = TopicPartitionList::new();
    all.add_partition_offset(topic, 0, Offset::Beginning)
        .expect("a valid offset");
    consumer.assign(&all).expect("an assignment");
    let mut clock = None;
    let mut bytes = 0;
    for _ in 0..records {
        let message = consumer.poll(PATIENCE).expect("a record in time");
        let message = message.expect("a record");
        bytes += message.payload().map_or(0, <[u8]>::len);
        clock.get_or_insert_with(Clock::start);
    }
    assert!(bytes > 0, "empty records");
    clock.expect("at least one record").stop(records);
}
