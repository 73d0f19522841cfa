//! `make demo`: the six steps of the walk-through on a real Kafka and a real Milvus, then 50,000 records, a bad one and
//! a search. With `ENDPOINT` the six steps are those of the user's own Milvus. `demo servers` (`make servers`) only starts
//! the two servers, for who wants to type the steps.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "it talks to the person who started it, and ends when a step does not do what it says"
)]

mod article;
mod beyond;
mod servers;
mod shell;
mod steps;

use std::fs::File;
use std::panic::PanicHookInfo;
use std::time::Instant;

use servers::Servers;
use testkit::process::Process;

/// Topic and collection alike, as in the documentation of the Connect plugin.
const NAME: &str = "topic_0";
/// The argument that stops after the start of the servers.
const SERVERS: &str = "servers";

fn main() {
    std::panic::set_hook(Box::new(complain));
    match std::env::args().nth(1).as_deref() {
        None | Some(SERVERS) => {}
        Some(other) => panic!("unknown argument '{other}': wanted nothing, or {SERVERS}"),
    }
    let _alone = lock();
    let started = Instant::now();
    let servers = Servers::start();
    if servers_only() {
        servers.wait();
    }
    steps::topic(&servers);
    steps::collection(&servers);
    steps::files(&servers);
    let sink = steps::start();
    steps::produce(&servers);
    steps::look(&servers);
    if servers::variable("KEEP").is_some() {
        keep(servers, sink);
    }
    steps::stop(&sink);
    drop(sink);
    if servers.are_users() {
        drop(servers);
        println!("\nDone. Sink and Kafka have been ended; the files are in target/demo.");
        return;
    }

    let sink = beyond::many(&servers);
    beyond::bad_record(&servers, &sink);
    beyond::search(&servers);
    drop(sink);
    drop(servers);
    let seconds = started.elapsed().as_secs_f32();
    println!(
        "\nDone in {seconds:.0} s. Sink, Kafka and Milvus have been ended; the files are in target/demo."
    );
}

/// Everything stays up until Ctrl-C.
fn keep(servers: Servers, sink: Process) -> ! {
    shell::heading("All of it stays up (KEEP)");
    steps::go_on(&servers);
    // Nothing of it is dropped: Ctrl-C ends the children together with this process.
    std::mem::forget((servers, sink));
    loop {
        std::thread::park();
    }
}

fn servers_only() -> bool {
    std::env::args().nth(1).as_deref() == Some(SERVERS)
}

/// Two at once would write each other's files.
fn lock() -> File {
    let lock = File::create(steps::demo_dir().join(".lock")).expect("target/demo can be written");
    let taken = lock.try_lock();
    assert!(
        taken.is_ok(),
        "`make demo` or `make servers` runs in this folder already; end that one first"
    );
    lock
}

/// What the failed step says, in one line; the children end with this process.
fn complain(panic: &PanicHookInfo<'_>) {
    let said = panic.payload_as_str().unwrap_or("no message");
    let what = if servers_only() {
        "servers do not run"
    } else {
        "demo failed"
    };
    eprintln!("\nThe {what}: {said}");
}
