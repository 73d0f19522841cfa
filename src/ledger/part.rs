//! One assigned partition as the ledger knows it.

use std::sync::Arc;
use std::time::Instant;

use super::Undrained;
use crate::tenure::Tenure;

#[derive(Debug)]
pub(super) struct Part {
    pub(super) tenure: Arc<Tenure>,
    /// The offset after the last record handed to a writer.
    pub(super) handed: i64,
    /// What the group's committed offset is known to be, or the start where there is none.
    pub(super) committed: i64,
    /// The highest offset that the client was given to commit: Kafka may have it, whatever came of the commit.
    pub(super) stored: i64,
    /// The log was cut off there, and what comes before is not all settled.
    pub(super) rewound: Option<i64>,
    /// Where the tenure begins that follows a cut, if Kafka may have a higher offset: nothing else of it is committed
    /// before that.
    pub(super) lower: Option<i64>,
    /// Something of an earlier tenure may be applied until then.
    pub(super) doubt: Option<Instant>,
    /// It is somebody else's: nothing of it is waited for.
    pub(super) gone: bool,
    /// It may be somebody else's: nothing of it is drained or committed any more, but what is under way has to land.
    pub(super) cut_off: bool,
    pub(super) end: Option<i64>,
    pub(super) end_reported: bool,
}

impl Part {
    pub(super) fn new(tenure: Arc<Tenure>, start: i64) -> Self {
        Self {
            tenure,
            handed: start,
            committed: start,
            stored: start,
            rewound: None,
            lower: None,
            doubt: None,
            gone: false,
            cut_off: false,
            end: None,
            end_reported: false,
        }
    }

    /// What may be committed: nothing of what was cut off.
    pub(super) fn settled(&self) -> i64 {
        let settled = self.tenure.settled();
        self.rewound.map_or(settled, |offset| settled.min(offset))
    }

    /// Everything handed over is settled, or everything before the halt; and nothing of it is under way, behind the halt.
    pub(super) fn drained(&self) -> bool {
        let halted_at = self.tenure.halted_at().unwrap_or(i64::MAX);
        self.tenure.settled() >= self.handed.min(halted_at) && self.tenure.is_quiet()
    }

    pub(super) fn committed_all(&self) -> bool {
        self.lower.is_none() && self.settled() <= self.committed
    }

    /// Nothing of it is left behind.
    pub(super) fn is_complete(&self) -> bool {
        self.drained() && self.committed_all()
    }

    pub(super) fn in_doubt(&self) -> Option<Instant> {
        self.doubt.max(self.tenure.in_doubt())
    }

    pub(super) fn reached_end(&self) -> bool {
        self.tenure.halted_at().is_some()
            || self.end_reported
            || self.end.is_some_and(|end| self.handed >= end)
    }

    pub(super) fn undrained(&self) -> Undrained {
        Undrained {
            partition: self.tenure.topic_partition.clone(),
            read: self.handed,
            settled: self.settled(),
            committed: self.committed,
        }
    }
}
