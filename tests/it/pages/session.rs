//! A page typed from its first command to its last into one shell, and what is seen there.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::process::Process;
use testkit::services;

use super::block::{Block, blocks};
use super::page;
use crate::support::SINK;

/// A page starts a JVM and a Python for many of its commands.
const PATIENCE: Duration = Duration::from_secs(300);
/// Before what a block writes, with the line that it begins in.
const MARK: &str = "=== block of line";

const LOOK: &str = "target/services/milvus-lite/bin/python tools/read_back.py ";

/// The servers that the page has.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) kafka: String,
    pub(super) endpoint: String,
    pub(super) token: &'static str,
}

/// Every `sh` block succeeds, and behind it is seen each line of the `text` blocks that follow.
#[track_caller]
pub(super) fn type_in(path: &str, servers: &Servers) {
    let page = page(path);
    let blocks = blocks(&page);
    let said = typed(path, &blocks, servers);
    let mut seen = "";
    let mut compared = 0;
    for Block { kind, line, text } in &blocks {
        match kind.as_str() {
            "sh" => seen = behind(&said, *line),
            "text" => {
                for expected in text.lines().filter(|line| !line.is_empty()) {
                    let is_there = seen.lines().any(|line| is_like(line, expected));
                    assert!(is_there, "{path}:{line}: {expected:?} is not in\n{seen}");
                    compared += 1;
                }
            }
            _ => {}
        }
    }
    assert!(compared > 0, "{path} shows nothing of what is seen");
}

/// What the shell says from the first command to the last.
#[track_caller]
fn typed(path: &str, blocks: &[Block], servers: &Servers) -> String {
    let built = Path::new(SINK).parent().unwrap();
    let tools = services::repository().join("tools/kafka");
    let found = std::env::var("PATH").unwrap();
    let places = format!("{}:{}:{found}", built.display(), tools.display());
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-c", &script(blocks)])
        .current_dir(services::repository())
        .env("PATH", places)
        .env("KAFKA", &servers.kafka)
        .env("ENDPOINT", &servers.endpoint)
        .env("TOKEN", servers.token)
        // Another sink of this machine may have the usual one.
        .env("MILVUS_SINK_OPS_LISTEN", "none");
    let shell = Process::start("page", &shell);
    let status = shell.wait_exit(PATIENCE);
    let said = shell.output();
    assert!(status.success(), "{path}: {status}\n{said}");
    said
}

fn script(blocks: &[Block]) -> String {
    let mut script = String::from("exec 2>&1\n");
    let mut in_background = false;
    for block in blocks.iter().filter(|block| block.kind == "sh") {
        script += &format!("echo '{MARK} {}'\n", block.line);
        if in_background && block.text.starts_with(LOOK) {
            script += &awaited(&block.text);
        }
        // The release's own place, or where this build put it.
        script += &block.text.replace("target/debug/kafka-milvus-sink", SINK);
        in_background |= block.text.trim_end().ends_with('&');
    }
    if in_background {
        // As the pages say: it ends with what it has read written and committed, and status 0.
        script += "kill $!\nwait $!\n";
    }
    script
}

/// What a sink in the background writes is there when a person has typed the next command.
fn awaited(look: &str) -> String {
    let look = look.trim_end();
    format!("for turn in $(seq 60); do\n({look}) > /dev/null 2>&1 && break\ndone\n")
}

/// What was written by the block of this line.
fn behind(said: &str, line: usize) -> &str {
    let begins = format!("{MARK} {line}\n");
    let (_, after) = said.split_once(&begins).unwrap_or_default();
    after.split_once(MARK).map_or(after, |(until, _)| until)
}

/// The same line, where `…` stands for anything.
fn is_like(line: &str, expected: &str) -> bool {
    let Some((first, others)) = expected.split_once('…') else {
        return line == expected;
    };
    let mut rest = line.strip_prefix(first);
    let mut parts = others.split('…');
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
    }
    rest.is_some_and(|rest| rest.ends_with(last))
}

#[test]
fn a_line_is_like_another_with_something_left_out() {
    let check = |line: &str, expected: &str, like: bool| {
        assert_eq!(is_like(line, expected), like, "{line} {expected}");
    };
    check("2", "2", true);
    check("12", "2", false);
    check("an INFO line of 5 words", "…line of 5…", true);
    check("an INFO line of 5 words", "line of 5…", false);
    check("a 12 b 34 c", "a … b … c", true);
    check("a 12 b", "a … b … c", false);
    check("b 12 a", "…a … b", false);
    check("a 12 b", "a … b", true);
    check("a 12 b c", "a … b", false);
}
