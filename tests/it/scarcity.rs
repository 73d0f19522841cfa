//! A machine that gives little: no more descriptors, no more memory, little time.

use std::fs;
use std::process::Command;
use std::time::Duration;

use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::load::{Place, Stream};
use crate::memory::{page, pages};
use crate::support::{Job, SOON};

/// Has the running sink no more than this of something: `nofile=3:`.
fn limit(sink: &Sink, limit: &str) {
    let pid = sink.pid().to_string();
    let status = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--{limit}")])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{limit}");
}

fn descriptors(sink: &Sink) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", sink.pid()));
    open.unwrap().count()
}

/// Kilobytes of `/proc/<pid>/status`.
fn status(sink: &Sink, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", sink.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.unwrap().trim_matches([':', '\t', ' ']);
    number.trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn without_a_file_descriptor_it_says_so_and_goes_on_when_there_is_one() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("descriptors", 1).through(proxy.endpoint());
    let place = Place::of(&job);
    let sink = job.quick().start();
    place.produce(0..10);
    job.await_committed();
    let open = descriptors(&sink);
    proxy.set(Network::Refuses);
    wait::until(SOON, "a broken connection", || descriptors(&sink) < open);
    limit(&sink, "nofile=3:");
    proxy.set(Network::Works);
    place.produce(10..20);
    let said = sink.wait_for_line("Too many open files", SOON);
    assert!(said.contains("held"), "{said}");
    assert!(said.contains("cannot be reached"), "{said}");
    limit(&sink, "nofile=1024:");
    job.await_committed();
    place.assert_holds(&[20]);
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// Where more than the buffer asks for is not to be had, the buffer's limit keeps the sink alive.
#[test]
fn a_limit_on_memory_is_not_reached_while_milvus_is_silent() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::with(suite::kafka(), "memory_limit", 4, proxy.endpoint(), None);
    job.create(&pages(&job.collection));
    // So large that memory is used up before a batch is full.
    let sink = job.quick().set("buffer.max.bytes", "8388608");
    let sink = sink.set("batch.max.bytes", "8388608").start();
    job.topic.produce((0..40).map(page));
    job.await_committed();
    let most = (status(&sink, "VmData") + 128 * 1024) * 1024;
    limit(&sink, &format!("data={most}:{most}"));
    proxy.set(Network::Swallows);
    job.topic.produce((40..6000).map(page));
    wait::until(SOON, "a full buffer", || {
        sink.metric("milvus_sink_buffer_used_bytes") >= 8 << 20
    });
    wait::throughout(Duration::from_secs(3), "a live sink", || sink.runs());
    proxy.set(Network::Works);
    job.await_committed();
    assert_eq!(job.milvus.count(&job.collection), 6000);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_process_with_little_time_that_stands_still_now_and_then_loses_nothing() {
    let job = Job::on_lite("little_time", 4);
    let stream = Stream::start(&job);
    let sink = job.quick().set("watchdog.timeout.ms", "3000").start();
    let nice = Command::new("renice")
        .args(["-n", "19", "-p", &sink.pid().to_string()])
        .output();
    assert!(nice.is_ok_and(|nice| nice.status.success()));
    stream.await_progress(500);
    for _ in 0..5 {
        sink.freeze();
        wait::throughout(Duration::from_secs(1), "a burst", || true);
        sink.thaw();
        stream.await_progress(100);
    }
    stream.finish();
    for word in ["lost partitions", "watchdog=", "halted"] {
        assert_eq!(sink.find_line(word), None, "{}", sink.output());
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
