//! The ledger's commands about partitions, carried out: look up, split, assign, unassign, store.

use rdkafka::consumer::{Consumer as _, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::KafkaError;
use super::commit::Request;
use super::consumer::Consumer;
use super::look_up::Found;
use super::metadata;
use super::queue::Queue;
use super::rebalance::names;
use crate::ledger::{Commit, Start};
use crate::ops::board::Scope;
use crate::origin::Origin;
use crate::topic_partition::{TopicPartition, listed};

impl Consumer {
    /// What failed together is asked together again.
    pub(super) fn looked_up(&mut self, found: Found) -> Result<(), KafkaError> {
        let mut again = Vec::new();
        for (asked, look) in found {
            match look {
                Ok(look) => {
                    self.succeeded();
                    self.ledger.looked_up(&asked, look);
                }
                Err(error) => {
                    self.question_failed(&error)?;
                    if self.ledger.wants_look_up(&asked) {
                        again.push(asked);
                    }
                }
            }
        }
        if !again.is_empty() {
            self.ask(Request::LookUp(again));
        }
        Ok(())
    }

    /// Splits the new partitions off, then assigns them: the other way round their first records would be missed.
    pub(super) fn assign(&mut self, starts: &[Start]) -> Result<(), KafkaError> {
        for start in starts {
            let partition = &start.tenure.topic_partition;
            let inlet = self.station.lanes.inlet(partition).cloned();
            let (wake, wanted) = (&self.stations.wake, &self.station.headers);
            let queue =
                inlet.and_then(|inlet| Queue::split(&self.client, start, inlet, wake, wanted));
            let Some(queue) = queue else {
                return Err(KafkaError::Fatal(format!("{partition} has no queue")));
            };
            self.queues.push(queue);
        }
        let cooperative = self.is_cooperative();
        let list = if cooperative {
            list(
                starts
                    .iter()
                    .map(|start| (&start.tenure.topic_partition, start.offset)),
            )?
        } else {
            // The whole list anew: those assigned before go on from the offset after the last one handed over.
            self.queues.iter_mut().for_each(Queue::drop_kept);
            list(self.ledger.positions())?
        };
        self.remember_loss();
        let result = if cooperative {
            self.client.incremental_assign(&list)
        } else {
            self.client.assign(&list)
        };
        result.map_err(|error| KafkaError::Fatal(format!("assign: {error}")))?;
        self.report_halts();
        self.stations.board.clear(&Scope::Group);
        self.stations.board.set_assigned(self.queues.len());
        tracing::info!(
            partitions = self.queues.len(),
            added = starts.len(),
            "partitions assigned: {}",
            listed(starts.iter().map(|start| &start.tenure.topic_partition))
        );
        Ok(())
    }

    pub(super) fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let gone = |queue: &Queue| partitions.contains(&queue.tenure.topic_partition);
        let left: Vec<_> = self.queues.extract_if(.., |queue| gone(queue)).collect();
        let known = list(left.iter().map(|queue| (&queue.tenure.topic_partition, 0)))?;
        drop(left);
        self.remember_loss();
        let result = if self.is_cooperative() {
            self.unassign_some(&known)
        } else {
            self.client.unassign()
        };
        for partition in partitions {
            self.stations.board.unhalt(partition);
            self.stations.metrics.forget(partition);
            self.still.forget(partition);
            self.not_refused(partition);
            self.failures.forget(partition, &self.stations.board);
        }
        self.stations.board.set_assigned(self.queues.len());
        tracing::info!(
            partitions = self.queues.len(),
            removed = known.count(),
            "partitions revoked: {}",
            listed(partitions)
        );
        result.map_err(|error| KafkaError::Fatal(format!("unassign: {error}")))
    }

    /// The client takes a new assignment for the answer to a rebalance that it has queued, and says no longer then that
    /// its partitions are lost.
    pub(super) fn may_assign(&mut self) -> Result<bool, KafkaError> {
        self.serve_main_queue()?;
        Ok(!self.ledger.owes_an_answer() && !self.client.assignment_lost())
    }

    /// An answer has the client forget that its partitions are lost, though it may have to tell of it yet.
    fn remember_loss(&self) {
        if self.client.assignment_lost() {
            self.client.context().lost();
        }
    }

    pub(super) fn cut_off(&mut self, partition: &TopicPartition, offset: i64) {
        let committed = self.ledger.committed(partition);
        let mut positions = self.ledger.positions();
        let read = positions.find_map(|(name, next)| (name == partition).then_some(next));
        drop(positions);
        tracing::warn!(%partition, read, offset, committed, "the log was cut off (Kafka elected a leader that lacked records): going on from the lower offset");
        self.ledger.rewound(partition, offset);
    }

    pub(super) fn rewind(&mut self, start: Start) {
        let partition = start.tenure.topic_partition.clone();
        self.stations.board.unhalt(&partition);
        let of_it = |queue: &&mut Queue| queue.tenure.topic_partition == partition;
        if let Some(queue) = self.queues.iter_mut().find(of_it) {
            queue.follow(start);
        }
    }

    pub(super) fn is_cooperative(&self) -> bool {
        matches!(
            self.client.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        )
    }

    /// A refused answer leaves the client waiting for another. It refuses to give up what it has given up already; then
    /// the rest is enough.
    fn unassign_some(&self, known: &TopicPartitionList) -> KafkaResult<()> {
        let Err(error) = self.client.incremental_unassign(known) else {
            return Ok(());
        };
        tracing::warn!(%error, "partitions were given up already");
        let has = names(&self.client.assignment()?);
        let known = names(known);
        let rest = known.iter().filter(|name| has.contains(name));
        let rest = list(rest.map(|name| (name, 0))).map_err(|_| error)?;
        self.client.incremental_unassign(&rest)
    }

    pub(super) fn commit_list(&self, offsets: &[Commit]) -> Result<TopicPartitionList, KafkaError> {
        let mut list = list(
            offsets
                .iter()
                .map(|commit| (&commit.partition, commit.offset)),
        )?;
        for (index, commit) in offsets.iter().enumerate() {
            if let Some(epoch) = commit.epoch {
                metadata::set_epoch(&mut list, index, epoch);
            }
        }
        if self.takes_metadata {
            describe(&mut list, offsets);
        }
        Ok(list)
    }

    /// `Ok` says only that one of them was stored: each has a result of its own.
    pub(super) fn store(&mut self, number: u64, offsets: &[Commit]) {
        let Ok(list) = self.commit_list(offsets) else {
            return;
        };
        let result = self.client.store_offsets(&list);
        for (element, partition) in list.elements().iter().zip(names(&list)) {
            if let Err(error) = element.error().and_then(|()| result.clone()) {
                tracing::warn!(%partition, %error, "offset was not stored");
                self.ledger.not_stored(number, &partition);
            }
        }
    }
}

/// Says of each offset what it belongs to.
fn describe(list: &mut TopicPartitionList, offsets: &[Commit]) {
    for (element, commit) in list.elements().iter_mut().zip(offsets) {
        let origin = Origin {
            target: commit.target.as_deref().cloned(),
            topic: commit.topic.clone(),
            partitions: commit.partitions,
        };
        if let Some(text) = origin.to_metadata() {
            element.set_metadata(text);
        }
    }
}

pub(super) fn list<'a>(
    offsets: impl Iterator<Item = (&'a TopicPartition, i64)>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(
            &partition.topic,
            partition.partition,
            Offset::Offset(offset),
        )
        .map_err(|error| KafkaError::Fatal(error.to_string()))?;
    }
    Ok(list)
}
