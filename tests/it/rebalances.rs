//! Partitions change hands: asked for, under every protocol, by turns, without being asked, and while Milvus hangs.

mod frozen;
mod members;
mod protocols;
mod silence;

use std::time::Duration;

use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::support::{Job, SOON};

/// A job whose Milvus takes its time: members come and go while rows are on their way.
fn on_a_slow_lite(test: &str) -> (Job, FaultProxy) {
    let proxy = FaultProxy::before(suite::lite().port());
    proxy.set(Network::Delays(Duration::from_millis(100)));
    let job = Job::on_lite(test, 4).through(proxy.endpoint());
    (job, proxy)
}

fn partitions(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_assigned_partitions")
}

fn records_read(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_records_read_total")
}

#[track_caller]
fn await_shares(sinks: &[&Sink], shares: &[i64]) {
    wait::until(SOON, format_args!("shares of {shares:?}"), || {
        let found = sinks.iter().map(|sink| partitions(sink));
        found.eq(shares.iter().copied())
    });
}

#[track_caller]
fn terminate(sink: &Sink) {
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
