//! The topic of the dead letters: whether it is there, and making it. Everything here blocks its thread, and not for long.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use tokio::runtime::Handle;

use super::configure;
use super::producer::Producer;
use super::questions::is_there;
use super::rebalance::Context;
use crate::config::{DeadLetters, Setting};
use crate::dead_letter::Trouble;
use crate::routing::Topics;

const QUESTION: Duration = Duration::from_secs(5);
const MAX_BYTES: &str = "max.message.bytes";

/// What is read, so that the topic can be made to take whatever is bad of it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) topics: Topics,
    /// The consumer's settings: it may be another cluster.
    pub(super) settings: Vec<(String, Setting)>,
}

/// Has the topic there when it returns.
pub(super) fn see_to(config: &DeadLetters, source: &Source) -> Result<(), Trouble> {
    match find(&client(config)?, config)? {
        Some(_) => Ok(()),
        None => make(config, source),
    }
}

/// How many partitions the topic has; `None` where it does not exist. A user who may not write to it is told so.
pub(super) fn look(config: &DeadLetters) -> Result<Option<usize>, Trouble> {
    let client = client(config)?;
    let found = find(&client, config)?;
    let is_denied = found.is_some() && client.may_write(&config.topic, QUESTION) == Some(false);
    if is_denied {
        return Err(refused(config, Code::TopicAuthorizationFailed));
    }
    Ok(found)
}

/// Unlike an admin client it says why a connection does not come about.
fn client(config: &DeadLetters) -> Result<Producer, Trouble> {
    Producer::new(&config.admin).map_err(|error| unreachable(config, &error.to_string()))
}

fn find(client: &Producer, config: &DeadLetters) -> Result<Option<usize>, Trouble> {
    let found = client.look_for(&config.topic, QUESTION);
    let found = found.map_err(|error| match client.reason() {
        reason if reason.is_empty() => unreachable(config, &error.to_string()),
        reason => unreachable(config, &reason),
    })?;
    let Some(topic) = found.topics().first() else {
        return Ok(None);
    };
    match topic.error().map(Code::from) {
        None | Some(Code::LeaderNotAvailable) => Ok(Some(topic.partitions().len())),
        Some(Code::UnknownTopicOrPartition) => Ok(None),
        Some(code) => Err(refused(config, code)),
    }
}

struct Admin(AdminClient<Context>);

impl Admin {
    fn new(settings: &[(String, Setting)]) -> Result<Self, ClientError> {
        let mut native = ClientConfig::new();
        configure(&mut native, settings);
        AdminClient::from_config_and_context(&native, Context::default()).map(Self)
    }

    /// The largest that one of the topics takes, where that may be asked.
    fn largest(&self, topics: &Topics) -> Result<Option<u64>, ClientError> {
        let names = match topics {
            Topics::Listed(names) => names.clone(),
            Topics::Matching(pattern) => {
                let all = self.0.inner().fetch_metadata(None, QUESTION)?;
                let topics = all.topics().iter();
                topics
                    .filter(|topic| is_there(topic) && pattern.matches(topic.name()))
                    .map(|topic| topic.name().to_owned())
                    .collect()
            }
        };
        let wanted: Vec<_> = names
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(QUESTION));
        let described = Handle::current().block_on(self.0.describe_configs(&wanted, &options))?;
        let limit = |config: &rdkafka::admin::ConfigResource| {
            config.get(MAX_BYTES)?.value.as_deref()?.parse().ok()
        };
        let limits = described.iter().flatten().filter_map(limit);
        Ok(limits.max())
    }
}

/// Says so only when it is made: what keeps it from being made is the caller's to say, once, and this may be tried often.
fn make(config: &DeadLetters, source: &Source) -> Result<(), Trouble> {
    let topic = config.topic.as_str();
    let largest = Admin::new(&source.settings).and_then(|from| from.largest(&source.topics));
    let largest = largest.unwrap_or_else(|error| {
        tracing::debug!(%error, "the settings of the topics that are read cannot be looked at");
        None
    });
    let limit = largest.map(|bytes| bytes.to_string());
    let mut new = NewTopic::new(topic, 1, TopicReplication::Fixed(config.replication_factor));
    if let Some(bytes) = &limit {
        new = new.set(MAX_BYTES, bytes);
    }
    let options = AdminOptions::new();
    let options = options
        .request_timeout(Some(QUESTION))
        .operation_timeout(Some(QUESTION));
    let made = Admin::new(&config.admin).and_then(|admin| {
        let made = admin.0.create_topics([&new], &options);
        Handle::current().block_on(made)
    });
    let made = made.map_err(|error| unreachable(config, &error.to_string()))?;
    match made.into_iter().next() {
        Some(Err((_, Code::TopicAlreadyExists))) => {} // by another process, just now
        Some(Err((_, code))) => return Err(not_made(config, code)),
        _ => say_made(config, limit.as_deref()),
    }
    Ok(())
}

/// With what the brokers have made of it, which their defaults and policies have a say in.
fn say_made(config: &DeadLetters, limit: Option<&str>) {
    let topic = config.topic.as_str();
    let (partitions, replication_factor) = size(config).unzip();
    tracing::info!(
        partitions,
        replication_factor,
        max_message_bytes = limit,
        "topic '{topic}' did not exist; it was made for the dead letters"
    );
    if limit.is_none() {
        tracing::warn!(
            "topic '{topic}' has the broker's {MAX_BYTES}, since that of the topics that are read is not known (DESCRIBE_CONFIGS on them shows it)"
        );
    }
}

/// Partitions and replicas of the topic, where a broker knows them already.
fn size(config: &DeadLetters) -> Option<(usize, usize)> {
    let client = Producer::new(&config.admin).ok()?;
    let found = client.look_for(&config.topic, QUESTION).ok()?;
    let partitions = found.topics().first()?.partitions();
    Some((partitions.len(), partitions.first()?.replicas().len()))
}

fn held(config: &DeadLetters, detail: String, remedy: &'static str) -> Trouble {
    Trouble::Held {
        topic: config.topic.clone(),
        detail,
        remedy,
    }
}

fn unreachable(config: &DeadLetters, detail: &str) -> Trouble {
    let brokers = &config.bootstrap_servers;
    held(
        config,
        format!("Kafka at {brokers} does not answer: {detail}"),
        "check the brokers, the network and the login (bootstrap.servers or producer.bootstrap.servers, security.* and sasl.*)",
    )
}

fn refused(config: &DeadLetters, code: Code) -> Trouble {
    held(
        config,
        code.to_string(),
        "grant this user WRITE on the topic, and CREATE where it is to be made",
    )
}

fn not_made(config: &DeadLetters, code: Code) -> Trouble {
    let remedy = match code {
        Code::InvalidReplicationFactor => {
            "set errors.deadletterqueue.topic.replication.factor to at most the number of brokers"
        }
        Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => {
            "grant this user CREATE on the topic, or have it made by somebody else"
        }
        _ => "make it by hand, or correct errors.deadletterqueue.topic.name",
    };
    held(
        config,
        format!("it does not exist and cannot be made: {code}"),
        remedy,
    )
}
