//! Why something is held or halted: one enum behind the log, `/readyz`, the metrics and `check`.

mod labels;

use std::fmt;
use std::sync::Arc;

use crate::bad_record::BadRecord;
use crate::data_loss::DataLoss;
use crate::dead_letter::Trouble;
use crate::routing::Meeting;
use crate::target::Target;
use crate::topic_partition::TopicPartition;

/// Held causes wait and go on by themselves; halted ones need a person for one topic-partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    // Held: the world is in the way.
    KafkaUnreachable {
        brokers: String,
        detail: String,
    },
    KafkaLoginRefused {
        detail: String,
    },
    KafkaNotPermitted {
        what: String,
    },
    /// The consumer group does not take this member.
    AssignorsDiffer {
        assignor: String,
    },
    /// The broker that takes the group's commits.
    CoordinatorAway {
        detail: String,
    },
    TopicMissing {
        topic: String,
    },
    NoTopicMatches {
        pattern: String,
    },
    /// One of them is not read.
    TopicsMeet {
        topic: String,
        meeting: Meeting,
    },
    NotAssigned,
    /// Milvus has not said what the collection is.
    NotDescribed {
        collection: String,
    },
    /// What of it is lost is to be found there.
    LogNotSearched {
        at: TopicPartition,
        detail: String,
    },
    /// Longer than a session leaves time for a request.
    KafkaNotPolled,
    MilvusUnreachable {
        endpoint: String,
        detail: String,
    },
    MilvusSlow {
        endpoint: String,
        timeout_ms: u128,
    },
    MilvusBusy {
        reason: String,
    },
    MilvusDenies {
        reason: String,
    },
    MilvusLoginRefused {
        reason: String,
    },
    MilvusNotPermitted {
        reason: String,
    },
    CollectionMissing {
        database: String,
        collection: String,
    },
    PartitionMissing {
        collection: String,
        partition: String,
    },
    DatabaseMissing {
        database: String,
    },
    /// Something newer waits until an older request can no longer be applied.
    LateLanding {
        collection: String,
    },
    /// Held, or halted.
    DeadLetter(Trouble),
    // Halted: a person is needed.
    BadRecord {
        at: TopicPartition,
        offset: i64,
        bad: BadRecord,
    },
    Refused {
        collection: String,
        reason: String,
    },
    /// So many records alone that the fault is not theirs.
    RefusedInARow {
        collection: String,
        most: u32,
        reason: String,
    },
    ShortCount {
        collection: String,
        sent: usize,
        acked: i64,
    },
    PlanImpossible {
        collection: String,
        reason: String,
    },
    /// Only `verify` reads rows.
    CannotRead {
        collection: String,
        reason: String,
    },
    /// Behind the same name stands another collection than the one written to before.
    CollectionRecreated {
        at: TopicPartition,
        before: Arc<Target>,
        now: Arc<Target>,
    },
    /// The committed offset belongs to a collection of another name.
    OtherTarget {
        at: TopicPartition,
        before: Arc<Target>,
        now: Arc<Target>,
    },
    /// `auto.offset.reset` is `none`.
    NoCommittedOffset {
        at: TopicPartition,
    },
    DataLost(DataLoss),
}

