//! Reads ranges of topics once more, without joining the group: what `verify` goes by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::fault::{Fault, judge};
use super::filling::{CHUNK_BYTES, Filling, Open};
use super::peek::{Peeker, Seen};
use super::rebalance::Context;
use super::search::LOOK;
use super::{KafkaError, Purpose, client};
use crate::budget::Budget;
use crate::cause::Cause;
use crate::config::KafkaConfig;
use crate::data_loss::Lost;
use crate::ledger::Sought;
use crate::record::{Chunk, KeptHeaders};
use crate::topic_partition::TopicPartition;

const QUESTION: Duration = Duration::from_secs(10);
const TURN: Duration = Duration::from_millis(100);

/// The records of one partition from the offset `from` on and before `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub partition: TopicPartition,
    pub from: i64,
    pub to: i64,
}

impl Range {
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub enum RereadError {
    #[error(transparent)]
    Client(#[from] KafkaError),
    #[error("{0}")]
    InTheWay(Cause),
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Stop,
}

/// A client for as many passes as it takes. Every call blocks its thread.
pub struct Reader {
    pub(super) client: BaseConsumer<Context>,
    /// For other clients.
    config: KafkaConfig,
    keeps: KeptHeaders,
    /// A Kafka that does not answer is waited for as long.
    patience: Duration,
    budget: Arc<Budget>,
}

impl Reader {
    /// `partitions` is how many one topic has at most.
    pub fn new(
        config: &KafkaConfig,
        partitions: usize,
        headers: &Arc<[String]>,
        patience: Duration,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            client: client(config, Purpose::Reread { partitions })?,
            config: config.clone(),
            keeps: KeptHeaders {
                wanted: Arc::clone(headers),
                all: false,
            },
            patience,
            // A chunk is gone before the next one comes.
            budget: Budget::new(CHUNK_BYTES),
        })
    }

    /// The first offset that is still there, and the one after the last record.
    pub fn ends(&self, partition: &TopicPartition) -> Result<(i64, i64), RereadError> {
        let (topic, partition) = (&*partition.topic, partition.partition);
        self.patiently(|| self.client.fetch_watermarks(topic, partition, QUESTION))
    }

