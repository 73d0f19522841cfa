//! One process: the real ledger, writers and planner, and a poll loop that plays the consumer's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::commit_thread::{Answer, Answers, CommitThread, Request};
use super::controls::Controls;
use super::group::{Pid, Told};
use super::ice::Ice;
use super::letters::Letters;
use super::milvus::Connection;
use super::queue::Queue;
use super::store::COLLECTION;
use super::world::{Shared as WorldShared, TOPIC};
use crate::budget::Budget;
use crate::config::{DeleteWhen, Shaping, Tolerance, UnknownFields};
use crate::gate::Gate;
use crate::ledger::{Command, Commit, Ledger, Outcome, Start};
use crate::ops::board::Board;
use crate::ops::metrics::Metrics;
use crate::pipeline::planner::Planner;
use crate::plan;
use crate::routing::{Destination, Lanes, Opener, Router};
use crate::topic_partition::TopicPartition;
use crate::wake::Wake;
use crate::writer::{self, Inlet, Shared, Stations, Writer};

/// Every queue is looked at this often even if nobody has flagged it.
pub(super) const SWEEP: Duration = Duration::from_millis(250);

pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) world: WorldShared,
    pub(super) budget: Arc<Budget>,
    controls: Arc<Controls>,
    ledger: Ledger,
    lanes: Lanes,
    queues: Vec<Queue>,
    first: usize,
    sweep_at: Instant,
    gate: Arc<Gate>,
    requests: mpsc::Sender<Request>,
    answers: Answers,
}

/// How a process ends on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finished(Outcome),
    /// Kafka's client cannot go on.
    Fatal,
}

/// The writers of the one collection, which are there from the start.
#[derive(Debug)]
struct Ready(Vec<Inlet>);

