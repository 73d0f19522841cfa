//! Wakes the consumer thread out of its idle park.

use std::sync::OnceLock;
use std::thread::Thread;

/// Set by the consumer thread when it starts; waking nobody before that is harmless.
#[derive(Debug, Default)]
pub struct Wake {
    thread: OnceLock<Thread>,
}

impl Wake {
    /// From now on [`Wake::wake`] wakes the calling thread.
    pub fn adopt(&self) {
        self.thread.get_or_init(std::thread::current);
    }

    pub fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}
