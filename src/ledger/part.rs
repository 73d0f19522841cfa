//! One assigned partition as the ledger knows it.

use std::sync::Arc;
use std::time::Instant;

use super::loss::Examination;
use super::{Commit, Undrained};
use crate::tenure::Tenure;
use crate::topic_partition::TopicId;

#[derive(Debug)]
pub(super) struct Part {
    pub(super) tenure: Arc<Tenure>,
    /// The offset after the last record handed to a writer.
    pub(super) handed: i64,
    /// What the group's committed offset is known to be, or the start where there is none.
    pub(super) committed: i64,
    /// The highest offset that the client was given to commit: Kafka may have it, whatever came of the commit.
    pub(super) stored: i64,
    /// The tenure ends before its time, and what comes before that is not all settled.
    pub(super) cut: Option<Cut>,
    /// Where the tenure begins that follows a cut, if Kafka may have a higher offset: nothing else of it is committed
    /// before that.
    pub(super) lower: Option<i64>,
    /// Nothing is read, since something is wrong with the log, until it is known what.
    pub(super) examined: Option<Examination>,
    /// Which making of the topic its offsets count in.
    pub(super) topic: Option<TopicId>,
    /// The topic was made again: its offsets say nothing there.
    pub(super) outlived: bool,
    /// See [`crate::origin::Origin`].
    pub(super) partitions: Option<i32>,
    /// From which offsets on records were written under which leader's epoch, as far as it matters yet.
    pub(super) epochs: Vec<(i64, i32)>,
    /// Where reading was begun anew without a reason that was found, and how often.
    pub(super) puzzled: (i64, u32),
    /// Something of an earlier tenure may be applied until then.
    pub(super) doubt: Option<Instant>,
    /// It is somebody else's: nothing of it is waited for.
    pub(super) gone: bool,
    /// It may be somebody else's: nothing of it is drained or committed any more, but what is under way has to land.
    pub(super) cut_off: bool,
    pub(super) end: Option<i64>,
    pub(super) end_reported: bool,
}

/// Where a tenure ends before its time, and where the next one begins.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// What comes before is settled in the old tenure.
    pub(super) settle: i64,
    pub(super) start: i64,
    /// Kafka's client is to begin there; otherwise it has brought the record at `start` itself.
    pub(super) anew: bool,
    /// What the log's end is taken for from there on (`--until-end`).
    pub(super) end: Option<i64>,
    /// The topic was made again, with this id.
    pub(super) topic: Option<TopicId>,
}

impl Part {
    pub(super) fn new(tenure: Arc<Tenure>, start: i64) -> Self {
        Self {
            tenure,
            handed: start,
            committed: start,
            stored: start,
            cut: None,
            lower: None,
            examined: None,
            topic: None,
            outlived: false,
            partitions: None,
            epochs: Vec::new(),
            puzzled: (start, 0),
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
        let cut = self.cut.as_ref();
        cut.map_or(settled, |cut| settled.min(cut.settle))
    }

    /// The offset that is read next.
    pub(super) fn position(&self) -> i64 {
        self.cut.as_ref().map_or(self.handed, |cut| cut.start)
    }

    /// What a commit of `offset` carries. The target is read after the offset: it may be ahead of it, but never behind.
    pub(super) fn carried(&self, offset: i64) -> Commit {
        Commit {
            partition: self.tenure.topic_partition.clone(),
            offset,
            target: self.tenure.target(),
            topic: self.topic.clone(),
            partitions: self.partitions,
            epoch: self.epoch_before(offset),
        }
    }

    /// The leader's epoch of the last record below `offset`, where that is known.
    pub(super) fn epoch_before(&self, offset: i64) -> Option<i32> {
        let mut known = self.epochs.iter().rev();
        let (_, epoch) = known.find(|(from, _)| *from < offset)?;
        Some(*epoch)
    }

    /// Epochs that no later commit can ask for are forgotten.
    pub(super) fn forget_epochs(&mut self) {
        let needed = |(from, _): &(i64, i32)| *from < self.committed;
        if let Some(last) = self.epochs.iter().rposition(needed) {
            self.epochs.drain(..last);
        }
    }

    /// Everything handed over is settled, or everything before the halt; and nothing of it is under way, behind the halt.
    pub(super) fn drained(&self) -> bool {
        let halted_at = self.tenure.halted_at().unwrap_or(i64::MAX);
        self.tenure.settled() >= self.handed.min(halted_at) && self.tenure.is_quiet()
    }

    pub(super) fn committed_all(&self) -> bool {
        self.lower.is_none() && (self.outlived || self.settled() <= self.committed)
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
