//! Looks after the stations: relays the request to stop, logs what is done, notices what ended on its own, and gives up
//! where that is wanted.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::collections::Starting;
use super::guard::Guard;
use super::{Consumer, PATIENCE, PipelineError, Tasks};
use crate::cause::Cause;
use crate::kafka::Stop;
use crate::ledger::Outcome;
use crate::ops::activity::Activity;
use crate::writer::Stations;

const TICK: Duration = Duration::from_secs(1);
/// For the last commit and for leaving the group.
const LEAVE: Duration = Duration::from_secs(5);
/// How often the log says what was done.
const ACTIVITY: Duration = Duration::from_secs(30);

/// How long stopping may take, whatever hangs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shutdown {
    whole: Duration,
    /// What is left of it without the last commit and leaving the group.
    drain: Duration,
}

impl Shutdown {
    /// `whole` is `shutdown.timeout.ms`.
    pub(super) fn within(whole: Duration) -> Self {
        Self {
            whole,
            drain: whole.saturating_sub(LEAVE).max(whole / 2),
        }
    }
}

/// Looks after the stations until one of them ends.
pub(super) struct Watch<'a> {
    common: &'a Stations,
    guard: Guard<'a>,
    until_end: bool,
    since: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(common: &'a Stations, guard: Guard<'a>, until_end: bool) -> Self {
        Self {
            common,
            guard,
            until_end,
            since: Instant::now(),
        }
    }

    pub(super) async fn supervise(
        mut self,
        tasks: &mut Tasks,
        mut starting: mpsc::Receiver<Starting>,
        mut consumer: Consumer,
        asked: &Stop,
        stop: impl Future<Output = ()>,
        shutdown: Shutdown,
    ) -> Result<Outcome, PipelineError> {
        let mut stop = std::pin::pin!(stop);
        let mut stopping = false;
        let mut out_of_time = std::pin::pin!(tokio::time::sleep(Duration::MAX));
        let mut tick = tokio::time::interval(TICK);
        let mut report = tokio::time::interval_at(Instant::now() + ACTIVITY, ACTIVITY);
        let (metrics, board) = (&self.common.metrics, &self.common.board);
        let mut activity = Activity::new(Arc::clone(metrics), Arc::clone(board), now());
        loop {
            tokio::select! {
                outcome = &mut consumer => {
                    return outcome.map_err(|_| PipelineError::Consumer)?.map_err(Into::into);
                }
                () = &mut stop, if !stopping => {
                    stopping = true;
                    out_of_time.set(tokio::time::sleep(shutdown.whole));
                    tracing::info!(seconds = shutdown.drain.as_secs(), "asked to stop; draining");
                    asked.request(shutdown.drain);
                    self.common.wake.wake();
                }
                () = &mut out_of_time, if stopping => return Ok(out_of_time_with(asked.outcome())),
                Some(task) = starting.recv() => {
                    tasks.spawn(task);
                }
                Some(ended) = tasks.join_next() => {
                    let Err(error) = ended.map_err(Into::into).and_then(|result| result) else {
                        continue; // the operations pages, a planner that can make no plan, or writers without a consumer
                    };
                    self.leave(asked, consumer).await;
                    return Err(error);
                }
                _ = report.tick() => {
                    if let Some(line) = activity.line(now()) {
                        tracing::info!("{line}");
                    }
                }
                _ = tick.tick() => {
                    board.tick(now());
                    if let Some(alarm) = self.guard.look(Instant::now().into_std(), stopping) {
                        self.leave(asked, consumer).await;
                        return Err(PipelineError::Watchdog { alarm });
                    }
                    if let Some(cause) = self.waited_too_long() {
                        self.leave(asked, consumer).await;
                        return Err(PipelineError::Waited { cause });
                    }
                }
            }
        }
    }

    /// Drains nothing, but leaves the group, so that the next one need not wait for a time-out.
    async fn leave(&self, asked: &Stop, consumer: Consumer) {
        asked.request(Duration::ZERO);
        self.common.wake.wake();
        tokio::time::timeout(LEAVE, consumer).await.ok();
    }

    /// `--until-end` has waited for the world, has written nothing, and is told what is in the way.
    fn waited_too_long(&self) -> Option<Cause> {
        if !self.until_end
            || self.since.elapsed() < PATIENCE
            || self.common.metrics.changes_written() > 0
        {
            return None;
        }
        self.common.board.readiness().err()?.into_iter().next()
    }
}

/// What was drained before the time ran out stays drained, also where the group is still to be left.
fn out_of_time_with(outcome: Option<Outcome>) -> Outcome {
    let Some(outcome) = outcome else {
        tracing::warn!(
            "the consumer did not end in time (shutdown.timeout.ms): leaving without its last commit, perhaps; Kafka takes its partitions back when its session times out"
        );
        return Outcome::NotDrained;
    };
    tracing::warn!("Kafka does not let go; leaving the group by time-out");
    outcome
}

fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::sync::oneshot;

    use super::*;
    use crate::budget::Budget;
    use crate::exit::Status;
    use crate::gate::Gate;
    use crate::ops::board::{Board, Scope};
    use crate::ops::metrics::Metrics;
    use crate::routing::Router;
    use crate::wake::Wake;
    use crate::watchdog::{Limits, Watchdog};

    fn common() -> Stations {
        let budget = Budget::new(1);
        let metrics = Metrics::new(Arc::clone(&budget));
        Stations {
            board: Board::new(Arc::clone(&metrics)),
            wake: Arc::new(Wake::default()),
            gate: Arc::new(Gate::new(PATIENCE, now())),
            dead_letters: None,
            metrics,
            budget,
        }
    }

    /// Watchdogs with this time-out, or none.
    fn guard<'a>(common: &'a Stations, router: &'a Router, timeout: Option<Duration>) -> Guard<'a> {
        let watchdog = timeout.map(|timeout| {
            Watchdog::new(Limits {
                timeout,
                progress: Duration::ZERO,
                commit: Duration::ZERO,
                request: Duration::ZERO,
            })
        });
        Guard {
            common,
            router,
            watchdog,
        }
    }

    fn router() -> Router {
        Router {
            collection_name: "c".to_owned(),
            collections: BTreeMap::new(),
            partition_name: None,
        }
    }

    /// Supervises for two minutes a consumer that waits for its broker.
    async fn watched(until_end: bool, rows_written: u64) -> Option<(String, u64)> {
        let common = common();
        common.board.set_assigned(0);
        let topic = "t".to_owned();
        let missing = Cause::TopicMissing { topic };
        common.board.hold(Scope::Topic("t".into()), missing);
        common.metrics.rows_written.inc_by(rows_written);
        let (_consumer, outcome) = oneshot::channel();
        let (mut tasks, asked) = (Tasks::new(), Stop::default());
        let start = Instant::now();
        let router = router();
        let watch = Watch::new(&common, guard(&common, &router, None), until_end);
        let stop = std::future::pending();
        let watching = watch.supervise(
            &mut tasks,
            mpsc::channel(1).1,
            outcome,
            &asked,
            stop,
            Shutdown::within(PATIENCE),
        );
        let ended = tokio::time::timeout(2 * PATIENCE, watching).await.ok()?;
        let error = ended.unwrap_err();
        assert!(!error.is_configuration());
        Some((error.to_string(), start.elapsed().as_secs()))
    }

    #[tokio::test(start_paused = true)]
    async fn until_end_gives_up_after_a_minute_without_a_row_and_a_daemon_never_does() {
        let (said, seconds) = watched(true, 0).await.unwrap();
        let expected = "nothing could be written within 60 s: topic 't' does not exist; create it, or correct 'topics'";
        assert_eq!(said, expected);
        let slack = (LEAVE + TICK).as_secs();
        assert!((60..=60 + slack).contains(&seconds), "{seconds}");
        assert_eq!(watched(true, 1).await, None);
        assert_eq!(watched(false, 0).await, None);
    }

    /// Supervises a consumer that beats as `beats` says, and says nothing else.
    async fn guarded(beats: impl Fn(&Board)) -> Option<(PipelineError, u64)> {
        let (common, router) = (common(), router());
        let guard = guard(&common, &router, Some(Duration::from_secs(20)));
        let (_consumer, outcome) = oneshot::channel();
        let (mut tasks, asked) = (Tasks::new(), Stop::default());
        let start = Instant::now();
        let watching = Watch::new(&common, guard, false).supervise(
            &mut tasks,
            mpsc::channel(1).1,
            outcome,
            &asked,
            std::future::pending(),
            Shutdown::within(PATIENCE),
        );
        let beating = async {
            let mut every = tokio::time::interval(TICK / 2);
            for _ in 0..200 {
                every.tick().await;
                beats(&common.board);
            }
        };
        tokio::select! {
            ended = watching => Some((ended.unwrap_err(), start.elapsed().as_secs())),
            () = beating => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_loop_that_stands_still_ends_the_process_with_1() {
        let (error, seconds) = guarded(|_| {}).await.unwrap();
        let said = error.to_string();
        let expected = "the poll_loop watchdog (watchdog.timeout.ms) ends the process: \
                        the poll loop has not turned for 30 s; ";
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(Status::from(&error), Status::Failure);
        assert!((30..=36).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_loop_that_turns_ends_nothing() {
        // The board's own clock is not the paused one: wait until it has gone on.
        let beats = |board: &Board| {
            let before = board.last_turn();
            while board.last_turn() == before {
                board.beat();
            }
        };
        assert!(guarded(beats).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_does_not_end_is_left_behind_when_the_time_to_stop_is_up() {
        let common = common();
        let (_consumer, outcome) = oneshot::channel();
        let (mut tasks, asked) = (Tasks::new(), Stop::default());
        let start = Instant::now();
        let router = router();
        let watch = Watch::new(&common, guard(&common, &router, None), false);
        let ended = watch
            .supervise(
                &mut tasks,
                mpsc::channel(1).1,
                outcome,
                &asked,
                std::future::ready(()),
                Shutdown::within(Duration::from_secs(25)),
            )
            .await;
        assert_eq!(ended.unwrap(), Outcome::NotDrained);
        assert_eq!(start.elapsed().as_secs(), 25);
    }
}
