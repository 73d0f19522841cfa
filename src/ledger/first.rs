//! Where a partition begins to be read, and what of it is lost already.

use std::sync::Arc;

use super::loss::differ;
use super::{Command, Ledger, Look};
use crate::cause::Cause;
use crate::config::{OffsetReset, OnDataLoss};
use crate::data_loss::{DataLoss, Lost};
use crate::topic_partition::{TopicId, TopicPartition};

/// How a tenure begins.
#[derive(Debug)]
pub(super) struct First {
    pub(super) offset: i64,
    pub(super) halt: Option<Cause>,
    /// What Kafka has, or is to be taken to have: what is settled above it is committed.
    pub(super) committed: i64,
    /// To be committed by its name before anything else.
    pub(super) lower: Option<i64>,
    /// Which making of the topic its commits are for.
    pub(super) topic: Option<TopicId>,
    /// Not this one.
    pub(super) outlived: bool,
}

impl First {
    fn at(offset: i64, look: &Look) -> Self {
        Self {
            offset,
            halt: None,
            committed: offset,
            lower: None,
            topic: look.topic.clone(),
            outlived: false,
        }
    }
}

impl Ledger {
    /// A subscribed topic has come, so all of it is new.
    pub fn appeared(&mut self, topic: Arc<str>) {
        self.appeared.insert(topic);
    }

    pub(super) fn first(&mut self, partition: &TopicPartition, look: &Look) -> First {
        let known = self.topics.get(&partition.topic);
        let before = look.before.as_ref();
        // A topic that is deleted takes the group's offsets along.
        let before = before.or(known.filter(|_| look.committed.is_none()));
        let recreated = before.filter(|before| differ(Some(before), look.topic.as_ref()));
        let recreated = recreated.cloned();
        if let Some(before) = &recreated {
            let former = self.former.entry(partition.topic.clone());
            former.or_default().insert(before.clone());
        }
        if let Some(topic) = &look.topic {
            let name = partition.topic.clone();
            self.topics.insert(name, topic.clone());
        }
        match (recreated, look.committed) {
            (Some(before), committed) => {
                self.first_of_recreated(partition, look, before, committed)
            }
            (None, Some(committed)) => self.first_of_committed(partition, look, committed),
            (None, None) => self.first_of_all(partition, look),
        }
    }

    fn first_of_recreated(
        &mut self,
        partition: &TopicPartition,
        look: &Look,
        before: TopicId,
        committed: Option<i64>,
    ) -> First {
        let Some(now) = look.topic.clone() else {
            return First::at(look.low, look);
        };
        let what = Lost::Recreated {
            before: before.clone(),
            now,
        };
        let from = committed.unwrap_or(0);
        let halt = self.lost_before(partition, (from, None), what, look.low);
        let halts = halt.is_some();
        First {
            halt,
            // Whatever Kafka has counts in the topic before.
            lower: Some(look.low),
            topic: if halts {
                Some(before)
            } else {
                look.topic.clone()
            },
            outlived: halts,
            ..First::at(look.low, look)
        }
    }

    fn first_of_committed(
        &mut self,
        partition: &TopicPartition,
        look: &Look,
        committed: i64,
    ) -> First {
        if committed < look.low {
            let range = (committed, Some(look.low));
            let halt = self.lost_before(partition, range, Lost::Expired, look.low);
            let offset = if halt.is_some() { committed } else { look.low };
            return First {
                halt,
                committed,
                ..First::at(offset, look)
            };
        }
        // Behind the end there is nothing to be read; where the log was cut off is to be found out.
        First::at(committed, look)
    }

    fn first_of_all(&self, partition: &TopicPartition, look: &Look) -> First {
        let is_new = look.added || self.appeared.contains(&partition.topic);
        match self.rules.reset {
            OffsetReset::Latest if !is_new => First {
                // The end of the log moves on: where it is the start, it is committed before anything else, or a restart
                // would begin behind what was read and not yet written.
                committed: look.high - 1,
                ..First::at(look.high, look)
            },
            OffsetReset::Fail => First {
                halt: Some(Cause::NoCommittedOffset {
                    at: partition.clone(),
                }),
                ..First::at(look.low, look)
            },
            OffsetReset::Earliest | OffsetReset::Latest => First::at(look.low, look),
        }
    }

    /// By the policy, the cause to halt for; otherwise it goes on at `start`.
    fn lost_before(
        &mut self,
        at: &TopicPartition,
        (from, to): (i64, Option<i64>),
        what: Lost,
        start: i64,
    ) -> Option<Cause> {
        let at = at.clone();
        let loss = DataLoss { at, from, to, what };
        let continues = self.rules.data_loss == OnDataLoss::Continue;
        let lost = Command::Lost(loss.clone(), continues.then_some(start));
        self.commands.push(lost);
        (!continues).then_some(Cause::DataLost(loss))
    }
}
