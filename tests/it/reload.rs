//! SIGHUP: what is taken over while it runs, and what is only said.

use std::fs;

use testkit::process::Signal;
use testkit::sink::{Sink, write_config};
use testkit::suite;
use testkit::tls::{TestCa, TlsProxy};

use crate::support::{Job, SINK, SOON, assert_held};

#[test]
fn a_level_is_taken_over_and_what_takes_a_restart_is_named() {
    let job = Job::on_lite("reload", 1);
    let file = write_config(&job.config());
    let sink = Sink::new(SINK).file(&file).start();
    sink.await_readyz(200, SOON);
    let again = |text: String, said: &str| {
        fs::write(&file, text).unwrap();
        sink.signal(Signal::Hup);
        sink.wait_for_line(said, SOON);
    };
    let more = |more: &str| format!("{}{more}\n", job.config());
    again(more("log.level=debug"), "log.level was INFO, and is DEBUG");
    again(
        more("log.level=debug\nlinger.ms=7"),
        "linger.ms has changed, which takes a restart",
    );
    again(more("linger.ms=many"), "since there are mistakes in it now");
    again(more("log.level=warn"), "log.level was DEBUG, and is WARN");
    job.topic.produce_json(&crate::support::article(7));
    job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let output = sink.output();
    assert!(
        output.contains("linger.ms: "),
        "the mistake is said: {output}"
    );
    let after = output.split_once("and is WARN").map(|(_, after)| after);
    let after = after.unwrap_or_default();
    assert!(!after.contains(" INFO "), "{after}");
}

#[test]
fn a_token_file_is_read_at_once() {
    let job = Job::on_lite("reload_token", 1);
    let token = write_config("user:larch17\n");
    let sink = job.sink().set("token.file", &token.to_string_lossy());
    let sink = sink.start();
    sink.await_readyz(200, SOON);
    sink.signal(Signal::Hup);
    sink.wait_for_line("token file and certificates are as they were", SOON);
    fs::write(&token, "user:maple18\n").unwrap();
    sink.signal(Signal::Hup);
    sink.wait_for_line("token file read again", SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let said = sink.output();
    assert!(
        !said.contains("larch17") && !said.contains("maple18"),
        "{said}"
    );
}

#[test]
fn other_authorities_are_trusted_without_a_restart() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let proxy = TlsProxy::before(suite::lite().port(), &ca.issue_local());
    let trusted = write_config(&stranger.pem());
    let job = Job::on_lite("reload_ca", 1).through(proxy.endpoint());
    let sink = job.quick();
    let sink = sink.set("milvus.tls.ca.path", &trusted.to_string_lossy());
    let sink = sink.start();
    assert_held(&sink, "milvus_unreachable", &["certificate"]);
    fs::write(&trusted, "no certificate\n").unwrap();
    sink.signal(Signal::Hup);
    sink.wait_for_line(
        "what was used before is used still: milvus.tls.ca.path",
        SOON,
    );
    fs::write(&trusted, ca.pem()).unwrap();
    sink.signal(Signal::Hup);
    sink.wait_for_line("milvus.tls.ca.path has other certificates", SOON);
    job.assert_goes_on(&sink);
}
