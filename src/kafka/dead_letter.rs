//! Puts dead letters into their topic: one confirmed record each, as the bad one came.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use tokio::sync::Semaphore;

use super::admin::{self, Source};
use super::producer::{Message, Producer};
use super::{KafkaError, lock};
use crate::cause::Cause;
use crate::config::{Config, DeadLetters};
use crate::dead_letter::{DeadLetterQueue, Letter, Put, Trouble, Undelivered};

/// The end of a client has no time-out of its own.
const CLOSE: Duration = Duration::from_secs(2);
/// Records in the producer's queue at once; it has room for more.
const SIDE_BY_SIDE: usize = 512;

/// The topic of the dead letters, and the producer for it.
pub struct Topic {
    config: DeadLetters,
    connector: String,
    source: Source,
    /// `None` at the end.
    producer: Mutex<Option<Producer>>,
    /// It is looked for by one at a time.
    seen: tokio::sync::Mutex<Seen>,
    /// Records in the producer's queue: each writer puts several side by side, and there may be many writers.
    places: Semaphore,
}

/// What the last look for the topic has shown.
#[derive(Default)]
struct Seen {
    is_there: bool,
    failed: Option<(Instant, Trouble)>,
}

impl Topic {
    /// `None` where the configuration has no dead letters.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn open(config: &Config) -> Result<Option<Arc<Self>>, KafkaError> {
        let Some(letters) = &config.dead_letters else {
            return Ok(None);
        };
        let topic = Self {
            producer: Mutex::new(Some(Producer::new(&letters.producer)?)),
            config: letters.clone(),
            connector: config.name.clone(),
            source: Source {
                topics: config.topics.clone(),
                settings: config.kafka.consumer.clone(),
            },
            seen: tokio::sync::Mutex::default(),
            places: Semaphore::new(SIDE_BY_SIDE),
        };
        Ok(Some(Arc::new(topic)))
    }

    /// Sees to it that the topic is there before it is needed, and says what is in the way.
    pub async fn prepare(&self) {
        match self.see_to_topic().await {
            Ok(()) => tracing::info!("bad records are kept in topic '{}'", self.config.topic),
            Err(trouble) => {
                tracing::warn!("{trouble}; nothing waits for it before there is a bad record");
            }
        }
    }

    /// Ends the producer. What is still under way is not waited for: nobody has been told that it is kept.
    pub async fn close(&self) {
        let Some(producer) = lock(&self.producer).take() else {
            return;
        };
        if tokio::time::timeout(CLOSE, producer.end()).await.is_err() {
            tracing::warn!("the producer of dead letters does not end; going on without it");
        }
    }

    async fn see_to_topic(&self) -> Result<(), Trouble> {
        let asked = Instant::now();
        let mut seen = self.seen.lock().await;
        if seen.is_there {
            return Ok(());
        }
        if let Some((_, trouble)) = seen.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(trouble.clone()); // somebody has looked while this one waited
        }
        let (config, source) = (self.config.clone(), self.source.clone());
        let look = tokio::task::spawn_blocking(move || admin::see_to(&config, &source)).await;
        let look =
            look.unwrap_or_else(|error| Err(self.held(error.to_string(), "restart the sink")));
        seen.is_there = look.is_ok();
        seen.failed = look.clone().err().map(|trouble| (Instant::now(), trouble));
        look
    }

    async fn deliver(&self, letter: Letter<'_>) -> Result<(), Undelivered> {
        let held = |trouble| Undelivered::Held(Cause::DeadLetter(trouble));
        self.see_to_topic().await.map_err(held)?;
        // Never closed, so there is always a place in the end.
        let _place = self.places.acquire().await;
        let mut sent = self.send(&letter, self.config.context_headers).await;
        if self.config.context_headers && sent.as_ref().is_err_and(is_too_large) {
            sent = self.send(&letter, false).await;
            if sent.is_ok() {
                let (at, offset) = (letter.record.topic_partition, letter.record.offset);
                tracing::warn!(
                    "{at}@{offset} was too large as a dead letter with its context headers and is kept without them"
                );
            }
        }
        let Err(error) = sent else { return Ok(()) };
        if is_too_large(&error) {
            return Err(Undelivered::Halts(Cause::DeadLetter(
                self.too_large(&letter),
            )));
        }
        Err(held(self.judge(&error).await))
    }

    async fn send(&self, letter: &Letter<'_>, context: bool) -> Result<(), ClientError> {
        let mut message = Message::to(&self.config.topic);
        message.key = letter.record.key;
        message.payload = letter.record.value;
        message.timestamp = letter.record.timestamp;
        message.headers = self.headers(letter, context);
        let sent = match &*lock(&self.producer) {
            Some(producer) => producer.send(message),
            None => Err(ClientError::Canceled),
        };
        sent?.await.unwrap_or(Err(ClientError::Canceled))
    }

    fn headers(&self, letter: &Letter<'_>, context: bool) -> Option<OwnedHeaders> {
        let mut headers = None;
        let mut put = |key: &str, value: Option<&[u8]>| {
            let list = headers.take().unwrap_or_else(OwnedHeaders::new);
            headers = Some(list.insert(Header { key, value }));
        };
        for (name, value) in letter.record.headers() {
            // A name that is not text cannot be written by this client.
            put(&String::from_utf8_lossy(name), value);
        }
        if context {
            for (name, value) in letter.context(&self.connector) {
                put(name, Some(value.as_bytes()));
            }
        }
        headers
    }

    async fn judge(&self, error: &ClientError) -> Trouble {
        let (code, detail) = self.explain(error);
        if matches!(
            code,
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition)
        ) {
            self.seen.lock().await.is_there = false;
        }
        let remedy = match code {
            Some(Code::TopicAuthorizationFailed) => "grant this user WRITE on the topic",
            Some(Code::ClusterAuthorizationFailed) => {
                "grant this user IDEMPOTENT_WRITE on the cluster, or set producer.enable.idempotence=false"
            }
            Some(Code::Authentication | Code::SaslAuthenticationFailed) => {
                "check the login of the producer (sasl.*, or producer.sasl.*)"
            }
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                "it is looked for, and made where it is missing"
            }
            Some(Code::QueueFull) => "others are still under way",
            Some(Code::InvalidTimestamp | Code::InvalidRecord | Code::PolicyViolation) => {
                "correct the topic's settings (message.timestamp.*, cleanup.policy)"
            }
            _ => "check that its brokers are up and that enough of its replicas are in sync",
        };
        self.held(detail, remedy)
    }

    /// What it is about, in librdkafka's words. A producer with a fatal error never sends again: it is replaced.
    fn explain(&self, error: &ClientError) -> (Option<Code>, String) {
        let mut producer = lock(&self.producer);
        let Some(current) = &*producer else {
            return (None, "the sink is stopping".to_owned());
        };
        if let Some(fatal) = current.fatal() {
            match Producer::new(&self.config.producer) {
                Ok(fresh) => drop(producer.replace(fresh).map(Producer::end)),
                Err(error) => {
                    tracing::warn!("the producer of dead letters cannot be replaced: {error}");
                }
            }
            return (Some(fatal.0), fatal.1);
        }
        let code = error.rdkafka_error_code();
        let reason = current.reason();
        let detail = match code {
            Some(Code::MessageTimedOut) if reason.is_empty() => {
                "not confirmed within delivery.timeout.ms".to_owned()
            }
            Some(Code::MessageTimedOut) => {
                format!("not confirmed within delivery.timeout.ms; {reason}")
            }
            Some(code) => code.to_string(),
            None => error.to_string(),
        };
        (code, detail)
    }

    fn held(&self, detail: String, remedy: &'static str) -> Trouble {
        Trouble::Held {
            topic: self.config.topic.clone(),
            detail,
            remedy,
        }
    }

    fn too_large(&self, letter: &Letter<'_>) -> Trouble {
        let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        Trouble::TooLarge {
            at: letter.record.topic_partition.clone(),
            offset: letter.record.offset,
            topic: self.config.topic.clone(),
            bytes: length(letter.record.key) + length(letter.record.value),
        }
    }
}

impl DeadLetterQueue for Topic {
    fn put<'a>(&'a self, letter: Letter<'a>) -> Put<'a> {
        Box::pin(self.deliver(letter))
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        drop(lock(&self.producer).take().map(Producer::end));
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.config.topic).finish()
    }
}

/// Whether the topic is there, and with how many partitions. Blocks its thread.
///
/// # Errors
/// What is in the way of a look, or of writing to it as far as a look shows.
pub fn look(config: &DeadLetters) -> Result<Option<usize>, Trouble> {
    admin::look(config)
}

fn is_too_large(error: &ClientError) -> bool {
    error.rdkafka_error_code() == Some(Code::MessageSizeTooLarge)
}

#[cfg(test)]
mod tests;
