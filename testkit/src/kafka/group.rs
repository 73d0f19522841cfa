//! What a consumer group has committed of a topic of the test broker, and who is in it.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::groups::GroupList;
use rdkafka::{Offset, TopicPartitionList};

use super::topic::{PATIENCE, client};
use super::{Topic, raw};
use crate::wait;

const STARTS: [Option<RDKafkaErrorCode>; 3] = [
    Some(RDKafkaErrorCode::NotCoordinator),
    Some(RDKafkaErrorCode::CoordinatorLoadInProgress),
    Some(RDKafkaErrorCode::CoordinatorNotAvailable),
];

impl Topic {
    /// What `group` has committed, per partition.
    pub fn committed(&self, group: &str) -> Vec<Option<i64>> {
        let found = self.commits(group);
        let partitions = (0..self.partitions()).map(|p| found.find_partition(self.name(), p));
        let offset = partitions.map(|found| match found?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        });
        offset.collect()
    }

    /// The metadata of what `group` has committed, per partition; empty where there is none.
    pub fn committed_metadata(&self, group: &str) -> Vec<String> {
        let found = self.commits(group);
        let partitions = (0..self.partitions()).map(|p| found.find_partition(self.name(), p));
        let text = partitions.map(|found| found.expect("every partition").metadata().to_owned());
        text.collect()
    }

    /// Commits `offset` of `partition` as another client of `group` would. Nobody may be a member of it.
    pub fn put_commit(&self, group: &str, partition: i32, offset: i64, metadata: &[u8]) {
        self.commits(group); // has the broker load what it knows of the group
        let place = (self.name(), partition);
        let commit = || raw::commit(self.bootstrap(), group, place, offset, metadata);
        assert_eq!(commit().expect("the broker answers"), 0);
    }

    fn commits(&self, group: &str) -> TopicPartitionList {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_range(self.name(), 0, self.partitions() - 1);
        let member = self.member(group);
        wait::some(PATIENCE, format_args!("the commits of {group}"), || {
            match member.committed_offsets(wanted.clone(), PATIENCE) {
                Ok(found) => Some(found),
                // A broker that has just started.
                Err(error) if STARTS.contains(&error.rdkafka_error_code()) => None,
                Err(error) => panic!("cannot read the commits of {group}: {error}"),
            }
        })
    }

    /// A client of `group` that has not joined it.
    fn member(&self, group: &str) -> BaseConsumer {
        let mut config = client(self.bootstrap());
        config.set("group.id", group).create().unwrap()
    }

    /// Waits until `group` has committed the end of every partition that holds a record.
    #[track_caller]
    pub fn await_committed_to_end(&self, group: &str, timeout: Duration) {
        let ends = self.end_offsets();
        let what = format!("{group} to commit {} up to {ends:?}", self.name());
        wait::until(timeout, what, || {
            let committed = self.committed(group);
            let mut pairs = committed.iter().zip(&ends);
            pairs.all(|(committed, end)| committed.unwrap_or(0) == *end)
        });
    }

    /// How many members `group` has now.
    pub fn members(&self, group: &str) -> usize {
        let groups = self.groups(group);
        groups.groups().iter().map(|g| g.members().len()).sum()
    }

    /// Whether anybody has joined `group` of late, or committed in it.
    pub fn is_group_known(&self, group: &str) -> bool {
        let groups = self.groups(group);
        groups.groups().iter().any(|g| g.state() != "Dead")
    }

    fn groups(&self, group: &str) -> GroupList {
        let consumer: BaseConsumer = client(self.bootstrap()).create().unwrap();
        let groups = consumer.fetch_group_list(Some(group), PATIENCE);
        groups.expect("the group coordinator answers")
    }
}
