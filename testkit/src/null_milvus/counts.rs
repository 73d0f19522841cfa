//! What a null Milvus has taken, and how that is told: a line of text for each number.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// What was taken until now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub requests: u64,
    pub rows: u64,
    /// Encoded.
    pub bytes: u64,
    /// Rows after the first answer, and the seconds from then to the last one: no start of anybody is in it.
    pub later_rows: u64,
    pub later_bytes: u64,
    pub seconds: f64,
    /// Milliseconds that rows took, where their keys say when they were made: the median, 99 of 100, the most.
    pub median_ms: f64,
    pub p99_ms: f64,
    pub most_ms: f64,
}

impl Counts {
    pub fn rows_per_second(&self) -> f64 {
        float(self.later_rows) / self.seconds
    }

    pub fn bytes_per_second(&self) -> f64 {
        float(self.later_bytes) / self.seconds
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a count of rows or bytes is far below 2^53"
)]
fn float(count: u64) -> f64 {
    count as f64
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} {}", self.requests, self.rows, self.bytes)?;
        writeln!(
            f,
            "{} {} {}",
            self.later_rows, self.later_bytes, self.seconds
        )?;
        writeln!(f, "{} {} {}", self.median_ms, self.p99_ms, self.most_ms)
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let mut next = || words.next().ok_or("too few numbers");
        let whole = |word: &str| word.parse().map_err(|_| format!("'{word}'"));
        let real = |word: &str| word.parse().map_err(|_| format!("'{word}'"));
        Ok(Self {
            requests: whole(next()?)?,
            rows: whole(next()?)?,
            bytes: whole(next()?)?,
            later_rows: whole(next()?)?,
            later_bytes: whole(next()?)?,
            seconds: real(next()?)?,
            median_ms: real(next()?)?,
            p99_ms: real(next()?)?,
            most_ms: real(next()?)?,
        })
    }
}

/// Counts while they grow.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Counts,
    first: Option<Instant>,
    last: Option<Instant>,
    took: Vec<Duration>,
}

impl Tally {
    /// A request was answered `now`.
    pub(super) fn answered(&mut self, rows: u32, bytes: u64, now: Instant) {
        let counts = &mut self.counts;
        counts.requests += 1;
        counts.rows += u64::from(rows);
        counts.bytes += bytes;
        self.last = Some(now);
        if self.first.is_none() {
            self.first = Some(now);
        } else {
            counts.later_rows += u64::from(rows);
            counts.later_bytes += bytes;
        }
    }

    /// How long rows of it took.
    pub(super) fn took(&mut self, rows: impl IntoIterator<Item = Duration>) {
        self.took.extend(rows);
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.counts.clone();
        if let (Some(first), Some(last)) = (self.first, self.last) {
            counts.seconds = (last - first).as_secs_f64();
        }
        let mut took = self.took.clone();
        took.sort_unstable();
        let at = |hundredths: usize| {
            let index = (took.len() * hundredths / 100).min(took.len().saturating_sub(1));
            took.get(index)
                .map_or(0.0, |took| took.as_secs_f64() * 1000.0)
        };
        (counts.median_ms, counts.p99_ms, counts.most_ms) = (at(50), at(99), at(100));
        counts
    }
}
