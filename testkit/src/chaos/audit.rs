//! What has to be so when everything has healed: by key and by offset, never by counts.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::fleet::{SINKS, Tally};
use super::history::{History, Seen};
use super::{Plan, Store, World, monitor};
use crate::client::MilvusClient;
use crate::kafka::{Record, Topic};
use crate::wait;

const VERIFY: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(60);
/// A debug build with 8 MiB of buffer, and what librdkafka keeps for each partition.
const MOST_MEMORY_KIB: u64 = 160 * 1024;
/// So many faults are named.
const NAMED: usize = 20;

pub(super) struct Audit<'a> {
    world: &'a World,
    milvus: MilvusClient,
    ends: Vec<i64>,
    history: History,
}

impl<'a> Audit<'a> {
    /// All that was produced is there, and everybody runs.
    pub(super) fn new(world: &'a World, plan: &Plan<'_>, store: &Store) -> Audit<'a> {
        let ends = world.producer.finish();
        let partitions = i32::try_from(ends.len()).unwrap();
        let topic = Topic::existing(world.topic.bootstrap(), world.topic.name(), partitions);
        assert_eq!(topic.end_offsets(), ends, "what Kafka has is what was sent");
        let mut history = History::new(plan.seed);
        history.advance(&ends);
        Audit {
            world,
            milvus: store.client(),
            ends,
            history,
        }
    }

    /// Every key with its last value, and no other row.
    pub(super) fn rows(&self) {
        // A Milvus that has just been killed loads its collection for a while.
        let found = wait::some(VERIFY, "the rows", || {
            monitor::rows(&self.milvus, &self.world.collection).ok()
        });
        let expected = self.history.last_rows();
        let wrong = |key: &&i64| found.get(key) != expected.get(key);
        let keys: BTreeSet<&i64> = found.keys().chain(expected.keys()).collect();
        let wrong: Vec<_> = keys.into_iter().filter(wrong).collect();
        let named = wrong.iter().take(NAMED);
        let named: Vec<_> = named
            .map(|key| self.said(**key, &expected, &found))
            .collect();
        assert!(
            wrong.is_empty(),
            "{} keys are wrong: {named:#?}",
            wrong.len()
        );
    }

    fn said(&self, key: i64, expected: &Seen, found: &Seen) -> String {
        let (expected, found) = (expected.get(&key), found.get(&key));
        let changes = self.history.of(key);
        let last = changes.get(changes.len().saturating_sub(5)..);
        format!("key {key}: {found:?} in place of {expected:?}, after {last:?}")
    }

    /// Every bad record is kept, and no other.
    pub(super) fn dead_letters(&self) {
        let name = self.world.fleet.dead_letters();
        let dead = Topic::existing(self.world.topic.bootstrap(), &name, 1);
        let found: BTreeSet<_> = dead.read().iter().map(origin).collect();
        let lost: Vec<_> = self.history.bad.difference(&found).take(NAMED).collect();
        assert!(lost.is_empty(), "no letter of these bad records: {lost:?}");
        let good: Vec<_> = found.difference(&self.history.bad).take(NAMED).collect();
        assert!(good.is_empty(), "letters of these good records: {good:?}");
    }

    /// The sink's own audit agrees.
    pub(super) fn verify(&self) {
        let (code, output) = self.world.fleet.verify().run(VERIFY);
        assert_eq!(code, 0, "verify finds differences: {output}");
        let lines = output
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut summaries = lines.filter_map(|line: Value| line.get("summary").cloned());
        let summary = summaries.next().expect("a summary");
        let records = self.ends.iter().sum::<i64>();
        assert_eq!(summary["result"], "same", "{output}");
        assert_eq!(summary["records"], records, "of all that was produced");
        assert_eq!(summary["bad"], self.history.bad.len(), "{output}");
    }

    /// Each ends when asked, with nothing left, within its memory.
    pub(super) fn end_sinks(&self) -> Tally {
        let tally = self.world.fleet.total();
        let most = tally.most_memory_kib;
        assert!(most < MOST_MEMORY_KIB, "a sink had {most} KiB");
        for sink in 0..SINKS {
            assert_eq!(self.world.fleet.terminate(sink), 0, "sink {sink}");
        }
        let stays = wait::some(SOON, "the commits", || {
            self.world.offsets.committed(self.ends.len())
        });
        assert_eq!(stays, self.ends, "committed offsets stay");
        tally
    }
}

/// Where a dead letter was read.
fn origin(letter: &Record) -> (i32, i64) {
    let header = |name: &str| {
        let name = format!("__connect.errors.{name}");
        let found = letter.headers.iter().find(|(header, _)| *header == name);
        let value = found.and_then(|(_, value)| value.as_deref());
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        text.and_then(|text| text.parse::<i64>().ok())
    };
    let place = header("partition").zip(header("offset"));
    let (partition, offset) = place.expect("a letter says where it was read");
    (i32::try_from(partition).expect("a partition"), offset)
}
