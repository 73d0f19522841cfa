//! Everything outside the processes: Kafka, Milvus, the clock, and the witness that compares what it sees.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::group::{Group, Offsets, Pid};
use super::log::Logs;
use super::oracle::Oracle;
use super::process::index;
use super::rng::Rng;
use super::scenario::{Event, Scenario, Style};
use super::store::Store;
use crate::data_loss::DataLoss;
use crate::ledger::Look;
use crate::tenure::Tenure;

pub(super) const TOPIC: &str = "t";

/// What a process reads a partition by.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) number: usize,
    pub(super) tenure: Arc<Tenure>,
    pub(super) start: i64,
    /// The offset after the last record that a writer was given.
    pub(super) handed: i64,
    /// Cuts of the log that its client knew of when it began.
    pub(super) cuts: usize,
    /// The id of the collection that the offset it began at was committed for.
    pub(super) follows: Option<i64>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) rng: Rng,
    began: Instant,
    pub(super) logs: Logs,
    pub(super) group: Group,
    pub(super) store: Store,
    pub(super) oracle: Oracle,
    pub(super) holders: BTreeMap<(Pid, usize), Holder>,
    /// The id of the collection that a process was told last.
    pub(super) described: BTreeMap<Pid, i64>,
    /// Where each tenure of the run began.
    pub(super) starts: Vec<i64>,
    pub(super) pids: u64,
    /// Nothing goes wrong any more, and a person has mended what only a person can.
    pub(super) calm: bool,
    /// Records below this number were written before the collection was last dropped.
    pub(super) dropped_up_to: i64,
    pub(super) counts: BTreeMap<&'static str, u64>,
    pub(super) violation: Option<String>,
    story: Option<String>,
}

