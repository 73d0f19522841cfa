//! To a real Milvus 2.3.5, which is the limit then: what a record costs us, and what it costs Milvus.

use std::time::{Duration, Instant};

use super::super::Bench;
use super::super::report::Report;
use super::super::usage;
use crate::workload::Workload;
use crate::{services, suite};

const RECORDS: u64 = 150_000;
/// At some thousand a second.
const ROWS: i64 = 40_000;

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let topic = bench.topic(Workload::W768, RECORDS, 1);
    let milvus = suite::milvus();
    let collection = services::unique_collection("bench");
    milvus
        .client()
        .create(&Workload::W768.collection(&collection));
    let token = milvus.token().unwrap_or_default();
    let sink = bench
        .sink_command(std::slice::from_ref(&topic), &milvus.endpoint())
        .config(&format!("collection.name={collection}\ntoken={token}\n"));
    let before = usage::of_process(milvus.pid());
    let sink = sink.start();
    let others = usage::Others::than([bench.kafka.pid(), milvus.pid(), sink.pid()]);
    let start = Instant::now();
    let written = || sink.metric("milvus_sink_rows_written_total");
    crate::wait::until(Duration::from_secs(120), "rows in Milvus", || {
        written() >= ROWS
    });
    let rows = f64::from(u32::try_from(written()).expect("few rows"));
    let seconds = start.elapsed().as_secs_f64();
    let share = others.share();
    let ours = usage::of_process(sink.pid()).as_secs_f64() * 1e6 / rows;
    let theirs = usage::of_process(milvus.pid()) - before;
    let theirs = theirs.as_secs_f64() * 1e6 / rows;
    report.figure("Milvus 2.3.5: W768", rows / seconds, "records/s", share);
    report.figure("Milvus 2.3.5: CPU of the sink", ours, "s/million", share);
    report.figure("Milvus 2.3.5: CPU of Milvus", theirs, "s/million", share);
}
