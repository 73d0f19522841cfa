//! The memory between Kafka and Milvus: read when `/metrics` is asked for, so that nobody has to report it.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::budget::Budget;

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
