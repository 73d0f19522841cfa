//! No child outlives the test process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute only, and helpers have none"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::process::{Process, Signal};
use testkit::wait;

const SOON: Duration = Duration::from_secs(10);
// Set in the process that plays the test process which is killed.
const ROLE: &str = "TESTKIT_PARENT_TO_BE_KILLED";

/// A server that starts a server, writes both pids, and ends for no signal but SIGKILL.
fn stubborn_family() -> Process {
    let script = "trap '' TERM INT HUP; sh -c 'trap \"\" TERM INT HUP; echo pid $$; sleep 1000 & wait' & \
         echo pid $$; wait";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Process::start("family", &command)
}

fn pids(output: &str) -> Vec<String> {
    let pids = output.lines().filter_map(|line| line.split("pid ").nth(1));
    pids.map(str::to_owned).collect()
}

fn await_family(output: impl Fn() -> String) -> Vec<String> {
    wait::some(SOON, "two pids", || {
        let pids = pids(&output());
        (pids.len() == 2).then_some(pids)
    })
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    // A zombie waits only for its parent to look.
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn await_all_gone(pids: &[String]) {
    let what = format_args!("the end of {pids:?}");
    wait::until(SOON, what, || !pids.iter().any(|pid| runs(pid)));
}

#[test]
fn a_test_process_that_is_killed_takes_its_servers_along() {
    if std::env::var_os(ROLE).is_some() {
        let family = stubborn_family();
        let pids = await_family(|| family.output());
        println!("pid {}\npid {}", pids[0], pids[1]);
        family.wait_exit(Duration::from_secs(1000));
    }
    let mut parent = Command::new(std::env::current_exe().unwrap());
    parent.env(ROLE, "1");
    parent.args(["--exact", "--nocapture"]);
    parent.arg("a_test_process_that_is_killed_takes_its_servers_along");
    let parent = Process::start("parent", &parent);
    let pids = await_family(|| parent.output());
    assert!(pids.iter().all(|pid| runs(pid)));
    // The process alone: its group, and with it our own watcher, is left as it is.
    parent.signal(Signal::Kill);
    await_all_gone(&pids);
}

#[test]
fn a_dropped_process_takes_its_children_along() {
    let family = stubborn_family();
    let pids = await_family(|| family.output());
    drop(family);
    await_all_gone(&pids);
}

#[test]
fn a_frozen_process_can_be_killed() {
    let family = stubborn_family();
    let pids = await_family(|| family.output());
    family.signal(Signal::Stop);
    drop(family);
    await_all_gone(&pids);
}
