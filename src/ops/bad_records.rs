//! The last bad records: where they lie, which field, why. Never a value.

use std::collections::VecDeque;
use std::time::Instant;

use serde::Serialize;

use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::topic_partition::TopicPartition;

/// So many are kept.
const KEPT: usize = 50;

/// What became of a bad record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Skipped,
    DeadLetter,
    Halted,
}

impl Fate {
    /// Of one that is passed over.
    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Skipped => "skipped a bad record",
            Self::DeadLetter => "kept a bad record as a dead letter",
            Self::Halted => "halted at a bad record",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct BadRecords(VecDeque<Noted>);

#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) at: TopicPartition,
    pub(super) offset: i64,
    pub(super) bad: BadRecord,
    pub(super) fate: Fate,
    pub(super) when: Instant,
}

/// As `/status` shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    topic: String,
    partition: i32,
    offset: i64,
    field: Option<String>,
    reason: String,
    fate: Fate,
    seconds_ago: u64,
}

impl BadRecords {
    /// Another one, where `cause` is about a record.
    pub(super) fn note(&mut self, cause: &Cause, fate: Fate) {
        let Cause::BadRecord { at, offset, bad } = cause else {
            return;
        };
        self.0.truncate(KEPT - 1);
        self.0.push_front(Noted {
            at: at.clone(),
            offset: *offset,
            bad: bad.clone(),
            fate,
            when: Instant::now(),
        });
    }

    /// The youngest first.
    pub(super) fn all(&self) -> Vec<Noted> {
        self.0.iter().cloned().collect()
    }
}

impl Noted {
    pub(super) fn shown(&self, now: Instant) -> Shown {
        Shown {
            topic: self.at.topic.to_string(),
            partition: self.at.partition,
            offset: self.offset,
            field: self.bad.field.as_deref().map(str::to_owned),
            reason: self.bad.to_string(),
            fate: self.fate,
            seconds_ago: now.saturating_duration_since(self.when).as_secs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_the_youngest_first_and_nothing_but_records() {
        let mut records = BadRecords::default();
        for offset in 0..60 {
            let cause = Cause::BadRecord {
                at: TopicPartition::new("t", 1),
                offset,
                bad: BadRecord::of_payload("broken JSON".to_owned(), "send valid JSON"),
            };
            records.note(&cause, Fate::Skipped);
        }
        records.note(&Cause::NotAssigned, Fate::Halted);
        let offsets: Vec<_> = records.all().iter().map(|noted| noted.offset).collect();
        assert_eq!(offsets, (10..60).rev().collect::<Vec<_>>());
        let shown = records.all()[0].shown(Instant::now());
        let expected = r#"{"topic":"t","partition":1,"offset":59,"field":null,"reason":"the record should be one JSON object, found broken JSON; send valid JSON","fate":"skipped","seconds_ago":0}"#;
        assert_eq!(serde_json::to_string(&shown).unwrap(), expected);
    }
}
