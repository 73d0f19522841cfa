//! Records whose keys say where they lie, a stream of them, and a witness that no committed offset is ahead of Milvus.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use testkit::client::MilvusClient;
use testkit::kafka::{Record, Topic};
use testkit::wait;

use crate::support::{Job, SOON, article};

/// So much is produced in one go, and not more than this many goes ahead of the commits.
const SLICE: i64 = 100;
const AHEAD: i64 = 1000;
/// Keys asked for in one query.
const PAGE: i64 = 10_000;

/// Where the records of a job lie: the record at `offset` of `partition` has the key `offset * partitions + partition`.
#[derive(Clone)]
pub struct Place {
    topic: Topic,
    group: String,
    collection: String,
    milvus: MilvusClient,
}

impl Place {
    pub fn of(job: &Job) -> Self {
        Self {
            topic: job.topic.clone(),
            group: job.group(),
            collection: job.collection.clone(),
            milvus: job.milvus.clone(),
        }
    }

    pub fn key(&self, partition: i32, offset: i64) -> i64 {
        offset * i64::from(self.topic.partitions()) + i64::from(partition)
    }

    /// The records at these offsets of every partition.
    pub fn produce(&self, offsets: Range<i64>) {
        let partitions = 0..self.topic.partitions();
        self.topic
            .produce(partitions.flat_map(|p| self.records(p, offsets.clone())));
    }

    /// The records at these offsets of one partition.
    pub fn records(&self, partition: i32, offsets: Range<i64>) -> impl Iterator<Item = Record> {
        let record =
            move |offset| Record::json(&article(self.key(partition, offset))).partition(partition);
        offsets.map(record)
    }

    /// What the group has committed; 0 where nothing.
    pub fn committed(&self) -> Vec<i64> {
        let committed = self.topic.committed(&self.group).into_iter();
        committed.map(Option::unwrap_or_default).collect()
    }

    /// The keys in Milvus from `keys`; a key that is there twice is twice in the list.
    fn there(&self, keys: Range<i64>) -> Vec<i64> {
        let mut there = Vec::new();
        let mut first = keys.start;
        while first < keys.end {
            let next = (first + PAGE).min(keys.end);
            let filter = format!("id >= {first} and id < {next}");
            there.extend(self.milvus.integers(&self.collection, "id", &filter));
            first = next;
        }
        there
    }

    /// Milvus holds the records below these offsets, each once, and nothing else.
    #[track_caller]
    pub fn assert_holds(&self, ends: &[i64]) {
        let expected = self.below(ends, &vec![0; ends.len()]);
        let most = self.key(0, 1 + ends.iter().max().unwrap());
        let mut there = self.there(0..most);
        there.sort_unstable();
        let missing: Vec<_> = expected
            .difference(&there.iter().copied().collect())
            .copied()
            .collect();
        assert!(missing.is_empty(), "missing {}: {missing:?}", missing.len());
        assert_eq!(there, expected.into_iter().collect::<Vec<_>>());
        assert_eq!(
            self.milvus.count(&self.collection),
            ends.iter().sum::<i64>()
        );
    }

    fn below(&self, ends: &[i64], starts: &[i64]) -> BTreeSet<i64> {
        let offsets = starts.iter().zip(ends).zip(0..);
        offsets
            .flat_map(|((start, end), partition)| {
                (*start..*end).map(move |offset| self.key(partition, offset))
            })
            .collect()
    }
}

/// Produces evenly to all partitions until told to end, a little ahead of what is committed. A stream may follow another.
pub struct Stream {
    place: Place,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Stream {
    pub fn start(job: &Job) -> Self {
        let place = Place::of(job);
        let stop = Arc::new(AtomicBool::new(false));
        let (producing, stopped) = (place.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut end = producing.topic.end_offsets()[0];
            while !stopped.load(Ordering::Relaxed) {
                if end - producing.committed().iter().min().unwrap() < AHEAD {
                    producing.produce(end..end + SLICE);
                    end += SLICE;
                }
            }
        });
        Self {
            place,
            stop,
            thread,
        }
    }

    /// Waits until this many more records have been committed.
    #[track_caller]
    pub fn await_progress(&self, records: i64) {
        let committed = || self.place.committed().iter().sum::<i64>();
        let goal = committed() + records;
        wait::until(SOON, format_args!("{records} more records"), || {
            committed() >= goal
        });
    }

    /// Ends, waits until everything is committed, and looks whether it is all there.
    #[track_caller]
    pub fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the stream goes on");
        let Place { topic, group, .. } = &self.place;
        topic.await_committed_to_end(group, SOON);
        self.place.assert_holds(&topic.end_offsets());
    }
}

/// Reads the committed offsets and then looks in Milvus for the keys below them, over and over.
pub struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Witness {
    pub fn start(job: &Job) -> Self {
        let place = Place::of(job);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut samples = 0;
            let mut seen = vec![0; place.committed().len()];
            while !stopped.load(Ordering::Relaxed) {
                let committed = place.committed();
                let expected = place.below(&committed, &seen);
                if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                    let there = place.there(*first..last + 1).into_iter().collect();
                    let missing: Vec<_> = expected.difference(&there).collect();
                    assert!(missing.is_empty(), "committed, not in Milvus: {missing:?}");
                    samples += 1;
                    seen = committed;
                }
            }
            samples
        });
        Self { stop, thread }
    }

    #[track_caller]
    pub fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let samples = self.thread.join().expect("no commit was ahead of Milvus");
        assert!(samples >= 3, "only {samples} samples");
    }
}
