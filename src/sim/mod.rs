//! The real ledger, writers, planner and gate in one process, under a clock that runs as fast as it can, against a model
//! of Kafka and Milvus that a seed sets in motion. Whatever happens, what must hold is looked at as it happens.
//!
//! A seed decides everything, so that a failure is run again by its number: `SIM_SEED=7 cargo test --lib sim`.
//! The model is the world outside and the threads around: the poll loop here does what `src/kafka/consumer.rs` does.

mod commit_thread;
mod controls;
mod fates;
mod group;
mod ice;
mod letters;
mod log;
mod milvus;
mod oracle;
mod process;
mod queue;
mod rng;
mod scenario;
mod stations;
mod store;
mod tests;
mod witness;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ledger::Outcome;
use controls::Controls;
use scenario::{Event, Scenario};
use world::{Shared, World};

const STEP: Duration = Duration::from_millis(250);
/// By then everything has come to rest after the last trouble.
const PATIENCE: Duration = Duration::from_secs(900);

/// What came of a seed.
#[derive(Debug)]
struct Run {
    counts: BTreeMap<&'static str, u64>,
    violation: Option<String>,
    story: String,
}

/// `tells` where the story is wanted.
fn run(seed: u64, tells: bool) -> Run {
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = Shared::new(World::new(Scenario::new(seed), tells));
        let mut director = Director::new(&world);
        director.play().await;
        director.machines.shutdown().await;
        let mut world = world.lock();
        Run {
            counts: std::mem::take(&mut world.counts),
            violation: world.violation.take(),
            story: world.story(),
        }
    })
}

/// Has everything happen that the scenario says.
struct Director {
    world: Shared,
    controls: Vec<Arc<Controls>>,
    machines: JoinSet<()>,
    thaws: Vec<(Duration, usize)>,
}

impl Director {
    fn new(world: &Shared) -> Self {
        let mut machines = JoinSet::new();
        let controls: Vec<Arc<Controls>> = (0..world.lock().scenario.machines)
            .map(|_| Arc::default())
            .collect();
        for controls in &controls {
            machines.spawn(Arc::clone(controls).run(world.clone()));
        }
        Self {
            world: world.clone(),
            controls,
            machines,
            thaws: Vec::new(),
        }
    }

    async fn play(&mut self) {
        let (mut events, trouble) = {
            let mut world = self.world.lock();
            world.scenario_is_told();
            (world.scenario.events.clone(), world.scenario.times.trouble)
        };
        while self.step(&mut events).await < trouble {
            if self.world.lock().violation.is_some() {
                return;
            }
            self.produce();
        }
        self.calm_down().await;
        let by = trouble + PATIENCE;
        loop {
            let now = self.step(&mut events).await;
            let mut world = self.world.lock();
            if world.violation.is_some() {
                return;
            }
            if world.is_done() && world.store.is_at_rest() && world.group.is_settled() {
                break;
            }
            if now > by {
                let committed = format!("{:?}", world.group.committed);
                let logs = format!("{:#?}", world.logs);
                world.tell(|| logs);
                world.violated(&format!("I7: no progress: {committed}"));
                return;
            }
        }
        self.retire().await;
        self.world.lock().check_the_end();
    }

    async fn step(&mut self, events: &mut Vec<(Duration, Event)>) -> Duration {
        sleep(STEP).await;
        let now = {
            let mut world = self.world.lock();
            world.land();
            world.tick_group();
            world.now()
        };
        while events.first().is_some_and(|(at, _)| *at <= now) {
            let (_, event) = events.remove(0);
            self.happens(event, now);
        }
        let due = self.thaws.extract_if(.., |(at, _)| *at <= now);
        for machine in due.map(|(_, machine)| machine).collect::<Vec<_>>() {
            self.freeze(machine, false);
        }
        while let Some(ended) = self.machines.try_join_next() {
            if let Err(error) = ended {
                self.world
                    .lock()
                    .violated(&format!("a task has failed: {error}"));
            }
        }
        now
    }

    fn freeze(&self, machine: usize, frozen: bool) {
        let mut world = self.world.lock();
        let Some(pid) = self.controls[machine].pid() else {
            return;
        };
        world.tell(|| format!("process {pid} stands still: {frozen}"));
        if frozen {
            world.group.freeze(pid);
        } else {
            let most = if world.rng.chance(50) { 6_000 } else { 0 };
            let hears = world.now() + world.rng.millis(0, most);
            world.group.thaw(pid, hears);
        }
        self.controls[machine].freeze(frozen);
    }

    fn produce(&self) {
        let mut world = self.world.lock();
        let World {
            logs,
            rng,
            scenario,
            ..
        } = &mut *world;
        for partition in 0..scenario.partitions {
            // Tenths of records in a second, four steps in each.
            for _ in 0..(scenario.records.rate / 40
                + u64::from(rng.within(0, 39) < scenario.records.rate % 40))
            {
                logs.produce(partition, scenario.keys, &scenario.records, rng);
            }
        }
    }

    fn happens(&mut self, event: Event, now: Duration) {
        self.world.lock().happens(event, now);
        match event {
            Event::Stall(machine, time) => {
                self.freeze(machine, true);
                self.thaws.push((now + time, machine));
            }
            Event::Gap(machine, gap) => self.controls[machine].set_gap(gap),
            Event::Kill(machine) if self.controls[machine].pid().is_some() => {
                self.controls[machine].kill.notify_one();
            }
            Event::Stop(machine) => {
                let within = self.world.lock().scenario.times.stop;
                self.controls[machine].stop(within);
            }
            Event::Fatal(machine) => self.controls[machine].fail(),
            Event::Evict(machine) => {
                let mut world = self.world.lock();
                if let Some(pid) = self.controls[machine].pid() {
                    let notices = now + world.rng.millis(0, 800);
                    let landed = notices + world.scenario.times.request * 3;
                    world.group.evict(pid, now, notices, landed);
                }
            }
            _ => {}
        }
    }

    /// Nothing goes wrong any more; a person comes, who mends what stands, and has everything start anew.
    async fn calm_down(&mut self) {
        for (_, machine) in std::mem::take(&mut self.thaws) {
            self.freeze(machine, false);
        }
        self.world.lock().calm_down();
        for controls in self
            .controls
            .iter()
            .filter(|controls| controls.pid().is_some())
        {
            controls.kill.notify_one();
        }
        // Nobody sets a group's offsets while its members run.
        sleep(Duration::from_millis(1)).await;
        self.world.lock().set_offsets();
    }

    async fn retire(&mut self) {
        for controls in &self.controls {
            controls.retire();
            controls.stop(Duration::from_secs(20));
        }
        while self.machines.join_next().await.is_some() {}
        let drained = self
            .controls
            .iter()
            .all(|controls| matches!(controls.last(), Some(Outcome::Drained { .. })));
        if !drained {
            self.world
                .lock()
                .violated("I5: with nothing left to do, a process did not stop in order");
        }
    }
}
