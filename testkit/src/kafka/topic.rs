//! A topic of the test broker: making it, filling it, and reading what a group has committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use super::raw::{self, Rule};
use crate::{runtime, wait};

pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(5);
// As many replicas as `default.replication.factor` says: one on a single broker, three on a cluster.
const BROKERS_DEFAULT: TopicReplication<'_> = TopicReplication::Fixed(-1);

/// A record to produce.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Without one the producer spreads records by key, or evenly.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since 1970; without one the producer's clock says it.
    pub timestamp: Option<i64>,
    /// `None` is a null.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    pub fn new(value: impl Into<Vec<u8>>) -> Record {
        let value = Some(value.into());
        Record {
            value,
            ..Record::default()
        }
    }

    pub fn json(value: &serde_json::Value) -> Record {
        Record::new(value.to_string())
    }

    pub fn tombstone(key: impl Into<Vec<u8>>) -> Record {
        Record::default().key(key)
    }

    pub fn key(self, key: impl Into<Vec<u8>>) -> Record {
        let key = Some(key.into());
        Record { key, ..self }
    }

    pub fn timestamp(self, millis: i64) -> Record {
        let timestamp = Some(millis);
        Record { timestamp, ..self }
    }

    pub fn header(mut self, name: &str, value: Option<&[u8]>) -> Record {
        let value = value.map(<[u8]>::to_vec);
        self.headers.push((name.to_owned(), value));
        self
    }

    pub fn partition(self, partition: i32) -> Record {
        let partition = Some(partition);
        Record { partition, ..self }
    }
}

/// A topic of a broker.
#[derive(Debug, Clone)]
pub struct Topic {
    bootstrap: String,
    name: String,
    partitions: i32,
}

impl Topic {
    pub(super) fn create(
        bootstrap: &str,
        name: &str,
        partitions: i32,
        config: &[(&str, &str)],
    ) -> Topic {
        let topic = NewTopic::new(name, partitions, BROKERS_DEFAULT);
        Self::made(bootstrap, topic, config)
    }

    /// Of one partition, on these nodes (by their ids), the first of which leads.
    pub(super) fn create_on(
        bootstrap: &str,
        name: &str,
        nodes: &[i32],
        config: &[(&str, &str)],
    ) -> Topic {
        let replicas = [nodes];
        let topic = NewTopic::new(name, 1, TopicReplication::Variable(&replicas));
        Self::made(bootstrap, topic, config)
    }

