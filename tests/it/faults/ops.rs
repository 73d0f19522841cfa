//! Clients of the operations pages that dawdle, and more of them than are let in.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::terminate;
use crate::load::{Stream, Witness};
use crate::support::{Job, SOON, full};

/// Connects again and again until told to stop: silent ones, half a request, whole ones whose answer nobody reads.
fn flood(port: u16, most: usize, stop: &AtomicBool) -> usize {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let requests = ["", "GET /metr", "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"];
    let mut open = VecDeque::new();
    let mut made = 0;
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100))
        else {
            continue;
        };
        // It may have been closed already.
        drop(stream.write_all(requests[made % requests.len()].as_bytes()));
        open.push_back(stream);
        made += 1;
        if open.len() > most {
            open.pop_front();
        }
    }
    made
}

#[test]
fn a_flood_of_clients_that_read_nothing_holds_neither_the_rows_nor_memory() {
    let job = Job::on_lite("flood", 2);
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));
    let sink = job.quick().start();
    stream.await_progress(500);
    let before = sink.rss_kib();
    let (stop, most) = (AtomicBool::new(false), full(300, 10_000));
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| flood(sink.ops_port(), most, &stop));
        stream.await_progress(full(2000, 50_000));
        stop.store(true, Ordering::Relaxed);
        let made = flood.join().unwrap();
        // Four times as many as are let in at once.
        assert!(made > 256, "only {made} connections");
    });
    let after = sink.rss_kib();
    assert!(after < before + 32 * 1024, "{before} KiB, then {after} KiB");
    // Those that were let in lose their connection after ten seconds at most.
    sink.await_readyz(200, SOON);
    stream.finish();
    witness.finish();
    terminate(&sink);
}
