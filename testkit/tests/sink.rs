//! The handle of the sink, on a stand-in that answers like one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use testkit::process::Signal;
use testkit::services;
use testkit::sink::Sink;

const SOON: Duration = Duration::from_secs(20);

/// An executable script in place of the binary.
fn stand_in(script: &str) -> PathBuf {
    let path = services::scratch("stand-in").join("sink");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, executable).expect("an executable");
    path
}

#[test]
fn a_run_gives_code_and_output() {
    let binary = stand_in(r#"echo "$NAME: $*"; cat "$3"; echo failed >&2; exit 3"#);
    let sink = Sink::new(binary).config("topics=a\n").set("tasks.max", "2");
    let (code, output) = sink.arg("--until-end").env("NAME", "me").run(SOON);
    assert_eq!(code, 3);
    assert!(
        output.starts_with("me: --set ops.listen=127.0.0.1:"),
        "{output}"
    );
    assert!(
        output.contains("--set tasks.max=2 --until-end\n"),
        "{output}"
    );
    assert!(output.contains("topics=a\nfailed\n"), "{output}");
}

#[test]
fn a_running_sink_is_asked_measured_and_stopped() {
    let server = "address=${2#ops.listen=}; echo started; echo ready > readyz\n\
        exec python3 -m http.server --bind \"${address%:*}\" \"${address#*:}\"";
    let sink = Sink::new(stand_in(&format!("cd \"$(dirname \"$0\")\"\n{server}"))).start();
    assert_eq!(sink.wait_for_line("start", SOON), "started");
    assert_eq!(sink.await_readyz(200, SOON), "ready\n");
    assert_eq!(sink.http_get("/metrics").map(|answer| answer.0), Some(404));
    assert!(sink.runs() && sink.rss_kib() > 1000);
    assert!(sink.peak_rss_kib() >= sink.rss_kib());
    sink.signal(Signal::Stop);
    sink.signal(Signal::Cont);
    assert_eq!(sink.terminate(SOON), 128 + 15);
    assert!(!sink.runs());
}
