//! A panic, tried on this very test in a process of its own.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use kafka_milvus_sink::config::LogConfig;
use kafka_milvus_sink::log;

const CHILD: &str = "THIS_PROCESS_PANICS";
const ABORTED: i32 = 6;

#[test]
fn a_panic_on_any_thread_is_one_line_and_the_end_of_the_process() {
    if std::env::var_os(CHILD).is_some() {
        return panic_on_a_thread();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "panics::a_panic_on_any_thread_is_one_line_and_the_end_of_the_process",
    ]);
    let output = child.arg("--nocapture").env(CHILD, "1").output().unwrap();
    assert_eq!(output.status.signal(), Some(ABORTED), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("ERROR panicked: out of cheese; please report this"),
        "{said}"
    );
}

fn panic_on_a_thread() {
    log::start(&LogConfig {
        level: tracing::Level::INFO,
        json: false,
    });
    log::end_on_panic();
    let thread = std::thread::spawn(|| panic!("out of cheese"));
    drop(thread.join());
}
