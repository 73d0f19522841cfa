//! The configuration as the rest of the program sees it: typed, checked, complete.

mod assemble;
mod converters;
mod dead_letters;
mod endpoint;
mod fate;
mod files;
mod kafka;
pub mod keys;
mod layers;
mod load;
mod properties;
mod references;
mod report;
mod routing;
pub mod secret;
mod shaping;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::routing::{Router, Topics};
pub use fate::{Fate, KeyRow};
pub use load::{Sources, load};
pub use report::ConfigErrors;
use secret::Secret;
pub use shaping::{DeleteWhen, KeyFormat, Metadata, NullValues, PkMode, Shaping};

/// Everything `run` and `check` need. Made by [`load`]; nothing downstream sees raw text.
#[derive(Debug, Clone)]
pub struct Config {
    pub name: String,
    pub topics: Topics,
    pub tasks_max: usize,
    pub kafka: KafkaConfig,
    pub milvus: MilvusConfig,
    /// Where the rows of each topic go.
    pub router: Router,
    pub insert_mode: InsertMode,
    pub unknown_fields: UnknownFields,
    pub recreated: OnRecreated,
    pub data_loss: OnDataLoss,
    pub shaping: Shaping,
    pub tolerance: Tolerance,
    /// `None`: bad records are not kept.
    pub dead_letters: Option<DeadLetters>,
    pub refused_max_consecutive: u32,
    pub batch_max_rows: usize,
    /// Encoded bytes of one request.
    pub batch_max_bytes: usize,
    /// Requests of one writer under way at once.
    pub max_in_flight: usize,
    pub linger: Duration,
    /// How long after it ended without an answer a request may still be applied.
    pub late_landing_grace: Duration,
    pub buffer_max_bytes: usize,
    /// `offset.flush.interval.ms`.
    pub commit_interval: Duration,
    pub shutdown_timeout: Duration,
    /// Zero: the watchdogs are off.
    pub watchdog_timeout: Duration,
    /// `None`: the operations surface is closed.
    pub ops_listen: Option<SocketAddr>,
    /// That are named one by one.
    pub ops_partitions_max: usize,
    pub log: LogConfig,
    /// What the reader of the log should know about this configuration; logged once at start.
    pub notices: Vec<Notice>,
    /// Every known key with its effective value (secrets as `****`) and where it came from; for the log and `check`.
    pub effective: Vec<Effective>,
    /// Every key that was given or has a default, ours or not, and what became of it; for `check`.
    pub keys: Vec<KeyRow>,
}

impl Config {
    /// Whether somebody has set this key, alone or as one of a family.
    pub fn is_given(&self, key: &str) -> bool {
        self.effective.iter().any(|row| {
            let of_family = |prefix: &str| {
                let is_key = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| name == key);
                key.starts_with(prefix) && row.value.split(' ').any(is_key)
            };
            match row.key.strip_suffix('*') {
                Some(prefix) => of_family(prefix),
                None => row.key == key && row.origin != "default",
            }
        })
    }
}

/// Settings of the consumer, by librdkafka's names, ours and the user's already merged.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// For messages.
    pub bootstrap_servers: String,
    pub group_id: String,
    pub consumer: Vec<(String, Setting)>,
    /// Applied by the ledger where the group has no committed offset; librdkafka itself runs with `error`.
    pub auto_offset_reset: OffsetReset,
    pub protocol: Protocol,
    /// What the broker is taken to have, where it is the broker's.
    pub session_timeout: Duration,
    pub max_poll_interval: Duration,
    /// How often Kafka is asked for new topics that match `topics.regex`; `None`: only until there are some.
    pub topic_refresh: Option<Duration>,
}

impl KafkaConfig {
    /// By what this member of the group would have its partitions assigned.
    pub fn assignor(&self) -> &str {
        let assignor = self.plain("partition.assignment.strategy");
        assignor.unwrap_or("the broker's")
    }

    /// A setting of the consumer that is no secret.
    pub fn plain(&self, name: &str) -> Option<&str> {
        let (_, setting) = self.consumer.iter().find(|(known, _)| known == name)?;
        match setting {
            Setting::Plain(value) => Some(value),
            Setting::Secret(_) => None,
        }
    }
}

/// `errors.deadletterqueue.*`: where bad records are kept, and the clients that bring them there.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    pub topic: String,
    /// Where the topic is created; -1 is the broker's default.
    pub replication_factor: i32,
    /// Say in headers where a dead letter comes from and why.
    pub context_headers: bool,
    /// For messages.
    pub bootstrap_servers: String,
    pub producer: Vec<(String, Setting)>,
    pub admin: Vec<(String, Setting)>,
}

/// Whose rules the consumer group follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Its members'.
    Classic,
    /// The broker's (KIP-848).
    Consumer,
}

/// A value handed to librdkafka; prints as `****` where it is a secret.
#[derive(Debug, Clone)]
pub enum Setting {
    Plain(String),
    Secret(Secret),
}

#[derive(Debug, Clone)]
pub struct MilvusConfig {
    pub endpoint: Endpoint,
    pub token: Token,
    pub database: String,
    /// PEM file of the certificate authorities to trust instead of the system's.
    pub tls_ca_path: Option<PathBuf>,
    /// Name to expect in the server's certificate instead of the endpoint's host.
    pub tls_server_name: Option<String>,
    /// One attempt, connecting included.
    pub request_timeout: Duration,
    pub retry_backoff: Duration,
    pub retry_backoff_max: Duration,
}

/// Where Milvus listens. `Display` gives `http(s)://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone)]
pub enum Token {
    None,
    Inline(Secret),
    /// Read again whenever it changes.
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InsertMode {
    #[default]
    Auto,
    Upsert,
    Insert,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownFields {
    #[default]
    Ignore,
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    None,
    All,
}

/// `behavior.on.collection.recreated`: another collection stands behind the name that offsets were committed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRecreated {
    Fail,
    Continue,
}

/// `behavior.on.data.loss`: records that Kafka no longer has, or cannot give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDataLoss {
    Fail,
    Continue,
}

/// `auto.offset.reset`: where to begin without a committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// Java's `none`: halt.
    Fail,
}

#[derive(Debug, Clone)]
pub struct LogConfig {
    pub level: tracing::Level,
    pub json: bool,
}

/// One line for the log at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub warn: bool,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Effective {
    pub key: &'static str,
    pub value: String,
    /// `default`, `FILE:LINE`, an environment variable's name, or `--set`.
    pub origin: String,
}

#[cfg(test)]
mod tests;
