//! Produces the stream at a steady rate through all that happens to the brokers, and sees that every record comes to lie
//! where it was meant to.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

use super::Stop;
use super::stream::{self, MOST_PARTITIONS};
use crate::kafka::{Record, Topic};

const TURN: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(120);

const NO_OFFSET: i64 = -1001;

pub(super) struct Producer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Counts by partition, and what went wrong.
struct Shared {
    partitions: AtomicI32,
    // Handed to the client: it may be in the topic.
    sent: Vec<AtomicI64>,
    acked: Vec<AtomicI64>,
    wrong: Mutex<Option<String>>,
    stop: Stop,
}

impl Producer {
    pub(super) fn start(topic: &Topic, seed: u64, rate: u32) -> Producer {
        let zeros = || (0..MOST_PARTITIONS).map(|_| AtomicI64::new(0)).collect();
        let shared = Arc::new(Shared {
            partitions: AtomicI32::new(topic.partitions()),
            sent: zeros(),
            acked: zeros(),
            wrong: Mutex::default(),
            stop: Stop::default(),
        });
        let (name, producing) = (topic.name().to_owned(), Arc::clone(&shared));
        let client = client(topic.bootstrap(), &shared);
        let thread = std::thread::spawn(move || produce(&client, &name, &producing, seed, rate));
        Producer {
            shared,
            thread: Mutex::new(Some(thread)),
        }
    }

    /// From now on these are produced to; the topic has them.
    pub(super) fn set_partitions(&self, partitions: i32) {
        self.shared.partitions.store(partitions, Ordering::Relaxed);
    }

    /// Per partition, what may be there.
    pub(super) fn sent(&self) -> Vec<i64> {
        self.shared.counts(&self.shared.sent)
    }

    /// What lies where is known only while Kafka takes each record once, and in order.
    pub(super) fn assert_as_meant(&self) {
        let wrong = self.shared.wrong.lock().unwrap().clone();
        assert_eq!(wrong, None, "Kafka did not take the stream as it was");
    }

    /// Ends, and waits until all that was sent is there; per partition, how much that is.
    pub(super) fn finish(&self) -> Vec<i64> {
        self.shared.stop.set();
        if let Some(thread) = self.thread.lock().unwrap().take() {
            thread.join().expect("the producer goes on");
        }
        self.assert_as_meant();
        let acked = self.shared.counts(&self.shared.acked);
        assert_eq!(acked, self.sent(), "every record is acked");
        acked
    }
}

impl Shared {
    fn counts(&self, of: &[AtomicI64]) -> Vec<i64> {
        let partitions = self.partitions.load(Ordering::Relaxed);
        let counts = of.iter().map(|count| count.load(Ordering::SeqCst));
        counts.take(usize::try_from(partitions).unwrap()).collect()
    }
}

fn client(bootstrap: &str, shared: &Arc<Shared>) -> ThreadedProducer<Acks> {
    let mut config = ClientConfig::new();
    let settings = [
        ("bootstrap.servers", bootstrap),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        // With several under way a broker that dies can have one refused as out of order; then the client begins anew, and
        // what it repeats is there twice.
        ("max.in.flight.requests.per.connection", "1"),
        // Never given up: a record left out would move all behind it.
        ("message.timeout.ms", "0"),
        ("linger.ms", "5"),
        ("topic.metadata.refresh.interval.ms", "2000"),
        ("socket.connection.setup.timeout.ms", "5000"),
        ("socket.timeout.ms", "10000"),
    ];
    for (key, value) in settings {
        config.set(key, value);
    }
    let context = Acks(Arc::clone(shared));
    config.create_with_context(context).expect("a producer")
}

fn produce(client: &ThreadedProducer<Acks>, topic: &str, shared: &Shared, seed: u64, rate: u32) {
    let turns_per_second = u32::try_from(1000 / TURN.as_millis()).unwrap();
    let mut next = 0;
    while !shared.stop.is_set() {
        for _ in 0..rate / turns_per_second {
            next = (next + 1) % shared.partitions.load(Ordering::Relaxed);
            produce_one(client, topic, shared, seed, next);
        }
        shared.stop.wait(TURN);
    }
    client.flush(PATIENCE).expect("every record is acked");
}

fn produce_one(
    client: &ThreadedProducer<Acks>,
    topic: &str,
    shared: &Shared,
    seed: u64,
    partition: i32,
) {
    let sent = &shared.sent[usize::try_from(partition).unwrap()];
    // Before it is, or somebody reads what he is told nobody has sent.
    let offset = sent.fetch_add(1, Ordering::SeqCst);
    let (_, record) = stream::record(seed, partition, offset);
    match client.send(message(topic, &record, offset)) {
        Ok(()) => {}
        // Not known here yet, or the brokers are away for long: later.
        Err((KafkaError::MessageProduction(error), _)) if passes(error) => {
            sent.fetch_sub(1, Ordering::SeqCst);
        }
        Err((error, _)) => panic!("cannot produce: {error}"),
    }
}

fn passes(error: RDKafkaErrorCode) -> bool {
    let passing = [
        RDKafkaErrorCode::QueueFull,
        RDKafkaErrorCode::UnknownPartition,
    ];
    passing.contains(&error)
}

fn message<'a>(
    topic: &'a str,
    record: &'a Record,
    offset: i64,
) -> BaseRecord<'a, [u8], [u8], Box<i64>> {
    let mut message = BaseRecord::with_opaque_to(topic, Box::new(offset));
    message.partition = record.partition;
    message.key = record.key.as_deref();
    message.payload = record.value.as_deref();
    message
}

/// Each record has the offset that the stream says.
struct Acks(Arc<Shared>);

impl ClientContext for Acks {}

impl ProducerContext for Acks {
    type DeliveryOpaque = Box<i64>;

    fn delivery(&self, result: &DeliveryResult<'_>, wanted: Box<i64>) {
        let wrong = match result {
            // Without an offset it was there already when it was sent again; the ends show that it is there once.
            Ok(message) if [*wanted, NO_OFFSET].contains(&message.offset()) => {
                let partition = usize::try_from(message.partition()).unwrap();
                self.0.acked[partition].fetch_add(1, Ordering::SeqCst);
                return;
            }
            Ok(message) => format!("offset {} in place of {wanted}", message.offset()),
            Err((error, _)) => error.to_string(),
        };
        self.0.wrong.lock().unwrap().get_or_insert(wrong);
    }
}
