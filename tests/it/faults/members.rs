//! Members by the dozen, members whose partitions go and come back, and a member whose poll loop alone stands still.

use std::time::{Duration, Instant};

use testkit::proxy::{FaultProxy, Network, Way};
use testkit::sink::Sink;
use testkit::stopped_thread::StoppedThread;
use testkit::{suite, wait};

use super::{partitions, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, full, given_up};

/// At most so many at once.
const MEMBERS: usize = 4;

#[test]
fn a_storm_of_members_that_come_go_and_die_loses_nothing() {
    let proxy = FaultProxy::before(suite::lite().port());
    proxy.set(Network::Delays(Duration::from_millis(50)));
    let job = Job::on_lite("storm", 6).through(proxy.endpoint());
    let place = Place::repeating(&job, 50);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place));
    let mut members: Vec<Sink> = vec![job.quick().start()];
    stream.await_progress(100);
    let end = Instant::now() + Duration::from_secs(full(12, 300));
    let mut turn = 0;
    while Instant::now() < end {
        turn += 1;
        if turn % 3 != 0 && members.len() < MEMBERS {
            members.push(job.quick().start());
        } else if turn % 2 == 0 {
            members.remove(0).kill();
        } else {
            // In a rebalance Kafka takes no commits: then it may end with something left.
            let leaver = members.remove(0);
            let status = leaver.terminate(SOON);
            let is_left = !given_up(&leaver).is_empty();
            assert_eq!(status, i32::from(is_left), "{}", leaver.output());
        }
        if members.is_empty() {
            members.push(job.quick().start());
        }
        let moment = Duration::from_millis(700);
        wait::throughout(moment, "members", || members.iter().all(Sink::runs));
    }
    let sum = || members.iter().map(partitions).sum::<i64>();
    wait::until(SOON, "an owner for every partition", || sum() == 6);
    stream.await_progress(100);
    stream.finish();
    witness.finish();
    for member in &members {
        terminate(member);
    }
}

#[test]
fn partitions_that_come_back_while_answers_of_before_are_on_their_way_start_from_the_commit() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("flip", 4);
    let (place, witness) = (Place::of(&job), Witness::start(&job));
    // A third of it is the drain's.
    let member = || job.quick().set("consumer.max.poll.interval.ms", "9000");
    let first = member().set("public.endpoint", &proxy.endpoint()).start();
    wait::until(SOON, "all partitions", || partitions(&first) == 4);
    place.produce(0..100);
    job.await_committed();
    // What is sent is applied, and what is answered is on its way for a while.
    proxy.set_each(Way::Works, Way::Swallows);
    place.produce(100..200);
    wait::until(SOON, "rows in hand", || records_read(&first) == 800);

    let second = member().start();
    wait::until(SOON, "two to go", || partitions(&first) == 2);
    assert_eq!(given_up(&first).len(), 2, "{:?}", given_up(&first));
    second.kill();
    wait::until(SOON, "two to come back", || partitions(&first) == 4);
    proxy.set(Network::Works);
    job.await_committed();
    place.assert_holds(&[200; 4]);
    assert!(records_read(&first) >= 800);
    witness.finish();
    terminate(&first);
}

#[test]
fn a_member_whose_poll_loop_alone_stands_still_writes_and_commits_nothing_of_what_it_lost() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("not_polled", 4);
    let place = Place::repeating(&job, 25);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place.clone()));
    let interval = full("6000", "20000");
    let first = job
        .quick()
        .set("consumer.max.poll.interval.ms", interval)
        .set("public.endpoint", &proxy.endpoint())
        .start();
    stream.await_progress(500);
    proxy.set(Network::Refuses);
    wait::until(SOON, "rows in hand", || {
        records_read(&first) > place.committed().iter().sum()
    });
    // Its writers go on, and so do the heartbeats.
    let stopped = StoppedThread::of(first.pid(), "consumer");
    let second = job.quick().start();

    wait::until(SOON, "the second to take over", || partitions(&second) == 4);
    proxy.set(Network::Works);
    stream.await_progress(1000);
    stream.finish();
    drop(stopped);
    first.wait_for_line("lost partitions", SOON);
    let shares = || (partitions(&first), partitions(&second));
    wait::until(SOON, "shares", || shares() == (2, 2));
    place.assert_holds(&job.topic.end_offsets());
    witness.finish();
    terminate(&first);
    terminate(&second);
}
