//! Partitions are asked for while Milvus hangs: they go at the drain's deadline, and what was not written with them.

use std::time::{Duration, Instant};

use testkit::proxy::{FaultProxy, Network};
use testkit::{suite, wait};

use super::{await_shares, records_read, terminate};
use crate::load::{Place, Witness};
use crate::support::{Job, SOON, given_up};

#[test]
fn a_revoke_while_milvus_hangs_is_answered_at_its_deadline_and_nothing_is_lost() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("hangs", 4);
    let (place, witness) = (Place::of(&job), Witness::start(&job));
    // A third of it is the drain's.
    let member = || job.quick().set("consumer.max.poll.interval.ms", "9000");
    let first = member().set("public.endpoint", &proxy.endpoint()).start();
    await_shares(&[&first], &[4]);
    place.produce(0..100);
    job.await_committed();
    proxy.set(Network::Swallows);
    place.produce(100..200);
    wait::until(SOON, "rows in hand", || records_read(&first) == 800);

    let asked = Instant::now();
    let second = member().start();
    await_shares(&[&second], &[2]);
    let took = asked.elapsed();
    let deadline = Duration::from_millis(2500)..Duration::from_secs(20);
    assert!(deadline.contains(&took), "{took:?}");
    wait::until(SOON, "the second to write what the first could not", || {
        place.committed().iter().filter(|end| **end == 200).count() == 2
    });
    assert!(first.find_line("lost partitions").is_none());
    let said = given_up(&first);
    assert_eq!(said.len(), 2, "{said:?}");
    for line in said {
        let left = " settled=100 read=200 committed=100";
        assert!(line.ends_with(left), "{line}");
    }

    proxy.set(Network::Works);
    job.await_committed();
    place.assert_holds(&[200; 4]);
    witness.finish();
    terminate(&first);
    terminate(&second);
}
