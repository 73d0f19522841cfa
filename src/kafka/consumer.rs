//! The poll loop: serves librdkafka, asks the ledger, hands records to writers. Nothing in it waits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::commit::{Answer, CommitThread, Request};
use super::lost::Known;
use super::missing::Missing;
use super::permission::Refused;
use super::positions::Stillness;
use super::questions::Question;
use super::queue::{self, Queue};
use super::rebalance::{Context, Rebalance};
use super::search::Failures;
use super::{KafkaError, Station, leave};
use crate::budget::Room;
use crate::ledger::{Command, Ledger, Outcome};
use crate::routing::Topics;
use crate::topic_partition::listed;
use crate::writer::Stations;

/// For the client's thread to go on.
const MOMENT: Duration = Duration::from_micros(20);
/// Idle time between two looks; anything that happens wakes it earlier.
const IDLE: Duration = Duration::from_millis(5);
/// The same while no record is under way: records, answers and a stop wake it, and a rebalance may wait so long.
const AT_REST: Duration = Duration::from_millis(25);
/// Every queue is polled this often even if nobody flagged it.
const SWEEP: Duration = Duration::from_millis(250);

pub(super) struct Consumer {
    pub(super) station: Station,
    pub(super) stations: Stations,
    pub(super) client: Arc<BaseConsumer<Context>>,
    pub(super) ledger: Ledger,
    pub(super) commit: CommitThread,
    pub(super) queues: Vec<Queue>,
    /// Counts the looks at all queues.
    pub(super) looks: u64,
    pub(super) sweep_at: Instant,
    pub(super) ask_topics_at: Option<Instant>,
    pub(super) still: Stillness,
    /// Kafka has answered something: from here on a refused login is the world's doing.
    pub(super) answered: bool,
    pub(super) commit_fails: bool,
    /// So said the last commit.
    pub(super) coordinator_away: bool,
    /// Unexpected errors, and when each was said.
    pub(super) said: HashMap<String, Instant>,
    /// The brokers keep what our offsets belong to; not where `offset.metadata.max.bytes` is set very low.
    pub(super) takes_metadata: bool,
    /// The answer about the topics is still to come.
    pub(super) topics_asked: bool,
    /// The topics that are read, there or not.
    pub(super) subscribed: Vec<String>,
    pub(super) missing: Missing,
    pub(super) refused: Refused,
    pub(super) failures: Failures,
    /// What would be taken for the answer to a rebalance just now.
    aside: VecDeque<Command>,
    /// Topics that match from here on are new.
    pub(super) listed_once: bool,
    pub(super) known: Known,
    /// Topics that match and are not read, since they meet another.
    pub(super) meeting: Vec<Arc<str>>,
}

impl Consumer {
    pub(super) fn start(
        station: Station,
        client: Arc<BaseConsumer<Context>>,
    ) -> Result<Self, KafkaError> {
        let wake = Arc::clone(&station.stations.wake);
        let commit = CommitThread::start(Arc::clone(&client), station.config.clone(), wake)?;
        let now = Instant::now();
        let listed = match &station.topics {
            Topics::Listed(topics) => topics.clone(),
            Topics::Matching(_) => Vec::new(),
        };
        let mut consumer = Self {
            ledger: Ledger::new(station.rules.clone()),
            stations: station.stations.clone(),
            station,
            client,
            commit,
            commit_fails: false,
            coordinator_away: false,
            said: HashMap::new(),
            takes_metadata: true,
            topics_asked: false,
            subscribed: Vec::new(),
            meeting: Vec::new(),
            queues: Vec::new(),
            looks: 0,
            sweep_at: now,
            ask_topics_at: Some(now),
            still: Stillness::default(),
            answered: false,
            missing: Missing::default(),
            refused: Refused::default(),
            failures: Failures::default(),
            aside: VecDeque::new(),
            listed_once: false,
            known: Known::default(),
        };
        if !listed.is_empty() {
            consumer.subscribe(listed)?;
        }
        Ok(consumer)
    }

