//! Logins and TLS, to Kafka and to Milvus.

use std::ops::Range;

use testkit::fake::{Fake, Options};
use testkit::kafka::{Listener, PASSWORD, Record, USER};
use testkit::sink::SinkCommand;
use testkit::tls::{TestCa, TlsProxy};
use testkit::{suite, wait};

use crate::support::{Job, SOON, article, articles, assert_held, assert_refused};

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";

/// A second worker file: this listener, as a Java client is told of it.
fn login(job: &Job, listener: Listener, password: &str) -> SinkCommand {
    let (mechanism, module) = match listener {
        Listener::ScramTls => ("SCRAM-SHA-512", SCRAM),
        _ => ("PLAIN", PLAIN),
    };
    let kafka = suite::kafka();
    job.sink().config(&format!(
        "bootstrap.servers={}\n\
         security.protocol=SASL_SSL\n\
         sasl.mechanism={mechanism}\n\
         sasl.jaas.config={module} required \\\n    username=\"{USER}\" \\\n    password=\"{password}\";\n\
         ssl.truststore.type=PEM\n\
         ssl.truststore.location={}\n",
        kafka.bootstrap_of(listener),
        kafka.ca().path().display(),
    ))
}

#[test]
fn a_login_over_tls_reads_from_kafka() {
    for (test, listener) in [("plain", Listener::SaslTls), ("scram", Listener::ScramTls)] {
        let job = Job::on_lite(test, 1);
        job.assert_goes_on(&login(&job, listener, PASSWORD).start());
    }
}

#[test]
fn a_refused_kafka_login_ends_with_2() {
    let job = Job::on_lite("refused_login", 1);
    for listener in [Listener::SaslTls, Listener::ScramTls] {
        let words = [
            "Kafka refused the login (",
            "check sasl.mechanism and the user and password in sasl.jaas.config",
        ];
        assert_refused(login(&job, listener, "wrong-password"), &words);
    }
}

#[test]
fn a_kafka_certificate_of_a_stranger_is_held() {
    let job = Job::on_lite("kafka_stranger", 1);
    let stranger = TestCa::new();
    let sink = login(&job, Listener::SaslTls, PASSWORD).set(
        "ssl.truststore.location",
        &stranger.path().to_string_lossy(),
    );
    assert_held(&sink.start(), "kafka_unreachable", &["certificate"]);
}

#[test]
fn milvus_behind_a_private_ca() {
    let job = Job::on_lite("private_ca", 1);
    let ca = TestCa::new();
    let proxy = TlsProxy::before(suite::lite().port(), &ca.issue_local());
    let sink = || job.sink().set("public.endpoint", &proxy.endpoint());
    let words = [
        "certificate",
        "see milvus.tls.ca.path and milvus.tls.server.name",
    ];
    assert_held(&sink().start(), "milvus_unreachable", &words);
    let trusting = sink().set("milvus.tls.ca.path", &ca.path().to_string_lossy());
    job.assert_goes_on(&trusting.start());
}

#[test]
fn milvus_under_another_name() {
    let job = Job::on_lite("other_name", 1);
    let ca = TestCa::new();
    let proxy = TlsProxy::before(suite::lite().port(), &ca.issue(&["milvus.internal"]));
    let sink = || {
        job.sink()
            .set("public.endpoint", &proxy.endpoint())
            .set("milvus.tls.ca.path", &ca.path().to_string_lossy())
    };
    let words = ["certificate not valid for name", "milvus.tls.server.name"];
    assert_held(&sink().start(), "milvus_unreachable", &words);
    let named = sink().set("milvus.tls.server.name", "milvus.internal");
    job.assert_goes_on(&named.start());
}

#[test]
fn milvus_without_tls_where_tls_is_asked_for_and_the_reverse_are_said() {
    let job = Job::on_lite("milvus_tls_mismatch", 1);
    let plain = suite::lite().endpoint().replace("http:", "https:");
    let sink = job.sink().set("public.endpoint", &plain).start();
    assert_held(
        &sink,
        "milvus_unreachable",
        &["does not speak TLS", "http://"],
    );

    let proxy = TlsProxy::before(suite::lite().port(), &TestCa::new().issue_local());
    let plain = proxy.endpoint().replace("https:", "http:");
    let sink = job.sink().set("public.endpoint", &plain).start();
    assert_held(
        &sink,
        "milvus_unreachable",
        &["cannot be reached", "https or http"],
    );
}

#[test]
fn a_ca_file_that_cannot_be_used_ends_with_2() {
    let job = Job::on_lite("ca_file", 1);
    let sink = |path: &str| {
        job.sink()
            .set("public.endpoint", "https://localhost:19530")
            .set("milvus.tls.ca.path", path)
    };
    assert_refused(
        sink("/no/such/ca.pem"),
        &["milvus.tls.ca.path", "/no/such/ca.pem", "No such file"],
    );
    let no_pem = testkit::sink::write_config("not a certificate\n");
    assert_refused(
        sink(&no_pem.to_string_lossy()),
        &[
            "milvus.tls.ca.path",
            "holds no certificate",
            "BEGIN CERTIFICATE",
        ],
    );
}

/// A Milvus that wants `token`, and a sink that reads its own from a file.
fn with_token_file(test: &str, token: &str, file: &str) -> (Fake, Job, SinkCommand) {
    let fake = Fake::start_with(Options {
        token: Some(token.to_owned()),
        ..Options::default()
    });
    let job = Job::with(suite::kafka(), test, 1, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let sink = job.quick().set("token.file", file);
    (fake, job, sink)
}

#[test]
fn a_token_file_with_a_wrong_token_ends_with_2() {
    let file = testkit::sink::write_config("root:mistyped\n");
    let path = file.to_string_lossy();
    let (_fake, job, sink) = with_token_file("mistyped", "root:correct", &path);
    assert_refused(sink, &["Milvus refused the credentials", "check 'token'"]);
    assert_eq!(job.topic.committed(&job.group()), [None]);
}

#[test]
fn a_revoked_token_is_held_and_a_new_one_in_the_file_heals_it_without_a_loss() {
    let file = testkit::sink::write_config("root:larch17\n");
    let path = file.to_string_lossy();
    let (fake, job, sink) = with_token_file("revoked", "root:larch17", &path);
    let sink = sink.start();
    let produce = |ids: Range<i64>| {
        let records = ids.map(|id| Record::json(&article(id)));
        job.topic.produce(records);
    };
    produce(0..50);
    job.await_committed();
    assert_eq!(sink.await_readyz(200, SOON), "ready\n");

    fake.set_token("root:maple18");
    produce(50..100);
    assert_held(
        &sink,
        "milvus_login_refused",
        &["Milvus refused the credentials"],
    );
    assert_eq!(job.topic.committed(&job.group()), [Some(50)]);
    assert_eq!(fake.rows(&job.collection).len(), 50);

    std::fs::write(&*file, "root:maple18\n").unwrap();
    job.await_committed();
    assert_eq!(fake.rows(&job.collection).len(), 100);
    wait::until(SOON, "no cause on /readyz", || {
        sink.http_get("/readyz")
            .is_some_and(|answer| answer.0 == 200)
    });
    assert!(sink.runs());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let said = sink.output();
    assert!(
        !said.contains("larch17") && !said.contains("maple18"),
        "{said}"
    );
}