impl Opener for Ready {
    fn open(&mut self, _: &str, _: &Destination) -> Vec<Inlet> {
        self.0.clone()
    }
}

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Process {
    /// And its tasks, which go on until they are dropped.
    pub(super) fn start(
        world: &WorldShared,
        controls: &Arc<Controls>,
        ice: &Arc<Ice>,
    ) -> (Self, JoinSet<()>) {
        let mut locked = world.lock();
        locked.pids += 1;
        let pid = locked.pids;
        let began = locked.now();
        locked.group.join(pid, began);
        locked.tell(|| format!("process {pid} starts"));
        let (scenario, calm) = (locked.scenario.clone(), locked.calm);
        drop(locked);
        let budget = Budget::new(scenario.buffer);
        let metrics = Metrics::new(Arc::clone(&budget));
        let window = Gate::window(scenario.times.session, scenario.times.request);
        let gate = Arc::new(Gate::new(window, now()));
        let letters = || {
            Arc::new(Letters {
                pid,
                world: world.clone(),
            })
        };
        let stations = Stations {
            board: Board::new(Arc::clone(&metrics)),
            metrics,
            budget: Arc::clone(&budget).share(),
            wake: Arc::new(Wake::default()),
            gate: Arc::clone(&gate),
            dead_letters: scenario.letters.then(|| letters() as _),
        };
        let rules = writer_rules(&scenario.writer, calm);
        let destination = Destination {
            collection: COLLECTION.into(),
            milvus_partition: None,
        };
        let milvus = Arc::new(Connection {
            pid,
            world: world.clone(),
        });
        let shared = Arc::new(Shared::new(destination, milvus, rules, stations));
        let mut tasks = JoinSet::new();
        let (plans, desk) = writer::plans();
        let planner = Planner::with(&shared, plan_rules(&scenario), desk, true);
        tasks.spawn(ice.within(async move { planner.run().await.unwrap() }));
        let inlets = (0..scenario.lanes).map(|_| {
            let (writer, inlet) = Writer::new(Arc::clone(&shared), plans.clone());
            tasks.spawn(ice.within(writer.run()));
            inlet
        });
        let inlets = inlets.collect();
        let (requests, inbox) = mpsc::channel(64);
        let answers = Answers::default();
        let commit_thread = CommitThread {
            pid,
            world: world.clone(),
            inbox,
            answers: answers.clone(),
        };
        tasks.spawn(ice.within(commit_thread.serve()));
        let mut lanes = Lanes::new(router(), Box::new(Ready(inlets)));
        lanes.open(TOPIC);
        let process = Self {
            pid,
            world: world.clone(),
            budget,
            controls: Arc::clone(controls),
            ledger: Ledger::new(scenario.ledger),
            lanes,
            queues: Vec::new(),
            first: 0,
            sweep_at: now(),
            gate,
            requests,
            answers,
        };
        (process, tasks)
    }

    /// The poll loop.
    pub(super) async fn run(mut self) -> (Self, End) {
        loop {
            if let Some(end) = self.round() {
                self.queues.iter().for_each(|queue| queue.tenure.close());
                return (self, end);
            }
            let tick = self.world.lock().scenario.times.tick;
            let gap = self.controls.take_gap();
            tokio::time::sleep(gap.unwrap_or(tick)).await;
        }
    }

    fn round(&mut self) -> Option<End> {
        let now = now();
        self.gate.poll(now);
        if self.controls.take_fatal() {
            return Some(End::Fatal);
        }
        if let Some(by) = self.controls.stop_by() {
            self.ledger.stop(by);
        }
        self.serve_group();
        self.take_answers();
        for command in self.ledger.advance(now) {
            if let Some(outcome) = self.obey(command) {
                return Some(End::Finished(outcome));
            }
        }
        self.poll_queues(now);
        self.check_memory();
        None
    }

    fn serve_group(&mut self) {
        let mut world = self.world.lock();
        let now = world.now();
        let Some(told) = world.group.poll(self.pid, now) else {
            return;
        };
        world.tell(|| format!("process {} is told {told:?}", self.pid));
        match told {
            Told::Assigned(partitions) => self.ledger.assigned(names(&partitions)),
            Told::Revoked(partitions) => {
                world.count("revokes");
                self.ledger.revoked(names(&partitions));
            }
            Told::Lost(partitions) => {
                world.count("losses");
                self.ledger.lost(names(&partitions));
            }
        }
    }

    fn take_answers(&mut self) {
        while let Some(answer) = self.answers.next() {
            match answer {
                Answer::LookedUp(partition, Some(look)) => {
                    self.ledger.looked_up(&name(partition), look)
                }
                Answer::LookedUp(partition, None) => {
                    if self.ledger.wants_look_up(&name(partition)) {
                        self.ask(Request::LookUp(vec![partition]));
                    }
                }
                Answer::Committed(number, result) => self.ledger.commit_done(number, result),
            }
        }
    }

    fn ask(&self, request: Request) {
        self.requests
            .try_send(request)
            .expect("the commit thread keeps up");
    }

    fn obey(&mut self, command: Command) -> Option<Outcome> {
        match command {
            Command::LookUp(partitions) => {
                self.ask(Request::LookUp(partitions.iter().map(index).collect()));
            }
            Command::Assign(starts) => self.assign(&starts),
            Command::StopReading(partitions) => {
                for queue in &mut self.queues {
                    if partitions.contains(&queue.tenure.topic_partition) {
                        queue.reading = false;
                    }
                }
            }
            Command::Flush => self.lanes.flush(),
            Command::Closed => self.lanes.closed(),
            Command::Rewind(start) => self.rewind(start),
            Command::Commit { number, offsets } => {
                let stored = self.store(number, &offsets);
                self.ask(Request::Commit(number, stored));
            }
            Command::CommitDown { number, commit } => {
                let target = commit.target.as_deref().cloned();
                let down = (index(&commit.partition), commit.offset, target);
                self.store(number, &[commit]);
                self.ask(Request::CommitDown(number, vec![down]));
            }
            Command::Undrained(_) => self.world.lock().count("drains given up"),
            Command::Unassign(partitions) => self.unassign(&partitions),
            Command::Finished(outcome) => return Some(outcome),
        }
        None
    }

    fn assign(&mut self, starts: &[Start]) {
        let mut world = self.world.lock();
        for start in starts {
            let partition = &start.tenure.topic_partition;
            let inlet = self
                .lanes
                .inlet(partition)
                .cloned()
                .expect("its topic is open");
            world.begins(self.pid, index(partition), &start.tenure, start.offset);
            let cuts = world.logs.partitions[index(partition)].cuts.len();
            self.queues.push(Queue::new(start, inlet, cuts));
        }
        let partitions = starts
            .iter()
            .map(|start| index(&start.tenure.topic_partition));
        world.group.assign(self.pid, partitions);
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) {
        let gone = |queue: &Queue| partitions.contains(&queue.tenure.topic_partition);
        self.queues.retain(|queue| !gone(queue));
        let indexes: Vec<usize> = partitions.iter().map(index).collect();
        self.world.lock().gives_back(self.pid, &indexes);
    }

    fn store(&mut self, number: u64, offsets: &[Commit]) -> Vec<(usize, i64)> {
        let mut world = self.world.lock();
        for commit in offsets {
            let target = commit.target.as_deref().cloned();
            let stored =
                world
                    .group
                    .store(self.pid, index(&commit.partition), (commit.offset, target));
            if !stored {
                world.count("offsets not stored");
                self.ledger.not_stored(number, &commit.partition);
            }
        }
        let offsets = offsets
            .iter()
            .map(|commit| (index(&commit.partition), commit.offset));
        offsets.collect()
    }

    /// The log was cut off, and the partition goes on in a new tenure.
    fn rewind(&mut self, start: Start) {
        let partition = start.tenure.topic_partition.clone();
        let mut world = self.world.lock();
        world.begins(self.pid, index(&partition), &start.tenure, start.offset);
        world.count("tenures after a cut");
        if let Some(queue) = self
            .queues
            .iter_mut()
            .find(|queue| queue.tenure.topic_partition == partition)
        {
            queue.follow(start);
        }
    }

    fn poll_queues(&mut self, now: Instant) {
        let sweep = now >= self.sweep_at;
        if sweep {
            self.sweep_at = now + SWEEP;
        }
        let count = self.queues.len();
        let mut world = self.world.lock();
        for step in 0..count {
            let queue = &mut self.queues[(self.first + step) % count];
            if !queue.has_room() || !queue.is_due(&world, sweep) {
                continue;
            }
            let turn = queue.turn(&world);
            let partition = &queue.tenure.topic_partition;
            if let Some(next) = turn.handed {
                self.ledger.handed(partition, next);
                world.handed(self.pid, index(partition), next);
            }
            if let Some(offset) = turn.rewound {
                self.ledger.rewound(partition, offset);
            }
        }
        self.first = self.first.wrapping_add(1);
    }

    /// What is read comes on top of the limit, and what is made of it.
    fn check_memory(&self) {
        let mut world = self.world.lock();
        let turns = 2 * world.scenario.turn * world.scenario.partitions;
        let batches = world.scenario.writer.batch_max_rows
            * 4
            * (world.scenario.writer.max_in_flight + 1)
            * world.scenario.lanes;
        let most = self.budget.limit() + (turns + batches) * 200;
        if self.budget.used() > most {
            world.violated(&format!(
                "I4: process {} holds {} bytes",
                self.pid,
                self.budget.used()
            ));
        }
    }
}

/// A person has found out what is in the way, where that was for a person to do.
fn writer_rules(rules: &writer::Rules, calm: bool) -> writer::Rules {
    match calm {
        false => rules.clone(),
        true => writer::Rules {
            tolerance: Tolerance::All,
            refused_max_consecutive: u32::MAX,
            recreated: crate::config::OnRecreated::Continue,
            ..rules.clone()
        },
    }
}

fn plan_rules(scenario: &super::scenario::Scenario) -> plan::Rules {
    let deletes = scenario.style != super::scenario::Style::AutoId;
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
        collections: std::collections::BTreeMap::new(),
        partition_name: None,
    }
}

fn name(partition: usize) -> TopicPartition {
    TopicPartition::new(TOPIC, i32::try_from(partition).unwrap())
}

fn names(partitions: &[usize]) -> Vec<TopicPartition> {
    partitions
        .iter()
        .map(|partition| name(*partition))
        .collect()
}

fn index(partition: &TopicPartition) -> usize {
    usize::try_from(partition.partition).unwrap()
}
