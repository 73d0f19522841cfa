//! The model of Kafka's logs: what is written into the partitions, and what became of each record.

use std::fmt::Write as _;

use super::rng::Rng;
use super::scenario::Records;

/// Of a record, among all of a run: later ones have higher numbers.
pub(super) type Uid = i64;

/// Keys of different partitions are different.
const KEYS_APART: i64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Row,
    /// With a field that the collection may not have.
    RowWithMore,
    Delete,
    /// Ignored, as configured.
    Tombstone,
    Unreadable,
    /// Without a field that the collection wants.
    Lacking,
    /// Of a row that is as it should be, says our plan, and Milvus does not take.
    Refused(Refused),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Misfit,
    Content,
    Doubtful,
    TooLarge,
}

impl Kind {
    pub(super) fn is_row(self) -> bool {
        matches!(self, Self::Row | Self::RowWithMore)
    }

    /// Bad in our own eyes.
    pub(super) fn is_bad(self) -> bool {
        matches!(self, Self::Unreadable | Self::Lacking)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) uid: Uid,
    pub(super) partition: usize,
    pub(super) offset: i64,
    pub(super) key: i64,
    pub(super) kind: Kind,
    /// Milvus's ack of a request with it has come.
    pub(super) acked: bool,
    /// Milvus has refused it alone.
    pub(super) refused: bool,
    /// The dead-letter topic's ack has come.
    pub(super) lettered: bool,
    /// No longer in the log.
    pub(super) cut: bool,
}

impl Entry {
    pub(super) fn value(&self) -> Option<String> {
        let (key, uid) = (self.key, self.uid);
        let mut text = format!(r#"{{"id":{key},"n":{uid}"#);
        match self.kind {
            Kind::Tombstone => return None,
            Kind::Unreadable => return Some("{".to_owned()),
            Kind::Delete => text.push_str(r#","gone":true"#),
            Kind::Lacking => {}
            Kind::Row | Kind::Refused(_) => text.push_str(r#","m":1"#),
            Kind::RowWithMore => write!(text, r#","m":1,"x":{}"#, uid % 100).unwrap(),
        }
        text.push('}');
        Some(text)
    }
}

#[derive(Debug, Default)]
pub(super) struct Logs {
    /// By their number.
    pub(super) entries: Vec<Entry>,
    pub(super) partitions: Vec<Log>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    /// In the order of their offsets.
    pub(super) uids: Vec<Uid>,
    pub(super) end: i64,
    /// What comes before has expired.
    pub(super) low: i64,
    /// What was said to be lost.
    pub(super) lost: Vec<(i64, i64)>,
    /// Where it was cut off, each time.
    pub(super) cuts: Vec<i64>,
    /// Offsets of what was cut off that are committed: what has come in its place may be passed over.
    pub(super) overlooked: Option<(i64, i64)>,
}

impl Log {
    pub(super) fn overlooks(&mut self, from: i64, to: i64) {
        if from < to {
            let known = self.overlooked.unwrap_or((from, to));
            self.overlooked = Some((known.0.min(from), known.1.max(to)));
        }
    }

    /// What comes from `offset` on is read after all.
    pub(super) fn goes_back(&mut self, offset: i64) {
        self.overlooked = self.overlooked.map(|(from, to)| (from, to.min(offset)));
    }
}

impl Logs {
    pub(super) fn new(partitions: usize) -> Self {
        Self {
            entries: Vec::new(),
            partitions: (0..partitions).map(|_| Log::default()).collect(),
        }
    }

    pub(super) fn entry(&self, uid: Uid) -> &Entry {
        &self.entries[usize::try_from(uid).unwrap()]
    }

    pub(super) fn entry_mut(&mut self, uid: Uid) -> &mut Entry {
        &mut self.entries[usize::try_from(uid).unwrap()]
    }

    pub(super) fn partition_of(key: i64) -> usize {
        usize::try_from(key / KEYS_APART).unwrap()
    }

    pub(super) fn produce(
        &mut self,
        partition: usize,
        keys: i64,
        records: &Records,
        rng: &mut Rng,
    ) {
        let uid = i64::try_from(self.entries.len()).unwrap();
        let log = &mut self.partitions[partition];
        if rng.chance(records.gaps) {
            log.end += i64::try_from(rng.within(1, 3)).unwrap();
        }
        let key = i64::try_from(rng.draw() >> 1).unwrap() % keys;
        self.entries.push(Entry {
            uid,
            partition,
            offset: log.end,
            key: i64::try_from(partition).unwrap() * KEYS_APART + key,
            kind: kind(records, rng),
            acked: false,
            refused: false,
            lettered: false,
            cut: false,
        });
        log.uids.push(uid);
        log.end += 1;
    }

    /// The records of `from..to`.
    pub(super) fn between(
        &self,
        partition: usize,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = &Entry> {
        let uids = &self.partitions[partition].uids;
        let first = uids.partition_point(|uid| self.entry(*uid).offset < from);
        let entries = uids[first..].iter().map(|uid| self.entry(*uid));
        entries.take_while(move |entry| entry.offset < to)
    }

    /// The deletes of a key in `from..to`, those that were cut off among them.
    pub(super) fn deletes(&self, key: i64, from: i64, to: i64) -> Vec<Uid> {
        let is_it = |entry: &&Entry| entry.key == key && entry.kind == Kind::Delete;
        let partition = Self::partition_of(key);
        if self.partitions[partition].cuts.is_empty() {
            let entries = self.between(partition, from, to);
            return entries.filter(is_it).map(|entry| entry.uid).collect();
        }
        let entries = self
            .entries
            .iter()
            .filter(|entry| (from..to).contains(&entry.offset));
        entries.filter(is_it).map(|entry| entry.uid).collect()
    }

    /// Everything from `offset` on is gone; others come in its place.
    pub(super) fn cut(&mut self, partition: usize, offset: i64) {
        let gone: Vec<Uid> = self
            .between(partition, offset, i64::MAX)
            .map(|entry| entry.uid)
            .collect();
        let log = &mut self.partitions[partition];
        log.uids.truncate(log.uids.len() - gone.len());
        log.end = offset;
        log.cuts.push(offset);
        for uid in gone {
            self.entry_mut(uid).cut = true;
        }
    }
}

fn kind(records: &Records, rng: &mut Rng) -> Kind {
    if rng.chance(records.bad) {
        return rng.pick(&[Kind::Unreadable, Kind::Lacking]);
    }
    if rng.chance(records.refused) {
        let refused = [
            Refused::Misfit,
            Refused::Content,
            Refused::Doubtful,
            Refused::TooLarge,
        ];
        return Kind::Refused(rng.pick(&refused));
    }
    if rng.chance(records.deletes) {
        return Kind::Delete;
    }
    rng.pick(&[
        Kind::Row,
        Kind::Row,
        Kind::Row,
        Kind::Row,
        Kind::RowWithMore,
        Kind::RowWithMore,
        Kind::Tombstone,
    ])
}
