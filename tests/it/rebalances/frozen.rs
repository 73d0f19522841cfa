//! A member that stands still past its session, with rows in hand that another one has overtaken meanwhile.

use testkit::proxy::{FaultProxy, Network};
use testkit::{suite, wait};

use super::{await_shares, partitions, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, full};

#[test]
fn a_member_frozen_past_its_session_writes_and_commits_nothing_of_what_it_lost() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("frozen", 4);
    let place = Place::repeating(&job, 25);
    let (stream, witness) = (Stream::of(place.clone()), Witness::of(place.clone()));
    let first = job
        .quick()
        .set("consumer.session.timeout.ms", full("6000", "45000"))
        .set("public.endpoint", &proxy.endpoint())
        .start();
    stream.await_progress(500);
    proxy.set(Network::Refuses);
    wait::until(SOON, "rows in hand", || {
        records_read(&first) > place.committed().iter().sum()
    });
    first.freeze();
    proxy.set(Network::Works);

    let second = job.quick().start();
    wait::until(SOON, "the second to take over", || partitions(&second) == 4);
    // Newer values of every key. Nothing comes after these: an older one that overwrites them stays.
    stream.await_progress(2000);
    stream.finish();
    first.thaw();
    first.wait_for_line("lost partitions", SOON);
    await_shares(&[&first, &second], &[2, 2]);
    place.assert_holds(&job.topic.end_offsets());
    witness.finish();

    let stream = Stream::of(place.clone());
    stream.await_progress(500);
    stream.finish();
    terminate(&first);
    terminate(&second);
    place.assert_holds(&job.topic.end_offsets());
}
