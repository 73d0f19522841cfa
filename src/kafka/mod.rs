//! Kafka: the consumer thread, the commit thread and what librdkafka calls back into. rdkafka is named only in this folder.

mod admin;
mod assignment;
mod commit;
mod consumer;
pub mod dead_letter;
mod fault;
mod filling;
pub mod group;
mod header_list;
mod leave;
mod look_up;
mod lost;
mod metadata;
mod missing;
mod peek;
mod permission;
mod positions;
pub mod probe;
mod producer;
mod questions;
mod queue;
mod rebalance;
pub mod reread;
mod search;
mod share;
mod subscription;
#[cfg(test)]
mod tests;
mod topic_ids;
mod trouble;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::BaseConsumer;

use crate::cause::Cause;
use crate::config::{KafkaConfig, Setting};
use crate::ledger::{Outcome, Rules, Sought};
use crate::record::KeptHeaders;
use crate::routing::{Lanes, Topics};
use crate::writer::Stations;

/// How often librdkafka reports the ends of the logs, for lag.
const STATISTICS_MS: &str = "5000";

/// How one record is read at a time.
const PEEK: [(&str, &str); 5] = [
    ("statistics.interval.ms", "0"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_uncommitted"),
    ("queued.min.messages", "1"),
    ("fetch.wait.max.ms", "50"),
];

/// What the consumer thread works with.
#[derive(Debug)]
pub struct Station {
    pub config: KafkaConfig,
    pub topics: Topics,
    pub rules: Rules,
    pub lanes: Lanes,
    /// Which headers are kept with a record.
    pub headers: KeptHeaders,
    pub stations: Stations,
    pub stop: Arc<Stop>,
    /// How long a partition stands still before Kafka is asked where its log ends; `None` is never.
    pub ask_ends_after: Option<Duration>,
}

/// Asks the consumer to drain and finish by a deadline.
#[derive(Debug, Default)]
pub struct Stop {
    by: OnceLock<Instant>,
    outcome: OnceLock<Outcome>,
}

impl Stop {
    pub fn request(&self, budget: Duration) {
        self.by.get_or_init(|| Instant::now() + budget);
    }

    pub fn is_requested(&self) -> bool {
        self.by().is_some()
    }

    fn by(&self) -> Option<Instant> {
        self.by.get().copied()
    }

    /// What came of it, known before the group is left: that may take longer than there is time.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.get().copied()
    }

    fn finished(&self, outcome: Outcome) {
        self.outcome.get_or_init(|| outcome);
    }
}

/// Why the consumer ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    #[error("the Kafka client refuses its settings: {0}")]
    Settings(String),
    #[error("{}", refused_login(.0))]
    Login(String),
    #[error("Kafka's client gave up: {0}")]
    Fatal(String),
    #[error("the consumer cannot start a thread")]
    Thread(#[from] std::io::Error),
}

impl KafkaError {
    /// Only the configuration can mend it.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Login(_))
    }
}

/// Said with the same remedy as when it happens later on.
fn refused_login(detail: &str) -> Cause {
    let detail = detail.to_owned();
    Cause::KafkaLoginRefused { detail }
}

/// Reads until asked to stop, until the end, or until nothing can go on. Blocks its thread.
pub fn run(mut station: Station) -> Result<Outcome, KafkaError> {
    station.stations.wake.adopt();
    if let Topics::Listed(topics) = &station.topics {
        // Their plans are made while Kafka is asked.
        for topic in topics {
            station.lanes.open(topic);
        }
    }
    let partitions = probe::partitions(&station.config, &station.topics);
    let purpose = Purpose::Read {
        partitions,
        until_end: station.rules.until_end,
    };
    let client = client(&station.config, purpose)?;
    consumer::Consumer::start(station, Arc::new(client))?.run()
}

/// What a client is made for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// Only asks: it belongs to no group, and so is gone at once when it is dropped.
    Look,
    /// Reads single records, whatever else is in the log. It has the group's name and never joins it.
    Peek(Sought),
    Read {
        /// Of all topics together, where that is known.
        partitions: Option<usize>,
        until_end: bool,
    },
    /// Reads what it chooses, and knows what the group has committed, without being a member.
    Reread {
        /// Of one topic at most.
        partitions: usize,
    },
}

fn client(
    config: &KafkaConfig,
    purpose: Purpose,
) -> Result<BaseConsumer<rebalance::Context>, KafkaError> {
    let mut settings = ClientConfig::new();
    settings.set("statistics.interval.ms", STATISTICS_MS);
    // Why the broker closed a connection is said at this level and nowhere else.
    settings.set_log_level(RDKafkaLogLevel::Info);
    settings.set("log.thread.name", "false");
    let partitions = match purpose {
        Purpose::Look | Purpose::Peek(_) => None,
        Purpose::Read { partitions, .. } => Some(partitions),
        Purpose::Reread { partitions } => Some(Some(partitions)),
    };
    for (key, value) in partitions.map(share::of_each).into_iter().flatten() {
        settings.set(key, value);
    }
    configure(&mut settings, &config.consumer);
    match purpose {
        Purpose::Look => {
            settings.remove("group.id");
        }
        Purpose::Peek(sought) => {
            for (key, value) in PEEK {
                settings.set(key, value);
            }
            // The epoch of a corrupt batch can be read.
            let checks = sought == Sought::EndOfCorrupt;
            settings.set("check.crcs", checks.to_string());
            settings.remove("group.instance.id");
        }
        Purpose::Read { until_end, .. } => {
            settings.set("enable.partition.eof", until_end.to_string());
        }
        Purpose::Reread { .. } => {
            settings.set("enable.partition.eof", "true");
            // Only a client that was never a member may set offsets of a group that is empty.
            settings.remove("group.instance.id");
            settings.set("group.protocol", "classic");
            // A fetch behind the range would hold up the next topic for as long.
            settings.set("fetch.wait.max.ms", "20");
        }
    }
    BaseConsumer::from_config_and_context(&settings, rebalance::Context::default())
        .map_err(|error| KafkaError::Settings(error.to_string()))
}

fn configure(client: &mut ClientConfig, settings: &[(String, Setting)]) {
    for (key, value) in settings {
        match value {
            Setting::Plain(value) => client.set(key, value),
            Setting::Secret(secret) => client.set(key, secret.expose()),
        };
    }
}

/// Whoever panicked while holding it has ended the process already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
