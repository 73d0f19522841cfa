//! Wires the stations and drains them: `run(config, wishes, stop)` → outcome. No statics.

mod collections;
mod guard;
pub(crate) mod planner;
mod sentry;
mod watch;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use crate::budget::Budget;
use crate::cause::Cause;
use crate::config::{Config, KafkaConfig};
use crate::dead_letter::DeadLetterQueue;
use crate::gate::Gate;
use crate::kafka::{self, KafkaError, Station, Stop, dead_letter};
use crate::ledger::{self, Outcome};
use crate::log;
use crate::milvus::client::{Client, ClientError};
use crate::ops::activity;
use crate::ops::board::Board;
use crate::ops::http;
use crate::ops::metrics::Metrics;
use crate::ops::{About, Pages};
use crate::progress::{Progress, Summary};
use crate::record::KeptHeaders;
use crate::routing::{Lanes, Meeting, Topics};
use crate::service;
use crate::wake::Wake;
use crate::watchdog::Alarm;
use crate::writer::Stations;
use collections::Collections;
use watch::{Shutdown, Watch};

/// How long `--until-end` waits before its first row for what the world must mend.
pub const PATIENCE: Duration = Duration::from_secs(60);
const BEAT: Duration = Duration::from_secs(1);
/// A drain waits no longer than this for its commit.
const COMMIT: Duration = Duration::from_secs(3);
/// A revoke waits no longer than this for what is in flight.
const DRAIN: Duration = Duration::from_secs(30);

