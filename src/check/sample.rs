//! The last records of the topics, judged by the sink's own decoding: what each is, and what each field of it comes to.

use std::collections::HashMap;

use super::first::Stand;
use super::report::{FieldTally, Offender, Sample};
use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::decode::change::{Change, Unfit, change};
use crate::decode::survey::{Fit, ignored, survey};
use crate::kafka::reread::{Next, Range, Reader, RereadError};
use crate::milvus::delete::Literal;
use crate::plan::Plan;
use crate::record::{Chunk, RecordView};
use crate::topic_partition::TopicPartition;

/// Logs have gaps, and compacted ones hardly any records: a range that brings too few is widened so many times.
const WIDER: [i64; 3] = [1, 16, 256];
/// Names of ignored fields that are told.
const NAMES: usize = 20;

/// A bad record that the sink has still to read.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    pub(super) at: TopicPartition,
    pub(super) offset: i64,
    pub(super) bad: BadRecord,
    /// Whatever is tolerated.
    pub(super) halts: bool,
}

/// What came of the records of some topics.
#[derive(Debug)]
pub(super) struct Tally<'p> {
    plan: &'p Plan,
    columns: Columns,
    pub(super) sample: Sample,
    /// In the order of the plan's fields.
    pub(super) fields: Vec<FieldTally>,
    pub(super) ahead: Option<Ahead>,
}

impl<'p> Tally<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            columns: Columns::new(plan),
            sample: Sample::default(),
            fields: vec![FieldTally::default(); plan.fields.len()],
            ahead: None,
        }
    }

    fn take(&mut self, chunk: &Chunk, firsts: &HashMap<TopicPartition, i64>) {
        for (at, run) in chunk.runs.iter().enumerate() {
            let first = firsts.get(&run.tenure.topic_partition).copied();
            for record in 0..run.records.len() {
                self.judge(chunk.view(at, record), first);
            }
        }
    }

    /// `first`: what the sink would read first of the partition.
    fn judge(&mut self, record: RecordView<'_>, first: Option<i64>) {
        self.sample.records += 1;
        let changed = change(self.plan, &mut self.columns, record);
        self.columns.truncate(0);
        // Of a record that deletes nothing but the key has to fit.
        let deletes = matches!(changed, Ok(Change::Delete(_)));
        match changed {
            Ok(Change::Row) => self.sample.rows += 1,
            Ok(Change::Nothing(_)) => self.sample.without_a_change += 1,
            Ok(Change::Delete(key)) if Literal::of(&key).is_some() => self.sample.deletes += 1,
            Ok(Change::Delete(_)) => {
                let name = self.plan.key_field().map_or("", |(_, field)| &field.name);
                self.bad(record, first, BadRecord::unnameable_key(name), false);
            }
            Err(Unfit::Bad(bad)) => self.bad(record, first, bad, false),
            Err(Unfit::Halts(bad)) => self.bad(record, first, bad, true),
        }
        if !deletes {
            self.survey(record);
        }
    }

    fn bad(&mut self, record: RecordView<'_>, first: Option<i64>, bad: BadRecord, halts: bool) {
        self.sample.bad += 1;
        let first_bad = &mut self.sample.first_bad;
        first_bad.get_or_insert_with(|| offender(&record, &bad));
        if first.is_none_or(|first| record.offset >= first) {
            let is_worse = self
                .ahead
                .as_ref()
                .is_none_or(|ahead| halts && !ahead.halts);
            if is_worse {
                self.ahead = Some(Ahead {
                    at: record.topic_partition.clone(),
                    offset: record.offset,
                    bad,
                    halts,
                });
            }
        }
    }

    fn survey(&mut self, record: RecordView<'_>) {
        let Some(fits) = survey(self.plan, &mut self.columns, record) else {
            return;
        };
        for (tally, fit) in self.fields.iter_mut().zip(fits) {
            let bad = match fit {
                Fit::Exact => {
                    tally.exact += 1;
                    continue;
                }
                Fit::Absent => {
                    tally.missing += 1;
                    continue;
                }
                Fit::Missing(bad) => {
                    tally.missing += 1;
                    bad
                }
                Fit::Refused(bad) => {
                    tally.refused += 1;
                    bad
                }
            };
            tally.first.get_or_insert_with(|| offender(&record, &bad));
        }
        let names = &mut self.sample.ignored_fields;
        for name in ignored(self.plan, record.value.unwrap_or_default()) {
            if names.len() < NAMES && !names.contains(&name) {
                names.push(name);
            }
        }
    }
}

fn offender(record: &RecordView<'_>, bad: &BadRecord) -> Offender {
    Offender {
        at: format!("{}@{}", record.topic_partition, record.offset),
        what: bad.to_string(),
    }
}

/// Judges about the last `count` records of each topic in `stands`. Blocks its thread.
pub(super) fn judge<'p>(
    reader: &Reader,
    plan: &'p Plan,
    stands: &[&Stand],
    count: usize,
) -> Result<Tally<'p>, RereadError> {
    let firsts: HashMap<_, _> = stands
        .iter()
        .filter_map(|stand| Some((stand.partition.clone(), stand.first?)))
        .collect();
    let share = share(stands, count);
    for wider in WIDER {
        let ranges: Vec<Range> = stands
            .iter()
            .map(|stand| range(stand, share.saturating_mul(wider)))
            .collect();
        let mut tally = Tally::new(plan);
        reader.read(&ranges, |chunk| {
            tally.take(&chunk, &firsts);
            Next::GoOn
        })?;
        let is_whole = || {
            stands
                .iter()
                .zip(&ranges)
                .all(|(s, r)| r.from <= s.look.low)
        };
        if tally.sample.records >= count as u64 || is_whole() || WIDER.last() == Some(&wider) {
            return Ok(tally);
        }
    }
    Ok(Tally::new(plan))
}

/// Of each partition, so that they come to `count` together.
fn share(stands: &[&Stand], count: usize) -> i64 {
    let share = count.div_ceil(stands.len().max(1)).max(1);
    i64::try_from(share).unwrap_or(i64::MAX)
}

fn range(stand: &Stand, last: i64) -> Range {
    let (low, high) = (stand.look.low, stand.look.high);
    Range {
        partition: stand.partition.clone(),
        from: high.saturating_sub(last).max(low),
        to: high,
    }
}
