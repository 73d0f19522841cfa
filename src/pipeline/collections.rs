//! The collections that are written: a planner each, and a set of writers for each of their destinations, started when
//! the first topic that goes there is met.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::PipelineError;
use super::planner::Planner;
use crate::config::Config;
use crate::milvus::Milvus;
use crate::milvus::client::Client;
use crate::routing::{Destination, Opener};
use crate::writer::{self, Inlet, Plans, Shared, Stations, Writer};

/// Tasks that wait to be taken over: a moment, since whoever looks after them does little else.
const STARTING: usize = 64;

/// The tasks of one destination, as one that ends with them.
pub(super) type Starting = Pin<Box<dyn Future<Output = Result<(), PipelineError>> + Send>>;

#[derive(Debug)]
pub(super) struct Collections {
    config: Arc<Config>,
    milvus: Arc<Client>,
    common: Stations,
    plans: HashMap<Arc<str>, Plans>,
    inlets: HashMap<Destination, Vec<Inlet>>,
    starts: mpsc::Sender<Starting>,
}

impl Collections {
    /// And where their tasks come out, to be spawned and looked after.
    pub(super) fn new(
        config: &Arc<Config>,
        milvus: &Arc<Client>,
        common: &Stations,
    ) -> (Self, mpsc::Receiver<Starting>) {
        let (starts, starting) = mpsc::channel(STARTING);
        let collections = Self {
            config: Arc::clone(config),
            milvus: Arc::clone(milvus),
            common: common.clone(),
            plans: HashMap::new(),
            inlets: HashMap::new(),
            starts,
        };
        (collections, starting)
    }

    fn start(&mut self, destination: &Destination) -> Vec<Inlet> {
        let shared = Arc::new(Shared::new(
            destination.clone(),
            Arc::clone(&self.milvus),
            writer_rules(&self.config),
            Stations {
                budget: self.common.budget.share(),
                ..self.common.clone()
            },
        ));
        let mut tasks = Vec::new();
        let plans = self.plans(&shared, &mut tasks);
        let inlets = (0..self.config.tasks_max).map(|_| {
            let (writer, inlet) = Writer::new(Arc::clone(&shared), plans.clone());
            let board = Arc::clone(&self.common.board);
            let name = format!("a writer of {destination}");
            tasks.push(Box::pin(async move {
                board.pulses.watch(name, writer.run()).await;
                Ok(())
            }) as Starting);
            inlet
        });
        let inlets = inlets.collect();
        // Nobody takes them over any more only when the process is ending already.
        self.starts.blocking_send(Box::pin(run(tasks))).ok();
        inlets
    }

    /// A collection is described once, however many Milvus partitions of it are written.
    fn plans(&mut self, shared: &Arc<Shared<Client>>, tasks: &mut Vec<Starting>) -> Plans {
        let collection = &shared.collection;
        if let Some(plans) = self.plans.get(collection) {
            return plans.clone();
        }
        let (plans, desk) = writer::plans();
        let Config { router, topics, .. } = &*self.config;
        let only = router.is_only_collection(collection, topics);
        let planner = Planner::new(shared, &self.config, desk, only);
        tasks.push(Box::pin(planner.run()));
        self.plans.insert(Arc::clone(collection), plans.clone());
        plans
    }
}

impl Opener for Collections {
    fn open(&mut self, topic: &str, destination: &Destination) -> Vec<Inlet> {
        let Config { kafka, milvus, .. } = &*self.config;
        tracing::info!(
            "reads topic '{topic}' from {} as group '{}', writes {destination} (database '{}' at {})",
            kafka.bootstrap_servers,
            kafka.group_id,
            milvus.database,
            self.milvus.endpoint(),
        );
        if let Some(inlets) = self.inlets.get(destination) {
            return inlets.clone();
        }
        let inlets = self.start(destination);
        self.inlets.insert(destination.clone(), inlets.clone());
        inlets
    }
}

async fn run(tasks: Vec<Starting>) -> Result<(), PipelineError> {
    let mut running = JoinSet::new();
    for task in tasks {
        running.spawn(task);
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

fn writer_rules(config: &Config) -> writer::Rules {
    writer::Rules {
        tolerance: config.tolerance,
        refused_max_consecutive: config.refused_max_consecutive,
        recreated: config.recreated,
        batch_max_rows: config.batch_max_rows,
        batch_max_bytes: config.batch_max_bytes,
        linger: config.linger,
        max_in_flight: config.max_in_flight,
        late_landing_grace: config.late_landing_grace,
        retry_backoff: config.milvus.retry_backoff,
        retry_backoff_max: config.milvus.retry_backoff_max,
    }
}
