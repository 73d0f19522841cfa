//! `--compare-plugin`: how many of the records that the topics still have the Connect plugin 1.0.1 would have dropped,
//! corrupted or died of, by defect.

mod defect;
mod judge;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher as _;

use serde::Serialize;

use super::first::Stand;
use crate::kafka::reread::{Next, Range, Reader, RereadError};
use crate::milvus::schema::Schema;
use crate::record::{Chunk, RecordView};
use crate::topic_partition::TopicPartition;
use defect::{Defect, Effect};
use judge::{Judge, Judgement};

/// What it takes in one poll at most, by default.
const POLL: usize = 500;

#[derive(Debug, Default, Serialize)]
pub(super) struct Comparison {
    pub(super) records: u64,
    pub(super) sound: u64,
    pub(super) dropped: u64,
    pub(super) corrupted: u64,
    pub(super) died_of: u64,
    /// Connect's converter does not read them: by `errors.tolerance` its task ends, or they are dead letters.
    pub(super) unreadable: u64,
    pub(super) defects: Vec<Counted>,
    /// Why it is not of all records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unfinished: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Counted {
    pub(super) defect: &'static str,
    pub(super) effect: Effect,
    pub(super) records: u64,
    /// `TOPIC-PARTITION@OFFSET`.
    pub(super) first: String,
    pub(super) says: &'static str,
}

impl Comparison {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "of {} records it would have dropped {}, corrupted {}, died of {}; {} are as they should be, {} its converter does not read",
            self.records, self.dropped, self.corrupted, self.died_of, self.sound, self.unreadable
        )];
        let digits = self
            .defects
            .iter()
            .map(|found| found.records.to_string().len());
        let digits = digits.max().unwrap_or(0);
        let places = self.defects.iter().map(|found| found.first.len());
        let places = places.max().unwrap_or(0);
        lines.extend(self.defects.iter().map(|found| {
            let Counted {
                records,
                first,
                says,
                ..
            } = found;
            format!("{records:>digits$}  first {first:places$}  {says}")
        }));
        lines.push(match &self.unfinished {
            Some(why) => format!("not all were read: {why}"),
            None => "not counted, since no record is needed for it: a 429, a time-out or a poll of nothing but skipped records ends its task as well".to_owned(),
        });
        lines
    }
}

/// What has been counted so far, over all topics.
#[derive(Debug, Default)]
pub(super) struct Count {
    found: Comparison,
    by_defect: BTreeMap<Defect, (u64, String)>,
}

impl Count {
    /// Everything that is left of the partitions in `stands`, whose records go into the collection of `schema`. Blocks
    /// its thread.
    pub(super) fn read(
        &mut self,
        reader: &Reader,
        schema: &Schema,
        stands: &[&Stand],
    ) -> Result<(), RereadError> {
        let ranges: Vec<Range> = stands
            .iter()
            .map(|stand| Range {
                partition: stand.partition.clone(),
                from: stand.look.low,
                to: stand.look.high,
            })
            .collect();
        let judge = Judge::new(schema);
        let mut polls = Polls::default();
        reader.read(&ranges, |chunk| {
            self.take(&judge, &mut polls, &chunk);
            Next::GoOn
        })?;
        Ok(())
    }

    fn take(&mut self, judge: &Judge<'_>, polls: &mut Polls, chunk: &Chunk) {
        for (at, run) in chunk.runs.iter().enumerate() {
            for record in 0..run.records.len() {
                self.one(judge, polls, chunk.view(at, record));
            }
        }
    }

    fn one(&mut self, judge: &Judge<'_>, polls: &mut Polls, record: RecordView<'_>) {
        let found = &mut self.found;
        found.records += 1;
        let key = record.value.and_then(|value| judge.key(value));
        let repeats = polls.has(record.topic_partition, key.as_deref());
        let defects = match judge.judge(record.value) {
            Judgement::Unreadable => {
                found.unreadable += 1;
                return;
            }
            Judgement::Sound if repeats => [Defect::SameKey].into(),
            Judgement::Sound => {
                found.sound += 1;
                return;
            }
            Judgement::Defects(defects) => defects,
        };
        match defects.first().map(|defect| defect.effect()) {
            Some(Effect::Dropped) => found.dropped += 1,
            Some(Effect::DiedOf) => found.died_of += 1,
            Some(Effect::Corrupted) | None => found.corrupted += 1,
        }
        for defect in defects {
            let first = || format!("{}@{}", record.topic_partition, record.offset);
            let (count, _) = self.by_defect.entry(defect).or_insert_with(|| (0, first()));
            *count += 1;
        }
    }