/// As all tasks of a run have it.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Never held across a wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    pub(super) fn new(scenario: Scenario, tells: bool) -> Self {
        let mut oracle = Oracle::default();
        oracle.skips = scenario.writer.tolerance == crate::config::Tolerance::All;
        Self {
            rng: Rng::about(&[scenario.seed, 1]),
            began: Instant::now(),
            logs: Logs::new(scenario.partitions),
            group: Group::new(scenario.partitions),
            store: Store::new(scenario.style),
            oracle,
            holders: BTreeMap::new(),
            described: BTreeMap::new(),
            starts: Vec::new(),
            pids: 0,
            calm: false,
            dropped_up_to: 0,
            counts: BTreeMap::new(),
            violation: None,
            story: tells.then(String::new),
            scenario,
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Something happened, for who reads the story of one seed.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(story) = &mut self.story {
            writeln!(story, "{:>8.3} {}", now.as_secs_f64(), what()).unwrap();
        }
    }

    pub(super) fn story(&mut self) -> String {
        self.story.take().unwrap_or_default()
    }

    /// The first one counts: what follows may follow from it.
    pub(super) fn violated(&mut self, what: &str) {
        self.tell(|| format!("VIOLATION {what}"));
        let now = self.now().as_secs_f64();
        self.violation
            .get_or_insert_with(|| format!("at {now:.3} s: {what}"));
    }

    /// `cuts` of its log are known to the client that reads it.
    pub(super) fn begins(
        &mut self,
        pid: Pid,
        partition: usize,
        tenure: &Arc<Tenure>,
        start: i64,
        cuts: usize,
    ) {
        let follows = self.group.committed[partition].as_ref();
        let follows = follows.and_then(|(_, target)| target.as_ref());
        let holder = Holder {
            number: self.starts.len(),
            tenure: Arc::clone(tenure),
            start,
            handed: start,
            cuts,
            follows: follows.map(|target| target.id),
        };
        self.tell(|| {
            format!(
                "process {pid} begins tenure {} of {partition} at {start}",
                holder.number
            )
        });
        self.starts.push(start);
        self.holders.insert((pid, partition), holder);
    }

    pub(super) fn gives_back(&mut self, pid: Pid, partitions: &[usize]) {
        self.tell(|| format!("process {pid} gives back {partitions:?}"));
        let now = self.now();
        self.group.unassign(pid, partitions, now);
        self.holders
            .retain(|(holder, partition), _| *holder != pid || !partitions.contains(partition));
    }

    pub(super) fn handed(&mut self, pid: Pid, partition: usize, next: i64) {
        if let Some(holder) = self.holders.get_mut(&(pid, partition)) {
            holder.handed = next;
        }
    }

    pub(super) fn look_up(&mut self, partition: usize) -> Look {
        let committed = self.group.committed[partition].clone();
        let log = &mut self.logs.partitions[partition];
        if committed.is_none() && log.low > 0 {
            log.lost.push((0, log.low)); // what was there before the group is not its own
        }
        Look {
            committed: committed.as_ref().map(|(offset, _)| *offset),
            target: committed.and_then(|(_, target)| target),
            low: self.logs.partitions[partition].low,
            high: self.logs.partitions[partition].end,
            ..Look::default()
        }
    }

    /// A commit reaches the coordinator. Whether it takes it.
    pub(super) fn take_commit(
        &mut self,
        pid: Pid,
        generation: u64,
        offsets: &Offsets,
        down: bool,
    ) -> bool {
        if !self.group.takes(pid, generation) {
            self.count("commits of an old generation");
            return false;
        }
        for (partition, offset, target) in offsets {
            self.tell(|| format!("process {pid} commits {offset} of {partition}"));
            if self.group.belongs_to_another(*partition, pid) {
                self.violated(&format!(
                    "I6: process {pid} commits {partition}, which is not its own"
                ));
            }
            // An ordinary commit that waited for its turn takes the lower offset along that is stored for a cut log.
            let holder = self.holders.get(&(pid, *partition));
            let follows_a_cut = |holder: &Holder| holder.cuts > 0 && holder.start == *offset;
            let down = down || holder.is_some_and(follows_a_cut);
            let known = self.group.committed[*partition].as_ref();
            if known.is_some_and(|(known, _)| known > offset) && !down {
                self.violated(&format!(
                    "I2: the commit of {partition} goes back to {offset}"
                ));
            }
            if down {
                self.logs.partitions[*partition].goes_back(*offset);
            }
            self.commits(pid, *partition, *offset);
            self.group.committed[*partition] = Some((*offset, target.clone()));
        }
        self.count("commits");
        true
    }

    /// Applies what is due.
    pub(super) fn land(&mut self) {
        let now = self.now();
        while let Some(landing) = self.store.due(now) {
            for change in &landing.sent {
                self.tell(|| format!("applied, call {}: {change:?}", landing.call));
                self.applies(change);
                self.store.apply(change, landing.replaces);
            }
        }
    }

    /// Everything written is committed.
    pub(super) fn is_done(&self) -> bool {
        let committed = self.group.committed.iter().zip(&self.logs.partitions);
        let mut done = committed.map(|(committed, log)| {
            let end = log
                .uids
                .last()
                .map_or(0, |uid| self.logs.entry(*uid).offset + 1);
            // Who begins where nothing is left has nothing to commit.
            let nothing = end == 0 || committed.is_none() && end <= log.low;
            nothing || committed.as_ref().is_some_and(|(offset, _)| *offset >= end)
        });
        done.all(|done| done)
    }

    pub(super) fn scenario_is_told(&mut self) {
        let scenario = format!("{:#?}", self.scenario);
        self.tell(|| scenario);
    }

    pub(super) fn tick_group(&mut self) {
        let now = self.now();
        let Self {
            group,
            scenario,
            rng,
            ..
        } = self;
        group.tick(now, &scenario.times, rng);
    }

    /// What an event does to the world.
    pub(super) fn happens(&mut self, event: Event, now: Duration) {
        self.tell(|| format!("{event:?}"));
        self.count(event.name());
        match event {
            Event::Reshuffle => self.group.reshuffle(),
            Event::Outage(time) => self.store.out_until = now + time,
            Event::NewTimestamp => self.store.schema.timestamp += 1,
            Event::Field => self.store.toggle_field(),
            Event::Cut(partition) => self.cut(partition),
            Event::Expire(partition, share) => {
                let log = &mut self.logs.partitions[partition];
                let left = u64::try_from(log.end - log.low).unwrap();
                log.low += i64::try_from(left * share / 100).unwrap();
                let low = log.low;
                // Who begins without a commit begins there, and has nothing by which it could know of more.
                if self.group.committed[partition].is_none() {
                    log.lost.push((0, low));
                }
                self.tell(|| format!("{partition} begins at {low}"));
            }
            Event::Recreate(time) => {
                self.dropped_up_to = i64::try_from(self.logs.entries.len()).unwrap();
                self.store.recreate(now + time);
            }
            _ => {}
        }
    }

    /// A process says that these offsets are lost, and where it goes on.
    pub(super) fn lost(&mut self, loss: &DataLoss, goes_on: Option<i64>) {
        self.tell(|| format!("lost: {loss}"));
        self.count("losses said");
        let (Some(to), Some(_)) = (loss.to, goes_on) else {
            return;
        };
        let log = &mut self.logs.partitions[index(&loss.at)];
        if to <= log.low {
            log.lost.push((loss.from, to));
        } else {
            self.violated(&format!("said to be lost, and there: {loss}"));
        }
    }

    fn cut(&mut self, partition: usize) {
        let end = self.logs.partitions[partition].end;
        let back = i64::try_from(self.rng.within(1, 10)).unwrap();
        let offset = (end - back).max(self.logs.partitions[partition].low);
        self.logs.cut(partition, offset);
        // Whoever begins at that offset cannot know what it was committed for.
        if let Some((committed, _)) = self.group.committed[partition] {
            self.logs.partitions[partition].overlooks(offset, committed);
        }
    }

    pub(super) fn calm_down(&mut self) {
        self.tell(|| "all trouble ends".to_owned());
        self.calm = true;
        self.oracle.skips = true;
        self.store.out_until = Duration::ZERO;
        self.scenario.milvus.most_rows = usize::MAX;
    }

    /// Where the log ends before the group's offset, or begins behind it, a person sets that anew.
    pub(super) fn set_offsets(&mut self) {
        for (committed, log) in self
            .group
            .committed
            .iter_mut()
            .zip(&mut self.logs.partitions)
        {
            if let Some((offset, _)) = committed {
                if *offset < log.low {
                    log.lost.push((*offset, log.low));
                }
                *offset = (*offset).clamp(log.low, log.end);
            }
        }
    }

    /// A process says that it has settled and committed everything it has read.
    pub(super) fn check_drained(&mut self, pid: Pid) {
        let left = self.holders.iter().find(|((holder, partition), part)| {
            let until = part.tenure.halted_at().unwrap_or(i64::MAX).min(part.handed);
            let committed = self.group.committed[*partition]
                .as_ref()
                .map_or(part.start, |(offset, _)| *offset);
            *holder == pid && self.group.owner(*partition) == Some(pid) && committed < until
        });
        if let Some(((_, partition), holder)) = left {
            let what = format!(
                "I5: process {pid} says that it has drained, and {partition} is not: {holder:?}"
            );
            self.violated(&what);
        }
    }

    pub(super) fn replaces_rows(&self) -> bool {
        self.scenario.style == Style::Upsert
    }
}
