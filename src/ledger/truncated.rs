//! A tenure that ends before its time, as where the log was cut off: what is there then is read in a new tenure, and Kafka
//! may have to be told a lower offset.

use std::sync::Arc;
use std::time::Instant;

use super::part::Cut;
use super::{Command, Ledger, Part, Start};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

impl Ledger {
    /// A record came whose `offset` is not above the last one read: the log was cut off there and goes on differently.
    /// It is kept back, and nothing more is read, until [`Command::Rewind`].
    pub fn rewound(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(part) = self.parts.get_mut(partition) {
            let known = part.cut.as_ref().map_or(offset, |cut| cut.settle);
            let offset = offset.min(known);
            part.cut = Some(Cut {
                settle: offset,
                start: offset,
                anew: false,
                end: None,
                topic: None,
            });
            self.commands.push(Command::Flush);
        }
    }

    /// The old tenure goes on until what comes before the cut is settled: that is in the log still, and the new tenure
    /// does not read it. What it has of the part that was cut off is given up then.
    pub(super) fn rewind(&mut self, now: Instant) {
        // The client would take a new assignment for the answer that it waits for.
        let may_assign = !self.owes_an_answer();
        let cut = |part: &Part| {
            let cut = part.cut.as_ref()?;
            let is_settled = part.tenure.is_open() && part.tenure.settled() >= cut.settle;
            (is_settled && (may_assign || !cut.anew)).then(|| cut.clone())
        };
        let ready: Vec<_> = self
            .parts
            .iter()
            .filter_map(|(partition, part)| Some((partition.clone(), cut(part)?)))
            .collect();
        for (partition, cut) in ready {
            self.rewind_one(partition, cut, now);
        }
    }

    fn rewind_one(&mut self, partition: TopicPartition, cut: Cut, now: Instant) {
        self.close(std::slice::from_ref(&partition));
        let Some(part) = self.parts.get_mut(&partition) else {
            return;
        };
        let target = part.tenure.target().as_deref().cloned();
        if part.tenure.settled() < part.handed {
            part.doubt = part.doubt.max(Some(now + self.rules.late_landing_grace));
        }
        part.doubt = part.in_doubt();
        part.tenure = Arc::new(Tenure::new(partition, cut.start).following(target));
        part.handed = cut.start;
        part.cut = None;
        let is_lower = part.outlived || cut.start < part.committed.max(part.stored);
        part.lower = is_lower.then_some(cut.start);
        if cut.topic.is_some() {
            part.topic = cut.topic;
            part.outlived = false;
            part.epochs.clear();
        }
        part.epochs.retain(|(from, _)| *from < cut.start);
        if part.end.is_some() && cut.end.is_some() {
            (part.end, part.end_reported) = (cut.end, false);
        }
        let start = Start {
            tenure: Arc::clone(&part.tenure),
            offset: cut.start,
            end: part.end,
            waits: false,
        };
        if cut.anew {
            // Assigned anew, the client forgets what it had stored.
            self.commits.forget();
            self.commands.push(Command::Restart(start));
        } else {
            self.commands.push(Command::Rewind(start));
        }
        self.commit_down();
    }

    /// Commits lower offsets, each by its name and once at a time; a failed one is repeated.
    pub(super) fn commit_down(&mut self) {
        let commits = &mut self.commits;
        for part in self.parts.values().filter(|part| part.tenure.is_open()) {
            let Some(offset) = part.lower else { continue };
            if commits.cover(&part.tenure, offset) {
                continue;
            }
            let number = commits.begin(vec![(Arc::clone(&part.tenure), offset)]);
            let commit = part.carried(offset);
            self.commands.push(Command::CommitDown { number, commit });
        }
    }
}
