//! Notices that the sink stands still though nothing is said to be in its way. Pure: fed once a second with what is so,
//! it answers what to do.

mod alarm;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::{Duration, Instant};

pub use alarm::{Alarm, Kind};

use crate::config::Config;
use crate::ops::metrics::Position;
use crate::topic_partition::TopicPartition;

/// The most that counts between two looks: for as long as the whole process did not run, nobody stood still.
const MOST_PASSED: Duration = Duration::from_secs(2);

/// The runtime may be short of processors.
const LATE: Duration = Duration::from_secs(10);

/// Before its first turn the poll loop asks Kafka how many partitions there are; a Kafka that is away takes it some time.
const FIRST_QUESTION: Duration = Duration::from_secs(10);

/// How long a standstill may last. After half of `timeout` the state is said, after all of it the process ends; both
/// begin to count when what the configuration allows is over.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `watchdog.timeout.ms`.
    pub timeout: Duration,
    /// From a record that is there to one that is settled.
    pub progress: Duration,
    /// Between two commits.
    pub commit: Duration,
    /// One request to Milvus.
    pub request: Duration,
}

impl Limits {
    /// `None` where the watchdogs are off.
    pub fn of(config: &Config) -> Option<Self> {
        let request = config.milvus.request_timeout;
        (!config.watchdog_timeout.is_zero()).then_some(Self {
            timeout: config.watchdog_timeout,
            progress: config.linger + request + config.late_landing_grace,
            commit: config.commit_interval,
            request,
        })
    }

    fn allowed(&self, kind: Kind) -> Duration {
        match kind {
            Kind::PollLoop => FIRST_QUESTION,
            Kind::Runtime => LATE,
            Kind::Request => self.request,
            Kind::Commit => self.commit,
            Kind::Progress => self.progress,
        }
    }
}

/// What is so at a look.
#[derive(Debug)]
pub struct Look {
    /// When the poll loop last turned.
    pub turned: Instant,
    /// When the runtime last ran a task that it has for this alone.
    pub ran: Instant,
    /// Which request to Milvus has been under way for longest.
    pub oldest_request: Option<u64>,
    pub partitions: Vec<Watched>,
    /// The sink is asked to stop, which has a time of its own.
    pub stopping: bool,
}

/// A partition that is assigned.
#[derive(Debug, Clone)]
pub struct Watched {
    pub partition: TopicPartition,
    pub position: Position,
    /// Something is said to be in its way: a hold or a halt.
    pub is_excused: bool,
    /// Of what takes long where its records go, and settles nothing meanwhile.
    pub steps: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// For the first time: say what the state is. How many more stand still besides.
    Say(Alarm, usize),
    End(Alarm),
}

/// How long a value has stayed what it is.
#[derive(Debug)]
struct Stopwatch<T> {
    value: Option<T>,
    stood: Duration,
    is_said: bool,
}

impl<T> Default for Stopwatch<T> {
    fn default() -> Self {
        Self {
            value: None,
            stood: Duration::ZERO,
            is_said: false,
        }
    }
}

impl<T: PartialEq> Stopwatch<T> {
    /// `None` where it need not change.
    fn pass(&mut self, value: Option<T>, passed: Duration) {
        if value.is_some() && value == self.value {
            self.stood += passed;
        } else {
            *self = Self {
                value,
                ..Self::default()
            };
        }
    }

