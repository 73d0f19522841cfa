//! Lost data: records that Kafka no longer has, or cannot give, and exactly which.

use std::fmt;

use crate::topic_partition::{TopicId, TopicPartition};

/// Offsets of one partition that are not read, or are read no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataLoss {
    pub at: TopicPartition,
    /// The first offset of it.
    pub from: i64,
    /// The offset after the last one, where that is known.
    pub to: Option<i64>,
    pub what: Lost,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Deleted by retention or by hand before they were read.
    Expired,
    /// Read, and then cut off by the election of a leader that lacked them.
    Truncated,
    /// Cut off, somewhere at `from` or before.
    TruncatedSomewhere,
    /// The topic was deleted and made again.
    Recreated { before: TopicId, now: TopicId },
    /// A batch whose checksum is wrong.
    Corrupt { detail: String },
    /// An unknown codec, a record larger than the client takes.
    Unreadable { detail: String },
}

impl DataLoss {
    pub const LABELS: [&str; 5] = [
        "offsets_expired",
        "log_truncated",
        "topic_recreated",
        "log_corrupt",
        "unreadable",
    ];

    /// A short, stable word, as [`crate::cause::Cause::label`].
    pub fn label(&self) -> &'static str {
        match self.what {
            Lost::Expired => "offsets_expired",
            Lost::Truncated | Lost::TruncatedSomewhere => "log_truncated",
            Lost::Recreated { .. } => "topic_recreated",
            Lost::Corrupt { .. } => "log_corrupt",
            Lost::Unreadable { .. } => "unreadable",
        }
    }

    /// How many offsets it is; 0 where that is not known.
    pub fn offsets(&self) -> u64 {
        let count = self.to.map_or(0, |to| to - self.from);
        u64::try_from(count).unwrap_or(0)
    }

    /// What there is to do about it.
    fn remedy(&self) -> String {
        const POLICY: &str = "set behavior.on.data.loss=continue";
        match (&self.what, self.to) {
            (Lost::Expired, _) => {
                format!("to go on with the earliest that is left, {POLICY} or the group's offset")
            }
            (Lost::Truncated, _) => {
                format!("to go on at {}, {POLICY} or the group's offset", self.from)
            }
            (Lost::TruncatedSomewhere, _) => {
                "decide from where to go on and set the group's offset".to_owned()
            }
            (Lost::Recreated { .. }, _) => {
                format!("to read the new one from its beginning, {POLICY} or the group's offset")
            }
            (Lost::Corrupt { .. }, Some(to)) => {
                format!("mend the log, or to go on behind them {POLICY} or the group's offset to {to}")
            }
            (Lost::Corrupt { .. }, None) => {
                "where that ends could not be found; mend the log, or set the group's offset behind it"
                    .to_owned()
            }
            (Lost::Unreadable { .. }, _) => {
                "mend the log or the consumer's limits, or set the group's offset behind them"
                    .to_owned()
            }
        }
    }

    /// What is lost, without what to do.
    pub fn fact(&self) -> impl fmt::Display + '_ {
        Fact(self)
    }
}

impl fmt::Display for DataLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.fact(), self.remedy())
    }
}

struct Fact<'a>(&'a DataLoss);

impl fmt::Display for Fact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DataLoss { at, from, to, what } = self.0;
        let range = Range(*from, *to);
        match what {
            Lost::Expired => write!(
                f,
                "{at}: {range} expired before they were read (by retention, or deleted)"
            ),
            Lost::Truncated => write!(
                f,
                "{at}: {range} were read and are no longer in the log, which was cut off there (Kafka elected a leader that lacked them)"
            ),
            Lost::TruncatedSomewhere => write!(
                f,
                "{at}: {range} are not in the log, which was cut off there or before (Kafka elected a leader that lacked them)"
            ),
            Lost::Recreated { before, now } => write!(
                f,
                "{at}: the topic was deleted and made again (its id was {before}, and is {now}), and {range} of the one before went with it, if there were any"
            ),
            Lost::Corrupt { detail } => write!(f, "{at}: {range} are corrupt ({detail})"),
            Lost::Unreadable { detail } => write!(f, "{at}: {range} cannot be read ({detail})"),
        }
    }
}

/// From the first to before the second.
struct Range(i64, Option<i64>);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(to) => write!(f, "the offsets [{}, {to})", self.0),
            None => write!(f, "the offsets from {} on", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_names_the_partition_the_range_and_what_to_do() {
        let check = |what: Lost, to, label: &str, expected: &str| {
            let at = TopicPartition::new("t", 3);
            let loss = DataLoss {
                at,
                from: 5,
                to,
                what,
            };
            assert_eq!(loss.label(), label);
            assert!(DataLoss::LABELS.contains(&label));
            assert_eq!(loss.to_string(), expected);
        };
        let detail = || "why".to_owned();
        check(
            Lost::Expired,
            Some(9),
            "offsets_expired",
            "t-3: the offsets [5, 9) expired before they were read (by retention, or deleted); to go on with the earliest that is left, set behavior.on.data.loss=continue or the group's offset",
        );
        check(
            Lost::Truncated,
            Some(9),
            "log_truncated",
            "t-3: the offsets [5, 9) were read and are no longer in the log, which was cut off there (Kafka elected a leader that lacked them); to go on at 5, set behavior.on.data.loss=continue or the group's offset",
        );
        check(
            Lost::TruncatedSomewhere,
            Some(9),
            "log_truncated",
            "t-3: the offsets [5, 9) are not in the log, which was cut off there or before (Kafka elected a leader that lacked them); decide from where to go on and set the group's offset",
        );
        let (before, now) = (TopicId::new("a"), TopicId::new("b"));
        check(
            Lost::Recreated { before, now },
            None,
            "topic_recreated",
            "t-3: the topic was deleted and made again (its id was a, and is b), and the offsets from 5 on of the one before went with it, if there were any; to read the new one from its beginning, set behavior.on.data.loss=continue or the group's offset",
        );
        check(
            Lost::Corrupt { detail: detail() },
            Some(9),
            "log_corrupt",
            "t-3: the offsets [5, 9) are corrupt (why); mend the log, or to go on behind them set behavior.on.data.loss=continue or the group's offset to 9",
        );
        check(
            Lost::Corrupt { detail: detail() },
            None,
            "log_corrupt",
            "t-3: the offsets from 5 on are corrupt (why); where that ends could not be found; mend the log, or set the group's offset behind it",
        );
        check(
            Lost::Unreadable { detail: detail() },
            None,
            "unreadable",
            "t-3: the offsets from 5 on cannot be read (why); mend the log or the consumer's limits, or set the group's offset behind them",
        );
    }

    #[test]
    fn offsets_are_counted_where_the_end_is_known() {
        let at = TopicPartition::new("t", 3);
        let what = Lost::Expired;
        let mut loss = DataLoss {
            at,
            from: 5,
            to: Some(9),
            what,
        };
        assert_eq!(loss.offsets(), 4);
        loss.to = None;
        assert_eq!(loss.offsets(), 0);
    }
}
