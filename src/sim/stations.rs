//! What a process consists of beside its poll loop: the real writers and planner, and a commit thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::commit_thread::{Answers, CommitThread, Request};
use super::group::Pid;
use super::ice::Ice;
use super::letters::Letters;
use super::milvus::Connection;
use super::process::now;
use super::scenario::{Scenario, Style};
use super::store::COLLECTION;
use super::world::{Shared as WorldShared, TOPIC};
use crate::budget::Budget;
use crate::config::{DeleteWhen, OnRecreated, Shaping, Tolerance, UnknownFields};
use crate::gate::Gate;
use crate::ops::board::Board;
use crate::ops::metrics::Metrics;
use crate::pipeline::planner::Planner;
use crate::plan;
use crate::routing::{Destination, Lanes, Opener, Router};
use crate::wake::Wake;
use crate::writer::{self, Inlet, Shared, Writer};

/// Questions to the commit thread that wait.
const REQUESTS: usize = 64;

pub(super) struct Stations {
    pub(super) budget: Arc<Budget>,
    pub(super) gate: Arc<Gate>,
    pub(super) lanes: Lanes,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) answers: Answers,
}

/// The writers of the one collection, which are there from the start.
#[derive(Debug)]
struct Ready(Vec<Inlet>);

impl Opener for Ready {
    fn open(&mut self, _: &str, _: &Destination) -> Vec<Inlet> {
        self.0.clone()
    }
}

impl Stations {
    pub(super) fn start(world: &WorldShared, pid: Pid, ice: &Arc<Ice>) -> (Self, JoinSet<()>) {
        let (scenario, calm) = {
            let world = world.lock();
            (world.scenario.clone(), world.calm)
        };
        let budget = Budget::new(scenario.buffer);
        let window = Gate::window(scenario.times.session, scenario.times.request);
        let gate = Arc::new(Gate::new(window, now()));
        let destination = Destination {
            collection: COLLECTION.into(),
            milvus_partition: None,
        };
        let milvus = Arc::new(Connection {
            pid,
            world: world.clone(),
        });
        let rules = writer_rules(&scenario.writer, calm);
        let common = common(world, pid, &scenario, &budget, &gate);
        let shared = Arc::new(Shared::new(destination, milvus, rules, common));
        let mut tasks = JoinSet::new();
        let (plans, desk) = writer::plans();
        let planner = Planner::with(&shared, plan_rules(&scenario), desk, true);
        tasks.spawn(ice.within(async move { planner.run().await.unwrap() }));
        let inlets = (0..scenario.lanes).map(|_| {
            let (writer, inlet) = Writer::new(Arc::clone(&shared), plans.clone());
            tasks.spawn(ice.within(writer.run()));
            inlet
        });
        let mut lanes = Lanes::new(router(), Box::new(Ready(inlets.collect())));
        lanes.open(TOPIC);
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let answers = Answers::default();
        let commit_thread = CommitThread {
            pid,
            world: world.clone(),
            inbox,
            answers: answers.clone(),
        };
        tasks.spawn(ice.within(commit_thread.serve()));
        let stations = Self {
            budget,
            gate,
            lanes,
            requests,
            answers,
        };
        (stations, tasks)
    }
}

fn common(
    world: &WorldShared,
    pid: Pid,
    scenario: &Scenario,
    budget: &Arc<Budget>,
    gate: &Arc<Gate>,
) -> writer::Stations {
    let metrics = Metrics::new(Arc::clone(budget));
    let letters = || {
        Arc::new(Letters {
            pid,
            world: world.clone(),
        })
    };
    writer::Stations {
        board: Board::new(Arc::clone(&metrics)),
        metrics,
        budget: Arc::clone(budget).share(),
        wake: Arc::new(Wake::default()),
        gate: Arc::clone(gate),
        dead_letters: scenario.letters.then(|| letters() as _),
    }
}

/// A person has found out what is in the way, where that was for a person to do.
fn writer_rules(rules: &writer::Rules, calm: bool) -> writer::Rules {
    match calm {
        false => rules.clone(),
        true => writer::Rules {
            tolerance: Tolerance::All,
            refused_max_consecutive: u32::MAX,
            recreated: OnRecreated::Continue,
            ..rules.clone()
        },
    }
}

fn plan_rules(scenario: &Scenario) -> plan::Rules {
    let deletes = scenario.style != Style::AutoId;
    plan::Rules {
        endpoint: "http://model:19530".to_owned(),
        database: "default".to_owned(),
        insert_mode: scenario.insert_mode(),
        unknown_fields: UnknownFields::Ignore,
        names_partition: false,
        shaping: Shaping {
            delete_when: deletes.then(|| DeleteWhen {
                field: "gone".to_owned(),
                value: "true".to_owned(),
            }),
            ..Shaping::default()
        },
        longest_topic: 1,
    }
}

fn router() -> Router {
    Router {
        collection_name: COLLECTION.to_owned(),
        collections: BTreeMap::new(),
        partition_name: None,
    }
}