    /// What is to be done, once what is allowed is over.
    fn judge(&mut self, limits: &Limits, kind: Kind) -> Option<Due> {
        let allowed = limits.allowed(kind);
        if self.stood >= allowed + limits.timeout {
            return Some(Due::End);
        }
        let is_due = !self.is_said && self.stood >= allowed + limits.timeout / 2;
        self.is_said |= is_due;
        is_due.then_some(Due::Say)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Say,
    End,
}

#[derive(Debug, Default)]
struct Partition {
    /// What is read, settled and fetched, and the steps.
    progress: Stopwatch<([Option<i64>; 3], u64)>,
    /// What is committed.
    commit: Stopwatch<i64>,
}

impl Partition {
    fn pass(&mut self, watched: &Watched, passed: Duration) {
        let Position {
            read,
            settled,
            committed,
            lag,
            fetched,
            is_led,
            is_awaited,
            ..
        } = watched.position;
        let has_more = is_awaited || is_led && lag.is_some_and(|lag| lag > 0);
        let moves = ([read, settled, fetched], watched.steps);
        let progress = (has_more && !watched.is_excused).then_some(moves);
        self.progress.pass(progress, passed);
        let behind = settled > committed && !watched.is_excused;
        self.commit.pass(committed.filter(|_| behind), passed);
    }
}

#[derive(Debug)]
pub struct Watchdog {
    limits: Limits,
    looked: Option<Instant>,
    poll_loop: Stopwatch<Instant>,
    runtime: Stopwatch<Instant>,
    request: Stopwatch<u64>,
    partitions: HashMap<TopicPartition, Partition>,
}

impl Watchdog {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            looked: None,
            poll_loop: Stopwatch::default(),
            runtime: Stopwatch::default(),
            request: Stopwatch::default(),
            partitions: HashMap::new(),
        }
    }

    pub fn look(&mut self, now: Instant, look: &Look) -> Verdict {
        let before = self.looked.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(before).min(MOST_PASSED);
        self.poll_loop.pass(Some(look.turned), passed);
        self.runtime.pass(Some(look.ran), passed);
        let request = look.oldest_request.filter(|_| !look.stopping);
        self.request.pass(request, passed);
        // What a loop that stands still has reported is old.
        let is_reported = self.poll_loop.stood.is_zero();
        self.pass_partitions(look, if is_reported { passed } else { Duration::ZERO });
        self.judge(look)
    }

    fn pass_partitions(&mut self, look: &Look, passed: Duration) {
        let watched = if look.stopping {
            &[][..]
        } else {
            &look.partitions
        };
        let is_here =
            |partition: &TopicPartition| watched.iter().any(|one| one.partition == *partition);
        if self.partitions.len() != watched.len() || !self.partitions.keys().all(is_here) {
            self.partitions.retain(|partition, _| is_here(partition));
        }
        for one in watched {
            if !self.partitions.contains_key(&one.partition) {
                self.partitions
                    .insert(one.partition.clone(), Partition::default());
            }
            if let Some(partition) = self.partitions.get_mut(&one.partition) {
                partition.pass(one, passed);
            }
        }
    }

    fn judge(&mut self, look: &Look) -> Verdict {
        let limits = &self.limits;
        let mut due = Vec::new();
        let mut note = |kind, judged: Option<Due>, stood, of: Option<&Watched>| {
            due.extend(judged.map(|what| (what, Alarm::new(kind, stood, of))));
        };
        let judged = self.poll_loop.judge(limits, Kind::PollLoop);
        note(Kind::PollLoop, judged, self.poll_loop.stood, None);
        let judged = self.runtime.judge(limits, Kind::Runtime);
        note(Kind::Runtime, judged, self.runtime.stood, None);
        let judged = self.request.judge(limits, Kind::Request);
        note(Kind::Request, judged, self.request.stood, None);
        for one in &look.partitions {
            let Some(partition) = self.partitions.get_mut(&one.partition) else {
                continue;
            };
            let judged = partition.commit.judge(limits, Kind::Commit);
            note(Kind::Commit, judged, partition.commit.stood, Some(one));
            let judged = partition.progress.judge(limits, Kind::Progress);
            note(Kind::Progress, judged, partition.progress.stood, Some(one));
        }
        let more = due.len().saturating_sub(1);
        let first = due
            .iter()
            .position(|(what, _)| *what == Due::End)
            .unwrap_or(0);
        match due.into_iter().nth(first) {
            None => Verdict::Fine,
            Some((Due::Say, alarm)) => Verdict::Say(alarm, more),
            Some((Due::End, alarm)) => Verdict::End(alarm),
        }
    }
}
