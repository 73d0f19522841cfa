//! The operations surface of a running sink.

use std::collections::BTreeMap;

use testkit::kafka::Record;
use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::support::{Job, SOON, article};

/// Every sample of `/metrics` by its name and labels.
fn samples(sink: &Sink) -> BTreeMap<String, f64> {
    let (status, page) = sink.http_get("/metrics").expect("an answer");
    assert_eq!(status, 200);
    let samples = page.strip_suffix("# EOF\n").expect("a whole page");
    let samples = samples.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    samples.map(sample).collect()
}

#[test]
fn the_counts_are_what_was_done() {
    let job = Job::on_lite("counts", 2);
    let on = |partition| move |id| Record::json(&article(id)).partition(partition);
    job.topic.produce((0..30).map(on(0)));
    job.topic.produce((100..120).map(on(1)));
    // One key again, one record that is none, one tombstone.
    let others = [
        Record::json(&article(3)),
        Record::new("{"),
        Record::tombstone("3"),
    ];
    job.topic.produce(others.map(|record| record.partition(0)));
    let sink = job
        .sink()
        .set("errors.tolerance", "all")
        .set("linger.ms", "2000")
        .start();
    job.await_committed();
    let topic = job.topic.name();
    let expected = [
        ("milvus_sink_records_read_total".to_owned(), 53.0),
        ("milvus_sink_rows_written_total".to_owned(), 50.0),
        ("milvus_sink_rows_superseded_total".to_owned(), 1.0),
        (
            "milvus_sink_records_skipped_total{reason=\"bad_record\"}".to_owned(),
            1.0,
        ),
        (
            "milvus_sink_records_skipped_total{reason=\"tombstone\"}".to_owned(),
            1.0,
        ),
        ("milvus_sink_assigned_partitions".to_owned(), 2.0),
        ("milvus_sink_halted_partitions".to_owned(), 0.0),
        (
            format!("milvus_sink_settled_offset{{topic=\"{topic}\",partition=\"0\"}}"),
            33.0,
        ),
        (
            format!("milvus_sink_committed_offset{{topic=\"{topic}\",partition=\"1\"}}"),
            20.0,
        ),
    ];
    // Offsets and lag are brought up to date once a second.
    for (name, value) in expected {
        wait::until(
            SOON,
            format_args!("{name} {value}: {:#?}", samples(&sink)),
            || samples(&sink).get(&name) == Some(&value),
        );
    }
    assert_eq!(job.milvus.count(&job.collection), 50);
}

#[test]
fn a_sink_without_an_assignment_is_healthy_and_not_ready() {
    let job = Job::on_lite("not_assigned", 1);
    let port = suite::kafka()
        .bootstrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let proxy = FaultProxy::before(port);
    proxy.set(Network::Swallows);
    let servers = format!("127.0.0.1:{}", proxy.port());
    let sink = job.sink().set("bootstrap.servers", &servers).start();
    let body = sink.await_readyz(503, SOON);
    assert!(
        body.contains("no partition has been assigned yet"),
        "{body}"
    );
    assert_eq!(sink.http_get("/healthz").map(|answer| answer.0), Some(200));
    assert_eq!(samples(&sink)["milvus_sink_assigned_partitions"], 0.0);
    proxy.set(Network::Works);
    job.assert_goes_on(&sink);
}

#[test]
fn sighup_is_answered_and_ends_nothing() {
    let job = Job::new("sighup", 1);
    let sink = job.start();
    sink.await_readyz(200, SOON);
    sink.signal(Signal::Hup);
    sink.wait_for_line("SIGHUP changes nothing", SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn every_line_of_the_json_log_is_an_object_with_a_level() {
    let job = Job::on_lite("json_log", 1);
    let sink = job
        .sink()
        .arg("--log-format")
        .arg("json")
        .arg("--until-end");
    let (code, output) = sink.run(SOON);
    assert_eq!(code, 0, "{output}");
    for line in output.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(entry["level"].is_string(), "{line}");
    }
    assert!(output.contains("kafka-milvus-sink starts"), "{output}");
}
