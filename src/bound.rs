//! Places in logs as they are said on the command line: words, offsets, times, and offsets of one partition.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::topic_partition::TopicPartition;

/// A place in the log of one partition, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// `None` is every partition.
    pub(crate) partition: Option<TopicPartition>,
    pub(crate) point: Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Earliest,
    Latest,
    /// What the group has committed, or the end where that is nothing.
    Committed,
    Offset(i64),
    /// Milliseconds since 1970.
    Time(i64),
}

impl Bound {
    pub(crate) fn is_committed(&self) -> bool {
        self.point == Point::Committed
    }
}

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

/// What the bounds say of `partition`: of those that speak of it the last one, or else the last that speaks of all.
pub(crate) fn chosen(bounds: &[Bound], partition: &TopicPartition) -> Option<Point> {
    let of_it = bounds
        .iter()
        .rev()
        .find(|bound| bound.partition.as_ref() == Some(partition));
    let of_all = || bounds.iter().rev().find(|bound| bound.partition.is_none());
    of_it.or_else(of_all).map(|bound| bound.point)
}

/// A partition named in a bound that none of `partitions` is.
pub(crate) fn stranger<'b>(
    bounds: impl IntoIterator<Item = &'b Bound>,
    partitions: &[TopicPartition],
) -> Option<&'b TopicPartition> {
    let mut named = bounds
        .into_iter()
        .filter_map(|bound| bound.partition.as_ref());
    named.find(|named| !partitions.contains(named))
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
            let partition = TopicPartition::new("t", partition);
            chosen(&bounds, &partition)
        };
        let expected = [Point::Offset(7), Point::Offset(9)].map(Some);
        assert_eq!([chosen(0), chosen(1)], expected);
        assert_eq!(super::chosen(&[], &TopicPartition::new("t", 0)), None);
    }
}
