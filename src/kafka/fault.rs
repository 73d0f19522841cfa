//! What an error of librdkafka means: go on, say what is in the way, halt one partition, or end.

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use crate::cause::Cause;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// librdkafka mends it; the log has it at debug.
    Passing,
    /// Nothing known: librdkafka goes on, or does not. Said, so that a partition never stands still in silence.
    Unexpected,
    /// Waited for, and said.
    Held(Cause),
    /// The login was refused: the configuration's fault before the first success, the world's afterwards.
    Login(String),
    /// The group's other members follow other assignors.
    Assignors,
    /// Kafka has no record at the offset to be read next.
    OutOfRange,
    /// The checksum of what lies there is wrong. The client would go on, and not always behind it.
    Corrupt(String),
    /// What lies there cannot be read, and the client would go on behind it.
    Unreadable(String),
    /// The end of a partition was reached.
    End,
    Fatal(String),
}

const TWIN: &str = "another member of the consumer group has the same consumer.group.instance.id; give each process its own";

/// `reason` is librdkafka's own sentence; `brokers` is for ours.
pub(super) fn judge(error: &ClientError, reason: &str, brokers: &str) -> Fault {
    let code = match error {
        ClientError::PartitionEOF(_) => return Fault::End,
        ClientError::MessageConsumptionFatal(
            Code::FencedInstanceId | Code::UnreleasedInstanceId,
        ) => {
            return Fault::Fatal(format!("{TWIN} ({reason})"));
        }
        ClientError::MessageConsumptionFatal(code) => {
            return Fault::Fatal(format!("{code}: {reason}"));
        }
        other => match other.rdkafka_error_code() {
            Some(code) => code,
            None => return Fault::Passing,
        },
    };
    let detail = if reason.is_empty() {
        code.to_string()
    } else {
        reason.to_owned()
    };
    match code {
        Code::Fatal => Fault::Fatal(detail),
        Code::Authentication | Code::SaslAuthenticationFailed => Fault::Login(detail),
        Code::AllBrokersDown | Code::Resolve | Code::SSL | Code::BrokerTransportFailure => {
            let brokers = brokers.to_owned();
            Fault::Held(Cause::KafkaUnreachable { brokers, detail })
        }
        Code::TopicAuthorizationFailed => permission("read the topic", &detail),
        Code::GroupAuthorizationFailed => permission("join the consumer group", &detail),
        Code::ClusterAuthorizationFailed => permission("use the cluster", &detail),
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => Fault::OutOfRange,
        Code::BadMessage => Fault::Corrupt(code.to_string()),
        Code::BadCompression | Code::NotImplemented | Code::MessageSizeTooLarge => {
            Fault::Unreadable(code.to_string())
        }
        Code::InconsistentGroupProtocol => Fault::Assignors,
        Code::PartitionEOF => Fault::End,
        code if passes(code) => Fault::Passing,
        _ => Fault::Unexpected,
    }
}

/// The group's coordinator cannot be reached, says a commit.
pub(super) fn coordinator_is_away(error: &ClientError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::WaitingForCoordinator
                | Code::CoordinatorNotAvailable
                | Code::BrokerTransportFailure
                | Code::OperationTimedOut
                | Code::RequestTimedOut
        )
    )
}

/// The client repeats what it was about, or a rebalance follows. Missing topics are asked about on their own.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::RequestTimedOut
            | Code::WaitingForCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::RebalanceInProgress
            | Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::StaleMemberEpoch
            | Code::UnstableOffsetCommit
            | Code::UnknownTopicOrPartition
    )
}

fn permission(what: &str, detail: &str) -> Fault {
    let what = format!("{what} ({detail})");
    Fault::Held(Cause::KafkaNotPermitted { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_consequence() {
        let consequence =
            |code: Code| match judge(&ClientError::MessageConsumption(code), "why", "kafka:9092") {
                Fault::Held(cause) => cause.label(),
                Fault::Login(_) => "login",
                Fault::OutOfRange => "out_of_range",
                Fault::Corrupt(_) => "corrupt",
                Fault::Unreadable(_) => "unreadable",
                Fault::Assignors => "assignors",
                Fault::End => "end",
                Fault::Fatal(_) => "fatal",
                Fault::Passing => "passing",
                Fault::Unexpected => "unexpected",
            };
        for (code, expected) in [
            (Code::AllBrokersDown, "kafka_unreachable"),
            (Code::Resolve, "kafka_unreachable"),
            (Code::SSL, "kafka_unreachable"),
            (Code::Authentication, "login"),
            (Code::TopicAuthorizationFailed, "kafka_not_permitted"),
            (Code::GroupAuthorizationFailed, "kafka_not_permitted"),
            (Code::AutoOffsetReset, "out_of_range"),
            (Code::BadMessage, "corrupt"),
            (Code::BadCompression, "unreadable"),
            (Code::MessageSizeTooLarge, "unreadable"),
            (Code::Fatal, "fatal"),
            (Code::LogTruncation, "out_of_range"),
            (Code::OperationTimedOut, "passing"),
            (Code::RebalanceInProgress, "passing"),
            (Code::PollExceeded, "unexpected"),
            (Code::UnknownPartition, "unexpected"),
            (Code::KafkaStorageError, "unexpected"),
            (Code::InconsistentGroupProtocol, "assignors"),
        ] {
            assert_eq!(consequence(code), expected, "{code:?}");
        }
        let fatal = ClientError::MessageConsumptionFatal;
        let said = |code: Code| judge(&fatal(code), "why", "");
        let as_it_is = Fault::Fatal(format!("{}: why", Code::UnsupportedAssignor));
        assert_eq!(said(Code::UnsupportedAssignor), as_it_is);
        for code in [Code::FencedInstanceId, Code::UnreleasedInstanceId] {
            assert_eq!(said(code), Fault::Fatal(format!("{TWIN} (why)")));
        }
    }
}
