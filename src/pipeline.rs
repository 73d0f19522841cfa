//! Wires the stations and drains them: `run(config, until_end, stop)` → outcome. No statics.

mod planner;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use crate::budget::Budget;
use crate::cause::Cause;
use crate::config::{Config, KafkaConfig};
use crate::kafka::{self, KafkaError, Station, Stop};
use crate::ledger::{self, Outcome};
use crate::milvus::Milvus;
use crate::milvus::client::{Client, ClientError};
use crate::ops::activity::Activity;
use crate::ops::board::Board;
use crate::ops::http;
use crate::ops::metrics::Metrics;
use crate::routing::{self, Lanes, Meeting};
use crate::wake::Wake;
use crate::writer::{self, Inlet, PlanState, Shared, Stations, Writer};
use planner::Planner;

/// How long `--until-end` waits before its first row for what the world must mend.
pub const PATIENCE: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_secs(1);
/// How often the log says what was done.
const ACTIVITY: Duration = Duration::from_secs(30);
/// A revoke waits no longer than this for what is in flight.
const DRAIN: Duration = Duration::from_secs(30);
/// Kept back from `shutdown.timeout.ms` for the last commit and for leaving the group.
const LEAVE: Duration = Duration::from_secs(5);

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
    #[error("a task of the sink ended on its own: {0}")]
    Task(#[from] JoinError),
    #[error("the consumer thread ended on its own")]
    Consumer,
    #[error("the consumer thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl PipelineError {
    /// Restarting ends here again: only the configuration, or the collection, can mend it.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Routing(_) | Self::Milvus(_) | Self::Ops(_) | Self::Refused(_) => true,
            Self::Kafka(error) => error.is_configuration(),
            Self::Waited { .. } | Self::Task(_) | Self::Consumer | Self::Thread(_) => false,
        }
    }
}

type Tasks = JoinSet<Result<(), PipelineError>>;

/// Runs the sink until `stop` resolves, the ends are reached (`until_end`), or it cannot go on.
pub async fn run(
    config: Config,
    until_end: bool,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, PipelineError> {
    let routes = routing::collections(&config.topics, &config.collection_name)?;
    let milvus = Arc::new(Client::new(&config.milvus)?);
    let listener = match config.ops_listen {
        Some(address) => Some(http::bind(address).await?),
        None => None,
    };
    let budget = Budget::new(config.buffer_max_bytes);
    let metrics = Metrics::new(Arc::clone(&budget));
    let common = Stations {
        board: Board::new(Arc::clone(&metrics)),
        metrics,
        budget,
        wake: Arc::new(Wake::default()),
    };
    announce(&config, &routes, milvus.endpoint(), listener.as_ref());

    let mut tasks = Tasks::new();
    let (_serving, served) = oneshot::channel::<()>();
    if let Some(listener) = listener {
        let (board, metrics) = (Arc::clone(&common.board), Arc::clone(&common.metrics));
        tasks.spawn(async move {
            http::serve(listener, board, metrics, async {
                // Ends when `_serving` is dropped.
                served.await.ok();
            })
            .await;
            Ok(())
        });
    }
    let lanes = writers(&config, &routes, &milvus, &common, &mut tasks);
    let asked = Arc::new(Stop::default());
    let consumer = consumer(station(&config, until_end, lanes, &common, &asked))?;
    let watch = Watch {
        common: &common,
        until_end,
        since: Instant::now(),
    };
    let result = watch
        .supervise(&mut tasks, consumer, &asked, stop, &config)
        .await;
    tasks.abort_all();
    result
}

/// The collections' writers and the planner each collection has.
fn writers(
    config: &Config,
    routes: &[(String, String)],
    milvus: &Arc<Client>,
    common: &Stations,
    tasks: &mut Tasks,
) -> Lanes {
    let mut by_collection: BTreeMap<&str, Vec<Inlet>> = BTreeMap::new();
    let names: std::collections::BTreeSet<&str> =
        routes.iter().map(|(_, name)| name.as_str()).collect();
    for &collection in &names {
        let (sender, plans) = watch::channel(PlanState::Waiting);
        let shared = Arc::new(Shared::new(
            Arc::from(collection),
            Arc::clone(milvus),
            writer_rules(config),
            common.clone(),
        ));
        let planner = Planner::new(&shared, config, sender, names.len() == 1);
        tasks.spawn(planner.run());
        let inlets = (0..config.tasks_max).map(|_| {
            let (writer, inlet) = Writer::new(Arc::clone(&shared), plans.clone());
            tasks.spawn(async move {
                writer.run().await;
                Ok(())
            });
            inlet
        });
        by_collection.insert(collection, inlets.collect());
    }
    let mut lanes = Lanes::default();
    for (topic, collection) in routes {
        if let Some(inlets) = by_collection.get(collection.as_str()) {
            lanes.add(topic.clone(), inlets.clone());
        }
    }
    lanes
}

fn writer_rules(config: &Config) -> writer::Rules {
    writer::Rules {
        tolerance: config.tolerance,
        batch_max_rows: config.batch_max_rows,
        batch_max_bytes: config.batch_max_bytes,
        linger: config.linger,
        retry_backoff: config.milvus.retry_backoff,
        retry_backoff_max: config.milvus.retry_backoff_max,
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
            commit_patience: Duration::from_secs(3),
            spare_patience: Duration::from_secs(10),
            reset: config.kafka.auto_offset_reset,
            until_end,
        },
        lanes,
        stations: common.clone(),
        stop: Arc::clone(asked),
    }
}

