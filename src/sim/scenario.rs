//! What a seed decides: who takes part, how they are set, and what goes wrong when.

use std::time::Duration;

use super::rng::Rng;
use crate::config::{InsertMode, OffsetReset, OnDataLoss, OnRecreated, Tolerance};
use crate::gate::Gate;
use crate::{ledger, writer};

/// librdkafka's heartbeat, made as much shorter as everything else here.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) machines: usize,
    pub(super) partitions: usize,
    /// Writers of a process.
    pub(super) lanes: usize,
    /// Of each partition.
    pub(super) keys: i64,
    pub(super) style: Style,
    pub(super) letters: bool,
    pub(super) writer: writer::Rules,
    pub(super) ledger: ledger::Rules,
    pub(super) times: Times,
    pub(super) buffer: usize,
    /// Records that the consumer takes of a partition at once.
    pub(super) turn: usize,
    pub(super) records: Records,
    pub(super) milvus: MilvusFaults,
    pub(super) kafka: KafkaFaults,
    pub(super) events: Vec<(Duration, Event)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Upsert,
    Insert,
    /// Milvus makes the keys.
    AutoId,
}

#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) request: Duration,
    pub(super) session: Duration,
    pub(super) max_poll: Duration,
    /// What a process that is asked to stop may take to drain.
    pub(super) stop: Duration,
    /// Between two rounds of the poll loop.
    pub(super) tick: Duration,
    /// Afterwards nothing goes wrong any more.
    pub(super) trouble: Duration,
}

/// In percent, where nothing else is said.
#[derive(Debug, Clone)]
pub(super) struct Records {
    /// Written to each partition in a second, in tenths.
    pub(super) rate: u64,
    pub(super) deletes: u64,
    pub(super) bad: u64,
    /// Taken by us and refused by Milvus.
    pub(super) refused: u64,
    pub(super) gaps: u64,
}

/// In percent, where nothing else is said.
#[derive(Debug, Clone)]
pub(super) struct MilvusFaults {
    /// Requests that something happens to.
    pub(super) any: u64,
    pub(super) describe: u64,
    pub(super) letters: u64,
    /// Rows of a request.
    pub(super) most_rows: usize,
    /// It compares the schema's time stamp of a request with its own.
    pub(super) compares_schema: bool,
}

/// In percent.
#[derive(Debug, Clone)]
pub(super) struct KafkaFaults {
    pub(super) commit: u64,
    pub(super) look_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The process stands still, with all its threads.
    Stall(usize, Duration),
    /// The poll loop alone stands still.
    Gap(usize, Duration),
    Kill(usize),
    /// SIGTERM.
    Stop(usize),
    /// The client cannot go on.
    Fatal(usize),
    /// The group throws the member out, as after a change of its coordinator.
    Evict(usize),
    /// The group hands the partitions out another way.
    Reshuffle,
    /// Milvus does not answer, or refuses connections.
    Outage(Duration),
    /// The schema's time stamp changes.
    NewTimestamp,
    /// A nullable field comes or goes.
    Field,
    /// The collection is dropped, and made again after a while.
    Recreate(Duration),
    /// The end of a log is lost, with an election of a leader that lacked it.
    Cut(usize),
    /// So many of a hundred of a log's records are deleted, the oldest first.
    Expire(usize, u64),
}

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stall(..) => "stalls",
            Self::Gap(..) => "gaps between polls",
            Self::Kill(_) => "kills",
            Self::Stop(_) => "requests to stop",
            Self::Fatal(_) => "fatal errors",
            Self::Evict(_) => "members thrown out",
            Self::Reshuffle => "reshuffles",
            Self::Outage(_) => "outages",
            Self::NewTimestamp | Self::Field => "schema changes",
            Self::Cut(_) => "logs cut off",
            Self::Expire(..) => "records expired",
            Self::Recreate(_) => "collections made again",
        }
    }
}

impl Scenario {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::about(&[seed]);
        let rng = &mut rng;
        let machines = rng.pick(&[1, 2, 2, 2, 3]);
        let (partitions, times) = (rng.index(4) + 1, times(rng));
        let style = rng.pick(&[
            Style::Upsert,
            Style::Upsert,
            Style::Upsert,
            Style::Insert,
            Style::AutoId,
        ]);
        let tolerance = rng.pick(&[Tolerance::None, Tolerance::All, Tolerance::All]);
        let recreated = rng.pick(&[OnRecreated::Fail, OnRecreated::Continue]);
        Self {
            seed,
            machines,
            partitions,
            lanes: rng.index(2) + 1,
            keys: rng.pick(&[1, 2, 3, 5, 20]),
            style,
            letters: tolerance == Tolerance::All && rng.chance(60),
            writer: writer_rules(rng, &times, tolerance, recreated),
            ledger: ledger_rules(rng, &times),
            buffer: rng.pick(&[400, 2_000, 100_000]),
            turn: rng.pick(&[1, 3, 8, 20]),
            records: records(rng, style),
            milvus: MilvusFaults {
                any: rng.pick(&[0, 5, 20, 40]),
                describe: rng.pick(&[0, 10, 40]),
                letters: rng.pick(&[0, 20, 50]),
                most_rows: rng.pick(&[usize::MAX, usize::MAX, usize::MAX, 1, 3]),
                compares_schema: rng.chance(50),
            },
            kafka: KafkaFaults {
                commit: rng.pick(&[0, 10, 40]),
                look_up: rng.pick(&[0, 10, 40]),
            },
            events: events(rng, machines, partitions, &times),
            times,
        }
        .with_losses()
    }

    /// Drawn apart, so that seeds without them stay as they were.
    fn with_losses(mut self) -> Self {
        let mut rng = Rng::about(&[self.seed, 2]);
        if !rng.chance(25) {
            return self;
        }
        self.ledger.data_loss = rng.pick(&[OnDataLoss::Fail, OnDataLoss::Continue]);
        for _ in 0..rng.within(1, 3) {
            let at = rng.part_of(self.times.trouble);
            let share = rng.pick(&[10, 50, 90, 100]);
            let event = Event::Expire(rng.index(self.partitions), share);
            self.events.push((at, event));
        }
        self.events.sort_by_key(|(at, _)| *at);
        self
    }

    pub(super) fn insert_mode(&self) -> InsertMode {
        match self.style {
            Style::Upsert => InsertMode::Upsert,
            Style::Insert | Style::AutoId => InsertMode::Insert,
        }
    }
}

