//! Records whose keys say where they lie, a stream of them, and a witness that no committed offset is ahead of Milvus.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Where the records of a job lie: the record at `offset` of `partition` has the key `offset * partitions + partition`,
/// and its title names the offset. Keys may repeat: then it is the key of `offset % keys`.
#[derive(Clone)]
pub struct Place {
    keys: i64,
    topic: Topic,
    group: String,
    collection: String,
    milvus: MilvusClient,
}

impl Place {
    pub fn of(job: &Job) -> Self {
        Self {
            keys: i64::MAX,
            topic: job.topic.clone(),
            group: job.group(),
            collection: job.collection.clone(),
            milvus: job.milvus.clone(),
        }
    }

    /// After so many records of a partition their keys come again.
    pub fn repeating(job: &Job, keys: i64) -> Self {
        Self {
            keys,
            ..Self::of(job)
        }
    }

    fn repeats(&self) -> bool {
        self.keys < i64::MAX
    }

    pub fn key(&self, partition: i32, offset: i64) -> i64 {
        offset % self.keys * i64::from(self.topic.partitions()) + i64::from(partition)
    }

    /// The records at these offsets of every partition.
    pub fn produce(&self, offsets: Range<i64>) {
        let partitions = 0..self.topic.partitions();
        self.topic
            .produce(partitions.flat_map(|p| self.records(p, offsets.clone())));
    }

    /// The records at these offsets of one partition.
    pub fn records(&self, partition: i32, offsets: Range<i64>) -> impl Iterator<Item = Record> {
        offsets.map(move |offset| {
            let mut article = article(self.key(partition, offset));
            article["title"] = offset.to_string().into();
            Record::json(&article).partition(partition)
        })
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

    /// The offset of the row in Milvus, by key.
    fn offsets(&self) -> BTreeMap<i64, i64> {
        let rows = self.milvus.query(&self.collection, "id >= 0");
        let offset = |title: &str| title.parse().expect("an offset");
        rows.iter()
            .map(|row| {
                let title = row["title"].as_str().expect("a title");
                (row["id"].as_i64().expect("a key"), offset(title))
            })
            .collect()
    }

    /// The last offset of each key below these.
    fn last_below(&self, ends: &[i64]) -> BTreeMap<i64, i64> {
        let partition = |(end, partition): (&i64, i32)| {
            let offsets = (end - self.keys).max(0)..*end;
            offsets.map(move |offset| (self.key(partition, offset), offset))
        };
        ends.iter().zip(0..).flat_map(partition).collect()
    }

    /// What was committed is there, and of each key nothing older; what lies below `seen` was looked at before.
    #[track_caller]
    fn assert_committed(&self, committed: &[i64], seen: &[i64]) {
        if self.repeats() {
            let there = self.offsets();
            let is_older = |(key, offset): &(&i64, &i64)| there.get(key) < Some(offset);
            let expected = self.last_below(committed);
            let older: Vec<_> = expected.iter().filter(is_older).collect();
            assert!(
                older.is_empty(),
                "{committed:?} are committed, not in Milvus: {older:?}, but {there:?}"
            );
            return;
        }
        let expected = self.below(committed, seen);
        if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
            let there = self.there(*first..last + 1).into_iter().collect();
            let missing: Vec<_> = expected.difference(&there).collect();
            assert!(missing.is_empty(), "committed, not in Milvus: {missing:?}");
        }
    }

    /// Milvus holds the records below these offsets, each once (of a key the last one), and nothing else.
    #[track_caller]
    pub fn assert_holds(&self, ends: &[i64]) {
        if self.repeats() {
            assert_eq!(self.offsets(), self.last_below(ends));
            assert_eq!(
                self.milvus.count(&self.collection),
                i64::try_from(self.last_below(ends).len()).unwrap()
            );
            return;
        }
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
        Self::of(Place::of(job))
    }

    pub fn of(place: Place) -> Self {
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

/// Reads the committed offsets and then looks in Milvus for what lies below them, over and over; none may go back.
pub struct Witness {
    stop: Arc<AtomicBool>,
    /// Of commits that were ahead of the one before.
    samples: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Witness {
    /// Fewer would show nothing.
    const SAMPLES: usize = 3;

    pub fn start(job: &Job) -> Self {
        Self::of(Place::of(job))
    }

    pub fn of(place: Place) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let samples = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&samples));
        let thread = std::thread::spawn(move || {
            let mut seen = place.committed();
            while !stopped.load(Ordering::Relaxed) {
                let committed = place.committed();
                let goes_back = seen.iter().zip(&committed).any(|(seen, now)| seen > now);
                assert!(!goes_back, "committed {committed:?} after {seen:?}");
                place.assert_committed(&committed, &seen);
                if committed != seen {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                seen = committed;
            }
        });
        Self {
            stop,
            samples,
            thread,
        }
    }

    /// While there are records to commit: waits until it has seen enough.
    #[track_caller]
    pub fn await_samples(&self) {
        wait::until(SOON, "commits seen by the witness", || {
            self.thread.is_finished() || self.seen() >= Self::SAMPLES
        });
    }

    #[track_caller]
    pub fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let samples = Arc::clone(&self.samples);
        self.thread.join().expect("no commit was ahead of Milvus");
        let samples = samples.load(Ordering::Relaxed);
        assert!(samples >= Self::SAMPLES, "only {samples} samples");
    }

    fn seen(&self) -> usize {
        self.samples.load(Ordering::Relaxed)
    }
}
