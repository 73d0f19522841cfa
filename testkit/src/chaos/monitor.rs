//! Looks while everything happens: at what is committed, and then at the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::history::{History, Seen, partition_of};
use super::{Plan, Stop, World};
use crate::client::MilvusClient;

const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// So many faults are named.
const NAMED: usize = 10;
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
    /// Faults that were gone at a later look.
    pub(super) passing: usize,
}

pub(super) struct Monitor<'a> {
    world: &'a World,
    milvus: MilvusClient,
    patience: Duration,
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
    pub(super) fn new(world: &'a World, plan: &Plan<'_>, milvus: MilvusClient) -> Monitor<'a> {
        Monitor {
            world,
            milvus,
            patience: plan.milvus.patience(),
            history: History::new(plan.seed),
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
        self.keep_order_from(tenures, &sent);
        self.check(&rows);
        // Nobody else may have come in between: he reads again what was seen.
        if tenures == self.world.fleet.tenures() {
            self.remember(&rows);
        }
        self.counts.looks += 1;
    }

    /// Nothing is committed that is not there, and nothing is older than what was seen before.
    fn check(&mut self, rows: &Seen) {
        let faults = self.faults(rows);
        if faults.is_empty() {
            return;
        }
        let committed = self.committed.clone();
        let story = format!("{committed:?} are committed, but {faults:#?}");
        self.world.journal.say(&story);
        let deadline = Instant::now() + self.patience;
        while Instant::now() < deadline {
            std::thread::park_timeout(BETWEEN_LOOKS);
            if let Ok(rows) = self::rows(&self.milvus, &self.world.collection) {
                let sent = self.world.producer.sent();
                self.history.advance(&sent);
                self.keep_order_from(self.order.tenures, &sent);
                if self.faults(&rows).is_empty() {
                    // The row that was due then: it was only not shown. A newer one: the older may have come late.
                    let now = faults.keys().map(|key| (key, rows.get(key)));
                    let now: BTreeMap<_, _> = now.collect();
                    let story = format!("which has passed: now there are {now:?}");
                    self.world.journal.say(&story);
                    self.counts.passing += faults.len();
                    return;
                }
            }
        }
        self.world.producer.assert_as_meant();
        panic!("{story}");
    }

    /// By key, of the first few.
    fn faults(&self, rows: &Seen) -> BTreeMap<i64, String> {
        let none = Vec::new();
        let fault = |key| {
            let rows = rows.get(&key).unwrap_or(&none);
            let seen = self.order.seen.get(&key).copied().unwrap_or(0);
            let known = self.history.fault(key, rows, self.committed_of(key));
            known.or_else(|| {
                let older = rows.iter().find(|row| **row < seen)?;
                Some(format!("key {key}: row {older} is seen after row {seen}"))
            })
        };
        let keys: BTreeSet<_> = self.history.keys().chain(rows.keys().copied()).collect();
        let faults = keys.into_iter().filter_map(|key| Some((key, fault(key)?)));
        faults.take(NAMED).collect()
    }

    fn committed_of(&self, key: i64) -> i64 {
        let committed = self.committed.get(partition_of(key));
        committed.copied().unwrap_or(0)
    }

    fn keep_order_from(&mut self, tenures: u64, sent: &[i64]) {
        if tenures != self.world.fleet.tenures() || tenures != self.order.tenures {
            self.order = Order {
                tenures,
                again_below: sent.to_vec(),
                seen: BTreeMap::new(),
            };
        }
    }

    fn remember(&mut self, rows: &Seen) {
        for (key, row) in rows
            .iter()
            .filter_map(|(key, rows)| Some((*key, *rows.last()?)))
        {
            let again_below = self.order.again_below.get(partition_of(key)).copied();
            if self.committed_of(key) >= again_below.unwrap_or(i64::MAX) {
                let before = self.order.seen.insert(key, row);
                self.counts.in_order += u64::from(before.is_some());
            }
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
