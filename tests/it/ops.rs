//! The operations surface of a running sink.

mod packaging;

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::kafka::Record;
use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::support::{Job, SOON, article};

/// Every sample of `/metrics` by its name and labels.
fn samples(sink: &Sink) -> BTreeMap<String, f64> {
    let page = sink.metrics();
    let samples = page.strip_suffix("# EOF\n").expect("a whole page");
    let samples = samples.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    samples.map(sample).collect()
}

/// Two partitions of rows; then one key again, one record that is none, and one tombstone.
fn produce_53(job: &Job) {
    let on = |partition| move |id| Record::json(&article(id)).partition(partition);
    job.topic.produce((0..30).map(on(0)));
    job.topic.produce((100..120).map(on(1)));
    let others = [
        Record::json(&article(3)),
        Record::new("{"),
        Record::tombstone("3"),
    ];
    job.topic.produce(others.map(|record| record.partition(0)));
}

#[test]
fn the_counts_are_what_was_done() {
    let job = Job::on_lite("counts", 2);
    produce_53(&job);
    let sink = job
        .sink()
        .set("errors.tolerance", "all")
        .set("linger.ms", "2000")
        .start();
    job.await_committed();
    let [topic, collection] = [job.topic.name(), &job.collection];
    let expected = format!(
        r#"records_read_total 53
rows_written_total{{collection="{collection}"}} 50
rows_superseded_total 1
records_skipped_total{{reason="bad_record"}} 1
records_skipped_total{{reason="tombstone"}} 1
assigned_partitions 2
unsettled_records 0
lag_all_records 0
commit_age_seconds 0
partitions_lost_total 0
connected{{peer="milvus"}} 1
read_offset{{topic="{topic}",partition="1"}} 20
settled_offset{{topic="{topic}",partition="0"}} 33
committed_offset{{topic="{topic}",partition="1"}} 20"#
    );
    // Offsets and lag are brought up to date once a second.
    for line in expected.lines() {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        let value = value.parse().expect("a number");
        let name = format!("milvus_sink_{name}");
        wait::until(SOON, line, || samples(&sink).get(&name) == Some(&value));
    }
    assert_eq!(job.milvus.count(&job.collection), 50);
    let whole = sink.http_get("/metrics").expect("an answer").1;
    let named = format!("milvus_sink_records_read_total{{sink=\"{}\"}} 53", job.name);
    assert!(whole.contains(&named), "{whole}");
    assert_sizes_and_times(&samples(&sink));
}

fn assert_sizes_and_times(samples: &BTreeMap<String, f64>) {
    let bytes = samples["milvus_sink_read_bytes_total"];
    assert!((5000.0..50_000.0).contains(&bytes), "{bytes}");
    let rows = samples["milvus_sink_request_rows_sum"];
    assert_eq!(rows, 50.0);
    // As long as they lay in the topic, waited for company and were written.
    let latency = samples["milvus_sink_event_latency_seconds_sum"];
    let batches = samples["milvus_sink_event_latency_seconds_count"];
    assert!(
        batches >= 1.0 && latency >= 2.0 && latency < 600.0 * batches,
        "{latency} {batches}"
    );
    assert!(samples["milvus_sink_commits_total{result=\"ok\"}"] >= 1.0);
    assert!(samples["milvus_sink_rebalances_total{event=\"assigned\"}"] >= 1.0);
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
fn a_bad_record_is_shown_by_its_place_and_without_a_value() {
    const MARKER: &str = "sesame-4712";
    let job = Job::on_lite("bad_shown", 2);
    job.topic.produce([
        Record::json(&article(1)).partition(0),
        Record::new(format!("{{\"id\": \"{MARKER}\"}}")).partition(1),
    ]);
    let sink = job.prompt().start();
    sink.wait_for_line("cause=\"bad_record\"", SOON);
    let (_, text) = sink.http_get("/status").expect("an answer");
    assert!(!text.contains(MARKER), "{text}");
    let said: Value = serde_json::from_str(&text).unwrap();
    let bad = &said["bad_records"][0];
    let names = ["topic", "field", "fate"].map(|name| bad[name].as_str());
    assert_eq!(names, [Some(job.topic.name()), Some("id"), Some("halted")]);
    let place = ["partition", "offset"].map(|name| bad[name].as_i64());
    assert_eq!(place, [Some(1), Some(0)]);
    let mut rows = said["configuration"].as_array().unwrap().iter();
    assert!(rows.any(|row| row["key"] == "topics"), "{text}");
    let (status, page) = sink.http_get("/").expect("an answer");
    assert!(
        status == 200 && page.starts_with("<!doctype html>"),
        "{page}"
    );
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn sighup_is_answered_and_ends_nothing() {
    let job = Job::new("sighup", 1);
    let sink = job.start();
    sink.await_readyz(200, SOON);
    sink.signal(Signal::Hup);
    sink.wait_for_line("SIGHUP: the configuration was read again", SOON);
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
        let entry: Value = serde_json::from_str(line).expect(line);
        assert!(entry["level"].is_string(), "{line}");
    }
    assert!(output.contains("kafka-milvus-sink starts"), "{output}");
}
