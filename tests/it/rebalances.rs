//! Partitions change hands: asked for, under every protocol, by turns, without being asked, and while Milvus hangs.

mod frozen;
mod members;
mod protocols;
mod silence;

use testkit::sink::Sink;
use testkit::wait;

use crate::support::SOON;

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