/// In the proportions of the defaults, and of what start-up lets pass: two requests fit into a session.
fn times(rng: &mut Rng) -> Times {
    let request = rng.millis(500, 5_000);
    let session = request * 2 + HEARTBEAT * 2 + rng.millis(1_000, 6_000);
    Times {
        request,
        session,
        max_poll: session * 2 + rng.part_of(session * 2),
        stop: rng.millis(1_000, 15_000),
        tick: rng.millis(20, 150),
        trouble: rng.millis(8_000, 40_000),
    }
}

fn writer_rules(
    rng: &mut Rng,
    times: &Times,
    tolerance: Tolerance,
    recreated: OnRecreated,
) -> writer::Rules {
    writer::Rules {
        tolerance,
        refused_max_consecutive: rng.pick(&[1, 3, 100, 100]),
        recreated,
        batch_max_rows: rng.pick(&[1, 2, 4, 8, 16, 50]),
        batch_max_bytes: rng.pick(&[100, 1 << 20, 1 << 20]),
        linger: rng.millis(0, 500),
        max_in_flight: rng.pick(&[1, 1, 2, 3]),
        late_landing_grace: times.request,
        retry_backoff: Duration::from_millis(100),
        retry_backoff_max: rng.millis(200, 3_000),
    }
}

fn ledger_rules(rng: &mut Rng, times: &Times) -> ledger::Rules {
    ledger::Rules {
        commit_interval: rng.millis(100, 2_000),
        drain_deadline: Duration::from_millis(rng.pick(&[300, 1_000, 3_000, 10_000]))
            .min(times.max_poll / 3),
        look_up_patience: Duration::from_secs(2),
        commit_patience: Duration::from_secs(1),
        late_landing_grace: times.request,
        poll_window: Gate::window(times.session, times.request),
        spare_patience: Duration::from_secs(10),
        reset: OffsetReset::Earliest,
        data_loss: OnDataLoss::Fail,
        until_end: false,
    }
}

fn records(rng: &mut Rng, style: Style) -> Records {
    Records {
        rate: rng.pick(&[5, 20, 60]),
        deletes: match style {
            Style::AutoId => 0,
            Style::Upsert | Style::Insert => rng.pick(&[0, 10, 40]),
        },
        bad: rng.pick(&[0, 0, 2, 10]),
        refused: rng.pick(&[0, 0, 2, 10]),
        gaps: rng.pick(&[0, 10]),
    }
}

fn events(
    rng: &mut Rng,
    machines: usize,
    partitions: usize,
    times: &Times,
) -> Vec<(Duration, Event)> {
    let events: Vec<_> = (0..rng.pick(&[0, 2, 4, 6, 8, 12]))
        .map(|_| {
            (
                rng.part_of(times.trouble),
                event(rng, machines, partitions, times),
            )
        })
        .collect();
    // Thrown out before its session is over, a member that is not polled cannot know.
    let is_deaf = |machine| {
        let mut events = events.iter().map(|(_, event)| *event);
        events.any(
            |event| matches!(event, Event::Stall(deaf, _) | Event::Gap(deaf, _) if deaf == machine),
        )
    };
    let mut events: Vec<_> = events
        .iter()
        .filter(|(_, event)| !matches!(event, Event::Evict(machine) if is_deaf(*machine)))
        .copied()
        .collect();
    events.sort_by_key(|(at, _)| *at);
    events
}

fn event(rng: &mut Rng, machines: usize, partitions: usize, times: &Times) -> Event {
    let machine = rng.index(machines);
    match rng.within(0, 25) {
        0..=2 => Event::Stall(machine, rng.part_of(times.session * 2)),
        3 => Event::Gap(machine, rng.part_of(times.session)),
        4 => Event::Gap(machine, times.max_poll + rng.part_of(times.session)),
        5..=7 => Event::Kill(machine),
        8..=9 => Event::Stop(machine),
        10 => Event::Fatal(machine),
        11..=12 => Event::Evict(machine),
        13..=17 => Event::Reshuffle,
        18..=19 => Event::Outage(rng.part_of(times.trouble / 2)),
        20..=21 => Event::NewTimestamp,
        22..=23 => Event::Field,
        24 => Event::Cut(rng.index(partitions)),
        _ => Event::Recreate(rng.millis(1, 3_000)),
    }
}
