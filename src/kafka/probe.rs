//! Asks Kafka what is there, without joining the group.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::metadata::Metadata;

use super::fault::{Fault, judge};
use super::questions::is_there;
use super::rebalance::Context;
use super::{KafkaError, Purpose, client, share};
use crate::cause::Cause;
use crate::config::KafkaConfig;
use crate::routing::{Pattern, Topics};

const QUESTION: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(200);

/// A topic, and its count of partitions or what is in the way.
pub type Found = (String, Result<usize, Cause>);

/// Looks for the topics; a Kafka that does not answer is waited for as long as `patience`. Blocks its thread.
///
/// # Errors
/// What only the configuration can mend: settings the client refuses, a refused login.
pub fn topics(
    config: &KafkaConfig,
    topics: &[String],
    patience: Duration,
) -> Result<Vec<Found>, KafkaError> {
    let client = client(config, Purpose::Look)?;
    let until = Instant::now() + patience;
    let look = |topic: &String| loop {
        check_login(&client)?;
        let found = match client.fetch_metadata(Some(topic), QUESTION) {
            Ok(metadata) => match metadata.topics().first() {
                Some(topic) if topic.error().is_none() => Ok(topic.partitions().len()),
                Some(found) => {
                    let code = found.error().map(Into::into);
                    let error = code.map(ClientError::MetadataFetch);
                    Err(error.map_or_else(|| missing(topic), |error| refused(&error, topic)))
                }
                None => Err(missing(topic)),
            },
            Err(error) => Err(unreachable(config, &error, &client.context().reason())),
        };
        let answered = !matches!(found, Err(Cause::KafkaUnreachable { .. }));
        if answered || Instant::now() >= until {
            return Ok((topic.clone(), found));
        }
        std::thread::park_timeout(PAUSE);
    };
    topics.iter().map(look).collect()
}

/// The topics there are that match, each with its count of partitions; a Kafka that does not answer is waited for as
/// long as `patience`. `Err` within `Ok` is what is in the way. Blocks its thread.
///
/// # Errors
/// As [`topics`].
pub fn matching(
    config: &KafkaConfig,
    pattern: &Pattern,
    patience: Duration,
) -> Result<Result<Vec<(String, usize)>, Cause>, KafkaError> {
    let client = client(config, Purpose::Look)?;
    let until = Instant::now() + patience;
    loop {
        check_login(&client)?;
        match client.fetch_metadata(None, QUESTION) {
            Ok(metadata) => return Ok(Ok(matches(&metadata, pattern))),
            Err(error) if Instant::now() >= until => {
                let reason = client.context().reason();
                return Ok(Err(unreachable(config, &error, &reason)));
            }
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
}

fn matches(metadata: &Metadata, pattern: &Pattern) -> Vec<(String, usize)> {
    let topics = metadata.topics().iter();
    topics
        .filter(|topic| is_there(topic) && pattern.matches(topic.name()))
        .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
        .collect()
}

/// How many partitions the topics have together, if Kafka answers soon and every topic is there. Why not is for the
/// consumer to say. Where they are to match, there will be more.
pub(super) fn partitions(config: &KafkaConfig, topics: &Topics) -> Option<usize> {
    let topics = match topics {
        Topics::Listed(topics) => topics,
        Topics::Matching(pattern) => {
            let found = matching(config, pattern, Duration::ZERO).ok()?.ok()?;
            let count = found.iter().map(|(_, partitions)| partitions).sum();
            return Some(share::GUESS.max(count));
        }
    };
    let client = client(config, Purpose::Look).ok()?;
    let count = |topic: &String| {
        let metadata = client.fetch_metadata(Some(topic), QUESTION).ok()?;
        let partitions = metadata.topics().first()?.partitions().len();
        Some(partitions).filter(|partitions| *partitions > 0)
    };
    let counts: Option<Vec<usize>> = topics.iter().map(count).collect();
    counts.map(|counts| counts.iter().sum())
}

/// Serves the error events that say why a connection does not come about.
fn check_login(client: &BaseConsumer<Context>) -> Result<(), KafkaError> {
    if let Some(Err(error)) = client.poll(Duration::ZERO)
        && let Fault::Login(detail) = judge(&error, &client.context().reason(), "")
    {
        return Err(KafkaError::Login(detail));
    }
    Ok(())
}

fn missing(topic: &str) -> Cause {
    Cause::TopicMissing {
        topic: topic.to_owned(),
    }
}

fn refused(error: &ClientError, topic: &str) -> Cause {
    match judge(error, "", "") {
        Fault::Held(cause @ Cause::KafkaNotPermitted { .. }) => cause,
        _ => missing(topic),
    }
}

fn unreachable(config: &KafkaConfig, error: &ClientError, reason: &str) -> Cause {
    let detail = if reason.is_empty() {
        error.to_string()
    } else {
        reason.to_owned()
    };
    Cause::KafkaUnreachable {
        brokers: config.bootstrap_servers.clone(),
        detail,
    }
}
