//! Free ports of 127.0.0.1 that stay free until a server takes them, and again between its stop and its start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

// Below the range from which the system takes ports for outgoing connections.
const FIRST: u32 = 12_000;
const COUNT: u32 = 18_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port that nothing listens on and that this process has not handed out yet.
pub(crate) fn free() -> u16 {
    // Test processes that run side by side start far from each other.
    let start = std::process::id().wrapping_mul(211);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("FIRST + COUNT fits");
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