    /// What the group has committed, in the order of `partitions`.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<i64>>, RereadError> {
        let list = || {
            list(
                partitions
                    .iter()
                    .map(|partition| (partition, Offset::Invalid)),
            )
        };
        let found = self.patiently(|| self.client.committed_offsets(list()?, QUESTION))?;
        Ok(offsets(&found, partitions))
    }

    /// The first record that is not older than `time`, in milliseconds since 1970: `None` where there is none.
    pub fn since(
        &self,
        partitions: &[TopicPartition],
        time: i64,
    ) -> Result<Vec<Option<i64>>, RereadError> {
        let list = || {
            list(
                partitions
                    .iter()
                    .map(|partition| (partition, Offset::Offset(time))),
            )
        };
        let found = self.patiently(|| self.client.offsets_for_times(list()?, QUESTION))?;
        Ok(offsets(&found, partitions))
    }

    pub(super) fn patiently<T>(
        &self,
        ask: impl Fn() -> Result<T, ClientError>,
    ) -> Result<T, RereadError> {
        let until = Instant::now() + self.patience;
        loop {
            match ask() {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let cause = self.cause(&error, None)?;
                    if Instant::now() >= until || !matches!(cause, Cause::KafkaUnreachable { .. }) {
                        return Err(RereadError::InTheWay(cause));
                    }
                    std::thread::park_timeout(TURN);
                }
            }
        }
    }

    /// Hands over the records of `ranges`, each partition in its order, topic after topic.
    pub fn read(
        &self,
        ranges: &[Range],
        mut take: impl FnMut(Chunk) -> Next,
    ) -> Result<Next, RereadError> {
        let mut rest = ranges;
        while let Some(first) = rest.first() {
            let same = |range: &&Range| range.partition.topic == first.partition.topic;
            let count = rest.iter().take_while(same).count();
            let (topic, others) = rest.split_at(count);
            rest = others;
            let read = self.read_topic(topic, &mut take);
            self.client.unassign().map_err(settings)?;
            if read? == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(Next::GoOn)
    }

    /// One topic at a time, since the client names only the partition where its end is reached.
    fn read_topic(
        &self,
        ranges: &[Range],
        take: &mut impl FnMut(Chunk) -> Next,
    ) -> Result<Next, RereadError> {
        let ranges = ranges.iter().filter(|range| !range.is_empty());
        let mut open: HashMap<i32, Open> = ranges
            .map(|r| (r.partition.partition, Open::of(r)))
            .collect();
        let starts = open.values();
        let starts = starts.map(|open| (&open.tenure.topic_partition, Offset::Offset(open.next)));
        let starts = list(starts).map_err(settings)?;
        self.client.assign(&starts).map_err(settings)?;
        // The pass before may have left them paused.
        self.client.resume(&starts).map_err(settings)?;
        let mut chunk = Filling::default();
        let mut heard = Instant::now();
        while !open.is_empty() {
            let Some(event) = self.client.poll(TURN) else {
                if chunk.hand_over(&self.budget, take) == Next::Stop {
                    return Ok(Next::Stop);
                }
                if heard.elapsed() >= self.patience {
                    let silence = ClientError::MessageConsumption(
                        rdkafka::error::RDKafkaErrorCode::AllBrokersDown,
                    );
                    return Err(RereadError::InTheWay(self.cause(&silence, None)?));
                }
                continue;
            };
            match event {
                // Others have records behind their ranges, which say nothing of those that are waited for.
                Ok(message) if open.contains_key(&message.partition()) => {
                    heard = Instant::now();
                    self.put(&message, &mut open, &mut chunk)?;
                }
                Ok(_) => {}
                Err(ClientError::PartitionEOF(partition)) => {
                    if let Some(done) = open.remove(&partition) {
                        heard = Instant::now();
                        self.close(done)?;
                    }
                }
                Err(error) => self.pass_over(&error, &open)?,
            }
            if chunk.is_full() && chunk.hand_over(&self.budget, take) == Next::Stop {
                return Ok(Next::Stop);
            }
        }
        Ok(chunk.hand_over(&self.budget, take))
    }

    /// A record, unless it lies behind the range: then its partition is done.
    fn put(
        &self,
        message: &BorrowedMessage<'_>,
        open: &mut HashMap<i32, Open>,
        chunk: &mut Filling,
    ) -> Result<(), RereadError> {
        let Some(range) = open.get_mut(&message.partition()) else {
            return Ok(());
        };
        if message.offset() < range.to {
            chunk.put(message, range, &self.keeps);
        }
        if message.offset() + 1 >= range.to
            && let Some(done) = open.remove(&message.partition())
        {
            self.pause(&done)?;
        }
        Ok(())
    }

    /// The log's end was reached: it may have been cut off before the end of the range since that was found.
    fn close(&self, done: Open) -> Result<(), RereadError> {
        self.pause(&done)?;
        let (_, high) = self.ends(&done.tenure.topic_partition)?;
        if high >= done.to {
            return Ok(());
        }
        let (next, to) = (high, done.to);
        let cut = Open { next, ..done }.lost(Lost::TruncatedSomewhere, Some(to));
        Err(RereadError::InTheWay(cut))
    }

    fn pause(&self, done: &Open) -> Result<(), RereadError> {
        let partition = [(&done.tenure.topic_partition, Offset::Invalid)];
        let done = list(partition).map_err(settings)?;
        self.client.pause(&done).map_err(settings)
    }

    /// What the client mends by itself is waited for.
    fn pass_over(&self, error: &ClientError, open: &HashMap<i32, Open>) -> Result<(), RereadError> {
        match judge(error, &self.client.context().reason(), self.brokers()) {
            Fault::Passing | Fault::Unexpected | Fault::Held(Cause::KafkaUnreachable { .. }) => {
                Ok(())
            }
            Fault::OutOfRange => {
                for range in open.values() {
                    let (low, high) = self.ends(&range.tenure.topic_partition)?;
                    if range.next < low {
                        return Err(RereadError::InTheWay(range.lost(Lost::Expired, Some(low))));
                    }
                    if range.next > high {
                        let cut = range.lost(Lost::TruncatedSomewhere, None);
                        return Err(RereadError::InTheWay(cut));
                    }
                }
                Ok(()) // it was so for a moment
            }
            Fault::Corrupt(_) => Err(RereadError::InTheWay(
                self.cause(error, self.corrupt(open).or(open.values().next()))?,
            )),
            _ => Err(RereadError::InTheWay(
                self.cause(error, open.values().next())?,
            )),
        }
    }

    /// The one that has a corrupt batch where it is read next: the client does not say which it is.
    fn corrupt<'o>(&self, open: &'o HashMap<i32, Open>) -> Option<&'o Open> {
        let peeker = Peeker::new(&self.config, Sought::EndOfCorrupt).ok()?;
        let is_corrupt = |open: &&Open| {
            let seen = peeker.peek(&open.tenure.topic_partition, open.next, LOOK);
            matches!(seen, Ok(Seen::Corrupt(_)))
        };
        open.values().find(is_corrupt)
    }

    fn brokers(&self) -> &str {
        &self.config.bootstrap_servers
    }

    /// In the words that the sink has for it.
    pub(super) fn cause(
        &self,
        error: &ClientError,
        open: Option<&Open>,
    ) -> Result<Cause, KafkaError> {
        let reason = self.client.context().reason();
        let detail = if reason.is_empty() {
            error.to_string()
        } else {
            reason.clone()
        };
        match (judge(error, &reason, self.brokers()), open) {
            (Fault::Held(cause), _) => Ok(cause),
            (Fault::Login(detail), _) => Err(KafkaError::Login(detail)),
            (Fault::Fatal(detail), _) => Err(KafkaError::Fatal(detail)),
            (Fault::Passing | Fault::Unexpected, _) | (_, None) => Ok(Cause::KafkaUnreachable {
                brokers: self.brokers().to_owned(),
                detail,
            }),
            (Fault::Corrupt(detail), Some(open)) => Ok(open.lost(Lost::Corrupt { detail }, None)),
            (_, Some(open)) => Ok(open.lost(Lost::Unreadable { detail }, None)),
        }
    }
}

impl Drop for Reader {
    /// Nobody answers what the client might ask at its end.
    fn drop(&mut self) {
        self.client.context().close();
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("brokers", &self.brokers())
            .finish_non_exhaustive()
    }
}

pub(super) fn list<'a>(
    partitions: impl IntoIterator<Item = (&'a TopicPartition, Offset)>,
) -> Result<TopicPartitionList, ClientError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in partitions {
        list.add_partition_offset(&partition.topic, partition.partition, offset)?;
    }
    Ok(list)
}

fn offsets(found: &TopicPartitionList, partitions: &[TopicPartition]) -> Vec<Option<i64>> {
    let offset = |partition: &TopicPartition| {
        let found = found.find_partition(&partition.topic, partition.partition)?;
        match found.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    };
    partitions.iter().map(offset).collect()
}

fn settings(error: ClientError) -> RereadError {
    RereadError::Client(KafkaError::Settings(error.to_string()))
}
