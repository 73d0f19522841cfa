//! The requests to Milvus that are under way, and since when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Numbered in the order in which they began.
#[derive(Debug, Default)]
pub struct Requests(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    under_way: BTreeMap<u64, Instant>,
}

/// One request, for as long as it lives.
#[derive(Debug)]
pub struct Request {
    requests: Arc<Requests>,
    number: u64,
}

impl Requests {
    pub fn begin(self: &Arc<Self>, now: Instant) -> Request {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.under_way.insert(number, now);
        Request {
            requests: Arc::clone(self),
            number,
        }
    }

    /// The number of the one that began first.
    pub fn oldest(&self) -> Option<u64> {
        self.lock().under_way.keys().next().copied()
    }

    /// How long each of them has been under way, the oldest first.
    pub fn ages(&self, now: Instant) -> Vec<Duration> {
        let state = self.lock();
        let began = state.under_way.values();
        began
            .map(|began| now.saturating_duration_since(*began))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.requests.lock().under_way.remove(&self.number);
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let ages = self.ages(Instant::now());
        let under_way = ConstGauge::new(i64::try_from(ages.len()).unwrap_or(i64::MAX));
        let help = "Requests to Milvus without an answer yet.";
        let encoded =
            encoder.encode_descriptor("requests_under_way", help, None, MetricType::Gauge)?;
        under_way.encode(encoded)?;
        let oldest = ConstGauge::new(ages.first().map_or(0.0, Duration::as_secs_f64));
        let help = "How long the oldest of them has been under way.";
        let unit = Some(&Unit::Seconds);
        let encoded = encoder.encode_descriptor("oldest_request", help, unit, MetricType::Gauge)?;
        oldest.encode(encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_the_one_that_began_first_and_is_still_under_way() {
        let requests = Arc::new(Requests::default());
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!((requests.oldest(), requests.ages(start)), (None, vec![]));
        let first = requests.begin(start);
        let _second = requests.begin(at(5));
        assert_eq!(requests.oldest(), Some(1));
        assert_eq!(requests.ages(at(7)), [7, 2].map(Duration::from_secs));
        drop(first);
        assert_eq!(requests.oldest(), Some(2));
        assert_eq!(requests.ages(at(7)), [Duration::from_secs(2)]);
    }
}
