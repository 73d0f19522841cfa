//! Gauges that are read when `/metrics` is asked for, instead of being set.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::budget::Budget;
use crate::topic_partition::TopicPartition;

/// Where a partition stands. `None` is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The offset after the last record handed to its writer.
    pub read: Option<i64>,
    /// The next offset to commit.
    pub settled: Option<i64>,
    /// What the group holds.
    pub committed: Option<i64>,
    /// Records between `settled` and the partition's end.
    pub lag: Option<i64>,
    /// What the client fetches next, which may lie behind what it has to give.
    pub fetched: Option<i64>,
    /// The broker that has it is connected.
    pub is_led: bool,
    /// Assigned, and not begun to be read: where from is not known yet.
    pub is_awaited: bool,
    /// Chunks that wait for its writer.
    pub waiting: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_awaited {
            return f.write_str("not begun, since Kafka has not said from where");
        }
        let shown =
            |offset: Option<i64>| offset.map_or("?".to_owned(), |offset| offset.to_string());
        write!(
            f,
            "read {}, settled {}, committed {}, lag {}, fetched {}, {} chunks wait for its writer",
            shown(self.read),
            shown(self.settled),
            shown(self.committed),
            shown(self.lag),
            shown(self.fetched),
            self.waiting,
        )?;
        if self.is_led {
            return Ok(());
        }
        f.write_str(", its broker is away")
    }
}

/// Read when asked, so that nobody has to report it.
#[derive(Debug)]
pub(super) struct Buffer(pub(super) Arc<Budget>);

impl Collector for Buffer {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauges = [
            (
                "buffer_used",
                "Held between Kafka and the acknowledgement.",
                self.0.used(),
            ),
            (
                "buffer_limit",
                "The limit, buffer.max.bytes.",
                self.0.limit(),
            ),
        ];
        for (name, help, bytes) in gauges {
            let encoder =
                encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX)).encode(encoder)?;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct Positions(Mutex<BTreeMap<TopicPartition, Position>>);

impl Positions {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Position>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Part = fn(&Position) -> Option<i64>;

impl Collector for Positions {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauges: [(&str, &str, Part); 3] = [
            ("lag_records", "Records not settled yet.", |position| {
                position.lag
            }),
            ("settled_offset", "The next offset to commit.", |position| {
                position.settled
            }),
            (
                "committed_offset",
                "The offset that the group holds.",
                |position| position.committed,
            ),
        ];
        let positions = self.lock();
        for (name, help, part) in gauges {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (at, position) in positions.iter() {
                if let Some(value) = part(position) {
                    let partition = at.partition.to_string();
                    let labels = [("topic", &*at.topic), ("partition", partition.as_str())];
                    ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}
