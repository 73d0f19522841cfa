//! What an answer of Milvus means to who asked: what to do, why, and whether it may have been applied.

use std::error::Error;
use std::time::Duration;

use super::codes::{Applied, Meaning, blames_a_row, of_code, of_grpc_code, of_legacy};
use super::proto::common;
use super::reason::{before_quotes, in_chain, sanitise, transport};
use crate::cause::Cause;
use crate::config::secret::Secret;

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilvusError {
    pub action: Action,
    /// Why, in the terms of the one enum that everything speaks.
    pub cause: Cause,
    /// The request may have been applied although it failed.
    pub outcome_unknown: bool,
}

impl MilvusError {
    /// Milvus knows the credentials to be wrong: before the first success only the configuration can mend that.
    pub fn is_login_refused(&self) -> bool {
        matches!(self.cause, Cause::MilvusLoginRefused { .. })
    }

    /// Milvus knows who asks, and does not let them.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.cause, Cause::MilvusNotPermitted { .. })
    }

    /// Milvus looked into the question, so it has accepted the credentials.
    pub fn proves_login(&self) -> bool {
        let missing = matches!(
            self.cause,
            Cause::CollectionMissing { .. } | Cause::DatabaseMissing { .. }
        );
        missing || self.is_forbidden()
    }
}

/// What to do with the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Repeat unchanged, for ever.
    Hold,
    /// Repeat unchanged five times over 30 s, then treat as refused.
    RepeatThenHalt,
    /// Rows and schema do not fit: describe the collection anew and send what its new schema asks for. Where the
    /// schema has not changed, the refusal stands.
    Refresh,
    /// Milvus knows another schema than the one we named: as `Refresh`, but where nothing has changed, one of several
    /// proxies may lag behind, and it is repeated five times over 30 s before the refusal stands.
    RefreshThenRepeat,
    /// Milvus refuses the request: a person is needed.
    Halt,
}

/// What was asked: the same answer means another thing when nothing was sent that could be at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rpc {
    Describe,
    Write,
}

/// The call that an answer belongs to, with what its causes name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) rpc: Rpc,
    pub(super) endpoint: &'a str,
    pub(super) database: &'a str,
    pub(super) collection: &'a str,
    /// The Milvus partition of a write; empty where Milvus chooses.
    pub(super) partition: &'a str,
    pub(super) timeout: Duration,
    /// The request names keys in words: a refusal of it may quote them.
    pub(super) names_keys: bool,
    /// Texts that may not appear in a cause.
    pub(super) secrets: &'a [Secret],
}

use Applied::{No, Perhaps};
use Meaning::{
    Busy, CollectionMissing, DatabaseMissing, Denies, Doubtful, LoginRefused, Misfit, NotPermitted,
    Outdated, PartitionMissing, Refused, Slow, Unreachable,
};

