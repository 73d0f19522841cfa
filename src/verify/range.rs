//! Which records are read: `--from`, `--to` and `--since` as given, and the offsets that they come to.

use crate::bound::{self, Bound, Point};
use crate::cause::Cause;
use crate::data_loss::{DataLoss, Lost};
use crate::kafka::reread::{Range, Reader, RereadError};
use crate::topic_partition::TopicPartition;

/// What is read: the last bound that speaks of a partition counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    pub from: Vec<Bound>,
    pub to: Vec<Bound>,
}

const FROM: Point = Point::Earliest;
const TO: Point = Point::Committed;

impl Bounds {
    fn from(&self, partition: &TopicPartition) -> Point {
        bound::chosen(&self.from, partition).unwrap_or(FROM)
    }

    fn to(&self, partition: &TopicPartition) -> Point {
        bound::chosen(&self.to, partition).unwrap_or(TO)
    }

    /// A partition that is named and none of `partitions`.
    pub(super) fn stranger(&self, partitions: &[TopicPartition]) -> Option<&TopicPartition> {
        bound::stranger(self.from.iter().chain(&self.to), partitions)
    }
}

/// One partition's range, with what its log has.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) range: Range,
    /// Nothing of the partition was left out at its beginning, nor has Kafka dropped anything.
    pub(super) whole: bool,
    /// In words: where the range ends.
    pub(super) ends: &'static str,
    /// Offsets from there to the end of the log.
    pub(super) behind: i64,
}

/// Asks Kafka where the bounds are. Blocks its thread.
pub(super) fn resolve(
    bounds: &Bounds,
    partitions: &[TopicPartition],
    reader: &Reader,
) -> Result<Vec<Resolved>, RereadError> {
    let wants_group = |partition: &TopicPartition| {
        let from = bounds.from(partition);
        from == Point::Committed || bounds.to(partition) == Point::Committed
    };
    // Who says where to end need not be permitted to look at the group.
    let committed = match partitions.iter().any(wants_group) {
        true => reader.committed(partitions)?,
        false => vec![None; partitions.len()],
    };
    let mut resolved = Vec::with_capacity(partitions.len());
    for (partition, committed) in partitions.iter().zip(committed) {
        let (low, high) = reader.ends(partition)?;
        let log = Log {
            partition,
            low,
            high,
            committed,
        };
        let from = bounds.from(partition);
        let to = bounds.to(partition);
        let from = log.offset(from, reader)?;
        let end = log.offset(to, reader)?;
        resolved.push(Resolved {
            range: Range {
                partition: partition.clone(),
                from,
                to: end,
            },
            behind: high - end,
            whole: from == 0,
            ends: match (to, committed) {
                (Point::Committed, Some(_)) => "committed",
                (Point::Committed | Point::Latest, _) => "end",
                (Point::Earliest, _) => "beginning",
                (Point::Offset(_) | Point::Time(_), _) => "as asked for",
            },
        });
    }
    Ok(resolved)
}

struct Log<'a> {
    partition: &'a TopicPartition,
    low: i64,
    high: i64,
    committed: Option<i64>,
}

impl Log<'_> {
    /// Within what the log has.
    fn offset(&self, point: Point, reader: &Reader) -> Result<i64, RereadError> {
        let offset = match point {
            Point::Earliest => self.low,
            Point::Latest => self.high,
            Point::Committed => self.committed_offset()?,
            Point::Offset(offset) => offset,
            Point::Time(time) => {
                let found = reader.since(std::slice::from_ref(self.partition), time)?;
                found.into_iter().flatten().next().unwrap_or(self.high)
            }
        };
        Ok(offset.clamp(self.low, self.high))
    }

    /// Records between it and the log are lost: whether the rest is there would be no answer.
    fn committed_offset(&self) -> Result<i64, RereadError> {
        let (from, to, what) = match self.committed {
            None => return Ok(self.high),
            Some(offset) if offset < self.low => (offset, self.low, Lost::Expired),
            Some(offset) if offset > self.high => (self.high, offset, Lost::TruncatedSomewhere),
            Some(offset) => return Ok(offset),
        };
        Err(RereadError::InTheWay(Cause::DataLost(DataLoss {
            at: self.partition.clone(),
            from,
            to: Some(to),
            what,
        })))
    }
}
