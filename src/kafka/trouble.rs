//! What is in Kafka's way, told to the board: broken connections, refused logins, missing topics.

use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use super::KafkaError;
use super::consumer::Consumer;
use super::fault::{Fault, coordinator_is_away, judge};
use super::look_up::UNCONFIRMED;
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
            _ if error.rdkafka_error_code() == Some(UNCONFIRMED) => {
                tracing::debug!(
                    "brokers contradict each other about which topic is there; asking again"
                );
                Ok(())
            }
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
            Fault::Held(cause) => self.not_permitted(error, partition, cause),
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

    /// A failure is repeated until it passes, and said once until then.
    pub(super) fn committed(&mut self, failed: Option<ClientError>) {
        self.coordinator_away = failed.as_ref().is_some_and(coordinator_is_away);
        self.say_commit(failed.as_ref());
        self.stations.metrics.committed(failed.is_none());
        match failed {
            None => {
                self.commit_fails = false;
                self.succeeded();
            }
            Some(error) if is_too_large(&error) && self.takes_metadata => {
                self.takes_metadata = false;
                tracing::warn!(%error, "committing offsets without the collection they belong to; raise offset.metadata.max.bytes of the brokers, or a recreated collection is not noticed");
            }
            Some(error) if !self.commit_fails => {
                self.commit_fails = true;
                tracing::warn!(%error, "offsets were not committed; committing again until it succeeds");
            }
            Some(error) => tracing::debug!(%error, "offsets were not committed"),
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.answered = true;
        self.stations.board.set_connected(Peer::Kafka, true);
        self.stations.board.clear(&Scope::Kafka);
    }

    /// Rows are written on meanwhile; only their offsets wait, whatever else of Kafka answers. A commit is repeated until
    /// it succeeds.
    fn say_commit(&self, failed: Option<&ClientError>) {
        let board = &self.stations.board;
        match failed.and_then(|error| in_the_way_of_commits(error, self.coordinator_away)) {
            Some(cause) => board.hold(Scope::Commits, cause),
            None => board.clear(&Scope::Commits),
        }
    }

    /// Only what it is about goes over it: that Kafka answers another question says nothing of a topic.
    fn not_permitted(
        &mut self,
        error: &ClientError,
        partition: Option<&TopicPartition>,
        cause: Cause,
    ) {
        match partition {
            Some(partition)
                if error.rdkafka_error_code() == Some(Code::TopicAuthorizationFailed) =>
            {
                self.topic_refused(partition, cause);
            }
            _ => self.hold(cause),
        }
    }

    fn hold(&self, cause: Cause) {
        self.stations.board.set_connected(Peer::Kafka, false);
        self.stations.board.hold(Scope::Kafka, cause);
    }
}

/// What a person, or the cluster, has to mend before offsets can be committed.
fn in_the_way_of_commits(error: &ClientError, coordinator_away: bool) -> Option<Cause> {
    if coordinator_away {
        let detail = error.to_string();
        return Some(Cause::CoordinatorAway { detail });
    }
    match judge(error, "", "") {
        Fault::Held(cause @ Cause::KafkaNotPermitted { .. }) => Some(cause),
        _ => None,
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

fn is_too_large(error: &ClientError) -> bool {
    error.rdkafka_error_code() == Some(Code::OffsetMetadataTooLarge)
}