impl Cause {
    /// A short, stable word for metrics and for finding the cause in the documentation.
    pub fn label(&self) -> &'static str {
        match self {
            Self::KafkaUnreachable { .. } => "kafka_unreachable",
            Self::KafkaLoginRefused { .. } => "kafka_login_refused",
            Self::KafkaNotPermitted { .. } => "kafka_not_permitted",
            Self::AssignorsDiffer { .. } => "assignors_differ",
            Self::CoordinatorAway { .. } => "coordinator_away",
            Self::TopicMissing { .. } => "topic_missing",
            Self::NoTopicMatches { .. } => "no_topic_matches",
            Self::TopicsMeet { .. } => "topics_meet",
            Self::NotAssigned => "not_assigned",
            Self::NotDescribed { .. } => "not_described",
            Self::LogNotSearched { .. } => "log_not_searched",
            Self::KafkaNotPolled => "kafka_not_polled",
            Self::MilvusUnreachable { .. } => "milvus_unreachable",
            Self::MilvusSlow { .. } => "milvus_slow",
            Self::MilvusBusy { .. } => "milvus_busy",
            Self::MilvusDenies { .. } => "milvus_denies",
            Self::MilvusLoginRefused { .. } => "milvus_login_refused",
            Self::MilvusNotPermitted { .. } => "milvus_not_permitted",
            Self::CollectionMissing { .. } => "collection_missing",
            Self::PartitionMissing { .. } => "partition_missing",
            Self::DatabaseMissing { .. } => "database_missing",
            Self::DeadLetter(trouble) => trouble.label(),
            Self::LateLanding { .. } => "late_landing",
            Self::BadRecord { .. } => "bad_record",
            Self::Refused { .. } => "refused",
            Self::RefusedInARow { .. } => "refused_in_a_row",
            Self::ShortCount { .. } => "short_count",
            Self::PlanImpossible { .. } => "plan_impossible",
            Self::CannotRead { .. } => "cannot_read",
            Self::CollectionRecreated { .. } => "collection_recreated",
            Self::OtherTarget { .. } => "other_target",
            Self::NoCommittedOffset { .. } => "no_committed_offset",
            Self::DataLost(loss) => loss.label(),
        }
    }

    /// The sentence, and the word by which the documentation has it.
    pub fn named(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{self} [{}]", self.label()))
    }
}

/// What is the matter and what to do, in one sentence.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadLetter(trouble) => trouble.fmt(f),
            Self::BadRecord { at, offset, bad } => write!(f, "{at}@{offset}: {bad}"),
            Self::Refused { collection, reason } => write!(
                f,
                "Milvus refused rows for collection '{collection}' ({reason}); mend the collection or the records and restart"
            ),
            Self::RefusedInARow {
                collection,
                most,
                reason,
            } => write!(
                f,
                "Milvus refused more than {most} records in a row, each alone, for collection '{collection}' (the last one: {reason}); this looks like the collection or the configuration and not like bad records: mend that and restart, or raise errors.refused.max.consecutive"
            ),
            Self::ShortCount {
                collection,
                sent,
                acked,
            } => write!(
                f,
                "Milvus acknowledged {acked} of {sent} rows for collection '{collection}'; look into Milvus's log before restarting"
            ),
            Self::PlanImpossible { collection, reason } => {
                write!(f, "collection '{collection}' cannot be written: {reason}")
            }
            Self::CannotRead { collection, reason } => write!(
                f,
                "rows of collection '{collection}' cannot be read ({reason}); load the collection, and grant this user Query on it"
            ),
            Self::CollectionRecreated { at, before, now } => write!(
                f,
                "{at}: {now} is not the one that was written to before (its id was {} at {}, and is {}): it was dropped and made again, or its name leads elsewhere; to write all records into it, read them under another 'name' (a new group) or set the offsets of this group anew; to go on without the rows before, set behavior.on.collection.recreated=continue",
                before.id, before.endpoint, now.id
            ),
            Self::OtherTarget { at, before, now } => write!(
                f,
                "{at}: the offsets that this group has committed belong to {before}, and now {now} is to be written; go back to the one before, or read all records under another 'name' (a new group), or set the offsets of this group anew to say from where to go on"
            ),
            Self::NoCommittedOffset { at } => write!(
                f,
                "{at}: the group has no committed offset and auto.offset.reset is none; decide from where to go on and set the group's offset"
            ),
            Self::NotDescribed { collection } => write!(
                f,
                "Milvus has not described collection '{collection}' yet; waiting for its answer"
            ),
            Self::DataLost(loss) => loss.fmt(f),
            kafka_or_milvus => kafka_or_milvus.fmt_held(f),
        }
    }
}