impl Call<'_> {
    /// Nothing came within the deadline.
    pub(super) fn expired(&self) -> MilvusError {
        self.error(Slow, Perhaps, String::new())
    }

    /// A gRPC status. One with a source was made on this side: whatever its code, the connection failed.
    pub(super) fn grpc_error(&self, status: &tonic::Status) -> MilvusError {
        let Some(source) = status.source() else {
            let (meaning, applied) = of_grpc_code(status.code());
            let text = match status.message() {
                "" => status.code().description(),
                message => message,
            };
            return self.error(meaning, applied, sanitise(text, self.secrets));
        };
        if in_chain::<tonic::TimeoutExpired>(source) {
            return self.expired();
        }
        let applied = if in_chain::<tonic::ConnectError>(source) {
            No
        } else {
            Perhaps
        };
        self.error(
            Unreachable,
            applied,
            sanitise(&transport(source), self.secrets),
        )
    }

    /// The status inside a reply: success is `code == 0 && error_code == 0` and nothing else.
    pub(super) fn judge(&self, status: Option<&common::Status>) -> Result<(), MilvusError> {
        let Some(status) = status else {
            return Err(self.error(Doubtful, Perhaps, "the reply has no status".to_owned()));
        };
        let (code, shown) = match (status.code, status.error_code) {
            (0, 0) => return Ok(()),
            (0, legacy) => (of_legacy(legacy), format!("error_code {legacy}")),
            (code, _) => (code, format!("code {code}")),
        };
        let (mut meaning, applied) = of_code(code, status.error_code);
        if meaning == Doubtful && blames_a_row(&status.reason) {
            meaning = Misfit;
        }
        if meaning == CollectionMissing && names_only_a_database(&status.reason) {
            meaning = DatabaseMissing;
        }
        let reason = format!("{shown}: {}", status.reason.trim());
        Err(self.error(
            meaning,
            applied,
            sanitise(reason.trim_end_matches(": "), self.secrets),
        ))
    }

    /// `text` is clean.
    pub(super) fn refused(&self, text: String) -> MilvusError {
        self.error(Refused, No, text)
    }

    /// Fewer rows acknowledged than sent, with a status that says success.
    pub(super) fn short_count(&self, sent: usize, acked: i64) -> MilvusError {
        MilvusError {
            action: Action::RepeatThenHalt,
            cause: Cause::ShortCount {
                collection: self.collection.to_owned(),
                sent,
                acked,
            },
            outcome_unknown: true,
        }
    }

    fn error(&self, meaning: Meaning, applied: Applied, reason: String) -> MilvusError {
        let is_refusal = matches!(meaning, Doubtful | Refused | Misfit | Outdated);
        let reason = if self.names_keys && is_refusal {
            before_quotes(&reason)
        } else {
            reason
        };
        // A describe sends no row that could be at fault, so what is in doubt there is the world.
        let meaning = match (meaning, self.rpc) {
            (Doubtful, Rpc::Describe) => Busy,
            (meaning, _) => meaning,
        };
        MilvusError {
            action: match (meaning, self.rpc) {
                (Misfit, Rpc::Write) => Action::Refresh,
                (Outdated, Rpc::Write) => Action::RefreshThenRepeat,
                (Doubtful, _) => Action::RepeatThenHalt,
                (Refused | Misfit | Outdated, _) => Action::Halt,
                _ => Action::Hold,
            },
            cause: self.cause(meaning, reason),
            outcome_unknown: applied == Perhaps && self.rpc == Rpc::Write,
        }
    }

    fn cause(&self, meaning: Meaning, reason: String) -> Cause {
        let endpoint = self.endpoint.to_owned();
        let database = self.database.to_owned();
        let collection = self.collection.to_owned();
        match meaning {
            Unreachable => Cause::MilvusUnreachable {
                endpoint,
                detail: reason,
            },
            Slow => Cause::MilvusSlow {
                endpoint,
                timeout_ms: self.timeout.as_millis(),
            },
            Busy => Cause::MilvusBusy { reason },
            Denies => Cause::MilvusDenies { reason },
            LoginRefused => Cause::MilvusLoginRefused { reason },
            NotPermitted => Cause::MilvusNotPermitted { reason },
            CollectionMissing => Cause::CollectionMissing {
                database,
                collection,
            },
            PartitionMissing => Cause::PartitionMissing {
                collection,
                partition: self.partition.to_owned(),
            },
            DatabaseMissing => Cause::DatabaseMissing { database },
            Doubtful | Refused | Misfit | Outdated => match self.rpc {
                Rpc::Describe => Cause::PlanImpossible { collection, reason },
                Rpc::Write => Cause::Refused { collection, reason },
            },
        }
    }
}

