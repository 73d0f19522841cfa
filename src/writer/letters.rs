//! Records that a policy passes over, and the dead letters that some of them become before they are settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::records::At;
use super::sealed::Sealed;
use super::shared::Shared;
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::dead_letter::{DeadLetterQueue, Letter, Undelivered};
use crate::ops::board::Fate;

/// Dead letters of one batch that are put side by side.
const SIDE_BY_SIDE: usize = 64;

/// A record that is neither written nor halted at.
#[derive(Debug, Clone)]
pub(super) enum Passed {
    /// Counted, and that is all.
    Skipped,
    /// To be kept as a dead letter.
    Letter(Arc<Bad>),
}

#[derive(Debug)]
pub(super) struct Bad {
    bad: BadRecord,
    /// Its broker has confirmed it.
    kept: AtomicBool,
}

impl Passed {
    pub(super) fn letter(bad: BadRecord) -> Self {
        Self::Letter(Arc::new(Bad {
            bad,
            kept: AtomicBool::new(false),
        }))
    }
}

impl<M> Shared<M> {
    /// Puts the dead letters of `batch` that are still wanted and not kept yet, one attempt each.
    ///
    /// # Errors
    /// What the others wait for. A letter that cannot be kept at all has halted its partition.
    pub(super) async fn put_letters(&self, batch: &Sealed) -> Result<(), Cause> {
        let Some(queue) = self.stations.dead_letters.as_deref() else {
            return Ok(());
        };
        let mut letters = batch.letters();
        let mut puts = FuturesUnordered::new();
        for (at, bad) in letters.by_ref().take(SIDE_BY_SIDE) {
            puts.push(self.put_letter(queue, at, bad));
        }
        let mut result = Ok(());
        while let Some(put) = puts.next().await {
            result = result.and(put);
            // What is in the way of one is in the way of the others, and said at once.
            if result.is_ok()
                && let Some((at, bad)) = letters.next()
            {
                puts.push(self.put_letter(queue, at, bad));
            }
        }
        result
    }

    async fn put_letter(
        &self,
        queue: &dyn DeadLetterQueue,
        at: At<'_>,
        bad: &Bad,
    ) -> Result<(), Cause> {
        let letter = Letter {
            record: at.view(),
            bad: &bad.bad,
        };
        match queue.put(letter).await {
            Ok(()) => {
                bad.kept.store(true, Ordering::Release);
                self.stations.metrics.dead_letters.inc();
                self.say_passed(Fate::DeadLetter, at, bad.bad.clone());
                Ok(())
            }
            Err(Undelivered::Held(cause)) => {
                self.stations.metrics.dead_letters_failed.inc();
                Err(cause)
            }
            Err(Undelivered::Halts(cause)) => {
                self.stations.metrics.dead_letters_failed.inc();
                self.halt(at.tenure(), at.from(), cause);
                Ok(())
            }
        }
    }
}

impl Sealed {
    /// Those that are still to be kept.
    fn letters(&self) -> impl Iterator<Item = (At<'_>, &Bad)> {
        self.slices.iter().filter_map(|slice| {
            let Some(Passed::Letter(bad)) = &slice.passed else {
                return None;
            };
            let at = slice.first();
            (at.is_wanted() && !bad.kept.load(Ordering::Acquire)).then_some((at, &**bad))
        })
    }
}
