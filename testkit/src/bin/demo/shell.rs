//! Commands as a person would type them: shown, then run exactly as shown, from the repository.

use std::process::Command;

use testkit::process::Process;
use testkit::services;

pub(crate) fn heading(text: &str) {
    println!("\n── {text}");
}

/// A line, or several, of what is being told.
pub(crate) fn say(text: &str) {
    for line in text.lines() {
        println!("   {line}");
    }
}

/// Shows a command, runs it to its end, and shows what it said.
pub(crate) fn run(line: &str) {
    say(&format!("$ {line}"));
    let output = command(line).output().expect("sh starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\n{errors}");
    say(&String::from_utf8_lossy(&output.stdout));
}

/// Runs a command; when it fails, it is shown, to be typed again.
pub(crate) fn try_run(line: &str) {
    let succeeds = command(line)
        .output()
        .is_ok_and(|output| output.status.success());
    if !succeeds {
        say(&format!("that failed: {line}"));
    }
}

/// Shows a command and starts it; dropping it ends it.
pub(crate) fn start(line: &str) -> Process {
    say(&format!("$ {line} &"));
    Process::start("sink", &command(&format!("exec {line}")))
}

fn command(line: &str) -> Command {
    let kafka = services::repository().join("tools/kafka");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut sh = Command::new("sh");
    sh.args(["-c", line]).current_dir(services::repository());
    // Where Kafka's own commands are.
    sh.env("PATH", format!("{path}:{}", kafka.display()));
    sh
}
