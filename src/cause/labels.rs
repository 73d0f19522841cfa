//! The labels of causes by what they bring about, so that a count of 0 is there before the first.

use super::Cause;

impl Cause {
    /// Of what waits for Kafka, its records or its dead letters.
    pub(crate) const HELD_BY_KAFKA: [&'static str; 11] = [
        "kafka_unreachable",
        "kafka_login_refused",
        "kafka_not_permitted",
        "assignors_differ",
        "coordinator_away",
        "topic_missing",
        "no_topic_matches",
        "topics_meet",
        "log_not_searched",
        "kafka_not_polled",
        "dead_letters_held",
    ];

    /// Of what waits for Milvus.
    pub(crate) const HELD_BY_MILVUS: [&'static str; 10] = [
        "milvus_unreachable",
        "milvus_slow",
        "milvus_busy",
        "milvus_denies",
        "milvus_login_refused",
        "milvus_not_permitted",
        "collection_missing",
        "partition_missing",
        "database_missing",
        "late_landing",
    ];

    /// Of what needs a person, beside lost data.
    pub(crate) const HALTED: [&'static str; 9] = [
        "bad_record",
        "refused",
        "refused_in_a_row",
        "short_count",
        "plan_impossible",
        "collection_recreated",
        "other_target",
        "no_committed_offset",
        "dead_letter_too_large",
    ];
}