/// Why the sink ended without being asked to, or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Routing(#[from] Meeting),
    #[error(transparent)]
    Milvus(#[from] ClientError),
    #[error(transparent)]
    Ops(#[from] http::BindError),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error("{0}")]
    Refused(Cause),
    #[error("nothing could be written within {} s: {cause}", PATIENCE.as_secs())]
    Waited { cause: Cause },
    #[error("the {} watchdog (watchdog.timeout.ms) ends the process: {alarm}; please report this with the state in the log; restarting is safe", .alarm.kind.label())]
    Watchdog { alarm: Alarm },
    #[error("a task of the sink ended on its own")]
    Task(#[from] JoinError),
    #[error("the consumer thread ended on its own")]
    Consumer,
    #[error("the consumer thread cannot be started")]
    Thread(#[from] std::io::Error),
}

impl PipelineError {
    /// Restarting ends here again: only the configuration, or the collection, can mend it.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Routing(_) | Self::Milvus(_) | Self::Ops(_) | Self::Refused(_) => true,
            Self::Kafka(error) => error.is_configuration(),
            Self::Waited { .. }
            | Self::Watchdog { .. }
            | Self::Task(_)
            | Self::Consumer
            | Self::Thread(_) => false,
        }
    }
}

type Tasks = JoinSet<Result<(), PipelineError>>;

/// What is wanted of a run beside its configuration.
#[derive(Debug)]
pub struct Wishes {
    /// End at the end offsets seen at start.
    pub until_end: bool,
    /// Where it is shown how far that is.
    pub bars: MultiProgress,
    /// Each time, look at the token file and the certificates again.
    pub look_again: mpsc::Receiver<()>,
}

/// Runs the sink until `stop` resolves, the ends are reached (`until_end`), or it cannot go on.
pub async fn run(
    config: Config,
    wishes: Wishes,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, PipelineError> {
    let start = Instant::now();
    let until_end = wishes.until_end;
    let progress = until_end.then(|| Progress::new(wishes.bars));
    if let Topics::Listed(topics) = &config.topics {
        config.router.routes(topics)?;
    }
    let milvus = Arc::new(Client::new(&config.milvus)?);
    let listener = match config.ops_listen {
        Some(address) => Some(http::bind(address).await?),
        None => None,
    };
    let letters = dead_letter::Topic::open(&config)?;
    let budget = Budget::new(config.buffer_max_bytes);
    let metrics = Metrics::of(&config.name, config.ops_partitions_max, Arc::clone(&budget));
    let common = Stations {
        board: Board::new(Arc::clone(&metrics)),
        metrics,
        budget,
        wake: Arc::new(Wake::default()),
        gate: Arc::new(Gate::new(window(&config), start)),
        dead_letters: letters
            .clone()
            .map(|topic| -> Arc<dyn DeadLetterQueue> { topic }),
    };
    announce(&config, listener.as_ref());

    let mut tasks = Tasks::new();
    let (_serving, served) = oneshot::channel::<()>();
    if let Some(listener) = listener {
        let pages = pages(&config, &common);
        tasks.spawn(inform(http::serve(listener, pages, async {
            // Ends when `_serving` is dropped.
            served.await.ok();
        })));
    }
    if let Some(topic) = letters.clone() {
        tasks.spawn(inform(async move { topic.prepare().await }));
    }
    let config = Arc::new(config);
    let (collections, starting) = Collections::new(&config, &milvus, &common);
    let lanes = Lanes::new(config.router.clone(), Box::new(collections));
    let asked = Arc::new(Stop::default());
    let consumer = consumer(station(&config, until_end, lanes, &common, &asked))?;
    let shutdown = Shutdown::within(config.shutdown_timeout);
    let (_sentry, alarms) = sentry::start(&config, &common, &asked)?;
    accompany(&mut tasks, &common, milvus, wishes.look_again);
    let mut watch = Watch::new(&common, alarms, progress);
    let result = watch
        .supervise(&mut tasks, starting, consumer, &asked, stop, shutdown)
        .await;
    let progress = watch.progress;
    tasks.abort_all();
    if let Some(topic) = letters {
        topic.close().await;
    }
    say_last(&common, start, result.is_ok());
    if let Some(progress) = progress {
        progress.end(&common.metrics, start.elapsed());
    }
    result
}

fn pages(config: &Config, common: &Stations) -> Arc<Pages> {
    Arc::new(Pages::new(
        About::of(config),
        Arc::clone(&common.board),
        Arc::clone(&common.metrics),
        Arc::clone(&common.budget),
    ))
}

/// What goes on beside the stations, for as long as they do.
fn accompany(tasks: &mut Tasks, common: &Stations, milvus: Arc<Client>, asked: mpsc::Receiver<()>) {
    let (board, metrics) = (Arc::clone(&common.board), Arc::clone(&common.metrics));
    tasks.spawn(beat(Arc::clone(&board)));
    tasks.spawn(inform(service::tell(board, metrics)));
    tasks.spawn(look_again(milvus, asked));
}

/// A task that cannot fail.
async fn inform(told: impl Future<Output = ()>) -> Result<(), PipelineError> {
    told.await;
    Ok(())
}

/// Says what it finds changed.
async fn look_again(
    milvus: Arc<Client>,
    mut asked: mpsc::Receiver<()>,
) -> Result<(), PipelineError> {
    while asked.recv().await.is_some() {
        match milvus.look_again() {
            Ok(true) => {}
            Ok(false) => tracing::info!("token file and certificates are as they were"),
            Err(error) => {
                tracing::error!("what was used before is used still: {}", log::chain(&error));
            }
        }
    }
    Ok(())
}

/// Shows the watchdogs that the runtime runs.
async fn beat(board: Arc<Board>) -> Result<(), PipelineError> {
    let mut tick = tokio::time::interval(BEAT);
    loop {
        tick.tick().await;
        board.ran();
    }
}

/// What is still to be said before why it ended; the totals where that is no failure.
fn say_last(common: &Stations, start: Instant, with_totals: bool) {
    common.board.say_rest();
    if with_totals {
        let totals = activity::totals(&common.metrics, start, Instant::now());
        let rate = Summary::of(&common.metrics, start.elapsed()).rate();
        tracing::info!("{totals}, {rate:.0} rows/s");
    }
}

fn station(
    config: &Config,
    until_end: bool,
    lanes: Lanes,
    common: &Stations,
    asked: &Arc<Stop>,
) -> Station {
    Station {
        config: config.kafka.clone(),
        topics: config.topics.clone(),
        rules: ledger::Rules {
            commit_interval: config.commit_interval,
            drain_deadline: drain_deadline(&config.kafka),
            look_up_patience: Duration::from_secs(5),
            // After the drain of a stop there is still to be said what is left, and the group to be left.
            commit_patience: COMMIT.min(config.shutdown_timeout / 3),
            late_landing_grace: config.late_landing_grace,
            poll_window: window(config),
            spare_patience: Duration::from_secs(10),
            reset: config.kafka.auto_offset_reset,
            data_loss: config.data_loss,
            until_end,
        },
        lanes,
        headers: KeptHeaders {
            wanted: Arc::clone(&config.shaping.headers),
            all: common.dead_letters.is_some(),
        },
        stations: common.clone(),
        stop: Arc::clone(asked),
        ask_ends_after: Some(config.watchdog_timeout / 2).filter(|after| !after.is_zero()),
    }
}

/// How long after a poll a request may still be sent.
fn window(config: &Config) -> Duration {
    Gate::window(config.kafka.session_timeout, config.milvus.request_timeout)
}

/// While a revoke waits for its answer, Kafka's client does not notice that the session is over.
fn drain_deadline(kafka: &KafkaConfig) -> Duration {
    let session = kafka.session_timeout * 2 / 3;
    DRAIN.min(kafka.max_poll_interval / 3).min(session)
}

type Consumer = oneshot::Receiver<Result<Outcome, KafkaError>>;

fn consumer(station: Station) -> Result<Consumer, PipelineError> {
    let (sender, outcome) = oneshot::channel();
    std::thread::Builder::new()
        .name("consumer".to_owned())
        .spawn(move || {
            // Nobody listens any more only when the process is ending already.
            sender.send(kafka::run(station)).ok();
        })?;
    Ok(outcome)
}

/// What the reader of the log should know. Which topic goes where is said when its writers start.
fn announce(config: &Config, listener: Option<&TcpListener>) {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, name = config.name, "kafka-milvus-sink starts");
    if let Topics::Matching(pattern) = &config.topics {
        tracing::info!(
            "looks for topics that match '{pattern}' at {}",
            config.kafka.bootstrap_servers
        );
    }
    if let Some(Ok(address)) = listener.map(TcpListener::local_addr) {
        tracing::info!("status, health and metrics at http://{address}/");
        if let Some(warning) = http::exposure(address, http::is_container()) {
            tracing::warn!("{warning}");
        }
    }
    let settings: Vec<String> = config
        .effective
        .iter()
        .filter(|setting| !setting.value.is_empty())
        .map(|setting| format!("{}={}", setting.key, setting.value))
        .collect();
    tracing::info!("effective configuration: {}", settings.join(" "));
    for notice in &config.notices {
        if notice.warn {
            tracing::warn!("{}", notice.text);
        } else {
            tracing::info!("{}", notice.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    /// While a revoke waits for its answer the client does not notice that the session is over.
    #[test]
    fn a_drain_sends_nothing_after_the_session_may_be_over() {
        let set = [
            ("name", "n"),
            ("topics", "t"),
            ("public.endpoint", "http://localhost:1"),
            ("consumer.session.timeout.ms", "12000"),
            ("milvus.request.timeout.ms", "4000"),
        ];
        let sources = Sources {
            set: set
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            ..Sources::default()
        };
        let config = load(&sources).unwrap();
        let drain = drain_deadline(&config.kafka);
        assert!(drain < config.kafka.session_timeout, "{drain:?}");
    }
}
