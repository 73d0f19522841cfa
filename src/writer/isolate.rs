//! Finding the records of a refused batch that Milvus does not take: halves, in the order read, until one is alone.

use std::sync::atomic::{AtomicU32, Ordering};

use super::batch::Refusal;
use super::sealed::{Sealed, Unsealed};
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::milvus::status::{Action, MilvusError};

/// How many records in a row Milvus refused alone: a writer's, for as long as it runs.
#[derive(Debug, Default)]
pub(super) struct InARow(AtomicU32);

impl InARow {
    pub(super) fn taken(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// One more; how many there are now.
    fn refused(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }
}

/// What is left of a batch that is being taken apart.
#[derive(Debug, Default)]
pub(super) struct Isolation {
    /// In the order read, the next one last. Not decoded before its turn: what it holds is the raw records.
    rest: Vec<Unsealed>,
    begun: bool,
    /// Milvus has taken a part of this batch after it had refused the whole.
    witnessed: bool,
}

impl Isolation {
    /// The next records to be sent.
    pub(super) fn next(&mut self) -> Option<Unsealed> {
        self.rest.pop()
    }

    /// Sets both halves aside. Their changes go out in the order read, so a change that the other half supersedes is
    /// written, and replaced later.
    pub(super) fn split(&mut self, batch: Sealed) {
        let (front, back) = batch.unsealed().halves();
        self.rest.extend([back, front]);
        self.begun = true;
    }

    /// A batch is being taken apart, which may take long: every answer is a step.
    pub(super) fn is_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn taken(&mut self) {
        self.witnessed |= self.begun;
    }

    /// Whether `batch` is split without a second look: that decides nothing yet. What the refusal means was looked
    /// into for the whole, and is again for a record alone.
    pub(super) fn splits_at_once(&self, batch: &Sealed, error: &MilvusError) -> bool {
        let divides = self.begun && is_of_content(error) || error.action == Action::Split;
        divides && batch.is_divisible()
    }

    /// What to make of the refusal of a record alone. An answer that may as well be the server's fault makes a record
    /// bad only when another one was taken meanwhile.
    pub(super) fn verdict(&self, error: MilvusError, in_a_row: &InARow, most: u32) -> Refusal {
        let is_certain = matches!(error.action, Action::Refresh | Action::Split);
        let Cause::Refused { collection, reason } = error.cause else {
            return Refusal::Halts(error.cause);
        };
        if in_a_row.refused() > most {
            return Refusal::Halts(Cause::RefusedInARow {
                collection,
                most,
                reason,
            });
        }
        match error.action {
            Action::Split => Refusal::Bad(BadRecord::too_large(&reason)),
            _ if is_certain || self.witnessed => Refusal::Bad(BadRecord::refused(&reason)),
            _ => Refusal::Halts(Cause::Refused { collection, reason }),
        }
    }
}

/// Whether the refusal may come of a single record.
pub(super) fn is_of_content(error: &MilvusError) -> bool {
    let action = matches!(
        error.action,
        Action::RepeatThenHalt | Action::Refresh | Action::Isolate | Action::Split
    );
    action && matches!(error.cause, Cause::Refused { .. })
}
