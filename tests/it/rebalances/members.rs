//! Members that join and leave, with time for what is in hand.

use testkit::proxy::{FaultProxy, Network};
use testkit::{suite, wait};

use super::{await_shares, on_a_slow_lite, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON};

#[test]
fn a_second_member_joins_and_leaves_under_load() {
    let proxy = FaultProxy::before(suite::milvus().port());
    let job = Job::new("members", 4).through(proxy.endpoint());
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));
    let first = job.quick().set("log.level", "debug").start();
    stream.await_progress(500);
    // Rows in hand that it cannot write.
    proxy.set(Network::Swallows);
    wait::until(SOON, "rows in hand", || {
        records_read(&first) > Place::of(&job).committed().iter().sum()
    });
    let second = job.quick().start();
    first.wait_for_line("rebalance=Revoked", SOON);
    proxy.set(Network::Works);
    wait::until(SOON, "rows from the second member", || {
        second.metric("milvus_sink_rows_written_total") > 0
    });
    stream.finish();
    let produced: i64 = job.topic.end_offsets().iter().sum();
    let read = records_read(&first) + records_read(&second);
    assert_eq!(read, produced, "what was handed over was drained before");

    let stream = Stream::start(&job);
    stream.await_progress(500);
    terminate(&second);
    await_shares(&[&first], &[4]);
    stream.await_progress(500);
    stream.finish();
    witness.finish();
    terminate(&first);
}

#[test]
fn a_half_full_batch_is_written_before_its_partitions_go() {
    let job = Job::on_lite("half_full", 4);
    let (place, witness) = (Place::of(&job), Witness::start(&job));
    let waits_long = || job.quick().set("linger.ms", "60000");
    let first = waits_long().start();
    await_shares(&[&first], &[4]);
    place.produce(0..50);
    wait::until(SOON, "all records in hand", || records_read(&first) == 200);
    let written = first.metric("milvus_sink_rows_written_total");
    assert_eq!(written, 0, "they wait for company");

    let second = waits_long().start();
    await_shares(&[&first, &second], &[2, 2]);
    let committed = place.committed();
    let given = committed.iter().filter(|offset| **offset == 50).count();
    assert!(given >= 2, "two partitions were handed over: {committed:?}");

    place.produce(50..60);
    wait::until(SOON, "the rest in hand", || {
        records_read(&first) + records_read(&second) == 240
    });
    terminate(&second);
    await_shares(&[&first], &[4]);
    terminate(&first);
    place.assert_holds(&[60; 4]);
    assert_eq!(place.committed(), [60; 4]);
    witness.finish();
}

#[test]
fn two_members_taking_turns_lose_nothing_and_leave_the_last_value_of_each_key() {
    let (job, _proxy) = on_a_slow_lite("turns");
    let place = Place::repeating(&job, 25);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place));
    let mut members = [job.quick().start(), job.quick().start()];
    for turn in 0..6 {
        stream.await_progress(300);
        let member = &mut members[turn % 2];
        if turn % 3 == 2 {
            member.kill();
        } else {
            terminate(member);
        }
        stream.await_progress(300);
        *member = job.quick().start();
    }
    await_shares(&[&members[0], &members[1]], &[2, 2]);
    stream.finish();
    witness.finish();
    for member in &members {
        terminate(member);
    }
}