fn drain_deadline(kafka: &KafkaConfig) -> Duration {
    DRAIN.min(kafka.max_poll_interval / 3)
}

fn drain_budget(config: &Config) -> Duration {
    let whole = config.shutdown_timeout;
    whole.saturating_sub(LEAVE).max(whole / 2)
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

/// Looks after the stations until one of them ends.
struct Watch<'a> {
    common: &'a Stations,
    until_end: bool,
    since: Instant,
}

impl Watch<'_> {
    async fn supervise(
        &self,
        tasks: &mut Tasks,
        mut consumer: Consumer,
        asked: &Stop,
        stop: impl Future<Output = ()>,
        config: &Config,
    ) -> Result<Outcome, PipelineError> {
        let mut stop = std::pin::pin!(stop);
        let mut stopping = false;
        let mut out_of_time = std::pin::pin!(tokio::time::sleep(Duration::MAX));
        let mut tick = tokio::time::interval(TICK);
        let mut report = tokio::time::interval(ACTIVITY);
        let (metrics, board) = (&self.common.metrics, &self.common.board);
        let mut activity = Activity::new(Arc::clone(metrics), Arc::clone(board), Instant::now());
        loop {
            tokio::select! {
                outcome = &mut consumer => {
                    return outcome.map_err(|_| PipelineError::Consumer)?.map_err(Into::into);
                }
                () = &mut stop, if !stopping => {
                    stopping = true;
                    let budget = drain_budget(config);
                    out_of_time.set(tokio::time::sleep(config.shutdown_timeout));
                    tracing::info!(seconds = budget.as_secs(), "asked to stop; draining");
                    asked.request(budget);
                    self.common.wake.wake();
                }
                () = &mut out_of_time, if stopping => return Ok(Outcome::NotDrained),
                Some(ended) = tasks.join_next() => {
                    let Err(error) = ended.map_err(Into::into).and_then(|result| result) else {
                        continue; // a planner that has made its plan
                    };
                    asked.request(Duration::ZERO);
                    self.common.wake.wake();
                    tokio::time::timeout(LEAVE, consumer).await.ok();
                    return Err(error);
                }
                _ = report.tick() => {
                    if let Some(line) = activity.line(Instant::now()) {
                        tracing::info!("{line}");
                    }
                }
                _ = tick.tick() => {
                    board.tick(Instant::now());
                    if let Some(cause) = self.waited_too_long() {
                        asked.request(Duration::ZERO);
                        self.common.wake.wake();
                        tokio::time::timeout(LEAVE, consumer).await.ok();
                        return Err(PipelineError::Waited { cause });
                    }
                }
            }
        }
    }

    /// `--until-end` has waited for the world, has written nothing, and is told what is in the way.
    fn waited_too_long(&self) -> Option<Cause> {
        if !self.until_end
            || self.since.elapsed() < PATIENCE
            || self.common.metrics.rows_written.get() > 0
        {
            return None;
        }
        self.common.board.readiness().err()?.into_iter().next()
    }
}

/// What is read from where to where, and what the reader of the log should know.
fn announce(
    config: &Config,
    routes: &[(String, String)],
    endpoint: String,
    listener: Option<&TcpListener>,
) {
    let version = env!("CARGO_PKG_VERSION");
    let kafka = &config.kafka;
    tracing::info!(version, name = config.name, "kafka-milvus-sink starts");
    for (topic, collection) in routes {
        tracing::info!(
            "reads topic '{topic}' from {} as group '{}', writes collection '{collection}' of database '{}' at {endpoint}",
            kafka.bootstrap_servers,
            kafka.group_id,
            config.milvus.database,
        );
    }
    if let Some(Ok(address)) = listener.map(TcpListener::local_addr) {
        tracing::info!("health and metrics at http://{address}/");
    }
    let settings: Vec<String> = config
        .effective
        .iter()
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
