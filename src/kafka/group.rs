//! The consumer group from outside: what it has committed, who is in it, and setting its offsets while nobody is.

use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::KafkaError;
use super::look_up::{LookUps, committed};
use super::reread::{Reader, RereadError, list};
use crate::config::KafkaConfig;
use crate::ledger::{Asked, Look};
use crate::origin::Origin;
use crate::topic_partition::TopicPartition;

const QUESTION: Duration = Duration::from_secs(10);

/// A process that is in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub client_id: String,
    pub host: String,
}

/// Why offsets were not set, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error(transparent)]
    Asked(#[from] RereadError),
    #[error("somebody has joined the group meanwhile")]
    Joined,
    #[error("Kafka has another offset of {0} than was set")]
    NotTaken(TopicPartition),
}

/// Every call blocks its thread; only [`Group::set`] has no end of its own.
#[derive(Debug)]
pub struct Group {
    reader: Reader,
    name: String,
}

impl Group {
    /// A Kafka that does not answer is waited for as long as `patience`.
    pub fn new(config: &KafkaConfig, patience: Duration) -> Result<Self, KafkaError> {
        Ok(Self {
            reader: Reader::new(config, 1, &[].into(), patience)?,
            name: config.group_id.clone(),
        })
    }

    /// What a sink would find at its start, in the order of `partitions`.
    pub fn looks(&self, partitions: &[TopicPartition]) -> Result<Vec<Look>, RereadError> {
        let client = &self.reader.client;
        self.reader.patiently(|| {
            let asked = partitions.iter().cloned().map(Asked::by_nobody).collect();
            let mut look_ups = LookUps::default();
            let mut found = look_ups.queue(client, asked);
            while !look_ups.is_empty() {
                found.extend(look_ups.next(client));
            }
            let look = |partition: &TopicPartition| {
                let found = found
                    .iter()
                    .find(|(asked, _)| asked.partition == *partition);
                found.map_or_else(unknown, |(_, look)| look.clone())
            };
            partitions.iter().map(look).collect()
        })
    }

    /// The first record that is not older than `time`, in milliseconds since 1970: `None` where there is none.
    pub fn since(
        &self,
        partitions: &[TopicPartition],
        time: i64,
    ) -> Result<Vec<Option<i64>>, RereadError> {
        self.reader.since(partitions, time)
    }

    /// Those of a group with the newer protocol are not told; Kafka refuses to set its offsets all the same.
    pub fn members(&self) -> Result<Vec<Member>, RereadError> {
        let client = &self.reader.client;
        let groups = self
            .reader
            .patiently(|| client.fetch_group_list(Some(&self.name), QUESTION))?;
        let members = groups.groups().iter().flat_map(|group| group.members());
        let member = |member: &rdkafka::groups::GroupMemberInfo| Member {
            client_id: member.client_id().to_owned(),
            host: member.client_host().trim_start_matches('/').to_owned(),
        };
        Ok(members.map(member).collect())
    }

    /// As the offsets of a client that is not in the group, which Kafka takes while nobody is. Looks afterwards.
    pub fn set(&self, wanted: &[(TopicPartition, i64, Origin)]) -> Result<(), SetError> {
        let client = &self.reader.client;
        let list = commit_list(wanted).map_err(|error| self.in_the_way(&error))?;
        if let Err(error) = client.commit(&list, CommitMode::Sync) {
            return Err(match error.rdkafka_error_code() {
                Some(
                    Code::UnknownMemberId
                    | Code::IllegalGeneration
                    | Code::RebalanceInProgress
                    | Code::StaleMemberEpoch,
                ) => SetError::Joined,
                _ => self.in_the_way(&error),
            });
        }
        let partitions: Vec<_> = wanted.iter().map(|(at, ..)| at.clone()).collect();
        let found = self.reader.patiently(|| committed(client, &partitions))?;
        let is_there = |(at, offset, _): &&(TopicPartition, i64, Origin)| {
            found.get(at).map(|found| found.offset) == Some(*offset)
        };
        match wanted.iter().find(|wanted| !is_there(wanted)) {
            Some((at, ..)) => Err(SetError::NotTaken(at.clone())),
            None => Ok(()),
        }
    }

    fn in_the_way(&self, error: &ClientError) -> SetError {
        let cause = self.reader.cause(error, None);
        SetError::Asked(cause.map_or_else(RereadError::from, RereadError::InTheWay))
    }
}

/// With what the sink's own commits carry.
fn commit_list(
    wanted: &[(TopicPartition, i64, Origin)],
) -> Result<TopicPartitionList, ClientError> {
    let offsets = wanted.iter();
    let list = list(offsets.map(|(at, offset, _)| (at, Offset::Offset(*offset))))?;
    for (element, (_, _, origin)) in list.elements().iter_mut().zip(wanted) {
        if let Some(text) = origin.to_metadata() {
            element.set_metadata(text);
        }
    }
    Ok(list)
}

fn unknown() -> Result<Look, ClientError> {
    Err(ClientError::OffsetFetch(Code::UnknownPartition))
}
