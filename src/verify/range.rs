//! Which records are read: `--from`, `--to` and `--since` as given, and the offsets that they come to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

/// A place in the log of one partition, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    partition: Option<TopicPartition>,
    point: Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Earliest,
    Latest,
    /// What the group has committed, or the end where that is nothing.
    Committed,
    Offset(i64),
    /// Milliseconds since 1970.
    Time(i64),
}

const FROM: Point = Point::Earliest;
const TO: Point = Point::Committed;
const WANTED: &str = "wanted earliest, latest, committed, an offset, a time as 2025-01-31T12:00:00Z or 15m, 2h, 7d ago, or TOPIC:PARTITION:OFFSET";

/// # Errors
/// What is wanted instead.
pub fn bound(text: &str) -> Result<Bound, String> {
    let everywhere = |point| Bound {
        partition: None,
        point,
    };
    let point = match text {
        "earliest" => Some(Point::Earliest),
        "latest" => Some(Point::Latest),
        "committed" => Some(Point::Committed),
        text => offset(text)
            .map(Point::Offset)
            .or_else(|| moment(text, now())),
    };
    point
        .map(everywhere)
        .or_else(|| of_one(text))
        .ok_or_else(|| WANTED.to_owned())
}

/// # Errors
/// What is wanted instead.
pub fn since(text: &str) -> Result<Bound, String> {
    let point = moment(text, now());
    let point = point
        .ok_or_else(|| "wanted a time as 2025-01-31T12:00:00Z, or 15m, 2h, 7d ago".to_owned())?;
    Ok(Bound {
        partition: None,
        point,
    })
}

fn of_one(text: &str) -> Option<Bound> {
    // A time without a zone has as many colons.
    if OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).is_ok() {
        return None;
    }
    let mut parts = text.splitn(3, ':');
    let (topic, partition, place) = (parts.next()?, parts.next()?, parts.next()?);
    let partition: i32 = partition.parse().ok()?;
    (!topic.is_empty() && partition >= 0).then_some(())?;
    Some(Bound {
        partition: Some(TopicPartition::new(topic, partition)),
        point: Point::Offset(offset(place)?),
    })
}

fn offset(text: &str) -> Option<i64> {
    text.parse().ok().filter(|offset| *offset >= 0)
}

/// `now` is in milliseconds since 1970, as is what comes out.
fn moment(text: &str, now: i64) -> Option<Point> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        let millis = time.unix_timestamp_nanos() / 1_000_000;
        return i64::try_from(millis).ok().map(Point::Time);
    }
    let (unit_at, unit) = text.char_indices().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: i64 = offset(text.get(..unit_at)?)?;
    let ago = count.checked_mul(seconds)?.checked_mul(1000)?;
    Some(Point::Time(now.saturating_sub(ago).max(0)))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.as_ref().map_or(0, Duration::as_millis);
    i64::try_from(millis).unwrap_or(i64::MAX)
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
        let from = chosen(&bounds.from, partition, FROM);
        from == Point::Committed || chosen(&bounds.to, partition, TO) == Point::Committed
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
        let from = chosen(&bounds.from, partition, FROM);
        let to = chosen(&bounds.to, partition, TO);
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

fn chosen(bounds: &[Bound], partition: &TopicPartition, default: Point) -> Point {
    let of_it = bounds
        .iter()
        .rev()
        .find(|bound| bound.partition.as_ref() == Some(partition));
    let of_all = || bounds.iter().rev().find(|bound| bound.partition.is_none());
    of_it.or_else(of_all).map_or(default, |bound| bound.point)
}

/// A partition named in a bound that none of `partitions` is.
pub(super) fn stranger<'b>(
    bounds: &'b Bounds,
    partitions: &[TopicPartition],
) -> Option<&'b TopicPartition> {
    let named = bounds
        .from
        .iter()
        .chain(&bounds.to)
        .filter_map(|bound| bound.partition.as_ref());
    named.into_iter().find(|named| !partitions.contains(named))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_735_689_600_000;

    #[test]
    fn a_bound_is_a_word_an_offset_a_time_or_a_place_in_one_partition() {
        let check = |text: &str, point: Point| {
            let partition = None;
            assert_eq!(bound(text), Ok(Bound { partition, point }), "{text}");
        };
        check("earliest", Point::Earliest);
        check("latest", Point::Latest);
        check("committed", Point::Committed);
        check("17", Point::Offset(17));
        check("2025-01-01T00:00:00Z", Point::Time(NOW));
        check("2025-01-01T01:00:00.5+01:00", Point::Time(NOW + 500));
        let placed = Bound {
            partition: Some(TopicPartition::new("a.b-c", 3)),
            point: Point::Offset(9),
        };
        assert_eq!(bound("a.b-c:3:9"), Ok(placed));
        for wrong in [
            "",
            "-1",
            "first",
            "t:1",
            "t:-1:2",
            ":1:2",
            "t:1:x",
            "2025-01-01T00:00:00",
            "5w",
            "m",
        ] {
            assert_eq!(bound(wrong), Err(WANTED.to_owned()), "{wrong}");
        }
        assert!(since("17").is_err() && since("earliest").is_err());
    }

    #[test]
    fn a_time_may_be_said_as_how_long_ago() {
        let check = |text: &str, ago: i64| {
            assert_eq!(moment(text, NOW), Some(Point::Time(NOW - ago)), "{text}");
        };
        check("0s", 0);
        check("90s", 90_000);
        check("15m", 900_000);
        check("2h", 7_200_000);
        check("7d", 604_800_000);
        assert_eq!(moment("99999999d", NOW), Some(Point::Time(0)));
    }

    #[test]
    fn a_bound_of_one_partition_goes_over_that_of_all() {
        let bounds = ["5", "t:1:9", "7"].map(|text| bound(text).unwrap());
        let chosen = |partition| {
            chosen(
                &bounds,
                &TopicPartition::new("t", partition),
                Point::Earliest,
            )
        };
        assert_eq!([chosen(0), chosen(1)], [Point::Offset(7), Point::Offset(9)]);
    }
}
