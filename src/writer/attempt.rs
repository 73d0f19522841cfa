//! One batch until it is settled or halted: attempts, pauses between them, and what a refusal leads to.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Shared;
use super::backoff::Backoff;
use super::batch::Sealed;
use crate::cause::Cause;
use crate::milvus::Milvus;
use crate::milvus::status::Action;
use crate::ops::board::Scope;

/// An answer that may be the server's or the request's fault is repeated this often before it counts as a refusal.
const REPEATS: u32 = 5;
const REPEAT_PAUSE: Duration = Duration::from_secs(6);

/// Sends `batch` until Milvus has acknowledged it (it is settled then) or refused it (its partitions are halted then).
/// Before each attempt the gate is asked: what must not be sent any more is taken out first.
pub(super) async fn write<M: Milvus>(shared: &Shared<M>, mut batch: Sealed) {
    let mut backoff = Backoff::new(shared.rules.retry_backoff, shared.rules.retry_backoff_max);
    let mut repeats = 0;
    let scope = Scope::Collection(shared.collection.clone());
    loop {
        if batch.is_stale() {
            batch = batch.rebuild(&shared.budget);
        }
        let Some(request) = &batch.request else {
            batch.settle();
            return;
        };
        let started = Instant::now();
        let answer = shared.milvus.write(request).await;
        let Err(error) = answer else {
            shared.board.clear(&scope);
            shared.metrics.batch_written(
                &shared.collection,
                batch.rows,
                batch.superseded,
                started.elapsed(),
            );
            batch.settle();
            return;
        };
        shared
            .metrics
            .attempt_failed(&shared.collection, error.cause.label());
        let pause = match error.action {
            Action::Hold => backoff.pause(),
            Action::RepeatThenHalt if repeats < REPEATS => {
                repeats += 1;
                REPEAT_PAUSE
            }
            Action::RepeatThenHalt | Action::Halt => {
                shared.board.clear(&scope);
                halt(shared, &batch, &error.cause);
                return;
            }
        };
        shared.board.hold(scope.clone(), error.cause);
        sleep(pause).await;
    }
}

/// Every partition of the batch stands at its first record in it; what is behind is dropped by the writer.
fn halt<M>(shared: &Shared<M>, batch: &Sealed, cause: &Cause) {
    for cover in &batch.covers {
        shared.halt(&cover.tenure, cover.first, cause.clone());
    }
}
