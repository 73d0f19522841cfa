//! The exit statuses, and what leads to which.

use std::process::ExitCode;

use crate::check::{CheckError, Verdict};
use crate::ledger::Outcome;
use crate::offsets::OffsetsError;
use crate::pipeline::PipelineError;
use crate::verify::{self, VerifyError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Asked to stop, or the end was reached, and everything read is written and committed.
    Done = 0,
    /// Restarting is safe and may help.
    Failure = 1,
    /// The command line or the configuration is wrong: restarting ends here again.
    Configuration = 2,
    /// A person is needed: restarting ends here again.
    Halted = 3,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Drained { .. } | Outcome::EndReached { halted: false } => Self::Done,
            Outcome::NotDrained => Self::Failure,
            Outcome::AllHalted | Outcome::EndReached { halted: true } => Self::Halted,
        }
    }
}

impl From<&PipelineError> for Status {
    fn from(error: &PipelineError) -> Self {
        if error.is_configuration() {
            Self::Configuration
        } else {
            Self::Failure
        }
    }
}

impl From<&CheckError> for Status {
    fn from(error: &CheckError) -> Self {
        match error {
            CheckError::Start(error) => error.into(),
            CheckError::Print(_) => Self::Failure,
        }
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Clean => Self::Done,
            Verdict::WouldFail => Self::Failure,
            Verdict::Configuration => Self::Configuration,
        }
    }
}

impl From<&VerifyError> for Status {
    fn from(error: &VerifyError) -> Self {
        if error.is_configuration() {
            Self::Configuration
        } else {
            Self::Failure
        }
    }
}

impl From<&OffsetsError> for Status {
    fn from(error: &OffsetsError) -> Self {
        if error.is_configuration() {
            Self::Configuration
        } else {
            Self::Failure
        }
    }
}

impl From<verify::Verdict> for Status {
    fn from(verdict: verify::Verdict) -> Self {
        match verdict {
            verify::Verdict::Same => Self::Done,
            verify::Verdict::Different | verify::Verdict::Unfinished => Self::Failure,
        }
    }
}
