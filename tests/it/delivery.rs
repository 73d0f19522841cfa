//! Nothing is lost, and no commit is ahead of Milvus: kills, stops, keys that repeat.

use serde_json::json;
use testkit::kafka::Record;
use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, article};

#[test]
fn ten_thousand_records_of_four_partitions_are_there_once_each() {
    let job = Job::new("ten_thousand", 4);
    let place = Place::of(&job);
    let sink = job.quick().start();
    place.produce(0..2500);
    job.await_committed();
    place.assert_holds(&[2500; 4]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn after_kills_in_mid_stream_every_key_is_there_and_no_commit_was_ahead() {
    let milvus = suite::milvus();
    let proxy = FaultProxy::before(milvus.port());
    let job = Job::new("kills", 4).through(proxy.endpoint());
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));

    let sink = job.quick().start();
    stream.await_progress(1000);
    sink.kill();

    // Killed with rows on their way that Milvus never gets.
    let sink = job.quick().start();
    stream.await_progress(1000);
    proxy.set(Network::Swallows);
    sink.await_readyz(503, SOON);
    sink.kill();
    proxy.set(Network::Works);

    let sink = job.quick().start();
    stream.await_progress(1000);
    stream.finish();
    witness.finish();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

fn records_read(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_records_read_total")
}

/// Milvus falls silent, and the sink has rows in hand that it cannot write.
fn silence(proxy: &FaultProxy, place: &Place, sink: &Sink) {
    proxy.set(Network::Swallows);
    wait::until(SOON, "rows in hand", || {
        records_read(sink) > place.committed().iter().sum()
    });
}

#[test]
fn a_stop_under_load_drains_and_the_next_start_goes_on_without_a_gap() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("drains", 4).through(proxy.endpoint());
    let place = Place::of(&job);
    let stream = Stream::start(&job);
    let sink = job.quick().start();
    stream.await_progress(1000);
    silence(&proxy, &place, &sink);
    sink.signal(Signal::Term);
    sink.wait_for_line("asked to stop; draining", SOON);
    proxy.set(Network::Works);
    assert_eq!(sink.wait_exit(SOON), 0, "{}", sink.output());
    let committed = place.committed();
    place.assert_holds(&committed);

    let sink = job.quick().start();
    stream.finish();
    let produced: i64 = job.topic.end_offsets().iter().sum();
    let left = produced - committed.iter().sum::<i64>();
    assert_eq!(records_read(&sink), left);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn of_a_key_that_repeats_the_last_value_stays_and_a_tombstone_settles() {
    let job = Job::on_lite("superseded", 1);
    let sink = job.quick().set("linger.ms", "500").start();
    let version = |id: i64, version: i64| {
        let mut article = article(id);
        article["title"] = json!(format!("version {version}"));
        Record::json(&article)
    };
    let records = (0..500).map(|i| version(i % 5, i));
    job.topic.produce(records.chain([Record::tombstone("3")]));
    job.await_committed();

    let mut titles: Vec<_> = job.milvus.query(&job.collection, "id >= 0");
    titles.sort_by_key(|row| row["id"].as_i64());
    let titles: Vec<_> = titles.iter().map(|row| row["title"].clone()).collect();
    assert_eq!(
        titles,
        (495..500)
            .map(|i| json!(format!("version {i}")))
            .collect::<Vec<_>>()
    );
    assert!(sink.metric("milvus_sink_rows_superseded_total") > 0);
    let tombstones = r#"milvus_sink_records_skipped_total{reason="tombstone"}"#;
    assert_eq!(sink.metric(tombstones), 1);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
