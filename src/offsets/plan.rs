//! Where each partition of the group stands, and where it is to be set.

use crate::bound::{self, Bound, Point};
use crate::config::OffsetReset;
use crate::ledger::Look;
use crate::origin::Origin;
use crate::topic_partition::TopicPartition;

/// A partition as it is named on the command line: `TOPIC:N`, or `N` of every topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    topic: Option<String>,
    partition: i32,
}

/// # Errors
/// What is wanted instead.
pub fn named(text: &str) -> Result<Named, String> {
    let (topic, partition) = match text.rsplit_once(':') {
        Some((topic, partition)) => (Some(topic.to_owned()), partition),
        None => (None, text),
    };
    let is_empty = topic.as_ref().is_some_and(String::is_empty);
    match partition.parse() {
        Ok(partition) if partition >= 0 && !is_empty => Ok(Named { topic, partition }),
        _ => Err("wanted TOPIC:PARTITION or PARTITION, as articles:0 or 0".to_owned()),
    }
}

impl Named {
    pub(super) fn means(&self, partition: &TopicPartition) -> bool {
        let topic = self.topic.as_deref();
        topic.is_none_or(|topic| topic == &*partition.topic)
            && self.partition == partition.partition
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.topic {
            Some(topic) => write!(f, "{topic}:{}", self.partition),
            None => write!(f, "{}", self.partition),
        }
    }
}

/// One partition, with what is to become of it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) partition: TopicPartition,
    look: Look,
    /// Where it is to be set.
    pub(super) to: Option<i64>,
    /// What the group does with a partition of which it has committed nothing.
    reset: OffsetReset,
}

impl Row {
    pub(super) fn new(partition: TopicPartition, look: Look, reset: OffsetReset) -> Self {
        Self {
            partition,
            look,
            to: None,
            reset,
        }
    }

    /// Within what the log has. `since` answers for a time.
    pub(super) fn set<E>(
        &mut self,
        to: &[Bound],
        since: impl FnOnce(&TopicPartition, i64) -> Result<Option<i64>, E>,
    ) -> Result<(), E> {
        let Look { low, high, .. } = self.look;
        let offset = match bound::chosen(to, &self.partition) {
            None | Some(Point::Committed) => return Ok(()),
            Some(Point::Earliest) => low,
            Some(Point::Latest) => high,
            Some(Point::Offset(offset)) => offset,
            Some(Point::Time(time)) => since(&self.partition, time)?.unwrap_or(high),
        };
        self.to = Some(offset.clamp(low, high));
        Ok(())
    }

    /// What Kafka has of the group. An offset of a topic that was made again since counts in the one before.
    pub(super) fn committed(&self) -> Option<i64> {
        self.look.committed
    }

    pub(super) fn end(&self) -> i64 {
        self.look.high
    }

    /// Offsets from where the group goes on to the end of the log; `None` where a person has to say where that is.
    pub(super) fn lag(&self) -> Option<i64> {
        let Look { low, high, .. } = self.look;
        let next = match self.to.or(self.look.committed.filter(|_| !self.is_other())) {
            Some(offset) => offset.max(low),
            None if self.look.added || self.is_other() => low,
            None => match self.reset {
                OffsetReset::Earliest => low,
                OffsetReset::Latest => high,
                OffsetReset::Fail => return None,
            },
        };
        Some((high - next).max(0))
    }

    /// What is to be known before the sink starts there.
    pub(super) fn note(&self) -> Option<String> {
        let Look { low, high, .. } = self.look;
        if self.to.is_some() {
            return None;
        }
        match self.look.committed {
            _ if self.is_other() => {
                Some("the topic was deleted and made again since that was committed".to_owned())
            }
            Some(committed) if committed < low => {
                Some(format!("what comes before {low} is gone from the log"))
            }
            Some(committed) if committed > high => {
                Some("behind the end: the log was cut off, or a transaction is open".to_owned())
            }
            Some(_) => None,
            None => Some(
                match self.reset {
                    _ if self.look.added => "nothing committed: came later, so begins at the first",
                    OffsetReset::Earliest => "nothing committed: begins at the first",
                    OffsetReset::Latest => "nothing committed: begins at the end",
                    OffsetReset::Fail => "nothing committed: halts (auto.offset.reset=none)",
                }
                .to_owned(),
            ),
        }
    }

