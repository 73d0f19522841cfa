//! The records that a measurement decodes again and again: those of one request.

use kafka_milvus_sink::columns::Columns;
use kafka_milvus_sink::decode::json;
use testkit::workload::{SEED, Workload};

use crate::sink;

/// The sink's default `batch.max.rows`.
const MAX_ROWS: u64 = 10_000;
/// The sink's default `batch.max.bytes`.
const MAX_BYTES: usize = 2_097_152;

#[derive(Debug)]
pub struct Corpus {
    pub workload: Workload,
    pub payloads: Vec<String>,
}

impl Corpus {
    /// As many records as one request takes by default.
    pub fn full(workload: Workload) -> Self {
        let plan = sink::plan(workload);
        let mut columns = Columns::new(&plan);
        let fits = |payload: &String| {
            json::decode(&plan, &mut columns, payload.as_bytes()).expect("a record");
            columns.bytes() <= MAX_BYTES
        };
        let payloads = (0..MAX_ROWS).map(|number| payload(workload, number));
        let payloads = payloads.take_while(fits).collect();
        Self { workload, payloads }
    }

    /// So many records.
    pub fn of(workload: Workload, records: u64) -> Self {
        Self {
            workload,
            payloads: (0..records)
                .map(|number| payload(workload, number))
                .collect(),
        }
    }

    pub fn records(&self) -> usize {
        self.payloads.len()
    }

    /// Of all payloads together.
    pub fn bytes(&self) -> usize {
        self.payloads.iter().map(String::len).sum()
    }
}

fn payload(workload: Workload, number: u64) -> String {
    let mut text = String::new();
    workload.record(SEED, number, &mut text);
    text
}
