//! A producer that tells of each record what became of it, and whose end keeps nobody waiting.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;

use super::rebalance::{Context, printable};
use super::{KafkaError, configure, topic_ids};
use crate::config::Setting;

type Told = oneshot::Sender<Result<(), ClientError>>;

/// What the broker said of a record.
pub(super) type Delivered = oneshot::Receiver<Result<(), ClientError>>;
/// A record for [`Producer::send`].
pub(super) type Message<'a> = BaseRecord<'a, [u8], [u8]>;

pub(super) struct Producer(ThreadedProducer<Deliveries>);

impl Producer {
    /// # Errors
    /// Settings that the client refuses.
    pub(super) fn new(settings: &[(String, Setting)]) -> Result<Self, KafkaError> {
        let mut native = ClientConfig::new();
        // Why the broker closed a connection is said at this level and nowhere else.
        native.set_log_level(RDKafkaLogLevel::Info);
        configure(&mut native, settings);
        let made = ThreadedProducer::from_config_and_context(&native, Deliveries::default());
        made.map(Self)
            .map_err(|error| KafkaError::Settings(error.to_string()))
    }

    /// Copies it into the client's queue, and does not wait.
    pub(super) fn send(&self, message: Message<'_>) -> Result<Delivered, ClientError> {
        let (told, delivered) = oneshot::channel();
        let message = BaseRecord {
            topic: message.topic,
            partition: message.partition,
            payload: message.payload,
            key: message.key,
            timestamp: message.timestamp,
            headers: message.headers,
            delivery_opaque: Box::new(told),
        };
        let sent = self.0.send(message);
        sent.map(|()| delivered).map_err(|(error, _)| error)
    }

    /// Blocks its thread.
    pub(super) fn look_for(&self, topic: &str, wait: Duration) -> Result<Metadata, ClientError> {
        self.0.client().fetch_metadata(Some(topic), wait)
    }

    /// Whether this user may write to the topic, where a broker says so. Blocks its thread.
    pub(super) fn may_write(&self, topic: &str, wait: Duration) -> Option<bool> {
        topic_ids::may_write(self.0.client(), topic, wait)
    }

    /// Why it will never send again.
    pub(super) fn fatal(&self) -> Option<(Code, String)> {
        let (code, reason) = self.0.client().fatal_error()?;
        Some((code, printable(&reason)))
    }

    /// librdkafka's own words about the last error.
    pub(super) fn reason(&self) -> String {
        self.0.context().told.reason()
    }

    /// On a thread of its own: there librdkafka waits for its own threads, however long a name look-up takes.
    pub(super) fn end(self) -> oneshot::Receiver<()> {
        let (ended, wait) = oneshot::channel();
        let end = move || {
            drop(self);
            ended.send(()).ok(); // nobody waits for one that was replaced
        };
        let thread = std::thread::Builder::new().name("producer end".to_owned());
        if let Err(error) = thread.spawn(end) {
            tracing::debug!(%error, "no thread for the end of a producer");
        }
        wait
    }
}

#[derive(Default)]
struct Deliveries {
    /// Logs, and keeps librdkafka's reasons, as for the consumer.
    told: Context,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.told.log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.told.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Told>;

    fn delivery(&self, result: &DeliveryResult<'_>, told: Box<Told>) {
        let result = result.as_ref().map(|_| ());
        told.send(result.map_err(|(error, _)| error.clone())).ok(); // whoever asked may have stopped waiting
    }
}
