//! Certificates and passwords that change, or should have been changed, under a running sink.

use testkit::proxy::{FaultProxy, Network};
use testkit::tls::{TestCa, TlsProxy};
use testkit::{services, suite};

use super::{administer, await_held, dead_letters, keeping, terminate};
use crate::load::Place;
use crate::support::{Job, SOON, assert_held};

#[test]
fn an_expired_certificate_and_a_strangers_are_held_and_a_renewed_one_heals_it() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let tls = TlsProxy::before(suite::lite().port(), &ca.issue_expired());
    let network = FaultProxy::before(tls.port());
    let endpoint = network.endpoint().replace("http:", "https:");
    let job = Job::on_lite("renewed", 1).through(endpoint);
    let place = Place::of(&job);
    let sink = job.quick();
    let sink = sink.set("milvus.tls.ca.path", &ca.path().to_string_lossy());
    let sink = sink.start();
    place.produce(0..10);
    assert_held(&sink, "milvus_unreachable", &["certificate", "expired"]);
    assert_eq!(
        job.milvus.count(&job.collection),
        0,
        "nothing goes in plain"
    );
    tls.show(&ca.issue_local());
    job.await_committed();

    // A certificate is looked at when a connection is made.
    tls.show(&stranger.issue_local());
    network.set(Network::Resets);
    network.set(Network::Works);
    place.produce(10..20);
    await_held(&sink, "milvus_unreachable");
    assert_eq!(place.committed(), [10]);
    assert_eq!(job.milvus.count(&job.collection), 10);
    tls.show(&ca.issue_local());
    job.await_committed();
    place.assert_holds(&[20]);
    sink.await_readyz(200, SOON);
    terminate(&sink);
}

#[test]
fn a_password_changed_in_milvus_is_held_until_the_token_file_has_the_new_one() {
    let user = services::unique_collection("rotated");
    let job = Job::new("rotated", 1).without_token();
    let place = Place::of(&job);
    let dead = dead_letters(suite::kafka(), "rotated");
    let administer = |script: String| administer(job.endpoint(), &script);
    administer(format!(
        "client.create_user('{user}', 'before-larch17')\nclient.grant_role('{user}', 'admin')"
    ));
    let file = testkit::sink::write_config(&format!("{user}:before-larch17\n"));
    let sink = job.quick();
    let sink = sink.set("token.file", &file.to_string_lossy());
    let sink = keeping(sink, &dead).start();
    place.produce(0..10);
    job.await_committed();

    administer(format!(
        "client.update_password('{user}', 'before-larch17', 'after-maple18')"
    ));
    place.produce(10..20);
    await_held(&sink, "milvus_login_refused");
    assert_eq!(place.committed(), [10]);
    // Half of a change is none.
    std::fs::write(&file, "").unwrap();
    std::fs::write(&file, format!("{user}:after-maple18\n")).unwrap();
    job.await_committed();
    place.assert_holds(&[20]);
    sink.await_readyz(200, SOON);
    assert_eq!(dead.end_offsets(), [0]);
    terminate(&sink);
    let said = sink.output();
    assert!(
        !said.contains("larch17") && !said.contains("maple18"),
        "{said}"
    );
    administer(format!("client.drop_user('{user}')"));
}