    pub(super) fn finish(self, unfinished: Option<String>) -> Comparison {
        let Self {
            found,
            mut by_defect,
        } = self;
        let counted = |defect: Defect| {
            let (records, first) = by_defect.remove(&defect)?;
            Some(Counted {
                defect: defect.label(),
                effect: defect.effect(),
                records,
                first,
                says: defect.says(),
            })
        };
        Comparison {
            defects: Defect::ALL.into_iter().filter_map(counted).collect(),
            unfinished,
            ..found
        }
    }
}

/// The keys of the last records of each partition, of which a poll may have any two together.
#[derive(Debug, Default)]
struct Polls {
    partitions: HashMap<TopicPartition, Poll>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Poll {
    /// `None` for a record without a key.
    last: VecDeque<Option<u64>>,
    times: HashMap<u64, u32>,
}

impl Polls {
    /// Whether the key is among them; then it is.
    fn has(&mut self, at: &TopicPartition, key: Option<&str>) -> bool {
        let key = key.map(|key| self.hasher.hash_one(key));
        if !self.partitions.contains_key(at) {
            self.partitions.insert(at.clone(), Poll::default());
        }
        let poll = self.partitions.get_mut(at);
        poll.is_some_and(|poll| poll.has(key))
    }
}

impl Poll {
    fn has(&mut self, key: Option<u64>) -> bool {
        if self.last.len() >= POLL
            && let Some(Some(gone)) = self.last.pop_front()
            && let Some(times) = self.times.get_mut(&gone)
        {
            *times -= 1;
            if *times == 0 {
                self.times.remove(&gone);
            }
        }
        self.last.push_back(key);
        let Some(key) = key else {
            return false;
        };
        let times = self.times.entry(key).or_default();
        *times += 1;
        *times > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::milvus::schema::FieldType;
    use crate::plan::fixture::{key, nullable, schema};
    use crate::record::{Record, Run};
    use crate::tenure::Tenure;

    fn chunk(values: &[Option<&str>]) -> Chunk {
        let mut bytes = Vec::new();
        let mut put = |value: &str| {
            bytes.extend_from_slice(value.as_bytes());
            bytes.len() - value.len()..bytes.len()
        };
        let record = |(offset, value): (i64, &Option<&str>)| Record {
            offset,
            value: value.map(&mut put),
            ..Record::default()
        };
        let records = (0..).zip(values).map(record).collect();
        Chunk {
            bytes,
            runs: vec![Run {
                tenure: Tenure::new(TopicPartition::new("t", 2), 0).into(),
                from: 0,
                records,
                headers: Vec::new(),
            }],
            charge: Budget::new(1).charge(0),
        }
    }

    #[test]
    fn records_are_counted_once_and_defects_with_their_first_position() {
        let fields = vec![key("id", FieldType::Int64), nullable("n", FieldType::Int8)];
        let schema = schema(fields);
        let values = [
            Some(r#"{"id":1}"#),
            None,
            Some(r#"{"id":2,"n":null}"#),
            Some("{"),
            None,
            Some(r#"{"id":1}"#),
            Some(r#"{"n":1}"#),
        ];
        let mut count = Count::default();
        let judge = Judge::new(&schema);
        count.take(&judge, &mut Polls::default(), &chunk(&values));
        let found = count.finish(None);
        let counts = [
            found.records,
            found.sound,
            found.dropped,
            found.corrupted,
            found.died_of,
            found.unreadable,
        ];
        assert_eq!(counts, [7, 1, 3, 1, 1, 1]);
        let defects = found.defects.iter();
        let defects: Vec<_> = defects
            .map(|d| (d.defect, d.records, d.first.as_str()))
            .collect();
        assert_eq!(
            defects,
            [
                ("tombstone", 2, "t-2@1"),
                ("null", 1, "t-2@2"),
                ("sent_unchecked", 1, "t-2@6"),
                ("same_key_in_a_poll", 1, "t-2@5"),
            ]
        );
        let lines = found.lines();
        assert!(
            lines[0].starts_with("of 7 records it would have dropped 3"),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("2  first t-2@1  no value"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_key_repeats_within_a_poll_and_not_behind_it() {
        let mut polls = Polls::default();
        let at = TopicPartition::new("t", 0);
        assert!(!polls.has(&at, Some("k")));
        assert!(!polls.has(&TopicPartition::new("t", 1), Some("k")));
        assert!(polls.has(&at, Some("k")));
        for _ in 0..POLL - 2 {
            assert!(!polls.has(&at, None));
        }
        assert!(polls.has(&at, Some("k")));
        for _ in 0..POLL - 1 {
            assert!(!polls.has(&at, None));
        }
        assert!(!polls.has(&at, Some("k")));
    }

    #[test]
    fn every_defect_has_a_word_of_its_own_and_is_told() {
        let labels: std::collections::BTreeSet<_> =
            Defect::ALL.iter().map(|defect| defect.label()).collect();
        assert_eq!(labels.len(), Defect::ALL.len());
    }
}
