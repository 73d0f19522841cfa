//! A range that is being read once more, and the chunk that its records fill.

use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Message as _};

use super::queue;
use super::reread::{Next, Range};
use crate::budget::Budget;
use crate::cause::Cause;
use crate::data_loss::{DataLoss, Lost};
use crate::record::{Chunk, KeptHeaders, Run};
use crate::tenure::Tenure;

/// What is handed over at once.
pub(super) const CHUNK_BYTES: usize = 256 * 1024;
const CHUNK_RECORDS: usize = 1024;

/// A range that is being read.
pub(super) struct Open {
    pub tenure: Arc<Tenure>,
    pub next: i64,
    pub to: i64,
}

impl Open {
    /// What cannot be read, up to before `to`.
    pub(super) fn lost(&self, what: Lost, to: Option<i64>) -> Cause {
        Cause::DataLost(DataLoss {
            at: self.tenure.topic_partition.clone(),
            from: self.next,
            to,
            what,
        })
    }

    pub(super) fn of(range: &Range) -> Self {
        Self {
            tenure: Arc::new(Tenure::new(range.partition.clone(), range.from)),
            next: range.from,
            to: range.to,
        }
    }
}

/// A chunk that is being filled.
#[derive(Default)]
pub(super) struct Filling {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    records: usize,
}

impl Filling {
    pub(super) fn put(
        &mut self,
        message: &BorrowedMessage<'_>,
        range: &mut Open,
        keeps: &KeptHeaders,
    ) {
        let goes_on = |run: &&mut Run| Arc::ptr_eq(&run.tenure, &range.tenure);
        if self.runs.last_mut().filter(goes_on).is_none() {
            self.runs.push(Run {
                tenure: Arc::clone(&range.tenure),
                from: range.next,
                records: Vec::new(),
                headers: Vec::new(),
            });
        }
        if let Some(run) = self.runs.last_mut() {
            run.records.push(queue::copy(message, &mut self.bytes));
            let list = || message.headers();
            queue::copy_headers(list, keeps, &mut self.bytes, &mut run.headers);
        }
        range.next = message.offset() + 1;
        self.records += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= CHUNK_BYTES || self.records >= CHUNK_RECORDS
    }

    pub(super) fn hand_over(
        &mut self,
        budget: &Arc<Budget>,
        take: &mut impl FnMut(Chunk) -> Next,
    ) -> Next {
        if self.records == 0 {
            return Next::GoOn;
        }
        let full = std::mem::take(self);
        take(Chunk {
            charge: budget.charge(full.bytes.len()),
            bytes: full.bytes,
            runs: full.runs,
        })
    }
}
