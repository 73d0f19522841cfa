//! One process: the real ledger, writers and planner, and a poll loop that plays the consumer's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::commit_thread::{Answer, Request};
use super::controls::Controls;
use super::group::{Pid, Told};
use super::queue::Queue;
use super::stations::Stations;
use super::world::{Shared as WorldShared, TOPIC};
use crate::budget::Room;
use crate::ledger::{Command, Commit, Ledger, Outcome, Start};
use crate::topic_partition::TopicPartition;

/// Every queue is looked at this often even if nobody has flagged it.
pub(super) const SWEEP: Duration = Duration::from_millis(250);

pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) world: WorldShared,
    pub(super) stations: Stations,
    controls: Arc<Controls>,
    ledger: Ledger,
    queues: Vec<Queue>,
    first: usize,
    sweep_at: Instant,
}

/// How a process ends on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finished(Outcome),
    /// Kafka's client cannot go on.
    Fatal,
}

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Process {
    /// And its tasks, which go on until they are dropped.
    pub(super) fn start(world: &WorldShared, controls: &Arc<Controls>) -> (Self, JoinSet<()>) {
        let mut locked = world.lock();
        locked.pids += 1;
        let pid = locked.pids;
        let began = locked.now();
        locked.group.join(pid, began);
        locked.tell(|| format!("process {pid} starts"));
        let ledger = Ledger::new(locked.scenario.ledger.clone());
        drop(locked);
        let (stations, tasks) = Stations::start(world, pid, &controls.ice);
        let process = Self {
            pid,
            world: world.clone(),
            controls: Arc::clone(controls),
            ledger,
            queues: Vec::new(),
            first: 0,
            sweep_at: now(),
            stations,
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
        if self.ledger.may_be_lost() {
            self.stations.gate.poll_in_doubt(now);
        } else {
            self.stations.gate.poll(now);
        }
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
        while let Some(answer) = self.stations.answers.next() {
            match answer {
                Answer::LookedUp(asked, Some(look)) => self.ledger.looked_up(&asked, *look),
                Answer::LookedUp(asked, None) => {
                    if self.ledger.wants_look_up(&asked) {
                        self.ask(Request::LookUp(vec![asked]));
                    }
                }
                Answer::Committed(number, result) => self.ledger.commit_done(number, result),
            }
        }
    }

    fn ask(&self, request: Request) {
        self.stations
            .requests
            .try_send(request)
            .expect("the commit thread keeps up");
    }

    fn obey(&mut self, command: Command) -> Option<Outcome> {
        match command {
            Command::LookUp(asked) => self.ask(Request::LookUp(asked)),
            Command::Assign(starts) | Command::Add(starts) => self.assign(&starts),
            Command::StopReading(partitions) => {
                for queue in &mut self.queues {
                    if partitions.contains(&queue.tenure.topic_partition) {
                        queue.reading = false;
                    }
                }
            }
            Command::Flush => self.stations.lanes.flush(),
            Command::Closed => self.stations.lanes.closed(),
            Command::Rewind(start) => self.rewind(start, Queue::follow),
            Command::Wait(partition) => {
                let of_it = |queue: &&mut Queue| queue.tenure.topic_partition == partition;
                if let Some(queue) = self.queues.iter_mut().find(of_it) {
                    queue.wait();
                }
            }
            Command::Restart(start) => self.rewind(start, Queue::restart),
            Command::Search(..) => unreachable!("no log here knows its leaders"),
            Command::Lost(loss, goes_on) => self.world.lock().lost(&loss, goes_on),
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
                .stations
                .lanes
                .inlet(partition)
                .cloned()
                .expect("its topic is open");
            let (number, cuts) = (
                index(partition),
                world.logs.partitions[index(partition)].cuts.len(),
            );
            world.begins(self.pid, number, &start.tenure, start.offset, cuts);
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

    /// The log was cut off or has expired, and the partition goes on in a new tenure.
    fn rewind(&mut self, start: Start, follow: fn(&mut Queue, Start)) {
        let partition = start.tenure.topic_partition.clone();
        let mut world = self.world.lock();
        world.count("tenures within an assignment");
        if let Some(queue) = self
            .queues
            .iter_mut()
            .find(|queue| queue.tenure.topic_partition == partition)
        {
            let (number, cuts) = (index(&partition), queue.cuts);
            world.begins(self.pid, number, &start.tenure, start.offset, cuts);
            follow(queue, start);
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
            let room = queue.room();
            if room == Room::Nothing || !queue.is_due(&world, sweep) {
                continue;
            }
            let turn = queue.turn(room, &world);
            let partition = &queue.tenure.topic_partition;
            if let Some(next) = turn.handed {
                self.ledger.handed(partition, next);
                world.handed(self.pid, index(partition), next);
            }
            if let Some(offset) = turn.rewound {
                self.ledger.rewound(partition, offset);
            }
            if turn.out_of_range {
                self.ledger.out_of_range(partition);
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
        let most = self.stations.budget.limit() + (turns + batches) * 200;
        if self.stations.budget.used() > most {
            world.violated(&format!(
                "I4: process {} holds {} bytes",
                self.pid,
                self.stations.budget.used()
            ));
        }
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

pub(super) fn index(partition: &TopicPartition) -> usize {
    usize::try_from(partition.partition).unwrap()
}
