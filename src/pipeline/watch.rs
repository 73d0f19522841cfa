//! Looks after the stations: relays the request to stop, logs what is done, notices what ended on its own, and gives up
//! where that is wanted.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::collections::Starting;
use super::{Consumer, PATIENCE, PipelineError, Tasks};
use crate::cause::Cause;
use crate::kafka::Stop;
use crate::ledger::Outcome;
use crate::ops::activity::Activity;
use crate::progress::Progress;
use crate::watchdog::Alarm;
use crate::writer::Stations;

const TICK: Duration = Duration::from_secs(1);
/// For the last commit and for leaving the group.
pub(super) const LEAVE: Duration = Duration::from_secs(5);
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
    /// From the watchdogs.
    alarms: mpsc::Receiver<Alarm>,
    /// Of `--until-end`.
    pub(super) progress: Option<Progress>,
    since: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        common: &'a Stations,
        alarms: mpsc::Receiver<Alarm>,
        progress: Option<Progress>,
    ) -> Self {
        Self {
            common,
            alarms,
            progress,
            since: Instant::now(),
        }
    }

    pub(super) async fn supervise(
        &mut self,
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
                Some(alarm) = self.alarms.recv() => {
                    self.leave(asked, consumer).await;
                    return Err(PipelineError::Watchdog { alarm });
                }
                _ = report.tick() => {
                    if let Some(line) = activity.line(now()) {
                        tracing::info!("{line}");
                    }
                }
                _ = tick.tick() => {
                    board.tick(now());
                    if let Some(progress) = &mut self.progress {
                        progress.show(&metrics.positions());
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
        if self.progress.is_none()
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
    use indicatif::MultiProgress;
    use tokio::sync::oneshot;

    use super::*;
    use crate::budget::Budget;
    use crate::exit::Status;
    use crate::gate::Gate;
    use crate::ops::board::{Board, Scope};
    use crate::ops::metrics::Metrics;
    use crate::wake::Wake;
    use crate::watchdog::{Limits, Look, Verdict, Watchdog};

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

    /// Watchdogs that are off.
    fn silent() -> mpsc::Receiver<Alarm> {
        mpsc::channel(1).1
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
        let progress = until_end.then(|| Progress::new(MultiProgress::new()));
        let mut watch = Watch::new(&common, silent(), progress);
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

    /// A poll loop that has not turned.
    fn alarm() -> Alarm {
        let mut watchdog = Watchdog::new(Limits {
            timeout: Duration::from_secs(20),
            progress: Duration::ZERO,
            commit: Duration::ZERO,
            request: Duration::ZERO,
        });
        let start = now();
        let looks = (0..100).find_map(|second| {
            let now = start + Duration::from_secs(second);
            let look = Look {
                turned: start,
                ran: now,
                oldest_request: None,
                partitions: Vec::new(),
                stopping: false,
            };
            match watchdog.look(now, &look) {
                Verdict::End(alarm) => Some(alarm),
                _ => None,
            }
        });
        looks.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_ends_the_process_with_1() {
        let common = common();
        let (alarms, alarm) = mpsc::channel(1);
        alarms.try_send(self::alarm()).unwrap();
        let (_consumer, outcome) = oneshot::channel();
        let (mut tasks, asked) = (Tasks::new(), Stop::default());
        let start = Instant::now();
        let ended = Watch::new(&common, alarm, None)
            .supervise(
                &mut tasks,
                mpsc::channel(1).1,
                outcome,
                &asked,
                std::future::pending(),
                Shutdown::within(PATIENCE),
            )
            .await;
        let error = ended.unwrap_err();
        let said = error.to_string();
        let expected = "the poll_loop watchdog (watchdog.timeout.ms) ends the process: \
                        the poll loop has not turned for 30 s; ";
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(Status::from(&error), Status::Failure);
        assert_eq!(start.elapsed(), LEAVE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_does_not_end_is_left_behind_when_the_time_to_stop_is_up() {
        let common = common();
        let (_consumer, outcome) = oneshot::channel();
        let (mut tasks, asked) = (Tasks::new(), Stop::default());
        let start = Instant::now();
        let mut watch = Watch::new(&common, silent(), None);
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
