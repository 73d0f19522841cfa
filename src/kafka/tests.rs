//! Against the client's own mock of a cluster: what a log that was cut off does to a queue and to the commits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::commit::{Answer, CommitThread, Request};
use super::queue::{Queue, Turn};
use super::rebalance::Context;
use crate::budget::{Budget, Room};
use crate::cause::Cause;
use crate::config::{KafkaConfig, OffsetReset, Protocol};
use crate::ledger::{Commit, CommitResult, Start};
use crate::record::{Chunk, KeptHeaders};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;
use crate::wake::Wake;
use crate::writer::{Inlet, PlanState, plans};

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A topic of one partition with five records, and a client.
fn cluster() -> (Cluster, Arc<BaseConsumer<Context>>) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", cluster.bootstrap_servers());
    let producer: BaseProducer = settings.create().unwrap();
    for value in ["0", "1", "2", "3", "4"] {
        let record = BaseRecord::<(), str>::to("t").payload(value);
        producer.send(record).unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();
    settings.set("group.id", "g");
    settings.set("enable.auto.commit", "false");
    settings.set("enable.auto.offset.store", "false");
    let client = settings.create_with_context(Context::default()).unwrap();
    (cluster, Arc::new(client))
}

fn tp() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn at(offset: i64) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("t", 0, Offset::Offset(offset))
        .unwrap();
    list
}

fn start(offset: i64) -> Start {
    Start {
        tenure: Arc::new(Tenure::new(tp(), offset)),
        offset,
        end: None,
        waits: false,
    }
}

/// Turns until something comes.
fn turn(client: &BaseConsumer<Context>, queue: &mut Queue) -> Turn {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        assert!(client.poll(Duration::from_millis(10)).is_none());
        let turn = queue.turn(Room::Turn);
        if turn.handed.is_some() || turn.rewound.is_some() {
            return turn;
        }
    }
    panic!("nothing comes");
}

fn offsets(chunk: &Chunk) -> Vec<i64> {
    let records = chunk.runs.iter().flat_map(|run| &run.records);
    records.map(|record| record.offset).collect()
}

#[test]
fn a_record_not_above_the_last_one_read_is_kept_for_the_next_tenure() {
    let (_cluster, client) = cluster();
    let (plans, desk) = plans();
    desk.publish(PlanState::Impossible(Cause::NotAssigned)); // known, so the inlet is open
    let (inlet, mut inbox) = Inlet::bare(Budget::new(1 << 20), plans);
    let (wake, keeps) = (Arc::new(Wake::default()), KeptHeaders::default());
    // It has read up to 2 already, and the client brings 0.
    let mut queue = Queue::split(&client, &start(3), inlet, &wake, &keeps).unwrap();
    client.assign(&at(0)).unwrap();
    let cut = turn(&client, &mut queue);
    assert_eq!((cut.handed, cut.rewound), (None, Some(0)));
    assert!(!queue.is_due(true));
    queue.follow(start(0));
    assert!(queue.is_due(false));
    let mut read = Vec::new();
    while read.len() < 5 {
        assert_eq!(turn(&client, &mut queue).rewound, None);
        while let Ok(chunk) = inbox.try_recv() {
            assert_eq!(chunk.runs[0].tenure.settled(), 0);
            read.extend(offsets(&chunk));
        }
    }
    assert_eq!(read, [0, 1, 2, 3, 4]);
}

fn committed(client: &BaseConsumer<Context>) -> Offset {
    let list = client
        .committed_offsets(at(0), Duration::from_secs(10))
        .unwrap();
    list.elements()[0].offset()
}

/// For looks into logs, which are not asked for here.
fn config() -> KafkaConfig {
    KafkaConfig {
        bootstrap_servers: String::new(),
        group_id: String::new(),
        consumer: Vec::new(),
        auto_offset_reset: OffsetReset::Earliest,
        protocol: Protocol::Classic,
        session_timeout: Duration::ZERO,
        max_poll_interval: Duration::ZERO,
        topic_refresh: None,
    }
}

/// The commit thread, asked one thing after the other.
struct Commits {
    client: Arc<BaseConsumer<Context>>,
    thread: CommitThread,
    number: u64,
}

impl Commits {
    fn new(client: &Arc<BaseConsumer<Context>>) -> Self {
        client.assign(&at(0)).unwrap();
        let wake = Arc::new(Wake::default());
        Self {
            client: Arc::clone(client),
            thread: CommitThread::start(Arc::clone(client), config(), wake).unwrap(),
            number: 0,
        }
    }

    fn ask(&mut self, request: impl FnOnce(u64) -> Request) -> CommitResult {
        self.number += 1;
        self.thread.requests.send(request(self.number)).unwrap();
        match self.thread.answers.recv_timeout(Duration::from_secs(30)) {
            Ok(Answer::Committed(number, result, _)) if number == self.number => result,
            other => panic!("{other:?}"),
        }
    }

    fn store(&mut self, offset: i64) -> CommitResult {
        self.client.store_offsets(&at(offset)).unwrap();
        let commit = Commit {
            partition: tp(),
            offset,
            target: None,
            topic: None,
            partitions: None,
            epoch: None,
        };
        self.ask(|number| Request::Commit(number, vec![commit]))
    }

    fn down(&mut self, offset: i64) -> CommitResult {
        self.ask(|number| Request::CommitDown(number, at(offset)))
    }
}

#[test]
fn only_a_commit_by_name_lowers_what_is_committed_and_the_next_ones_follow_it() {
    let (_cluster, client) = cluster();
    let mut commits = Commits::new(&client);
    assert_eq!(commits.store(4), CommitResult::Done);
    assert_eq!(commits.store(2), CommitResult::Nothing);
    assert_eq!(committed(&client), Offset::Offset(4));
    assert_eq!(commits.down(2), CommitResult::Done);
    assert_eq!(committed(&client), Offset::Offset(2));
    assert_eq!(commits.store(3), CommitResult::Done);
    assert_eq!(committed(&client), Offset::Offset(3));
}

#[test]
fn a_refused_commit_is_told_and_the_same_one_succeeds_later() {
    use RDKafkaRespErr::*;
    let refusals = [
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
    ];
    let (cluster, client) = cluster();
    let mut commits = Commits::new(&client);
    for (refusal, offset) in refusals.into_iter().zip(1..) {
        cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[refusal]);
        let (first, then) = (commits.store(offset), commits.store(offset));
        let expected = (CommitResult::Failed, CommitResult::Done);
        assert_eq!((first, then), expected, "{refusal:?}");
        assert_eq!(committed(&client), Offset::Offset(offset));
    }
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refusals[..1]);
    assert_eq!(commits.down(2), CommitResult::Failed);
    assert_eq!(commits.down(2), CommitResult::Done);
    assert_eq!(committed(&client), Offset::Offset(2));
}

/// The thread may come to it late, and somebody else reads the partition by then.
#[test]
fn a_lower_offset_is_not_committed_of_a_partition_that_is_given_up() {
    let (_cluster, client) = cluster();
    let mut commits = Commits::new(&client);
    assert_eq!(commits.store(4), CommitResult::Done);
    client.unassign().unwrap();
    commits.down(2);
    assert_eq!(committed(&client), Offset::Offset(4));
}
