//! The end of a consumer: says what was left, and leaves the group within a time.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::commit::{Answer, CommitThread};
use super::consumer::Consumer;
use super::fault::coordinator_is_away;
use super::rebalance::Context;
use crate::ledger::Undrained;

/// How long closing may take before the threads are left to the end of the process.
const CLOSE: Duration = Duration::from_secs(5);
/// So many partitions are said one by one.
const NAMED: usize = 20;

impl Consumer {
    /// Leaves the group. What does not end in time is left to the end of the process.
    pub(super) fn close(self) {
        let deadline = Instant::now() + CLOSE;
        self.client.context().close();
        drop(self.queues);
        let CommitThread {
            requests,
            questions,
            answers,
            handles,
        } = self.commit;
        drop((requests, questions));
        let mut coordinator_away = self.coordinator_away;
        loop {
            match answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Answer::Committed(_, _, error)) => {
                    coordinator_away = error.as_ref().is_some_and(coordinator_is_away);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!("a call to Kafka does not end; leaving the group by time-out");
                    std::mem::forget(self.client);
                    return;
                }
            }
        }
        drop(handles);
        if coordinator_away {
            // Nobody is there to be told, and librdkafka before 2.14.2 may crash when it tries.
            tracing::warn!("the group's coordinator is away; leaving the group by time-out");
            std::mem::forget(self.client);
            return;
        }
        leave(self.client, deadline);
    }
}

/// Dropping the client leaves the group, without a time-out of its own: so it happens beside us.
fn leave(client: Arc<BaseConsumer<Context>>, deadline: Instant) {
    let (sender, done) = std::sync::mpsc::channel::<()>();
    let closer = std::thread::Builder::new()
        .name("close".to_owned())
        .spawn(move || {
            drop(client);
            drop(sender);
        });
    let left = deadline.saturating_duration_since(Instant::now());
    if closer.is_ok() && done.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
        tracing::warn!("Kafka does not let go; leaving the group by time-out");
    }
}

pub(super) fn say_undrained(undrained: &[Undrained]) {
    for left in undrained.iter().take(NAMED) {
        let Undrained {
            partition,
            read,
            settled,
            committed,
        } = left;
        tracing::warn!(%partition, settled, read, committed, "given up before everything read was written and committed; the rest is read again");
    }
    if undrained.len() > NAMED {
        let more = undrained.len() - NAMED;
        tracing::warn!(partitions = more, "more partitions were given up so");
    }
}
