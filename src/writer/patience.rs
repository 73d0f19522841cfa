//! What a batch waits for between its attempts, and what is said meanwhile.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::attempt::Course;
use super::backoff::Backoff;
use super::records::Cover;
use super::sealed::Sealed;
use super::shared::Shared;
use crate::cause::Cause;
use crate::milvus::{Milvus, WriteRequest};
use crate::ops::board::Peer;

/// An answer that may be the server's or the request's fault is repeated this often before it counts as a refusal.
pub(super) const REPEATS: u32 = 5;
const REPEAT_PAUSE: Duration = Duration::from_secs(6);

impl<M> Shared<M> {
    pub(super) fn patient(&self) -> Backoff {
        Backoff::new(self.rules.retry_backoff, self.rules.retry_backoff_max)
    }
}

impl<M: Milvus> Course<'_, M> {
    /// Whether `part` had to wait: until it can be ours again, or until nothing older can overtake it.
    pub(super) async fn waited_to_send(&mut self, batch: &Sealed, part: &WriteRequest) -> bool {
        let gate = &self.shared.stations.gate;
        if !gate.is_open(Instant::now().into_std()) {
            self.stand(Cause::KafkaNotPolled);
            tokio::select! {
                biased;
                () = gate.opened() => {}
                () = self.lookout.closed(&batch.covers) => {}
            }
            return true;
        }
        let Some(until) = self.overtaken_until(batch, part) else {
            return false;
        };
        if until <= Instant::now() {
            return false;
        }
        let collection = self.shared.collection.to_string();
        self.stand(Cause::LateLanding { collection });
        tokio::select! {
            biased;
            () = sleep_until(until) => {}
            () = self.lookout.closed(&batch.covers) => {}
        }
        true
    }

    /// A flush ends the pause: a drain has no time for it. So does a closed tenure.
    pub(super) async fn hold(&mut self, cause: Cause, covers: &[Cover]) {
        let pause = self.backoff.pause();
        self.stand(cause);
        let mut lookout = self.lookout.clone();
        tokio::select! {
            biased;
            () = sleep(pause) => {}
            () = self.lookout.flush() => self.backoff = self.shared.patient(),
            () = lookout.closed(covers) => {}
        }
    }

    pub(super) async fn repeat(&mut self, cause: Cause, covers: &[Cover]) {
        self.repeats += 1;
        self.stand(while_repeated(cause));
        tokio::select! {
            biased;
            () = sleep(REPEAT_PAUSE) => {}
            () = self.lookout.closed(covers) => {}
        }
    }

    fn stand(&mut self, cause: Cause) {
        let board = &self.shared.stations.board;
        if matches!(cause, Cause::MilvusUnreachable { .. }) {
            board.set_connected(Peer::Milvus, false);
        }
        self.shared.stand(&mut self.held, cause);
    }

    pub(super) fn go_on(&mut self) {
        self.shared.go_on(&mut self.held);
    }

    /// Nothing of these is sent any more.
    pub(super) fn end_hold(&mut self, covers: &[Cover]) {
        if covers.iter().any(|cover| cover.tenure.is_open()) {
            self.go_on();
        } else {
            self.shared.let_go(&mut self.held);
        }
    }
}

/// What may pass is not called a refusal before it has stayed: a server that stops or starts answers so, too.
fn while_repeated(cause: Cause) -> Cause {
    match cause {
        Cause::Refused { reason, .. } => Cause::MilvusBusy { reason },
        other => other,
    }
}
