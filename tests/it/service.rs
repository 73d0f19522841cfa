//! Under systemd: what it is told, and the fields of its journal.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::{services, suite, wait};

use crate::support::{Job, SOON};

/// One of systemd's sockets.
struct Socket {
    folder: PathBuf,
    socket: UnixDatagram,
}

impl Socket {
    fn new() -> Self {
        let folder = services::scratch("systemd");
        let socket = UnixDatagram::bind(folder.join("socket")).expect("a socket");
        let look = Some(Duration::from_millis(100));
        socket.set_read_timeout(look).expect("a time-out");
        Self { folder, socket }
    }

    fn path(&self) -> String {
        self.folder.join("socket").to_string_lossy().into_owned()
    }

    /// Takes all that is there.
    fn is_drained(&self) -> bool {
        let mut bytes = [0; 1 << 12];
        while self.socket.recv(&mut bytes).is_ok() {}
        true
    }

    /// Takes messages until one has this text.
    #[track_caller]
    fn await_text(&self, text: &str) -> String {
        wait::some(SOON, format_args!("{text:?} on the socket"), || {
            let mut bytes = vec![0; 1 << 16];
            let length = self.socket.recv(&mut bytes).ok()?;
            let said = String::from_utf8_lossy(bytes.get(..length)?).into_owned();
            said.contains(text).then_some(said)
        })
    }
}

#[test]
fn systemd_hears_of_readiness_of_what_is_in_the_way_and_that_it_lives() {
    let systemd = Socket::new();
    let proxy = FaultProxy::before(suite::lite().port());
    proxy.set(Network::Refuses);
    let job = Job::on_lite("systemd", 2).through(proxy.endpoint());
    let sink = job.quick().env("NOTIFY_SOCKET", &systemd.path());
    let sink = sink.env("WATCHDOG_USEC", "2000000").start();
    // Also while Milvus is away: systemd would end a unit that is not ready in time.
    systemd.await_text("READY=1");
    systemd.await_text("(milvus_unreachable)");
    systemd.await_text("WATCHDOG=1");
    proxy.set(Network::Works);
    systemd.await_text("STATUS=reads 2 partitions, lag 0");
    sink.signal(Signal::Hup);
    let reloading = systemd.await_text("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    systemd.await_text("READY=1");
    sink.signal(Signal::Term);
    systemd.await_text("STOPPING=1");
    assert_eq!(sink.wait_exit(SOON), 0, "{}", sink.output());
}

#[test]
fn without_a_watchdog_there_are_no_signs_of_life() {
    let systemd = Socket::new();
    let job = Job::on_lite("no_watchdog", 1);
    let sink = job.quick().env("NOTIFY_SOCKET", &systemd.path()).start();
    systemd.await_text("STATUS=reads 1 partitions");
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    let mut bytes = [0; 1 << 12];
    while let Ok(length) = systemd.socket.recv(&mut bytes) {
        let said = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(!said.contains("WATCHDOG"), "{said}");
    }
}

#[test]
fn the_journal_has_a_field_for_each_of_ours() {
    let journal = Socket::new();
    let job = Job::on_lite("journal", 1);
    let sink = job.quick().journal(&journal.folder).start();
    let first = journal.await_text("kafka-milvus-sink starts");
    for part in [
        "PRIORITY\n\u{1}\0\0\0\0\0\0\u{0}6\n",
        "SINK_NAME",
        &job.name,
        "SINK_VERSION",
    ] {
        assert!(first.contains(part), "{part} is missing in {first:?}");
    }
    // A journal that takes nothing would hold up who writes.
    let is_ready = || sink.http_get("/readyz").map(|answer| answer.0) == Some(200);
    wait::until(SOON, "readiness", || journal.is_drained() && is_ready());
    sink.signal(Signal::Term);
    wait::until(SOON, "the end", || journal.is_drained() && !sink.runs());
    assert_eq!(sink.wait_exit(SOON), 0, "{}", sink.output());
    assert_eq!(sink.output(), "", "what the journal has is not said twice");
}
