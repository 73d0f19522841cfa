//! The batches of a writer that are under way: sent side by side, settled in the order filled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use super::batch::Batch;
use super::doubts::Keys;
use crate::plan::Plan;

type UnderWay = Pin<Box<dyn Future<Output = u64> + Send>>;

#[derive(Default)]
pub(super) struct InFlight {
    running: FuturesUnordered<UnderWay>,
    /// Oldest first.
    entries: Vec<Entry>,
    /// One that the open batch waits for.
    in_the_way: Option<u64>,
    /// Ends with the youngest batch.
    youngest: Option<oneshot::Receiver<()>>,
    last: u64,
}

struct Entry {
    number: u64,
    plan: Arc<Plan>,
    keys: Keys,
}

/// A batch's place in the order.
#[derive(Debug)]
pub(super) struct Turn {
    before: Option<oneshot::Receiver<()>>,
    /// Dropped when the batch is done.
    _done: oneshot::Sender<()>,
}

impl Turn {
    /// Ends when every batch that was filled before is done.
    pub(super) async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            before.await.ok(); // nothing is sent: its end is the news
        }
    }
}

impl InFlight {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a key of the open `batch` is under way: what is newer of it has to wait. By another plan it may be another
    /// key. A batch that is in the way stays so to its end, however the open one grows: it is looked for once.
    pub(super) fn is_in_the_way_of(&mut self, batch: &Batch) -> bool {
        let known = self.in_the_way;
        if self.entries.iter().any(|entry| Some(entry.number) == known) {
            return true;
        }
        let is_in_the_way = |entry: &&Entry| {
            !Arc::ptr_eq(&entry.plan, batch.plan()) || entry.keys.has_any(batch.keys())
        };
        let found = self.entries.iter().find(is_in_the_way);
        self.in_the_way = found.map(|entry| entry.number);
        self.in_the_way.is_some()
    }

    /// The number of the next batch, and its place.
    pub(super) fn enter(&mut self) -> (u64, Turn) {
        self.last += 1;
        let (done, ended) = oneshot::channel();
        let before = self.youngest.replace(ended);
        (
            self.last,
            Turn {
                before,
                _done: done,
            },
        )
    }

    pub(super) fn run(
        &mut self,
        number: u64,
        plan: Arc<Plan>,
        keys: Keys,
        write: impl Future<Output = ()> + Send + 'static,
    ) {
        self.entries.push(Entry { number, plan, keys });
        self.push(number, write);
    }

    fn push(&mut self, number: u64, write: impl Future<Output = ()> + Send + 'static) {
        self.running.push(Box::pin(async move {
            write.await;
            number
        }));
    }

    /// Drives them; ends when one of them is done.
    pub(super) async fn next(&mut self) {
        match self.running.next().await {
            Some(number) => self.entries.retain(|entry| entry.number != number),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_run_side_by_side_and_come_in_turn() {
        let mut in_flight = InFlight::default();
        let log = Arc::new(Mutex::new(Vec::new()));
        for seconds in [3, 1, 2] {
            let (number, mut turn) = in_flight.enter();
            let log = Arc::clone(&log);
            in_flight.push(number, async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                log.lock().unwrap().push(format!("{number} answered"));
                turn.come().await;
                log.lock().unwrap().push(format!("{number} settled"));
            });
        }
        for _ in 0..3 {
            in_flight.next().await;
        }
        let expected = "2 answered,3 answered,1 answered,1 settled,2 settled,3 settled";
        assert_eq!(log.lock().unwrap().join(","), expected);
    }
}
