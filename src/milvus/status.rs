//! What an answer of Milvus means to who asked: what to do, why, and whether it may have been applied.

use std::error::Error;
use std::time::Duration;

use super::WriteRequest;
use super::codes::{Applied, Meaning, of_code, of_grpc, of_legacy, of_text};
use super::proto::common;
use super::reason::{before_quotes, in_chain, sanitise, transport, without_values};
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
    /// Repeat unchanged five times over 30 s, then treat as refused: by the server's fault or the content's.
    RepeatThenHalt,
    /// Rows and schema do not fit: describe the collection anew and send what its new schema asks for. Where the
    /// schema has not changed, the refusal stands.
    Refresh,
    /// Milvus knows another schema than the one we named: as `Refresh`, but where nothing has changed, one of several
    /// proxies may lag behind, and it is repeated five times over 30 s before the refusal stands.
    RefreshThenRepeat,
    /// The content is refused: the refusal stands, and which record it is about can be found out.
    Isolate,
    /// The request is too large: send its records in smaller ones.
    Split,
    /// Milvus refuses the request, whatever is in it: a person is needed.
    Halt,
}

/// What was asked: the same answer means another thing when nothing was sent that could be at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rpc {
    Describe,
    Write,
    /// Names keys of records, as a delete does.
    Query,
}

/// The call that an answer belongs to, with what its causes name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) rpc: Rpc,
    pub(super) endpoint: &'a str,
    pub(super) database: &'a str,
    pub(super) collection: &'a str,
    /// What is to be written.
    pub(super) request: Option<&'a WriteRequest>,
    pub(super) timeout: Duration,
    /// Texts that may not appear in a cause.
    pub(super) secrets: &'a [Secret],
}

use Applied::{No, Perhaps};
use Meaning::{
    Busy, CollectionMissing, DatabaseMissing, Denies, Doubtful, Impossible, LoginRefused, Misfit,
    NotPermitted, Outdated, PartitionMissing, Refused, Slow, TooLarge, Unreachable,
};

impl Call<'_> {
    /// Nothing came within the deadline.
    pub(super) fn expired(&self) -> MilvusError {
        self.error(Slow, Perhaps, String::new())
    }

    /// A gRPC status. One with a source was made on this side: whatever its code, the connection failed.
    pub(super) fn grpc_error(&self, status: &tonic::Status) -> MilvusError {
        let Some(source) = status.source() else {
            let (meaning, applied) = of_grpc(status.code(), status.message());
            let text = match status.message() {
                "" => status.code().description(),
                message => message,
            };
            return self.error(meaning, applied, self.clean(&self.without_values(text)));
        };
        if in_chain::<tonic::TimeoutExpired>(source) {
            return self.expired();
        }
        let applied = if in_chain::<tonic::ConnectError>(source) {
            No
        } else {
            Perhaps
        };
        self.error(Unreachable, applied, self.clean(&transport(source)))
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
        let text = self.without_values(&status.reason);
        let (mut meaning, applied) = of_code(code, status.error_code);
        if meaning == Doubtful && self.rpc == Rpc::Write {
            meaning = match blames_the_request(status) {
                true => Misfit,
                false => of_text(&text),
            };
        }
        if meaning == CollectionMissing && names_only_a_database(&status.reason) {
            meaning = DatabaseMissing;
        }
        let reason = match text.as_str() {
            "" => shown,
            text => format!("{shown}: {text}"),
        };
        Err(self.error(meaning, applied, self.clean(&reason)))
    }

    fn clean(&self, text: &str) -> String {
        sanitise(text, self.secrets)
    }

    /// A describe sends no record that could be quoted; a delete and a query name keys as words of an expression.
    fn without_values(&self, text: &str) -> String {
        let is_name = |name: &str| {
            let has_name = |request: &WriteRequest| request.has_name(name);
            name == self.collection || name == self.database || self.request.is_some_and(has_name)
        };
        match (self.rpc, self.request) {
            (Rpc::Query, _) | (_, Some(WriteRequest::Delete(_))) => {
                before_quotes(&without_values(text, is_name))
            }
            (_, Some(WriteRequest::Insert(_) | WriteRequest::Upsert(_))) => {
                without_values(text, is_name)
            }
            (_, None) => text.trim().to_owned(),
        }
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
        // A describe sends no row that could be at fault, so what is in doubt there is the world.
        let meaning = match (meaning, self.rpc) {
            (Doubtful, Rpc::Describe) => Busy,
            (meaning, _) => meaning,
        };
        MilvusError {
            action: meaning.action(self.rpc),
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
            NotPermitted if self.rpc == Rpc::Query => Cause::CannotRead { collection, reason },
            NotPermitted => Cause::MilvusNotPermitted { reason },
            CollectionMissing => Cause::CollectionMissing {
                database,
                collection,
            },
            PartitionMissing => Cause::PartitionMissing {
                collection,
                partition: self.request.map_or("", WriteRequest::partition).to_owned(),
            },
            DatabaseMissing => Cause::DatabaseMissing { database },
            Doubtful | Refused | Misfit | Outdated | TooLarge | Impossible => match self.rpc {
                Rpc::Describe => Cause::PlanImpossible { collection, reason },
                Rpc::Write => Cause::Refused { collection, reason },
                Rpc::Query => Cause::CannotRead { collection, reason },
            },
        }
    }
}

/// Where Milvus says so, it is the best word there is on whose fault a doubtful answer is; before 2.6.19 not all answers
/// have it. What holds by its code holds whatever is said here.
fn blames_the_request(status: &common::Status) -> bool {
    let blame = status.extra_info.get("is_input_error");
    blame.is_some_and(|blame| blame == "true")
}

/// 2.3 answers "collection not found\[database=…\]" for an unknown database; for a collection it names both.
fn names_only_a_database(reason: &str) -> bool {
    reason.contains("[database=") && !reason.contains("[collection=")
}

#[cfg(test)]
mod tests;
