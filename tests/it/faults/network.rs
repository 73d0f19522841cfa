//! The network before Milvus: silent, slow, cut, or gone in one direction alone, before a real 2.3.5.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::proxy::{FaultProxy, Network, Way};
use testkit::{suite, wait};

use super::{await_held, await_no_lag, dead_letters, keeping, partitions, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, full};

/// A job on the suite's 2.3.5, whose sink reaches it through the proxy.
fn behind_a_proxy(test: &str, partitions: i32) -> (Job, FaultProxy) {
    let proxy = FaultProxy::before(suite::milvus().port());
    let job = Job::new(test, partitions).through(proxy.endpoint());
    (job, proxy)
}

#[test]
fn a_milvus_that_takes_connections_and_says_nothing_from_the_start_is_waited_for() {
    let (job, proxy) = behind_a_proxy("silent_start", 1);
    proxy.set(Network::Swallows);
    let dead = dead_letters(suite::kafka(), "silent_start");
    let sink = keeping(job.quick(), &dead).start();
    await_held(&sink, "milvus_slow");
    proxy.set(Network::Works);
    job.assert_goes_on(&sink);
    assert_eq!(dead.end_offsets(), [0]);
}

#[test]
fn connections_cut_in_the_middle_of_requests_and_replies_cost_nothing_and_overtake_nothing() {
    let (job, proxy) = behind_a_proxy("cut", 4);
    let dead = dead_letters(suite::kafka(), "cut");
    let place = Place::repeating(&job, 25);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place));
    let sink = keeping(job.quick(), &dead)
        .set("late.landing.grace.ms", "200")
        .start();
    stream.await_progress(200);
    for seed in 0..full(2, 60) {
        // Sometimes in the request, sometimes between it and its reply.
        let to_server = Way::Cuts { most: 60_000, seed };
        let to_client = Way::Cuts { most: 6_000, seed };
        proxy.set_each(to_server, to_client);
        await_held(&sink, "milvus_unreachable");
        proxy.set(Network::Works);
        stream.await_progress(200);
    }
    stream.finish();
    witness.finish();
    await_no_lag(&sink, &job);
    assert_eq!(dead.end_offsets(), [0]);
    terminate(&sink);
}

#[test]
fn requests_that_are_applied_and_whose_replies_are_lost_leave_one_row_of_each_key() {
    let (job, proxy) = behind_a_proxy("lost_replies", 2);
    let place = Place::of(&job);
    let sink = job.quick().start();
    place.produce(0..50);
    job.await_committed();
    proxy.set_each(Way::Works, Way::Swallows);
    place.produce(50..100);
    job.milvus.await_count(&job.collection, 200, SOON);
    assert_eq!(place.committed(), [50; 2]);
    await_held(&sink, "milvus_slow");
    proxy.set(Network::Works);
    job.await_committed();
    place.assert_holds(&[100; 2]);
    terminate(&sink);
}

#[test]
fn where_milvus_makes_the_keys_lost_replies_cost_second_rows_and_never_a_first_one() {
    let proxy = FaultProxy::before(suite::milvus().port());
    let (endpoint, token) = (suite::milvus().endpoint(), suite::milvus().token());
    let job = Job::with(suite::kafka(), "lost_auto", 1, endpoint, token);
    let keyed = Collection::new(&job.collection).int64_key("id").auto_id();
    job.create(&keyed.scalar("n", Type::Int64).float_vector("v", 2));
    let job = job.through(proxy.endpoint());
    let sink = job.quick().start();
    let produce = |numbers: std::ops::Range<i64>| {
        let record = |n: i64| Record::json(&json!({"n": n, "v": [1, 2]}));
        job.topic.produce(numbers.map(record));
    };
    let written = || -> BTreeSet<i64> {
        let rows = job.milvus.integers(&job.collection, "n", "n >= 0");
        rows.into_iter().collect()
    };
    produce(0..50);
    job.await_committed();
    assert_eq!(job.milvus.count(&job.collection), 50);
    proxy.set_each(Way::Works, Way::Swallows);
    produce(50..100);
    wait::until(SOON, "all rows", || written().len() == 100);
    await_held(&sink, "milvus_slow");
    assert_eq!(job.topic.committed(&job.group()), [Some(50)]);
    proxy.set(Network::Works);
    job.await_committed();
    assert_eq!(written(), (0..100).collect());
    terminate(&sink);
}

#[test]
fn requests_that_arrive_after_their_connection_has_ended_put_no_older_row_over_a_newer_one() {
    let (job, proxy) = behind_a_proxy("late", 2);
    let place = Place::repeating(&job, 25);
    let sink = job.quick().set("milvus.request.timeout.ms", "3000").start();
    place.produce(0..25);
    job.await_committed();
    for round in 0..full(2, 20) {
        let (older, newer) = (25 + 50 * round, 50 + 50 * round);
        proxy.set(Network::Delays(Duration::from_millis(2500)));
        place.produce(older..newer);
        wait::until(SOON, "the older rows", || records_read(&sink) == 2 * newer);
        let moment = Duration::from_millis(300);
        wait::throughout(moment, "a request under way", || {
            place.committed() == [older; 2]
        });
        place.produce(newer..newer + 25);
        proxy.set(Network::Strands);
        job.await_committed();
        // Longer than the older request is on its way.
        let moment = Duration::from_millis(2600);
        wait::throughout(moment, "the newer rows", || {
            place.assert_holds(&[newer + 25; 2]);
            true
        });
    }
    terminate(&sink);
}

#[test]
fn a_narrow_and_slow_network_is_written_through() {
    let (job, proxy) = behind_a_proxy("narrow", 2);
    let latency = Way::Delays(Duration::from_millis(150));
    proxy.set_each(Way::Trickles(200_000), latency);
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));
    let sink = job.quick().start();
    stream.await_progress(full(500, 20_000));
    stream.finish();
    witness.finish();
    terminate(&sink);
}

#[test]
fn of_two_members_the_one_that_sees_no_milvus_holds_its_own_partitions_and_no_others() {
    let (job, proxy) = behind_a_proxy("split", 4);
    let (place, witness) = (Place::of(&job), Witness::start(&job));
    let cut_off = job.quick().start();
    let other = job
        .quick()
        .set("public.endpoint", &suite::milvus().endpoint())
        .start();
    wait::until(SOON, "shares", || {
        (partitions(&cut_off), partitions(&other)) == (2, 2)
    });
    place.produce(0..50);
    job.await_committed();
    proxy.set(Network::Swallows);
    place.produce(50..100);
    wait::until(SOON, "the other's partitions", || {
        place.committed().iter().filter(|end| **end == 100).count() == 2
    });
    // Longer than the session: it stays a member, and nobody else gets what it holds.
    let begun = Instant::now();
    let long = Duration::from_secs(full(7, 120));
    wait::throughout(long, "two halves", || {
        let is_written = |end: &&i64| **end == 100;
        place.committed().iter().filter(is_written).count() == 2
            && (partitions(&cut_off), partitions(&other)) == (2, 2)
    });
    assert!(begun.elapsed() >= long);
    assert!(cut_off.find_line("lost partitions").is_none());
    proxy.set(Network::Works);
    job.await_committed();
    place.assert_holds(&[100; 4]);
    witness.finish();
    terminate(&cut_off);
    terminate(&other);
}
