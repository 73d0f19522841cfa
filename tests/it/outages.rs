//! Milvus goes away and comes back, or is silent, also while the sink is asked to stop.

use std::time::{Duration, Instant};

use testkit::kafka::Record;
use testkit::milvus_server::{Standalone, StandaloneOptions};
use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::load::{Place, Stream};
use crate::support::{Job, SOON, article, articles, given_up};

/// A job whose Milvus Lite stands behind a proxy.
fn behind_a_proxy(test: &str, partitions: i32) -> (Job, FaultProxy) {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite(test, partitions).through(proxy.endpoint());
    (job, proxy)
}

fn held(sink: &Sink, cause: &str) -> bool {
    sink.metric(&format!("milvus_sink_held{{cause=\"{cause}\"}}")) == 1
}

#[test]
fn a_milvus_that_stops_and_starts_in_mid_stream_is_waited_for() {
    // A server of its own, and not Lite: restarted under load, that one was once seen without the acknowledged first
    // rows of one of two writers.
    let mut milvus = Standalone::start(&StandaloneOptions::default());
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "restarted", 2, endpoint, token);
    job.create(&articles(&job.collection));
    let stream = Stream::start(&job);
    let sink = job.quick().start();
    stream.await_progress(500);
    milvus.stop();
    let reason = sink.await_readyz(503, SOON);
    // While it stops it still answers, that it cannot reach its own parts.
    let waits = ["Milvus asks to wait", "cannot be reached"];
    assert!(waits.iter().any(|wait| reason.contains(wait)), "{reason}");
    milvus.start_again();
    sink.await_readyz(200, SOON);
    stream.await_progress(500);
    stream.finish();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn while_milvus_is_silent_memory_stays_bounded_and_afterwards_everything_comes() {
    let (job, proxy) = behind_a_proxy("backpressure", 4);
    let place = Place::of(&job);
    let limits = job.quick().set("buffer.max.bytes", "1048576");
    let sink = limits.set("batch.max.bytes", "262144").start();
    place.produce(0..100);
    job.await_committed();
    let before = sink.rss_kib();

    proxy.set(Network::Swallows);
    // 80 MB, most of it a field that no column takes.
    let padded = |partition, offset| {
        let mut article = article(place.key(partition, offset));
        article["padding"] = "x".repeat(10_000).into();
        Record::json(&article).partition(partition)
    };
    let padded = |partition| (100..2100).map(move |offset| padded(partition, offset));
    job.topic.produce((0..4).flat_map(padded));
    wait::until(SOON, "a full buffer", || {
        let used = sink.metric("milvus_sink_buffer_used_bytes");
        used >= sink.metric("milvus_sink_buffer_limit_bytes") && held(&sink, "milvus_slow")
    });
    let most = before + 48 * 1024;
    wait::throughout(Duration::from_secs(4), "bounded memory", || {
        sink.metric("milvus_sink_buffer_used_bytes") < 2 * 1048576 && sink.rss_kib() < most
    });

    proxy.set(Network::Works);
    job.await_committed();
    place.assert_holds(&[2100; 4]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// A sink that has rows which a silent Milvus does not take.
fn held_back(test: &str, shutdown_ms: &str) -> (Job, FaultProxy, Sink) {
    let (job, proxy) = behind_a_proxy(test, 2);
    let sink = job.quick().set("shutdown.timeout.ms", shutdown_ms).start();
    Place::of(&job).produce(0..100);
    job.await_committed();
    proxy.set(Network::Swallows);
    Place::of(&job).produce(100..200);
    wait::until(SOON, "a hold", || held(&sink, "milvus_slow"));
    (job, proxy, sink)
}

#[test]
fn a_stop_while_milvus_is_away_ends_in_time_with_1_and_loses_nothing() {
    let (job, proxy, sink) = held_back("away", "4000");
    let (asked, place) = (Instant::now(), Place::of(&job));
    assert_eq!(sink.terminate(SOON), 1, "{}", sink.output());
    let took = asked.elapsed();
    let in_time = Duration::from_secs(2)..Duration::from_millis(4500);
    assert!(in_time.contains(&took), "{took:?}");
    for line in given_up(&sink) {
        let is_said = line.contains(" settled=100 ") && line.ends_with(" committed=100");
        assert!(is_said, "{line}");
    }
    assert!(!given_up(&sink).is_empty(), "{}", sink.output());
    assert_eq!(place.committed(), [100, 100]);

    proxy.set(Network::Works);
    let sink = job.quick().start();
    // At once, not after a session time-out: the first has left the group.
    let started = Instant::now();
    job.await_committed();
    assert!(started.elapsed() < Duration::from_secs(5), "{started:?}");
    place.assert_holds(&[200; 2]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn asked_to_stop_twice_it_ends_at_once_with_1() {
    let (job, proxy, sink) = held_back("twice", "60000");
    sink.signal(Signal::Term);
    sink.wait_for_line("asked to stop; draining", SOON);
    // Some senders signal the process and its group; that is one request.
    sink.signal(Signal::Int);
    wait::throughout(Duration::from_millis(600), "one request", || sink.runs());
    let asked = Instant::now();
    assert_eq!(sink.terminate(SOON), 1, "{}", sink.output());
    assert!(asked.elapsed() < Duration::from_secs(2), "{asked:?}");

    let place = Place::of(&job);
    assert_eq!(place.committed(), [100, 100]);
    proxy.set(Network::Works);
    let sink = job.quick().start();
    job.await_committed();
    place.assert_holds(&[200; 2]);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
