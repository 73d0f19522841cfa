//! Faults, by what is at fault; the table in docs/delivery.md names these tests and those beside them.

mod cluster;
mod kafka;
mod members;
mod milvus;
mod names;
mod network;
mod ops;
mod process;
mod records;
mod secrets;

use testkit::kafka::{Broker, Topic};
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, wait};

use crate::support::{Job, SOON};

/// A topic for dead letters, with nothing in it.
fn dead_letters(kafka: &Broker, test: &str) -> Topic {
    kafka.topic(&format!("{test}_dead"), 1)
}

/// Whatever is bad is kept, so that a record taken for bad by mistake is found in `dead`.
fn keeping(sink: SinkCommand, dead: &Topic) -> SinkCommand {
    let sink = sink.set("errors.tolerance", "all");
    sink.set("errors.deadletterqueue.topic.name", dead.name())
}

fn records_read(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_records_read_total")
}

fn partitions(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_assigned_partitions")
}

#[track_caller]
fn await_held(sink: &Sink, cause: &str) {
    let series = format!("milvus_sink_held{{cause=\"{cause}\"}}");
    wait::until(SOON, &series, || sink.metric(&series) == 1);
}

/// The lag of every partition of the job is known, and none.
#[track_caller]
fn await_no_lag(sink: &Sink, job: &Job) {
    let topic = job.topic.name();
    let line = |partition| {
        format!("milvus_sink_lag_records{{topic=\"{topic}\",partition=\"{partition}\"}} 0\n")
    };
    wait::until(SOON, "no lag", || {
        let page = sink.metrics();
        (0..job.topic.partitions()).all(|partition| page.contains(&line(partition)))
    });
}

#[track_caller]
fn terminate(sink: &Sink) {
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// What an administrator does with the official client, `client`, that is connected as root.
pub(crate) fn administer(endpoint: &str, script: &str) {
    let mut python = services::python();
    let head = "import sys\nfrom pymilvus import MilvusClient\nclient = MilvusClient(uri=sys.argv[1], token='root:Milvus')\n";
    python
        .arg("-c")
        .arg(format!("{head}{script}"))
        .arg(endpoint);
    let output = python.output().expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
