//! A log that was cut off: what is left of it is read on in a new tenure, and Kafka may have to be told a lower offset.

use std::sync::Arc;
use std::time::Instant;

use super::{Command, Commit, Ledger, Part, Start};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

impl Ledger {
    /// A record came whose `offset` is not above the last one read: the log was cut off there and goes on differently.
    /// It is kept back, and nothing more is read, until [`Command::Rewind`].
    pub fn rewound(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.rewound = Some(part.rewound.map_or(offset, |known| known.min(offset)));
            self.commands.push(Command::Flush);
        }
    }

    /// The old tenure goes on until what comes before the cut is settled: that is in the log still, and the new tenure
    /// does not read it. What it has of the part that was cut off is given up then.
    pub(super) fn rewind(&mut self, now: Instant) {
        let cut = |part: &Part| {
            let offset = part.rewound?;
            (part.tenure.is_open() && part.tenure.settled() >= offset).then_some(offset)
        };
        let ready: Vec<_> = self
            .parts
            .iter()
            .filter_map(|(partition, part)| Some((partition.clone(), cut(part)?)))
            .collect();
        for (partition, offset) in ready {
            self.rewind_one(partition, offset, now);
        }
    }

    fn rewind_one(&mut self, partition: TopicPartition, offset: i64, now: Instant) {
        self.close(std::slice::from_ref(&partition));
        let Some(part) = self.parts.get_mut(&partition) else {
            return;
        };
        let target = part.tenure.target().as_deref().cloned();
        if part.tenure.settled() < part.handed {
            part.doubt = part.doubt.max(Some(now + self.rules.late_landing_grace));
        }
        part.doubt = part.in_doubt();
        part.tenure = Arc::new(Tenure::new(partition, offset).following(target));
        part.handed = offset;
        part.rewound = None;
        part.lower = (offset < part.committed.max(part.stored)).then_some(offset);
        let start = Start {
            tenure: Arc::clone(&part.tenure),
            offset,
            end: part.end,
        };
        self.commands.push(Command::Rewind(start));
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
            let commit = Commit {
                partition: part.tenure.topic_partition.clone(),
                offset,
                target: part.tenure.target(),
            };
            self.commands.push(Command::CommitDown { number, commit });
        }
    }
}
