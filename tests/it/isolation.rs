//! Records that fit the schema and that Milvus refuses: found among the others, which are written and committed.

use std::collections::BTreeSet;

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::support::{Job, SOON};

const ROWS: i64 = 250;
/// By partition and offset; keys are `partition * ROWS + offset`.
const BAD: [(i32, i64); 3] = [(0, 10), (0, 240), (1, 50)];

fn key(partition: i32, offset: i64) -> i64 {
    i64::from(partition) * ROWS + offset
}

/// Milvus Lite refuses a sparse vector of nothing, which other Milvus servers take.
fn record(partition: i32, offset: i64) -> Record {
    let sparse = match BAD.contains(&(partition, offset)) {
        true => json!({}),
        false => json!({"7": 0.5}),
    };
    let row = json!({"id": key(partition, offset), "sparse": sparse, "title": "sesame-4712"});
    Record::json(&row).partition(partition)
}

fn job(test: &str) -> Job {
    let job = Job::with(suite::kafka(), test, 2, suite::lite().endpoint(), None);
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .varchar("title", 64)
        .scalar("sparse", Type::SparseFloatVector);
    job.create(&collection);
    let records = (0..2).flat_map(|partition| (0..ROWS).map(move |at| record(partition, at)));
    job.topic.produce(records);
    job
}

/// One writer and few requests: bad rows lie beside good ones of both partitions.
fn start(job: &Job, tolerance: &str) -> Sink {
    let quick = job.quick().set("linger.ms", "2000").set("tasks.max", "1");
    quick.set("errors.tolerance", tolerance).start()
}

fn assert_holds(job: &Job, is_written: impl Fn(i32, i64) -> bool) {
    let all = (0..2).flat_map(|partition| (0..ROWS).map(move |at| (partition, at)));
    let written = all.filter(|(partition, at)| is_written(*partition, *at));
    let expected: BTreeSet<i64> = written.map(|(partition, at)| key(partition, at)).collect();
    let found = job.milvus.integers(&job.collection, "id", "id >= 0");
    assert_eq!(found.len(), expected.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_refused_row_goes_by_the_tolerance() {
    let job = job("refused_skipped");
    let sink = start(&job, "all");
    job.await_committed();
    assert_holds(&job, |partition, at| !BAD.contains(&(partition, at)));
    let skipped = r#"milvus_sink_records_skipped_total{reason="bad_record"}"#;
    assert_eq!(sink.metric(skipped), 3);
    let said = sink.wait_for_line("skipped a bad record", SOON);
    let at = BAD.map(|(partition, at)| format!("{}-{partition}@{at}: ", job.topic.name()));
    assert!(at.iter().any(|at| said.contains(at)), "{said}");
    assert!(said.contains("refuses alone (code 6: "), "{said}");
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    assert!(!sink.output().contains("sesame-4712"), "{}", sink.output());
}

#[test]
fn a_refused_row_halts_its_partition_there_and_what_is_before_is_committed() {
    let job = job("refused_halts");
    let sink = start(&job, "none");
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    wait::until(SOON, "the commits", || {
        job.topic.committed(&job.group()) == [Some(10), Some(50)]
    });
    assert_holds(&job, |partition, at| {
        at < if partition == 0 { 10 } else { 50 }
    });
    for (partition, at) in [(0, 10), (1, 50)] {
        let why = format!("why={}-{partition}@{at}: ", job.topic.name());
        assert!(sink.find_line(&why).is_some(), "{}", sink.output());
    }
    assert!(!sink.output().contains("sesame-4712"), "{}", sink.output());
}
