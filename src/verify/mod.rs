//! `verify`: reads a range of the topics once more, without joining the group, and compares what its records say with
//! the rows that Milvus has.
//!
//! The keys are taken slice by slice, so that memory stays bounded: for each slice the range is read, the last state of
//! each key kept as digests of its fields, and the rows are asked for by their keys. What differs is looked at again
//! after the records behind the range were read.

mod compare;
mod digest;
mod fold;
mod json;
mod range;
mod reading;
mod report;
mod text;
mod topics;
mod work;

use std::io::{self, Write};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;

use crate::cause::Cause;
use crate::config::Config;
use crate::kafka::reread::RereadError;
use crate::milvus::client::ClientError;
use crate::milvus::status::{Action, MilvusError};
use crate::pipeline::{PATIENCE, PipelineError};
use crate::topic_partition::TopicPartition;
pub use range::Bounds;
use report::Report;

/// What the keys of a slice may take, about; with the queues of Kafka's client and the replies of Milvus the process
/// stays below 256 MiB.
const FOLD_BYTES: usize = 64 << 20;

/// What is asked for on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub bounds: Bounds,
    /// One JSON object a line.
    pub json: bool,
}

/// What bounds the work.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A server that does not answer is waited for as long.
    pub patience: Duration,
    pub fold_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            fold_bytes: FOLD_BYTES,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Different,
    Unfinished,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Start(#[from] PipelineError),
    #[error("{0}")]
    Refused(Cause),
    #[error(
        "collection '{collection}' makes its own keys (autoID), so that no row can be told from the record it came of; verify wants a key from the record (pk.mode), or leave its topics out with --set topics=…"
    )]
    WithoutKey { collection: String },
    #[error("--from or --to names partition {0}, which is not among those that are read")]
    Stranger(TopicPartition),
    #[error("{}", in_the_way(.0))]
    InTheWay(Cause),
    #[error("interrupted")]
    Interrupted,
    #[error("the result cannot be printed")]
    Print(#[from] io::Error),
}

impl VerifyError {
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Start(error) => error.is_configuration(),
            Self::Refused(_) | Self::WithoutKey { .. } | Self::Stranger(_) => true,
            Self::InTheWay(_) | Self::Interrupted | Self::Print(_) => false,
        }
    }
}

/// The sink's ways out of a loss are not those of a reader.
fn in_the_way(cause: &Cause) -> String {
    match cause {
        Cause::DataLost(loss) => format!("{}; leave them out with --from and --to", loss.fact()),
        other => other.to_string(),
    }
}

impl From<Cause> for VerifyError {
    fn from(cause: Cause) -> Self {
        Self::InTheWay(cause)
    }
}

impl From<ClientError> for VerifyError {
    fn from(error: ClientError) -> Self {
        Self::Start(error.into())
    }
}

impl From<JoinError> for VerifyError {
    fn from(error: JoinError) -> Self {
        Self::Start(error.into())
    }
}

impl From<RereadError> for VerifyError {
    fn from(error: RereadError) -> Self {
        match error {
            RereadError::Client(error) => Self::Start(error.into()),
            RereadError::InTheWay(cause) => Self::InTheWay(cause),
        }
    }
}

impl From<MilvusError> for VerifyError {
    fn from(error: MilvusError) -> Self {
        let is_final =
            matches!(error.cause, Cause::PlanImpossible { .. }) && error.action == Action::Halt;
        if error.is_login_refused() || is_final {
            return Self::Refused(error.cause);
        }
        Self::InTheWay(error.cause)
    }
}

/// Prints every difference to `out`, and a summary.
///
/// # Errors
/// What only the configuration can mend, or `out` not taking the text. What keeps it from being finished is a verdict.
pub async fn verify(
    config: &Config,
    options: &Options,
    out: &mut impl Write,
) -> Result<Verdict, VerifyError> {
    verify_within(Limits::default(), config, options, out).await
}

/// [`verify`] with other limits.
///
/// # Errors
/// As [`verify`].
pub async fn verify_within(
    limits: Limits,
    config: &Config,
    options: &Options,
    out: &mut impl Write,
) -> Result<Verdict, VerifyError> {
    let mut report = Report::new(out, options.json);
    let result = tokio::select! {
        result = work::work(config, &options.bounds, limits, &mut report) => result,
        () = interrupted() => Err(VerifyError::Interrupted),
    };
    match result {
        Ok(()) => report.end(None)?,
        Err(error) if error.is_configuration() => return Err(error),
        Err(error @ VerifyError::Print(_)) => return Err(error),
        Err(error) => {
            report.end(Some(&crate::log::chain(&error)))?;
            return Ok(Verdict::Unfinished);
        }
    }
    Ok(match report.totals.differences() {
        0 => Verdict::Same,
        _ => Verdict::Different,
    })
}

/// Where signals cannot be received, they end the process by themselves.
async fn interrupted() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