    fn is_other(&self) -> bool {
        let (before, now) = (&self.look.before, &self.look.topic);
        matches!((before, now), (Some(before), Some(now)) if before != now)
    }

    /// What the offset that is set belongs to: this making of the topic, and whichever collection is written next. So
    /// the group goes on where its offsets belonged to another collection.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            target: None,
            topic: self.look.topic.clone(),
            partitions: self.look.partitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::topic_partition::TopicId;

    fn row(committed: Option<i64>, reset: OffsetReset) -> Row {
        let look = Look {
            committed,
            low: 10,
            high: 50,
            topic: Some(TopicId::new("now")),
            partitions: Some(3),
            ..Look::default()
        };
        Row::new(TopicPartition::new("t", 1), look, reset)
    }

    #[test]
    fn a_partition_is_named_with_or_without_its_topic() {
        let means = |text: &str, topic: &str, partition| {
            named(text)
                .unwrap()
                .means(&TopicPartition::new(topic, partition))
        };
        assert!(means("1", "t", 1) && means("t:1", "t", 1) && means("a:b:1", "a:b", 1));
        assert!(!means("1", "t", 2) && !means("u:1", "t", 1) && !means("t:1", "t", 2));
        for wrong in ["", "t", "t:", ":1", "-1", "t:-1", "t:x"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_comes_to_an_offset_that_the_log_has() {
        let check = |to: &[&str], expected: Option<i64>| {
            let to: Vec<_> = to.iter().map(|text| bound::bound(text).unwrap()).collect();
            let mut row = row(Some(20), OffsetReset::Earliest);
            let since = |_: &TopicPartition, time| Ok::<_, Infallible>((time > 0).then_some(30));
            row.set(&to, since).unwrap();
            assert_eq!(row.to, expected, "{to:?}");
        };
        check(&[], None);
        check(&["earliest"], Some(10));
        check(&["latest"], Some(50));
        check(&["5"], Some(10));
        check(&["25"], Some(25));
        check(&["99"], Some(50));
        check(&["2025-01-01T00:00:00Z"], Some(30));
        check(&["1970-01-01T00:00:00Z"], Some(50));
        check(&["earliest", "t:1:40"], Some(40));
        check(&["t:0:40"], None);
    }

    #[test]
    fn lag_is_what_the_sink_would_still_read() {
        let check = |row: Row, lag: Option<i64>, note: &str| {
            assert_eq!(row.lag(), lag, "{row:?}");
            let said = row.note().unwrap_or_default();
            assert!(
                said.contains(note) && said.is_empty() == note.is_empty(),
                "{said}"
            );
        };
        let earliest = |committed| row(committed, OffsetReset::Earliest);
        check(earliest(Some(20)), Some(30), "");
        check(earliest(Some(5)), Some(40), "before 10 is gone");
        check(earliest(Some(60)), Some(0), "behind the end");
        check(earliest(None), Some(40), "begins at the first");
        check(row(None, OffsetReset::Latest), Some(0), "begins at the end");
        check(row(None, OffsetReset::Fail), None, "halts");
        let mut added = row(None, OffsetReset::Latest);
        added.look.added = true;
        check(added, Some(40), "came later");
        let mut again = earliest(Some(20));
        again.look.before = Some(TopicId::new("before"));
        check(again.clone(), Some(40), "made again");
        again.to = Some(45);
        check(again, Some(5), "");
    }

    #[test]
    fn what_is_set_belongs_to_this_topic_and_to_no_collection() {
        let origin = row(Some(20), OffsetReset::Earliest).origin();
        let expected = r#"{"kafka-milvus-sink/1":{"topic_id":"now","partitions":3}}"#;
        assert_eq!(origin.to_metadata().as_deref(), Some(expected));
    }
}
