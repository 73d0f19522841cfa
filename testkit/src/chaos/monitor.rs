//! Looks while everything happens: at what is committed, and then at the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::history::{History, Seen, partition_of};
use super::{Stop, World};
use crate::client::MilvusClient;

const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_secs(5);

/// What a group has committed, asked for over and over.
pub(super) struct Offsets {
    consumer: BaseConsumer,
    topic: String,
}

impl Offsets {
    pub(super) fn new(bootstrap: &str, topic: &str, group: &str) -> Offsets {
        let mut config = ClientConfig::new();
        let settings = [
            ("bootstrap.servers", bootstrap),
            ("group.id", group),
            ("socket.connection.setup.timeout.ms", "5000"),
            ("socket.timeout.ms", "10000"),
        ];
        for (key, value) in settings {
            config.set(key, value);
        }
        Offsets {
            consumer: config.create().expect("a consumer that does not join"),
            topic: topic.to_owned(),
        }
    }

    /// Per partition; `None` while nobody answers.
    pub(super) fn committed(&self, partitions: usize) -> Option<Vec<i64>> {
        let last = i32::try_from(partitions).expect("few partitions") - 1;
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_range(&self.topic, 0, last);
        let found = self.consumer.committed_offsets(wanted, LOOK).ok()?;
        let offset = |partition| {
            let found = found.find_partition(&self.topic, partition)?;
            found.error().ok()?;
            match found.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => Some(0),
            }
        };
        (0..=last).map(offset).collect()
    }
}

/// How often there was something to look at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) looks: u64,
    /// Of a key that was seen before, in the same tenures.
    pub(super) in_order: u64,
}

pub(super) struct Monitor<'a> {
    world: &'a World,
    milvus: MilvusClient,
    history: History,
    committed: Vec<i64>,
    order: Order,
    counts: Counts,
}

/// Within the tenures of one time no older row of a key comes after a newer one. Where partitions change hands records
/// are read again, and rows may go back as far as the committed offset, until that has passed what was there then.
#[derive(Debug, Default)]
struct Order {
    tenures: u64,
    again_below: Vec<i64>,
    seen: BTreeMap<i64, i64>,
}

impl<'a> Monitor<'a> {
    pub(super) fn new(world: &'a World, seed: u64, milvus: MilvusClient) -> Monitor<'a> {
        Monitor {
            world,
            milvus,
            history: History::new(seed),
            committed: Vec::new(),
            order: Order::default(),
            counts: Counts::default(),
        }
    }

    pub(super) fn watch(mut self, stop: &Stop) -> Counts {
        while !stop.is_set() {
            self.look();
            stop.wait(BETWEEN_LOOKS);
        }
        self.counts
    }

    fn look(&mut self) {
        let tenures = self.world.fleet.tenures();
        let partitions = self.world.producer.sent().len();
        let Some(committed) = self.world.offsets.committed(partitions) else {
            return;
        };
        self.world.journal.committed(committed.iter().sum());
        let goes_back = self.committed.iter().zip(&committed).any(|(a, b)| a > b);
        assert!(
            !goes_back,
            "{committed:?} is committed after {:?}",
            self.committed
        );
        self.committed = committed;
        // A Milvus that is away is asked again.
        let Ok(rows) = rows(&self.milvus, &self.world.collection) else {
            return;
        };
        let sent = self.world.producer.sent();
        self.history.advance(&sent);
        self.check_commits(&rows);
        self.check_order(&rows, tenures, &sent);
        self.counts.looks += 1;
    }

    /// Nothing is committed that is not there.
    fn check_commits(&self, rows: &Seen) {
        let none = Vec::new();
        let fault = |key| {
            let rows = rows.get(&key).unwrap_or(&none);
            self.history.fault(key, rows, self.committed_of(key))
        };
        let keys: BTreeSet<_> = self.history.keys().chain(rows.keys().copied()).collect();
        let faults: Vec<_> = keys.into_iter().filter_map(fault).take(10).collect();
        assert!(
            faults.is_empty(),
            "{:?} are committed, but {faults:#?}",
            self.committed
        );
    }

    fn committed_of(&self, key: i64) -> i64 {
        let committed = self.committed.get(partition_of(key));
        committed.copied().unwrap_or(0)
    }

    /// Nothing older than what was seen before.
    fn check_order(&mut self, rows: &Seen, tenures: u64, sent: &[i64]) {
        if tenures != self.world.fleet.tenures() || tenures != self.order.tenures {
            self.order = Order {
                tenures,
                again_below: sent.to_vec(),
                seen: BTreeMap::new(),
            };
            return;
        }
        for (key, row) in rows
            .iter()
            .filter_map(|(key, rows)| Some((*key, *rows.last()?)))
        {
            let partition = partition_of(key);
            let again_below = self.order.again_below.get(partition).copied();
            if self.committed_of(key) < again_below.unwrap_or(i64::MAX) {
                continue;
            }
            let before = self.order.seen.insert(key, row).unwrap_or(0);
            let changes = self.history.of(key);
            assert!(
                before <= row,
                "key {key}: row {row} is seen after row {before}, of {changes:?}"
            );
            self.counts.in_order += 1;
        }
    }
}

/// The offsets that the rows name, by key.
pub(super) fn rows(milvus: &MilvusClient, collection: &str) -> Result<Seen, String> {
    let found = milvus.texts(collection, "id", "title");
    let found = found.map_err(|refusal| refusal.reason)?;
    let mut rows = Seen::new();
    for (key, title) in found {
        let offset = title.split_once(':').and_then(|(p, offset)| {
            let is_its_own = p.parse().ok() == Some(partition_of(key));
            is_its_own.then(|| offset.parse().ok()).flatten()
        });
        let offset = offset.unwrap_or_else(|| panic!("key {key}: no record says {title:?}"));
        rows.entry(key).or_default().push(offset);
    }
    Ok(rows)
}
