//! The thread of the watchdogs, beside the runtime that they watch: one that stands still can neither look nor end the
//! process.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::guard::Guard;
use super::watch::LEAVE;
use super::{PipelineError, Stop};
use crate::config::Config;
use crate::exit::Status;
use crate::log;
use crate::watchdog::{Alarm, Limits, Watchdog};
use crate::writer::Stations;

const TICK: Duration = Duration::from_secs(1);
/// For leaving the group and ending the producer, and some more.
const HEED: Duration = LEAVE.saturating_mul(4);

/// Looks until it is dropped.
#[derive(Debug)]
pub(super) struct Sentry {
    _stands: Sender<()>,
}

/// Where the watchdogs are on. The alarm is the end of the process, and comes once.
pub(super) fn start(
    config: &Config,
    common: &Stations,
    asked: &Arc<Stop>,
) -> std::io::Result<(Option<Sentry>, mpsc::Receiver<Alarm>)> {
    let (alarms, alarm) = mpsc::channel(1);
    let Some(limits) = Limits::of(config) else {
        return Ok((None, alarm));
    };
    let guard = Guard {
        common: common.clone(),
        router: config.router.clone(),
        watchdog: Watchdog::new(limits),
        asked: Arc::clone(asked),
    };
    let sentry = spawn(guard, TICK, HEED, alarms, end)?;
    Ok((Some(sentry), alarm))
}

fn spawn(
    mut guard: Guard,
    tick: Duration,
    heed: Duration,
    alarms: mpsc::Sender<Alarm>,
    end: impl FnOnce(Alarm) + Send + 'static,
) -> std::io::Result<Sentry> {
    let (stands, dropped) = channel();
    let goes_on = move |wait| is_quiet(&dropped, wait);
    std::thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || {
            while goes_on(tick) {
                let Some(alarm) = guard.look(Instant::now()) else {
                    continue;
                };
                // Whoever hears it ends the process in an orderly way.
                alarms.try_send(alarm.clone()).ok();
                if goes_on(heed) {
                    end(alarm);
                }
                return;
            }
        })?;
    Ok(Sentry { _stands: stands })
}

/// Whether the sentry was not dropped for as long.
fn is_quiet(dropped: &Receiver<()>, wait: Duration) -> bool {
    dropped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
}

#[allow(
    clippy::exit,
    reason = "who should end the process in an orderly way stands still, too"
)]
fn end(alarm: Alarm) {
    let error = PipelineError::Watchdog { alarm };
    tracing::error!("{}", log::chain(&error));
    std::process::exit(i32::from(Status::Failure as u8));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::budget::Budget;
    use crate::gate::Gate;
    use crate::ops::board::Board;
    use crate::ops::metrics::Metrics;
    use crate::routing::Router;
    use crate::wake::Wake;
    use crate::watchdog::Kind;

    const SOON: Duration = Duration::from_secs(60);

    /// A request to Milvus that does not end.
    fn hung() -> Guard {
        let (budget, now) = (Budget::new(1), Instant::now());
        let metrics = Metrics::new(Arc::clone(&budget));
        std::mem::forget(metrics.requests.begin(now));
        Guard {
            common: Stations {
                board: Board::new(Arc::clone(&metrics)),
                wake: Arc::new(Wake::default()),
                gate: Arc::new(Gate::new(Duration::MAX, now)),
                dead_letters: None,
                metrics,
                budget,
            },
            router: Router {
                collection_name: "c".to_owned(),
                collections: BTreeMap::new(),
                partition_name: None,
            },
            watchdog: Watchdog::new(Limits {
                timeout: Duration::from_millis(50),
                progress: Duration::ZERO,
                commit: Duration::ZERO,
                request: Duration::ZERO,
            }),
            asked: Arc::default(),
        }
    }

    fn stand(heed: Duration) -> (Sentry, mpsc::Receiver<Alarm>, Receiver<Alarm>) {
        let (alarms, alarm) = mpsc::channel(1);
        let (ends, ended) = channel();
        let end = move |alarm| ends.send(alarm).unwrap();
        let tick = Duration::from_millis(5);
        let sentry = spawn(hung(), tick, heed, alarms, end).unwrap();
        (sentry, alarm, ended)
    }

    #[test]
    fn an_alarm_that_nobody_heeds_ends_the_process_from_beside_the_runtime() {
        let (_sentry, mut alarm, ended) = stand(Duration::from_millis(5));
        let ends = ended.recv_timeout(SOON).unwrap();
        assert_eq!(ends.kind, Kind::Request);
        assert_eq!(alarm.try_recv(), Ok(ends));
    }

    #[test]
    fn an_alarm_that_is_heeded_ends_with_the_sentry() {
        let (sentry, mut alarm, ended) = stand(SOON);
        assert_eq!(alarm.blocking_recv().unwrap().kind, Kind::Request);
        drop(sentry);
        // Its thread is gone, and has ended nothing.
        let nothing = ended.recv_timeout(SOON);
        assert_eq!(nothing, Err(RecvTimeoutError::Disconnected));
    }
}