/// 2.3 answers "collection not found\[database=…\]" for an unknown database; for a collection it names both.
fn names_only_a_database(reason: &str) -> bool {
    reason.contains("[database=") && !reason.contains("[collection=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Halt, Hold, Refresh, RefreshThenRepeat, RepeatThenHalt};

    fn call(rpc: Rpc) -> Call<'static> {
        Call {
            rpc,
            endpoint: "http://m:19530",
            database: "d",
            collection: "c",
            partition: "p",
            timeout: Duration::from_millis(20),
            names_keys: false,
            secrets: &[],
        }
    }

    fn status(code: i32, error_code: i32, reason: &str) -> common::Status {
        common::Status {
            code,
            error_code,
            reason: reason.to_owned(),
            // Never believed: real servers say false to a rate limit, and could say true to anything.
            retriable: code == 1100,
            ..Default::default()
        }
    }

    #[track_caller]
    fn check(rpc: Rpc, status: common::Status, action: Action, label: &str, unknown: bool) {
        let error = call(rpc).judge(Some(&status)).unwrap_err();
        let found = (error.action, error.cause.label(), error.outcome_unknown);
        assert_eq!(found, (action, label, unknown), "{status:?}");
    }

    #[test]
    fn a_write_is_judged_by_code_alone() {
        let check = |code, legacy, action, label, unknown| {
            check(
                Rpc::Write,
                status(code, legacy, "why"),
                action,
                label,
                unknown,
            );
        };
        check(8, 49, Hold, "milvus_busy", false);
        check(9, 48, Hold, "milvus_denies", false);
        check(0, 49, Hold, "milvus_busy", false);
        check(100, 4, Hold, "collection_missing", false);
        check(200, 1, Hold, "partition_missing", false);
        check(800, 1, Hold, "database_missing", false);
        check(1400, 1, Hold, "milvus_login_refused", false);
        check(1401, 1, Hold, "milvus_not_permitted", false);
        check(10_001, 1, Hold, "milvus_busy", true);
        check(65_535, 1, RepeatThenHalt, "refused", true);
        check(1100, 5, Refresh, "refused", false);
        check(6, 6, Refresh, "refused", false);
        check(1700, 1, Refresh, "refused", false);
        check(109, 62, RefreshThenRepeat, "refused", false);
        check(0, 62, RefreshThenRepeat, "refused", false);
        check(10, 1, Halt, "refused", false);
    }

    #[test]
    fn a_doubtful_code_is_about_the_rows_where_its_text_says_so() {
        let check = |code, reason: &str, action| {
            let status = status(code, 1, reason);
            check(Rpc::Write, status, action, "refused", true);
        };
        let of_vector = "the length(3) of float data should divide the dim(8)";
        check(65_535, of_vector, Refresh);
        check(1001, "value 'NaN' is not a number or infinity", Refresh);
        check(65_535, "node not ready", RepeatThenHalt);
    }

    #[test]
    fn a_describe_waits_where_a_write_would_doubt_and_makes_no_plan_where_it_is_refused() {
        let check = |code, action, label| {
            check(Rpc::Describe, status(code, 1, "why"), action, label, false);
        };
        check(65_535, Hold, "milvus_busy");
        check(100, Hold, "collection_missing");
        check(1100, Halt, "plan_impossible");
        check(109, Halt, "plan_impossible");
    }

    #[test]
    fn an_unknown_database_is_told_from_an_unknown_collection() {
        let check = |reason: &str, label| {
            check(Rpc::Describe, status(100, 1, reason), Hold, label, false);
        };
        check("collection not found[database=nope]", "database_missing");
        check(
            "can't find collection[database=d][collection=c]",
            "collection_missing",
        );
        check("collection not found", "collection_missing");
    }

    #[test]
    fn success_is_both_codes_zero() {
        assert_eq!(
            call(Rpc::Write).judge(Some(&status(0, 0, "a warning"))),
            Ok(())
        );
        assert!(call(Rpc::Write).judge(None).is_err());
    }

    #[test]
    fn only_a_refused_login_is_one() {
        let refused = |code| {
            call(Rpc::Write)
                .judge(Some(&status(code, 1, "")))
                .unwrap_err()
        };
        assert!(refused(1400).is_login_refused());
        assert!(!refused(1401).is_login_refused());
    }

    #[test]
    fn the_reason_names_its_code_and_no_secret() {
        let secrets = [Secret::new("u:hunter22")];
        let call = Call {
            secrets: &secrets,
            ..call(Rpc::Write)
        };
        let error = call
            .judge(Some(&status(1100, 5, "bad\nu:hunter22")))
            .unwrap_err();
        let Cause::Refused { reason, .. } = error.cause else {
            panic!("{:?}", error.cause);
        };
        assert_eq!(reason, "code 1100: bad\\n****");
    }

    #[test]
    fn a_grpc_status_from_the_server_is_judged_by_its_code() {
        let check = |code, action, label, unknown| {
            let error = call(Rpc::Write).grpc_error(&tonic::Status::new(code, "why"));
            let found = (error.action, error.cause.label(), error.outcome_unknown);
            assert_eq!(found, (action, label, unknown), "{code:?}");
        };
        use tonic::Code;
        check(Code::Unavailable, Hold, "milvus_unreachable", true);
        check(Code::DeadlineExceeded, Hold, "milvus_slow", true);
        check(Code::Unauthenticated, Hold, "milvus_login_refused", false);
        check(Code::PermissionDenied, Hold, "milvus_not_permitted", false);
        check(Code::Internal, RepeatThenHalt, "refused", true);
        check(Code::ResourceExhausted, Halt, "refused", false);
    }

    #[test]
    fn a_status_made_on_this_side_means_the_connection_whatever_its_code() {
        let broken = std::io::Error::other("connection reset");
        let error = call(Rpc::Write).grpc_error(&tonic::Status::from_error(Box::new(broken)));
        assert_eq!(error.action, Hold);
        assert_eq!(error.cause.label(), "milvus_unreachable");
        assert!(error.outcome_unknown);
        assert!(error.cause.to_string().contains("connection reset"));

        let connect = tonic::ConnectError(Box::new(std::io::Error::other("refused")));
        let error = call(Rpc::Write).grpc_error(&tonic::Status::from_error(Box::new(connect)));
        assert!(!error.outcome_unknown, "never sent");

        let expired = tonic::Status::from_error(Box::new(tonic::TimeoutExpired(())));
        let error = call(Rpc::Write).grpc_error(&expired);
        assert_eq!(error.cause.label(), "milvus_slow");
        assert!(error.outcome_unknown);
    }
}
