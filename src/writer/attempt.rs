//! One batch until it is settled or halted: attempts, pauses between them, and what a refusal leads to.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::Shared;
use super::backoff::Backoff;
use super::batch::Sealed;
use crate::cause::Cause;
use crate::milvus::Milvus;
use crate::milvus::status::Action;
use crate::ops::board::Peer;

/// An answer that may be the server's or the request's fault is repeated this often before it counts as a refusal.
const REPEATS: u32 = 5;
const REPEAT_PAUSE: Duration = Duration::from_secs(6);

/// Sends `batch` until Milvus has acknowledged it (it is settled then) or refused it (its partitions are halted then).
/// Before each attempt the gate is asked: what must not be sent any more is taken out first.
/// `hurry` cuts a hold's pause short.
pub(super) async fn write<M: Milvus>(shared: &Shared<M>, mut batch: Sealed, hurry: &Notify) {
    let patient = || Backoff::new(shared.rules.retry_backoff, shared.rules.retry_backoff_max);
    let mut backoff = patient();
    let mut repeats = 0;
    let mut held = false;
    let scope = shared.scope();
    loop {
        if batch.is_stale() {
            batch = batch.rebuild(&shared.stations.budget);
        }
        let Some(request) = &batch.request else {
            // Nothing of it is wanted any more, so nothing will find out when Milvus is back.
            if held {
                shared.stations.board.clear(&scope);
            }
            batch.settle();
            return;
        };
        let started = Instant::now();
        let answer = shared.milvus.write(request).await;
        let metrics = &shared.stations.metrics;
        metrics.request_took(started.elapsed());
        let Err(error) = answer else {
            shared.stations.board.set_connected(Peer::Milvus, true);
            shared.stations.board.clear(&scope);
            metrics.rows_written.inc_by(batch.rows as u64);
            metrics.rows_superseded.inc_by(batch.superseded as u64);
            metrics.batches_settled.inc();
            batch.settle();
            return;
        };
        metrics.attempt_failed(&error.cause);
        let pause = match error.action {
            Action::Hold => backoff.pause(),
            Action::RepeatThenHalt if repeats < REPEATS => {
                repeats += 1;
                REPEAT_PAUSE
            }
            Action::RepeatThenHalt | Action::Halt => {
                halt(shared, &batch, &error.cause);
                shared.stations.board.clear(&scope);
                return;
            }
        };
        if matches!(error.cause, Cause::MilvusUnreachable { .. }) {
            shared.stations.board.set_connected(Peer::Milvus, false);
        }
        shared
            .stations
            .board
            .hold(scope.clone(), while_repeated(error.cause));
        held = true;
        tokio::select! {
            () = sleep(pause) => {}
            () = hurry.notified(), if error.action == Action::Hold => backoff = patient(),
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

/// Every partition of the batch stands at its first record in it; what is behind is dropped by the writer.
fn halt<M>(shared: &Shared<M>, batch: &Sealed, cause: &Cause) {
    for cover in &batch.covers {
        shared.halt(&cover.tenure, cover.from, cause.clone());
    }
}