    fn made<'a>(bootstrap: &str, mut topic: NewTopic<'a>, config: &[(&'a str, &'a str)]) -> Topic {
        for (key, value) in config {
            topic = topic.set(key, value);
        }
        let admin = admin(bootstrap);
        let made = runtime::block_on(admin.create_topics([&topic], &AdminOptions::new()));
        made.unwrap().remove(0).expect("the topic is new");
        let topic = Topic::existing(bootstrap, topic.name, topic.num_partitions);
        topic.await_leaders();
        topic
    }

    /// A topic that somebody else made.
    pub fn existing(bootstrap: &str, name: &str, partitions: i32) -> Topic {
        Topic {
            bootstrap: bootstrap.to_owned(),
            name: name.to_owned(),
            partitions,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    /// `host:port` of its broker.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Produces all records, in order within a partition, and waits for every ack.
    pub fn produce(&self, records: impl IntoIterator<Item = Record>) {
        self.produce_with(&[], records);
    }

    /// The same, for records so large that the small broker would run out of memory.
    pub fn produce_compressed(&self, records: impl IntoIterator<Item = Record>) {
        self.produce_with(&[("compression.type", "lz4")], records);
    }

    fn produce_with(&self, settings: &[(&str, &str)], records: impl IntoIterator<Item = Record>) {
        let producer = self.producer(settings);
        let refused = Arc::clone(&producer.context().refused);
        for record in records {
            self.enqueue(&producer, &record);
        }
        producer.flush(PATIENCE * 2).expect("every record is acked");
        assert_eq!(refused.load(Ordering::Relaxed), 0, "records were refused");
    }

    /// Produces one JSON record without a key.
    pub fn produce_json(&self, value: &serde_json::Value) {
        self.produce([Record::json(value)]);
    }

    /// The offset after the last record, per partition.
    pub fn end_offsets(&self) -> Vec<i64> {
        self.watermarks().into_iter().map(|(_, end)| end).collect()
    }

    /// The first offset that is still there, per partition.
    pub fn start_offsets(&self) -> Vec<i64> {
        let watermarks = self.watermarks().into_iter();
        watermarks.map(|(start, _)| start).collect()
    }

    /// The offsets of the records that can be read, over all partitions: compaction and transactions leave gaps.
    pub fn offsets(&self) -> Vec<i64> {
        let mut config = client(&self.bootstrap);
        let config = config.set("enable.partition.eof", "true");
        let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create().unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..self.partitions {
            let from = Offset::Beginning;
            all.add_partition_offset(&self.name, partition, from)
                .unwrap();
        }
        consumer.assign(&all).unwrap();
        let mut offsets = Vec::new();
        let mut ends = 0;
        while ends < self.partitions {
            match consumer.poll(PATIENCE).expect("a record or an end") {
                Ok(message) => offsets.push(message.offset()),
                Err(KafkaError::PartitionEOF(_)) => ends += 1,
                Err(error) => panic!("cannot read {}: {error}", self.name),
            }
        }
        offsets
    }

    /// Deletes every record of `partition` before `offset`.
    pub fn delete_records_before(&self, partition: i32, offset: i64) {
        let mut before = TopicPartitionList::new();
        let before_offset = Offset::Offset(offset);
        let added = before.add_partition_offset(&self.name, partition, before_offset);
        added.expect("a valid offset");
        let admin = admin(&self.bootstrap);
        let done = runtime::block_on(admin.delete_records(&before, &AdminOptions::new()));
        done.expect("the records can be deleted");
    }

    /// Grows the topic to `partitions`.
    pub fn add_partitions(&mut self, partitions: i32) {
        let count = usize::try_from(partitions).unwrap();
        let wanted = NewPartitions::new(&self.name, count);
        let admin = admin(&self.bootstrap);
        let done = runtime::block_on(admin.create_partitions([&wanted], &AdminOptions::new()));
        done.unwrap()
            .remove(0)
            .expect("more partitions than before");
        self.partitions = partitions;
        self.await_leaders();
    }

    /// Deletes it and makes another one of the same name.
    pub fn make_again(&self, partitions: i32) -> Topic {
        self.delete();
        let topic = Topic::existing(&self.bootstrap, &self.name, partitions);
        let admin = admin(&self.bootstrap);
        wait::until(PATIENCE, format_args!("room for {}", self.name), || {
            let again = NewTopic::new(&self.name, partitions, BROKERS_DEFAULT);
            let made = runtime::block_on(admin.create_topics([&again], &AdminOptions::new()));
            made.unwrap().remove(0).is_ok()
        });
        topic.await_leaders();
        topic
    }

    pub fn delete(&self) {
        let admin = admin(&self.bootstrap);
        let done = runtime::block_on(admin.delete_topics(&[&self.name], &AdminOptions::new()));
        done.unwrap().remove(0).expect("the topic is there");
    }

    /// From now on `user` may do everything with it but write; who comes in without a name goes on as before. The broker
    /// has to be a secure one.
    pub fn deny_writes(&self, user: &str) {
        for rule in [Rule::AllowAll, Rule::DenyWrite] {
            let code = raw::rule(&self.bootstrap, &self.name, user, rule);
            assert_eq!(code.expect("an answer"), 0, "{rule:?} for {user}");
        }
    }

    fn watermarks(&self) -> Vec<(i64, i64)> {
        let consumer: BaseConsumer = client(&self.bootstrap).create().unwrap();
        // Of a cluster, the leader may just be changing.
        let of = |partition| {
            let what = format_args!("the offsets of {}:{partition}", self.name);
            let look = || consumer.fetch_watermarks(&self.name, partition, LOOK).ok();
            wait::some(PATIENCE, what, look)
        };
        (0..self.partitions).map(of).collect()
    }

    fn await_leaders(&self) {
        let consumer: BaseConsumer = client(&self.bootstrap).create().unwrap();
        wait::until(PATIENCE, format_args!("leaders of {}", self.name), || {
            let metadata = consumer.fetch_metadata(Some(&self.name), PATIENCE).unwrap();
            let partitions = metadata.topics()[0].partitions();
            let led = partitions.iter().filter(|p| p.leader() >= 0).count();
            i32::try_from(led) == Ok(self.partitions)
        });
    }

    pub(super) fn producer(&self, settings: &[(&str, &str)]) -> ThreadedProducer<Acks> {
        let mut config = client(&self.bootstrap);
        for (key, value) in settings {
            config.set(*key, *value);
        }
        config.set("enable.idempotence", "true");
        config.set("linger.ms", "5");
        // A broker that stands still is left for its successor soon.
        config.set("socket.timeout.ms", "5000");
        config.set("socket.connection.setup.timeout.ms", "5000");
        config.set("topic.metadata.refresh.interval.ms", "2000");
        config.set("queue.buffering.max.messages", "1000000");
        config.set("message.max.bytes", "100000000");
        config.create_with_context(Acks::default()).unwrap()
    }

    pub(super) fn enqueue(&self, producer: &ThreadedProducer<Acks>, record: &Record) {
        wait::until(PATIENCE, "room in the producer's queue", || {
            let mut message = BaseRecord::<[u8], [u8]>::to(&self.name);
            message.partition = record.partition;
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            message.timestamp = record.timestamp;
            message.headers = headers(record);
            match producer.send(message) {
                Ok(()) => true,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => false,
                Err((error, _)) => panic!("cannot produce to {}: {error}", self.name),
            }
        });
    }
}

fn headers(record: &Record) -> Option<OwnedHeaders> {
    let own = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
        headers.insert(Header {
            key,
            value: value.as_ref(),
        })
    };
    let headers = record.headers.iter();
    (!record.headers.is_empty()).then(|| headers.fold(OwnedHeaders::new(), own))
}

/// Counts the records that the broker did not take.
#[derive(Debug, Default)]
pub(super) struct Acks {
    refused: Arc<AtomicUsize>,
}

impl ClientContext for Acks {}

impl ProducerContext for Acks {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(super) fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config.set("group.id", "testkit");
    // A frozen broker takes connections; the next one is asked before patience is over.
    config.set("socket.connection.setup.timeout.ms", "5000");
    config.set("api.version.request.timeout.ms", "5000");
    config
}

pub(super) fn admin(bootstrap: &str) -> AdminClient<DefaultClientContext> {
    client(bootstrap).create().expect("an admin client")
}