    pub(super) fn run(mut self) -> Result<Outcome, KafkaError> {
        let result = loop {
            match self.round() {
                Ok(Round::Busy) => {}
                Ok(Round::Idle) => self.rest(),
                Ok(Round::Finished(outcome)) => break Ok(outcome),
                Err(error) => break Err(error),
            }
        };
        // After a fatal error the client says nothing more of its partitions: they may be somebody else's already.
        for queue in &self.queues {
            queue.tenure.close();
        }
        self.station.lanes.closed();
        self.close();
        result
    }

    /// Waits for something to do, and then a moment longer: the client's thread wakes this one for the first records of
    /// a fetch, before it asks for the next. Where both share a core, Kafka would otherwise be idle while these records
    /// are written, and the core while Kafka answers.
    fn rest(&self) {
        thread::park_timeout(self.pause());
        let end = Instant::now() + MOMENT;
        // One fetch wakes more than once.
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            thread::park_timeout(left);
        }
    }

    /// What is charged is under way: read, and not yet settled.
    fn pause(&self) -> Duration {
        match self.stations.budget.used() {
            0 => AT_REST,
            _ => IDLE,
        }
    }

    fn round(&mut self) -> Result<Round, KafkaError> {
        let now = Instant::now();
        self.stations.board.beat();
        if self.ledger.may_be_lost() {
            self.stations.gate.poll_in_doubt(now);
        } else {
            self.stations.gate.poll(now);
        }
        if let Some(by) = self.station.stop.by() {
            self.ledger.stop(by);
        }
        self.take_answers()?;
        // Last before the ledger decides, and all of it: a rebalance that is not known of could be answered unawares.
        let mut busy = self.serve_main_queue()?;
        let mut commands = std::mem::take(&mut self.aside);
        commands.extend(self.ledger.advance(now));
        for command in commands {
            let aside = self.aside.len();
            if let Some(outcome) = self.obey(command)? {
                self.station.stop.finished(outcome);
                return Ok(Round::Finished(outcome));
            }
            busy |= self.aside.len() == aside;
        }
        busy |= self.poll_queues(now)?;
        self.ask_for_topics(now);
        self.ask_for_ids(now);
        self.look_for_permission(now);
        self.report(now);
        Ok(if busy { Round::Busy } else { Round::Idle })
    }

    /// The main queue brings rebalances and errors; records come by the queues of their partitions.
    pub(super) fn serve_main_queue(&mut self) -> Result<bool, KafkaError> {
        let client = Arc::clone(&self.client);
        let mut busy = false;
        while let Some(event) = client.poll(Duration::ZERO) {
            busy = true;
            match event {
                Ok(_record) => {
                    // It has no tenure, so it could be neither settled nor committed: start again from the last commit.
                    let text = "a record came by the main queue".to_owned();
                    return Err(KafkaError::Fatal(text));
                }
                Err(error) => self.fault(&error, None)?,
            }
        }
        while let Some(rebalance) = self.client.context().next_rebalance() {
            tracing::debug!(?rebalance, "rebalance");
            rebalance.count(&self.stations.metrics);
            match rebalance {
                Rebalance::Assigned(partitions) => self.ledger.assigned(partitions),
                Rebalance::Revoked(partitions) => self.ledger.revoked(partitions),
                Rebalance::Lost(partitions) => {
                    tracing::warn!(
                        "lost partitions without being asked; others read them now: {}",
                        listed(&partitions)
                    );
                    self.ledger.lost(partitions);
                }
            }
        }
        Ok(busy)
    }

    fn take_answers(&mut self) -> Result<(), KafkaError> {
        while let Ok(answer) = self.commit.answers.try_recv() {
            match answer {
                Answer::LookedUp(found) => self.looked_up(found)?,
                Answer::Searched(asked, found) => self.searched(&asked, found),
                Answer::Ends(ends) => self.ends(ends),
                Answer::MayRead(partition, may) => self.may_read(&partition, may),
                Answer::Ids(found) => self.ids(found),
                Answer::Committed(number, result, error) => {
                    self.ledger.commit_done(number, result);
                    self.committed(error);
                }
                Answer::Topics(Ok(missing)) => {
                    self.topics_asked = false;
                    self.succeeded();
                    self.topics_missing(missing);
                }
                Answer::Listing(Ok(names)) => {
                    self.topics_asked = false;
                    self.succeeded();
                    self.listed(names)?;
                }
                // What was read is read on.
                Answer::Topics(Err(error)) | Answer::Listing(Err(error)) => {
                    self.topics_asked = false;
                    self.question_failed(&error)?;
                }
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<Option<Outcome>, KafkaError> {
        match command {
            Command::LookUp(asked) => self.ask(Request::LookUp(asked)),
            Command::Assign(starts) => self.assign(&starts)?,
            Command::StopReading(partitions) => {
                let count = partitions.len();
                tracing::info!(partitions = count, "draining: {}", listed(&partitions));
                for queue in &mut self.queues {
                    if partitions.contains(&queue.tenure.topic_partition) {
                        queue.stop_reading();
                    }
                }
            }
            Command::Flush => self.station.lanes.flush(),
            Command::Commit { number, offsets } => {
                self.store(number, &offsets);
                self.ask(Request::Commit(number, offsets));
            }
            Command::Closed => self.station.lanes.closed(),
            Command::Rewind(start) => self.rewind(start),
            Command::Wait(partition) => self.wait(&partition),
            Command::Add(_) | Command::Restart(_) if !self.may_assign()? => {
                self.aside.push_back(command);
            }
            Command::Add(mut starts) => {
                // Some may be given up before they were begun.
                starts.retain(|start| start.tenure.is_open());
                if !starts.is_empty() {
                    self.assign(&starts)?;
                }
            }
            Command::Restart(start) if start.tenure.is_open() => self.restart(start)?,
            Command::Restart(_) => {}
            Command::Search(asked, search) => self.inquire(Question::Search(asked, search)),
            Command::Lost(loss, goes_on) => self.lost(&loss, goes_on),
            Command::CommitDown { number, commit } => {
                let offsets = [commit];
                self.store(number, &offsets);
                if let Ok(list) = self.commit_list(&offsets) {
                    self.ask(Request::CommitDown(number, list));
                }
            }
            Command::Undrained(undrained) => leave::say_undrained(&undrained),
            Command::Unassign(partitions) => self.unassign(&partitions)?,
            Command::Finished(outcome) => {
                if matches!(outcome, Outcome::Drained { .. }) {
                    tracing::info!(partitions = self.queues.len(), "drained");
                }
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    pub(super) fn ask(&self, request: Request) {
        // The thread lives as long as this end of its channel.
        if self.commit.requests.send(request).is_err() {
            tracing::error!("the commit thread is gone");
        }
    }

    pub(super) fn inquire(&self, question: Question) {
        if self.commit.questions.send(question).is_err() {
            tracing::error!("the question thread is gone");
        }
    }

    fn poll_queues(&mut self, now: Instant) -> Result<bool, KafkaError> {
        let sweep = now >= self.sweep_at;
        if sweep {
            self.sweep_at = now + SWEEP;
        }
        let mut busy = false;
        self.looks += 1;
        queue::longest_waiting_first(&mut self.queues, |queue| queue.took_at);
        for index in 0..self.queues.len() {
            let queue = &mut self.queues[index];
            let room = queue.room();
            if room == Room::Nothing || !queue.is_due(sweep) {
                continue;
            }
            let turn = queue.turn(room);
            let partition = self.queues[index].tenure.topic_partition.clone();
            for (offset, epoch) in turn.led {
                self.ledger.led(&partition, offset, epoch);
            }
            if let Some((records, next)) = turn.handed {
                busy = true;
                self.queues[index].took_at = self.looks;
                self.ledger.handed(&partition, next);
                self.stations.metrics.read(records, turn.bytes);
            }
            if turn.ended {
                self.ledger.end_reported(&partition);
            }
            if let Some(offset) = turn.rewound {
                self.cut_off(&partition, offset);
            }
            if let Some(error) = turn.error {
                self.fault(&error, Some(&partition))?;
            }
        }
        Ok(busy)
    }

    /// Halts that did not come from a writer.
    pub(super) fn report_halts(&self) {
        for queue in &self.queues {
            if let Some(halt) = queue.tenure.halted() {
                let partition = &queue.tenure.topic_partition;
                self.stations.board.halt(partition.clone(), halt.cause);
            }
        }
    }
}

enum Round {
    Busy,
    Idle,
    Finished(Outcome),
}
