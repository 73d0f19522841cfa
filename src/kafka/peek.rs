//! One look at one place of a log, by a client of its own that never joins the group. rdkafka drops the offset of an error,
//! and has no word for a leader's epoch.
#![allow(
    unsafe_code,
    reason = "rdkafka has no other way to the offset of an error than the C message"
)]

use std::time::{Duration, Instant};

use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{IsError as _, KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::rebalance::Context;
use super::{KafkaError, Purpose, client};
use crate::config::KafkaConfig;
use crate::ledger::Sought;
use crate::topic_partition::TopicPartition;

/// What lies at an offset, or comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Record {
        epoch: Option<i32>,
    },
    /// A corrupt batch that begins at this offset.
    Corrupt(i64),
    /// Nothing any more.
    End,
}

pub(super) struct Peeker {
    client: BaseConsumer<Context>,
}

impl Peeker {
    pub(super) fn new(config: &KafkaConfig, sought: Sought) -> Result<Self, KafkaError> {
        let client = client(config, Purpose::Peek(sought))?;
        Ok(Self { client })
    }

    /// Blocks for as long as `patience`.
    pub(super) fn peek(
        &self,
        partition: &TopicPartition,
        offset: i64,
        patience: Duration,
    ) -> Result<Seen, ClientError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(
            &partition.topic,
            partition.partition,
            Offset::Offset(offset),
        )?;
        self.client.assign(&list)?;
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.poll(left) {
                Some(Ok(seen)) => return Ok(seen),
                // One broken connection of several mends itself.
                Some(Err(_)) if !left.is_zero() => {}
                Some(Err(code)) => return Err(ClientError::MessageConsumption(code)),
                None => return Err(ClientError::MessageConsumption(Code::OperationTimedOut)),
            }
        }
    }

    fn poll(&self, patience: Duration) -> Option<Result<Seen, Code>> {
        let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client lives, and nobody else polls it. A message that comes is ours: it is read and destroyed here.
        unsafe {
            let message = c::rd_kafka_consumer_poll(self.client.client().native_ptr(), millis);
            if message.is_null() {
                return None;
            }
            let code = (*message).err;
            let seen = match Code::from(code) {
                _ if !code.is_error() => Ok(Seen::Record {
                    epoch: known(c::rd_kafka_message_leader_epoch(message)),
                }),
                Code::PartitionEOF => Ok(Seen::End),
                Code::BadMessage => Ok(Seen::Corrupt((*message).offset)),
                code => Err(code),
            };
            c::rd_kafka_message_destroy(message);
            Some(seen)
        }
    }
}

impl Drop for Peeker {
    /// Or it would wait for an answer to giving its partition back.
    fn drop(&mut self) {
        self.client.context().close();
    }
}

/// The epoch of the leader that wrote it. Old formats have none.
pub(super) fn epoch(message: &BorrowedMessage<'_>) -> Option<i32> {
    // SAFETY: the message is borrowed, so it lives, and the call only reads it.
    known(unsafe { c::rd_kafka_message_leader_epoch(message.ptr()) })
}

fn known(epoch: i32) -> Option<i32> {
    (epoch >= 0).then_some(epoch)
}
