//! The sink as a process: runs the pipeline until a signal, its end, or a failure, and says which.

use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::config::{Config, Sources};
use crate::exit::Status;
use crate::ledger::Outcome;
use crate::log::{self, Log};
use crate::pipeline::{self, PipelineError, Wishes};
use crate::reload::Reload;
use crate::service;

/// Some senders signal the process and its group: within this time that is one request.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// The first SIGTERM or SIGINT drains, the second ends at once. `sources` are what `config` was read from.
pub async fn run(config: Config, sources: Sources, until_end: bool, log: Log) -> Status {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("signals cannot be received: {error}");
            return Status::Failure;
        }
    };
    let (ask, asked) = oneshot::channel::<()>();
    let mut ask = Some(ask);
    let mut asked_at = Instant::now();
    let stop = async {
        asked.await.ok();
    };
    let (look_again, looks) = mpsc::channel(1);
    let wishes = Wishes {
        until_end,
        bars: log.bars.clone(),
        look_again: looks,
    };
    let mut reload = Reload::new(sources, config.clone(), log, look_again);
    let mut pipeline = std::pin::pin!(pipeline::run(config, wishes, stop));
    loop {
        tokio::select! {
            result = &mut pipeline => return ended(result),
            signal = signals.next() => match ask.take() {
                asking if signal == Asks::ReadAgain => {
                    ask = asking;
                    service::reloading();
                    reload.reload();
                    service::reloaded();
                }
                Some(ask) => {
                    asked_at = Instant::now();
                    service::stopping();
                    ask.send(()).unwrap_or_default();
                }
                None if asked_at.elapsed() < SAME_REQUEST => {}
                None => {
                    tracing::warn!("asked to stop again: ending at once; what was not committed is read again");
                    return Status::Failure;
                }
            },
        }
    }
}

fn ended(result: Result<Outcome, PipelineError>) -> Status {
    match result {
        Ok(outcome) => {
            let status = outcome.into();
            match status {
                Status::Done => tracing::info!("{outcome}"),
                _ => tracing::error!("{outcome}"),
            }
            status
        }
        Err(error) => {
            tracing::error!("{}", log::chain(&error));
            Status::from(&error)
        }
    }
}

#[derive(PartialEq, Eq)]
enum Asks {
    Stop,
    ReadAgain,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asks {
        tokio::select! {
            _ = self.terminate.recv() => Asks::Stop,
            _ = self.interrupt.recv() => Asks::Stop,
            _ = self.hang_up.recv() => Asks::ReadAgain,
        }
    }
}
