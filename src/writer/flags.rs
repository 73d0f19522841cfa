//! What the consumer asks of a writer beside the records: flags, since a message would wait behind them.

use tokio::sync::watch;

use super::records::Cover;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    /// How often it was asked to send what it has.
    flushes: u64,
    /// How often tenures were closed.
    closes: u64,
}

/// The consumer's end.
#[derive(Debug, Clone)]
pub(super) struct Flagstaff(watch::Sender<Flags>);

/// The end of a writer, or of one of its batches.
#[derive(Debug, Clone)]
pub(super) struct Lookout {
    flags: watch::Receiver<Flags>,
    flushes: u64,
}

pub(super) fn flags() -> (Flagstaff, Lookout) {
    let (sender, flags) = watch::channel(Flags::default());
    (Flagstaff(sender), Lookout { flags, flushes: 0 })
}

impl Flagstaff {
    pub(super) fn flush(&self) {
        self.0.send_modify(|flags| flags.flushes += 1);
    }

    pub(super) fn closed(&self) {
        self.0.send_modify(|flags| flags.closes += 1);
    }
}

impl Lookout {
    /// Ends when it is asked to flush.
    pub(super) async fn flush(&mut self) {
        loop {
            let flushes = self.flags.borrow_and_update().flushes;
            if flushes != self.flushes {
                self.flushes = flushes;
                return;
            }
            self.changed().await;
        }
    }

    /// Ends when a tenure of `covers` is closed.
    pub(super) async fn closed(&mut self, covers: &[Cover]) {
        self.until(|| covers.iter().any(|cover| !cover.tenure.is_open()))
            .await;
    }

    /// Ends when every tenure of `covers` is closed.
    pub(super) async fn all_closed(&mut self, covers: &[Cover]) {
        self.until(|| !covers.iter().any(|cover| cover.tenure.is_open()))
            .await;
    }

    /// Looks whenever a tenure was closed.
    async fn until(&mut self, is_so: impl Fn() -> bool) {
        loop {
            self.flags.mark_unchanged(); // before the look, so that no flag is missed after it
            if is_so() {
                return;
            }
            self.changed().await;
        }
    }

    /// A consumer that is gone asks for nothing any more.
    async fn changed(&mut self) {
        if self.flags.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
