//! The name of Milvus: unknown at first, then another address, then forgotten.

use std::fs;
use std::net::Ipv4Addr;

use testkit::proxy::{FaultProxy, Network};
use testkit::sink::write_config;
use testkit::{suite, wait};

use super::terminate;
use crate::load::Place;
use crate::support::{Job, SOON, assert_held};

const NAME: &str = "milvus.test";

#[test]
fn a_name_is_looked_up_again_whenever_a_connection_is_made() {
    let lite = suite::lite();
    let old = FaultProxy::before(lite.port());
    let new = FaultProxy::at(Ipv4Addr::new(127, 0, 0, 2), old.port(), lite.port());
    let job = Job::on_lite("renamed", 1).through(format!("http://{NAME}:{}", old.port()));
    let place = Place::of(&job);
    let hosts = write_config("127.0.0.1 localhost\n");
    // In place: whoever has the file open, or in its place, sees it.
    let leads_to = |address: &str| {
        let line = match address {
            "" => String::new(),
            address => format!("{address} {NAME}\n"),
        };
        fs::write(&hosts, format!("127.0.0.1 localhost\n{line}")).unwrap();
    };
    let sink = job.quick().hosts(&hosts).start();
    place.produce(0..10);
    assert_held(&sink, "milvus_unreachable", &[NAME, "look"]);
    leads_to("127.0.0.1");
    job.await_committed();

    leads_to("127.0.0.2");
    old.set(Network::Refuses);
    place.produce(10..20);
    job.await_committed();

    // A connection that is there needs no name; a new one does.
    leads_to("");
    place.produce(20..30);
    job.await_committed();
    new.set(Network::Resets);
    place.produce(30..40);
    sink.await_readyz(503, SOON);
    new.set(Network::Works);
    wait::until(SOON, "the name is looked up in vain", || {
        sink.await_readyz(503, SOON).contains("look")
    });
    assert_eq!(place.committed(), [30]);
    leads_to("127.0.0.2");
    job.await_committed();
    place.assert_holds(&[40]);
    terminate(&sink);
}
