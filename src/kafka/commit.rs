//! The commit thread: every call to Kafka that waits for an answer (commits, look-ups, metadata), off the poll loop.
//!
//! A synchronous commit is the only one whose result is seen (librdkafka reports an asynchronous manual one to nobody
//! through rdkafka 0.39), and it has no time-out of its own: so it waits here, and nobody waits for it without a deadline.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::rebalance::Context;
use crate::ledger::{CommitResult, Look};
use crate::topic_partition::TopicPartition;
use crate::wake::Wake;

/// One question to Kafka. Short, since commits wait behind it.
const QUESTION: Duration = Duration::from_secs(3);
/// Pause after a failure, so that a broken broker is not asked without end.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Request {
    LookUp(Vec<TopicPartition>),
    Commit(u64),
    /// Which of these topics are there?
    Topics(Vec<String>),
    /// A subscribed topic has come: have the group join with it.
    Rejoin,
}

#[derive(Debug)]
pub(super) enum Answer {
    LookedUp(TopicPartition, Result<Look, KafkaError>),
    Committed(u64, CommitResult, Option<KafkaError>),
    /// The topics that are not there, and why.
    Topics(Result<Vec<(String, RDKafkaErrorCode)>, KafkaError>),
}

#[derive(Debug)]
pub(super) struct CommitThread {
    pub(super) requests: Sender<Request>,
    pub(super) answers: Receiver<Answer>,
    pub(super) handle: JoinHandle<()>,
}

impl CommitThread {
    pub(super) fn start(
        client: Arc<BaseConsumer<Context>>,
        wake: Arc<Wake>,
    ) -> std::io::Result<Self> {
        let (requests, inbox) = channel();
        let (outbox, answers) = channel();
        let handle = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || serve(&client, &inbox, &outbox, &wake))?;
        Ok(Self {
            requests,
            answers,
            handle,
        })
    }
}

/// Until the loop drops its end.
fn serve(
    client: &BaseConsumer<Context>,
    inbox: &Receiver<Request>,
    outbox: &Sender<Answer>,
    wake: &Wake,
) {
    while let Ok(request) = inbox.recv() {
        let (answers, failed) = match request {
            Request::Commit(number) => {
                let answer = commit(client, number);
                let failed = matches!(answer, Answer::Committed(_, CommitResult::Failed, _));
                (vec![answer], failed)
            }
            Request::LookUp(partitions) => look_up(client, partitions),
            Request::Topics(topics) => {
                let missing = missing_topics(client, &topics);
                let failed = missing.is_err();
                (vec![Answer::Topics(missing)], failed)
            }
            Request::Rejoin => {
                rejoin(client);
                (Vec::new(), false)
            }
        };
        for answer in answers {
            if outbox.send(answer).is_err() {
                return;
            }
        }
        wake.wake();
        if failed {
            std::thread::park_timeout(PAUSE);
        }
    }
}

fn commit(client: &BaseConsumer<Context>, number: u64) -> Answer {
    match client.commit_consumer_state(CommitMode::Sync) {
        Ok(()) => Answer::Committed(number, CommitResult::Done, None),
        Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {
            Answer::Committed(number, CommitResult::Nothing, None)
        }
        Err(error) => Answer::Committed(number, CommitResult::Failed, Some(error)),
    }
}

/// Committed offsets in one question, then each partition's watermarks; whether any failed.
fn look_up(client: &BaseConsumer<Context>, partitions: Vec<TopicPartition>) -> (Vec<Answer>, bool) {
    let committed = committed(client, &partitions);
    let answers: Vec<_> = partitions
        .into_iter()
        .map(|partition| {
            let look = match &committed {
                Ok(offsets) => watermarks(client, &partition).map(|(low, high)| Look {
                    committed: offsets.get(&partition).copied(),
                    low,
                    high,
                }),
                Err(error) => Err(error.clone()),
            };
            Answer::LookedUp(partition, look)
        })
        .collect();
    let failed = |answer: &Answer| matches!(answer, Answer::LookedUp(_, Err(_)));
    let any_failed = answers.iter().any(failed);
    (answers, any_failed)
}

fn committed(
    client: &BaseConsumer<Context>,
    partitions: &[TopicPartition],
) -> Result<HashMap<TopicPartition, i64>, KafkaError> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    let list = client.committed_offsets(list, QUESTION)?;
    let mut offsets = HashMap::new();
    for element in list.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            let partition = TopicPartition::new(element.topic(), element.partition());
            offsets.insert(partition, offset);
        }
    }
    Ok(offsets)
}

fn watermarks(
    client: &BaseConsumer<Context>,
    partition: &TopicPartition,
) -> Result<(i64, i64), KafkaError> {
    client.fetch_watermarks(&partition.topic, partition.partition, QUESTION)
}

/// librdkafka compares the subscription with what is there only once in `topic.metadata.refresh.interval.ms`, and with
/// every listing of all topics.
fn rejoin(client: &BaseConsumer<Context>) {
    if let Err(error) = client.fetch_metadata(None, QUESTION) {
        tracing::debug!(%error, "topics were not listed; the new one is found a little later");
    }
}

fn missing_topics(
    client: &BaseConsumer<Context>,
    topics: &[String],
) -> Result<Vec<(String, RDKafkaErrorCode)>, KafkaError> {
    let mut missing = Vec::new();
    for name in topics {
        let metadata = client.fetch_metadata(Some(name), QUESTION)?;
        for topic in metadata.topics() {
            if let Some(error) = topic.error()
                && error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
            {
                missing.push((name.clone(), error.into()));
            }
        }
    }
    Ok(missing)
}
