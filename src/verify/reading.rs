//! From records to what their keys come to: decoded by the sink's own plan, one collection beside the other.

use std::collections::HashMap;
use std::sync::Arc;

use super::digest::{Layout, Rows};
use super::fold::Fold;
use crate::columns::Columns;
use crate::decode::change::{Change, change};
use crate::key::Key;
use crate::milvus::delete::Literal;
use crate::plan::Plan;
use crate::record::Chunk;
use crate::routing::Destination;
use crate::topic_partition::TopicPartition;

/// A destination of the sink, and what the records that go there come to.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) destination: Destination,
    pub(super) plan: Arc<Plan>,
    pub(super) layout: Layout,
    pub(super) fold: Fold,
    /// Of all rows decoded, for a guess at what a query brings.
    bytes: usize,
    rows: usize,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) records: u64,
    /// Not to be expected: dead letters, or what a partition halts at.
    pub(super) bad: u64,
    /// They change nothing, as tombstones that are ignored.
    pub(super) skipped: u64,
}

impl Expected {
    pub(super) fn new(destination: Destination, plan: Plan, layout: Layout) -> Self {
        Self {
            fold: Fold::new(layout.fields.len()),
            destination,
            plan: Arc::new(plan),
            layout,
            bytes: 0,
            rows: 0,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.fold = Fold::new(self.layout.fields.len());
    }

    /// Encoded bytes of one row, about.
    pub(super) fn row_bytes(&self) -> usize {
        self.bytes / self.rows.max(1) + 1
    }

    /// Takes one run of a chunk: what it says of the keys that are `wanted`.
    fn take(
        &mut self,
        (chunk, run): (&Chunk, usize),
        partition: u32,
        behind: bool,
        wanted: &impl Fn(&Fold, &Key) -> bool,
        counts: &mut Counts,
    ) {
        let mut columns = Columns::new(&self.plan);
        let mut changes: Vec<(i64, Key, Option<usize>)> = Vec::new();
        let records = chunk.runs.get(run).map_or(0, |run| run.records.len());
        for record in 0..records {
            let view = chunk.view(run, record);
            counts.records += 1;
            match change(&self.plan, &mut columns, view) {
                Ok(Change::Row) => {
                    let row = columns.rows() - 1;
                    match columns.key(row).filter(|key| wanted(&self.fold, key)) {
                        Some(key) => changes.push((view.offset, key, Some(row))),
                        None => columns.truncate(row),
                    }
                }
                // The sink cannot name that key in a delete.
                Ok(Change::Delete(key)) if Literal::of(&key).is_none() => counts.bad += 1,
                Ok(Change::Delete(key)) => {
                    if wanted(&self.fold, &key) {
                        changes.push((view.offset, key, None));
                    }
                }
                Ok(Change::Nothing(_)) => counts.skipped += 1,
                Err(_) => counts.bad += 1,
            }
        }
        self.rows += columns.rows();
        self.bytes += columns.bytes();
        let fields = columns.into_fields(&[]);
        let rows = Rows::of(&self.layout, &fields);
        for (offset, key, row) in changes {
            let digests = row.map(|row| rows.digests(row));
            self.fold
                .put(key, (partition, offset), digests.as_deref(), behind);
        }
    }
}

/// All of them, and which partition of Kafka goes into which.
#[derive(Debug)]
pub(super) struct Expectations {
    pub(super) all: Vec<Expected>,
    /// Index in `all`, by topic.
    by_topic: HashMap<Arc<str>, usize>,
    /// States name them by their index.
    pub(super) partitions: Vec<TopicPartition>,
    indexes: HashMap<TopicPartition, u32>,
}

impl Expectations {
    /// `routes` name for each topic its index in `all`.
    pub(super) fn new(
        all: Vec<Expected>,
        routes: impl IntoIterator<Item = (Arc<str>, usize)>,
        partitions: Vec<TopicPartition>,
    ) -> Self {
        let indexes = partitions.iter().cloned().zip(0..).collect();
        Self {
            all,
            by_topic: routes.into_iter().collect(),
            partitions,
            indexes,
        }
    }

    /// Takes a chunk. `wanted` says of which keys, by the collection they belong to.
    pub(super) fn take(
        &mut self,
        chunk: &Chunk,
        behind: bool,
        wanted: impl Fn(usize, &Fold, &Key) -> bool,
        counts: &mut Counts,
    ) {
        for (index, run) in chunk.runs.iter().enumerate() {
            let partition = &run.tenure.topic_partition;
            let at = self.by_topic.get(&partition.topic);
            let (Some(at), Some(partition)) = (at, self.indexes.get(partition)) else {
                continue;
            };
            if let Some(expected) = self.all.get_mut(*at) {
                let wanted = |fold: &Fold, key: &Key| wanted(*at, fold, key);
                expected.take((chunk, index), *partition, behind, &wanted, counts);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|expected| expected.fold.bytes()).sum()
    }

    pub(super) fn clear(&mut self) {
        self.all.iter_mut().for_each(Expected::clear);
    }

    pub(super) fn index_of(&self, topic: &str) -> Option<usize> {
        self.by_topic.get(topic).copied()
    }
}
