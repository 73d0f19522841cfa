//! Topics that this user may not read any more: said of each until a look into its log succeeds. The client says it once,
//! and not when it is over; nor does what else Kafka answers.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::consumer::Consumer;
use super::questions::Question;
use super::queue::Queue;
use crate::cause::Cause;
use crate::ops::board::Scope;
use crate::topic_partition::TopicPartition;

/// How often it is looked whether it is over.
const LOOK: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub(super) struct Refused {
    partitions: BTreeSet<TopicPartition>,
    /// What was looked at last; whether that is answered, and when the next one is looked at.
    last: Option<TopicPartition>,
    asked: bool,
    look_at: Option<Instant>,
}

impl Refused {
    /// One after the other.
    fn next(&mut self) -> Option<TopicPartition> {
        let after = self.last.take().map_or(Unbounded, Excluded);
        let mut rest = self.partitions.range((after, Unbounded));
        self.last = rest.next().or_else(|| self.partitions.first()).cloned();
        self.last.clone()
    }

    fn has(&self, topic: &str) -> bool {
        let mut partitions = self.partitions.iter();
        partitions.any(|partition| *partition.topic == *topic)
    }
}

impl Consumer {
    pub(super) fn topic_refused(&mut self, partition: &TopicPartition, cause: Cause) {
        let scope = Scope::Topic(Arc::clone(&partition.topic));
        self.stations.board.hold(scope, cause);
        self.refused.partitions.insert(partition.clone());
    }

    pub(super) fn look_for_permission(&mut self, now: Instant) {
        let is_due = self.refused.look_at.is_none_or(|at| now >= at);
        if self.refused.partitions.is_empty() || self.refused.asked || !is_due {
            return;
        }
        self.refused.look_at = Some(now + LOOK);
        let Some(partition) = self.refused.next() else {
            return;
        };
        let of_it = |queue: &&Queue| queue.tenure.topic_partition == partition;
        match self.queues.iter().find(of_it).map(Queue::next) {
            Some(next) => {
                self.refused.asked = true;
                // The end may be told before the error: what was read is surer.
                let at = (next - 1).max(0);
                self.inquire(Question::MayRead(partition, at));
            }
            None => self.not_refused(&partition),
        }
    }

    /// What came of the look: a topic is permitted as a whole.
    pub(super) fn may_read(&mut self, partition: &TopicPartition, may: bool) {
        self.refused.asked = false;
        if may {
            let is_another = |other: &TopicPartition| other.topic != partition.topic;
            self.refused.partitions.retain(is_another);
            self.permitted(partition);
        }
    }

    /// It is not ours any more.
    pub(super) fn not_refused(&mut self, partition: &TopicPartition) {
        if self.refused.partitions.remove(partition) {
            self.permitted(partition);
        }
    }

    fn permitted(&self, partition: &TopicPartition) {
        let topic = &partition.topic;
        if !self.refused.has(topic) && !self.missing.has(topic) {
            self.stations.board.clear(&Scope::Topic(Arc::clone(topic)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_refused_has_its_turn() {
        let [a, b, c] = [0, 1, 2].map(|partition| TopicPartition::new("t", partition));
        let mut refused = Refused::default();
        assert_eq!(refused.next(), None);
        refused.partitions.extend([a.clone(), b.clone()]);
        let turns: Vec<_> = (0..3).filter_map(|_| refused.next()).collect();
        assert_eq!(turns, [a.clone(), b.clone(), a]);
        refused.partitions.remove(&b);
        refused.partitions.insert(c.clone());
        assert_eq!(refused.next(), Some(c));
        assert!(refused.has("t") && !refused.has("u"));
    }
}
