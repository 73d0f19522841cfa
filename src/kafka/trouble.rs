//! What is in Kafka's way, told to the board: broken connections, refused logins, missing topics.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use super::KafkaError;
use super::commit::Request;
use super::consumer::Consumer;
use super::fault::{Fault, judge};
use crate::cause::Cause;
use crate::ops::board::{Peer, Scope};
use crate::topic_partition::TopicPartition;

/// An unexpected error is said again after this time.
const SAY_AGAIN: Duration = Duration::from_secs(30);

impl Consumer {
    /// A question that Kafka did not answer: what was said of the connection last is the better reason.
    pub(super) fn question_failed(&mut self, error: &ClientError) -> Result<(), KafkaError> {
        let said = self.client.context().reason();
        let detail = if said.is_empty() {
            error.to_string()
        } else {
            said
        };
        match judge(error, &detail, &self.station.config.bootstrap_servers) {
            Fault::Login(_) | Fault::Fatal(_) => self.fault(error, None),
            // Kafka answers; a topic that stays away is said by the question about topics.
            _ if error.rdkafka_error_code() == Some(Code::UnknownTopicOrPartition) => Ok(()),
            _ => {
                let brokers = self.station.config.bootstrap_servers.clone();
                self.hold(Cause::KafkaUnreachable { brokers, detail });
                Ok(())
            }
        }
    }

    pub(super) fn fault(
        &mut self,
        error: &ClientError,
        partition: Option<&TopicPartition>,
    ) -> Result<(), KafkaError> {
        let reason = self.client.context().reason();
        if is_about_topic(error) {
            self.known.doubt();
        }
        match judge(error, &reason, &self.station.config.bootstrap_servers) {
            Fault::Passing => tracing::debug!(%error, reason, "passing error from Kafka"),
            Fault::Unexpected => self.unexpected(error, partition),
            // One broken connection of several mends itself; before the first answer it is all there is to say.
            Fault::Held(Cause::KafkaUnreachable { .. }) if self.answered && !all_down(error) => {
                tracing::debug!(%error, reason, "a connection to Kafka broke");
            }
            Fault::Held(cause) => self.hold(cause),
            Fault::Assignors => {
                let assignor = self.station.config.assignor().to_owned();
                let cause = Cause::AssignorsDiffer { assignor };
                self.stations.board.hold(Scope::Group, cause);
            }
            Fault::Login(detail) if self.answered => {
                self.hold(Cause::KafkaLoginRefused { detail });
            }
            Fault::Login(detail) => return Err(KafkaError::Login(detail)),
            Fault::Fatal(detail) => return Err(KafkaError::Fatal(detail)),
            Fault::OutOfRange => {
                if let Some(partition) = partition {
                    self.ledger.out_of_range(partition);
                }
            }
            Fault::Corrupt(detail) => {
                if let Some(partition) = partition {
                    self.ledger.corrupt(partition, detail);
                }
            }
            Fault::Unreadable(detail) => {
                if let Some(partition) = partition {
                    self.ledger.unreadable(partition, detail);
                }
            }
            Fault::End => {
                if let Some(partition) = partition {
                    self.ledger.end_reported(partition);
                }
            }
        }
        Ok(())
    }

    fn unexpected(&mut self, error: &ClientError, partition: Option<&TopicPartition>) {
        let now = Instant::now();
        self.said.retain(|_, said| now < *said + SAY_AGAIN);
        let of = partition.map_or_else(|| "the group".to_owned(), ToString::to_string);
        match self.said.entry(format!("{of}: {error}")) {
            Entry::Occupied(said) => {
                tracing::debug!("unexpected error from Kafka: {}", said.key());
            }
            Entry::Vacant(unsaid) => {
                tracing::warn!(
                    "unexpected error from Kafka: {}; where records stay away, look into the brokers' log",
                    unsaid.key()
                );
                unsaid.insert(now);
            }
        }
    }

    /// A commit is repeated until it succeeds; a person can help where it is not permitted.
    pub(super) fn commit_refused(&self, error: &ClientError) {
        if let Fault::Held(cause @ Cause::KafkaNotPermitted { .. }) = judge(error, "", "") {
            self.hold(cause);
        }
    }

    /// Rows are written on meanwhile; only their offsets wait, whatever else of Kafka answers.
    pub(super) fn say_coordinator(&self, failed: Option<&ClientError>) {
        match failed {
            Some(error) if self.coordinator_away => {
                let cause = Cause::CoordinatorAway {
                    detail: error.to_string(),
                };
                self.stations.board.hold(Scope::Commits, cause);
            }
            _ => self.stations.board.clear(&Scope::Commits),
        }
    }

    fn hold(&self, cause: Cause) {
        self.stations.board.set_connected(Peer::Kafka, false);
        self.stations.board.hold(Scope::Kafka, cause);
    }

    pub(super) fn topics_missing(&mut self, missing: Vec<(String, Code)>) {
        let names: Vec<Arc<str>> = missing
            .iter()
            .map(|(topic, _)| Arc::from(topic.as_str()))
            .collect();
        let came = |topic: &&Arc<str>| !names.contains(topic);
        for topic in self.missing.iter().filter(came) {
            self.ledger.appeared(Arc::clone(topic));
            self.stations.board.clear(&Scope::Topic(Arc::clone(topic)));
        }
        if self.missing.iter().any(|topic| came(&topic)) {
            self.ask(Request::Rejoin);
        }
        for (topic, code) in missing {
            let cause = match judge(&ClientError::MetadataFetch(code), "", "") {
                Fault::Held(cause) => cause,
                _ => Cause::TopicMissing {
                    topic: topic.clone(),
                },
            };
            self.stations.board.hold(Scope::Topic(topic.into()), cause);
        }
        self.ledger.topics_missing(!names.is_empty());
        self.missing = names;
    }
}

/// It may be gone, or be another one by now.
fn is_about_topic(error: &ClientError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::UnknownTopicId
        )
    )
}

fn all_down(error: &ClientError) -> bool {
    error.rdkafka_error_code() == Some(Code::AllBrokersDown)
}
