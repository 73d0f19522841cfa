//! What is done to a machine, and the process that runs on it: started, stopped, killed, started again.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::group::Pid;
use super::ice::Ice;
use super::process::{End, Process, now};
use super::world::Shared;
use crate::ledger::Outcome;

/// What a process may take beyond its time to drain: for the last commit, and for leaving the group.
const LEAVE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Controls {
    pub(super) ice: Arc<Ice>,
    pub(super) kill: Notify,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    pid: Option<Pid>,
    stop_by: Option<Instant>,
    gap: Option<Duration>,
    fatal: bool,
    /// The machine goes out of service with its process.
    retired: bool,
    /// It stood still while it was to stop.
    excused: bool,
    pub(super) last: Option<Outcome>,
}

impl Controls {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pid(&self) -> Option<Pid> {
        self.asked().pid
    }

    pub(super) fn stop_by(&self) -> Option<Instant> {
        self.asked().stop_by
    }

    pub(super) fn take_gap(&self) -> Option<Duration> {
        self.asked().gap.take()
    }

    pub(super) fn take_fatal(&self) -> bool {
        std::mem::take(&mut self.asked().fatal)
    }

    pub(super) fn stop(&self, within: Duration) {
        self.asked().stop_by.get_or_insert(now() + within);
    }

    pub(super) fn set_gap(&self, gap: Duration) {
        let mut asked = self.asked();
        asked.gap = Some(gap);
        asked.excused = true;
    }

    pub(super) fn fail(&self) {
        self.asked().fatal = true;
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.asked().excused = true;
        self.ice.set(frozen);
    }

    pub(super) fn retire(&self) {
        self.asked().retired = true;
    }

    /// How its last process ended, where it did on its own.
    pub(super) fn last(&self) -> Option<Outcome> {
        self.asked().last
    }

    fn began(&self, pid: Pid) {
        pin!(self.kill.notified()).enable(); // what was meant for the one before
        let mut asked = self.asked();
        *asked = Asked {
            pid: Some(pid),
            retired: asked.retired,
            stop_by: asked.stop_by.filter(|_| asked.retired),
            ..Asked::default()
        };
    }

    /// Runs processes until the machine is retired.
    pub(super) async fn run(self: Arc<Self>, world: Shared) {
        loop {
            self.ice.set(false);
            let (process, mut tasks) = Process::start(&world, &self);
            let (pid, budget) = (process.pid, Arc::clone(&process.stations.budget));
            self.began(pid);
            let end = tokio::select! {
                biased;
                () = self.kill.notified() => None,
                (process, end) = self.ice.within(process.run()) => {
                    drop(process);
                    Some(end)
                }
            };
            self.ended(&world, pid, end);
            if matches!(end, Some(End::Finished(_))) {
                sleep(Duration::from_millis(100)).await; // the writers are there until the last
            }
            while let Some(ended) = tasks.try_join_next() {
                ended.expect("no task of a process fails");
            }
            tasks.shutdown().await;
            if budget.used() > 0 {
                world.lock().violated(&format!(
                    "I4: process {pid} has kept {} bytes",
                    budget.used()
                ));
            }
            if self.asked().retired {
                return;
            }
            let pause = world.lock().rng.millis(200, 4_000);
            sleep(pause).await;
        }
    }

    fn ended(&self, world: &Shared, pid: Pid, end: Option<End>) {
        let mut world = world.lock();
        world.tell(|| format!("process {pid} ends: {end:?}"));
        let mut asked = self.asked();
        let late = asked.stop_by.is_some_and(|by| now() > by + LEAVE);
        if late && !asked.excused && end.is_some() {
            world.violated(&format!("I5: process {pid} took too long to stop"));
        }
        match end {
            Some(End::Finished(outcome)) => {
                asked.last = Some(outcome);
                world.count(match outcome {
                    Outcome::Drained { .. } => "stops with everything done",
                    Outcome::NotDrained => "stops with something left",
                    Outcome::AllHalted => "ends with all halted",
                    Outcome::EndReached { .. } => "ends of the logs",
                });
                if matches!(outcome, Outcome::Drained { .. }) {
                    world.check_drained(pid);
                }
                if asked.stop_by.is_some_and(|by| now() >= by) {
                    world.store.forget(pid);
                }
                world.group.leave(pid);
            }
            Some(End::Fatal) | None => world.group.die(pid),
        }
        (asked.pid, asked.stop_by) = (None, None);
    }
}