impl Cause {
    fn fmt_held(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KafkaUnreachable { brokers, detail } => write!(
                f,
                "Kafka at {brokers} cannot be reached ({detail}); check bootstrap.servers, the network, and whether the listener wants TLS (security.protocol)"
            ),
            Self::KafkaLoginRefused { detail } => write!(
                f,
                "Kafka refused the login ({detail}); check sasl.mechanism and the user and password in sasl.jaas.config"
            ),
            Self::KafkaNotPermitted { what } => write!(
                f,
                "Kafka does not permit this user to {what}; grant READ on the topic and on the consumer group"
            ),
            Self::AssignorsDiffer { assignor } => write!(
                f,
                "the other members of the consumer group have no assignor in common with this one (partition.assignment.strategy is {assignor} here); give all members the same consumer.partition.assignment.strategy, and stop all of them to change it"
            ),
            Self::CoordinatorAway { detail } => write!(
                f,
                "the consumer group's coordinator takes no commits ({detail}); rows are written on, and would be read again after a restart; look whether all partitions of __consumer_offsets have a leader"
            ),
            Self::TopicMissing { topic } => {
                write!(
                    f,
                    "topic '{topic}' does not exist; create it, or correct 'topics'"
                )
            }
            Self::NoTopicMatches { pattern } => write!(
                f,
                "no topic matches '{pattern}'; create one, or correct topics.regex (it must match the whole name, of a topic that this user may see)"
            ),
            Self::TopicsMeet { topic, meeting } => {
                write!(f, "topic '{topic}' is not read: {meeting}")
            }
            Self::NotAssigned => {
                f.write_str("no partition has been assigned yet; waiting for the consumer group")
            }
            Self::LogNotSearched { at, detail } => write!(
                f,
                "{at}: Kafka lacks records that were to be read, and its log cannot be searched for what is left ({detail}); look at the broker that leads it, and whether this user may read there"
            ),
            Self::KafkaNotPolled => f.write_str(
                "this process stood still for so long that others may have its partitions by now; it asks Kafka before it writes on",
            ),
            milvus => milvus.fmt_milvus(f),
        }
    }

    fn fmt_milvus(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MilvusUnreachable { endpoint, detail } => write!(
                f,
                "Milvus at {endpoint} cannot be reached ({detail}); check public.endpoint (https or http, host, port) and that Milvus is up"
            ),
            Self::MilvusSlow {
                endpoint,
                timeout_ms,
            } => write!(
                f,
                "Milvus at {endpoint} did not answer within {timeout_ms} ms; the same request is repeated (milvus.request.timeout.ms)"
            ),
            Self::MilvusBusy { reason } => {
                write!(
                    f,
                    "Milvus asks to wait ({reason}); the same request is repeated"
                )
            }
            Self::MilvusDenies { reason } => write!(
                f,
                "Milvus takes no writes now ({reason}); free memory or disk there, or raise its quota"
            ),
            Self::MilvusLoginRefused { reason } => write!(
                f,
                "Milvus refused the credentials ({reason}); check 'token' (user:password, or an API key), or the file that token.file names"
            ),
            Self::MilvusNotPermitted { reason } => write!(
                f,
                "Milvus does not permit this user the call ({reason}); grant DescribeCollection, Insert and Upsert on the collection, and Delete where records delete"
            ),
            Self::CollectionMissing {
                database,
                collection,
            } => write!(
                f,
                "collection '{collection}' does not exist in database '{database}'; create it, or correct collection.name and database.name"
            ),
            Self::PartitionMissing {
                collection,
                partition,
            } => write!(
                f,
                "Milvus partition '{}' does not exist in collection '{collection}'; create it, or correct partition.name",
                if partition.is_empty() {
                    "_default"
                } else {
                    partition
                }
            ),
            Self::DatabaseMissing { database } => write!(
                f,
                "database '{database}' does not exist; create it, or correct database.name"
            ),
            Self::LateLanding { collection } => write!(
                f,
                "an earlier request to collection '{collection}' ended without an answer and may still be applied; newer rows of its keys wait until that is over (late.landing.grace.ms)"
            ),
            other => f.write_str(other.label()),
        }
    }
}
