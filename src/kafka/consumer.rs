//! The poll loop: serves librdkafka, asks the ledger, hands records to writers. Nothing in it waits.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, RebalanceProtocol};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::commit::{Answer, CommitThread, Request};
use super::fault::{Fault, judge};
use super::queue::Queue;
use super::rebalance::{Context, Rebalance, names};
use super::{KafkaError, Station};
use crate::cause::Cause;
use crate::ledger::{Command, Ledger, Outcome, Start};
use crate::ops::board::Scope;
use crate::record::TopicPartition;

/// Idle time between two looks; anything that happens wakes it earlier.
const IDLE: Duration = Duration::from_millis(5);
/// Every queue is polled this often even if nobody flagged it.
const SWEEP: Duration = Duration::from_millis(250);
/// While a topic is missing or no partition has come, Kafka is asked for the topics this often.
const ASK_TOPICS: Duration = Duration::from_secs(2);
const REPORT: Duration = Duration::from_secs(1);
/// How long closing may take before the threads are left to the end of the process.
const CLOSE: Duration = Duration::from_secs(5);

pub(super) struct Consumer {
    station: Station,
    client: Arc<BaseConsumer<Context>>,
    ledger: Ledger,
    commit: CommitThread,
    queues: Vec<Queue>,
    /// Where the next round begins, so that a full writer does not starve the same partitions each time.
    first: usize,
    sweep_at: Instant,
    ask_topics_at: Option<Instant>,
    report_at: Instant,
    /// Kafka has answered something: from here on a refused login is the world's doing.
    answered: bool,
    missing: Vec<String>,
    had_room: bool,
}

impl Consumer {
    pub(super) fn start(
        station: Station,
        client: Arc<BaseConsumer<Context>>,
    ) -> Result<Self, KafkaError> {
        let commit = CommitThread::start(Arc::clone(&client), Arc::clone(&station.wake))?;
        let now = Instant::now();
        Ok(Self {
            ledger: Ledger::new(station.rules.clone()),
            station,
            client,
            commit,
            queues: Vec::new(),
            first: 0,
            sweep_at: now,
            ask_topics_at: Some(now),
            report_at: now,
            answered: false,
            missing: Vec::new(),
            had_room: true,
        })
    }

    pub(super) fn run(mut self) -> Result<Outcome, KafkaError> {
        let result = loop {
            match self.round() {
                Ok(Round::Busy) => {}
                Ok(Round::Idle) => std::thread::park_timeout(IDLE),
                Ok(Round::Finished(outcome)) => break Ok(outcome),
                Err(error) => break Err(error),
            }
        };
        for queue in &self.queues {
            queue.tenure.close();
        }
        self.close();
        result
    }

    fn round(&mut self) -> Result<Round, KafkaError> {
        let now = Instant::now();
        self.station.board.beat();
        if let Some(by) = self.station.stop.by() {
            self.ledger.stop(by);
        }
        let mut busy = self.serve_main_queue()?;
        self.take_answers()?;
        for command in self.ledger.advance(now) {
            busy = true;
            if let Some(outcome) = self.obey(command)? {
                return Ok(Round::Finished(outcome));
            }
        }
        busy |= self.poll_queues(now)?;
        self.ask_for_topics(now);
        self.report(now);
        Ok(if busy { Round::Busy } else { Round::Idle })
    }

    /// The main queue brings rebalances and errors; records come by the queues of their partitions.
    fn serve_main_queue(&mut self) -> Result<bool, KafkaError> {
        let client = Arc::clone(&self.client);
        let busy = match client.poll(Duration::ZERO) {
            Some(Ok(_record)) => {
                // It has no tenure, so it could be neither settled nor committed: start again from the last commit.
                let text = "a record came by the main queue".to_owned();
                return Err(KafkaError::Fatal(text));
            }
            Some(Err(error)) => {
                self.fault(&error, None)?;
                true
            }
            None => false,
        };
        while let Some(rebalance) = self.client.context().next_rebalance() {
            tracing::debug!(?rebalance, "rebalance");
            match rebalance {
                Rebalance::Assigned(partitions) => self.ledger.assigned(partitions),
                Rebalance::Revoked(partitions) => self.ledger.revoked(partitions),
                Rebalance::Lost(partitions) => {
                    tracing::warn!(
                        ?partitions,
                        "lost partitions without being asked; others read them now"
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
                Answer::LookedUp(partition, Ok(look)) => {
                    self.succeeded();
                    self.ledger.looked_up(&partition, look);
                }
                Answer::LookedUp(partition, Err(error)) => {
                    self.question_failed(&error)?;
                    if self.ledger.wants_look_up(&partition) {
                        self.ask(Request::LookUp(vec![partition]));
                    }
                }
                Answer::Committed(number, result, error) => {
                    self.ledger.commit_done(number, result);
                    match error {
                        Some(error) => {
                            tracing::warn!(%error, "offsets were not committed; committing again")
                        }
                        None => self.succeeded(),
                    }
                }
                Answer::Topics(Ok(missing)) => {
                    self.succeeded();
                    self.topics_missing(missing);
                }
                Answer::Topics(Err(error)) => self.question_failed(&error)?,
            }
        }
        Ok(())
    }

    /// A question that Kafka did not answer: what was said of the connection last is the better reason.
    fn question_failed(&mut self, error: &ClientError) -> Result<(), KafkaError> {
        let said = self.client.context().reason();
        let detail = if said.is_empty() {
            error.to_string()
        } else {
            said
        };
        match judge(error, &detail, &self.station.config.bootstrap_servers) {
            Fault::Login(_) | Fault::Fatal(_) => self.fault(error, None),
            _ => {
                let brokers = self.station.config.bootstrap_servers.clone();
                let cause = Cause::KafkaUnreachable { brokers, detail };
                self.station.board.hold(Scope::Kafka, cause);
                Ok(())
            }
        }
    }

    fn fault(
        &mut self,
        error: &ClientError,
        partition: Option<&TopicPartition>,
    ) -> Result<(), KafkaError> {
        let reason = self.client.context().reason();
        match judge(error, &reason, &self.station.config.bootstrap_servers) {
            Fault::Passing => tracing::debug!(%error, reason, "passing error from Kafka"),
            // One broken connection of several mends itself; before the first answer it is all there is to say.
            Fault::Held(Cause::KafkaUnreachable { .. }) if self.answered && !all_down(error) => {
                tracing::debug!(%error, reason, "a connection to Kafka broke");
            }
            Fault::Held(cause) => self.station.board.hold(Scope::Kafka, cause),
            Fault::Login(detail) if self.answered => {
                let cause = Cause::KafkaLoginRefused { detail };
                self.station.board.hold(Scope::Kafka, cause);
            }
            Fault::Login(detail) => return Err(KafkaError::Login(detail)),
            Fault::Fatal(detail) => return Err(KafkaError::Fatal(detail)),
            Fault::OutOfRange => {
                if let Some(partition) = partition {
                    self.ledger.out_of_range(partition);
                    self.report_halts();
                }
            }
            Fault::End => {
                if let Some(partition) = partition {
                    self.ledger.end_reported(partition);
                }
            }
        }
        Ok(())
    }

    fn succeeded(&mut self) {
        self.answered = true;
        self.station.board.clear(&Scope::Kafka);
    }

    fn obey(&mut self, command: Command) -> Result<Option<Outcome>, KafkaError> {
        match command {
            Command::LookUp(partitions) => self.ask(Request::LookUp(partitions)),
            Command::Assign(starts) => self.assign(&starts)?,
            Command::StopReading(partitions) => {
                for queue in &mut self.queues {
                    if partitions.contains(&queue.tenure.topic_partition) {
                        queue.stop_reading();
                    }
                }
            }
            Command::Flush => self.station.lanes.flush(),
            Command::Store(offsets) => self.store(&offsets),
            Command::Commit(number) => self.ask(Request::Commit(number)),
            Command::Unassign(partitions) => self.unassign(&partitions)?,
            Command::Finished(outcome) => return Ok(Some(outcome)),
        }
        Ok(None)
    }

    fn ask(&self, request: Request) {
        // The thread lives as long as this end of its channel.
        if self.commit.requests.send(request).is_err() {
            tracing::error!("the commit thread is gone");
        }
    }

    /// Splits the new partitions off, then assigns them: the other way round their first records would be missed.
    fn assign(&mut self, starts: &[Start]) -> Result<(), KafkaError> {
        for start in starts {
            let partition = &start.tenure.topic_partition;
            let inlet = self.station.lanes.inlet(partition).cloned();
            let queue = inlet
                .and_then(|inlet| Queue::split(&self.client, start, inlet, &self.station.wake));
            let Some(queue) = queue else {
                return Err(KafkaError::Fatal(format!("{partition} has no queue")));
            };
            self.queues.push(queue);
        }
        let cooperative = self.is_cooperative();
        let list = if cooperative {
            list(
                starts
                    .iter()
                    .map(|start| (&start.tenure.topic_partition, start.offset)),
            )?
        } else {
            // The whole list anew: those assigned before go on from the offset after the last one handed over.
            list(self.ledger.positions())?
        };
        let result = if cooperative {
            self.client.incremental_assign(&list)
        } else {
            self.client.assign(&list)
        };
        result.map_err(|error| KafkaError::Fatal(format!("assign: {error}")))?;
        self.report_halts();
        self.station.board.assigned(self.queues.len());
        tracing::info!(
            partitions = self.queues.len(),
            added = starts.len(),
            "partitions assigned"
        );
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let gone = |queue: &Queue| partitions.contains(&queue.tenure.topic_partition);
        let left: Vec<_> = self.queues.extract_if(.., |queue| gone(queue)).collect();
        let known = list(left.iter().map(|queue| (&queue.tenure.topic_partition, 0)))?;
        drop(left);
        let result = if self.is_cooperative() {
            self.client.incremental_unassign(&known)
        } else {
            self.client.unassign()
        };
        for partition in partitions {
            self.station.board.unhalt(partition);
            self.station.metrics.forget(partition);
        }
        self.station.board.assigned(self.queues.len());
        tracing::info!(
            partitions = self.queues.len(),
            removed = known.count(),
            "partitions revoked"
        );
        result.map_err(|error| KafkaError::Fatal(format!("unassign: {error}")))
    }

    fn is_cooperative(&self) -> bool {
        matches!(
            self.client.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        )
    }

    /// `Ok` says only that one of them was stored: each has a result of its own.
    fn store(&mut self, offsets: &[(TopicPartition, i64)]) {
        let Ok(list) = list(
            offsets
                .iter()
                .map(|(partition, offset)| (partition, *offset)),
        ) else {
            return;
        };
        let result = self.client.store_offsets(&list);
        for (element, partition) in list.elements().iter().zip(names(&list)) {
            if let Err(error) = element.error().and_then(|()| result.clone()) {
                tracing::warn!(%partition, %error, "offset was not stored");
                self.ledger.not_stored(&partition);
            }
        }
    }

    fn poll_queues(&mut self, now: Instant) -> Result<bool, KafkaError> {
        let sweep = now >= self.sweep_at;
        if sweep {
            self.sweep_at = now + SWEEP;
        }
        let count = self.queues.len();
        let mut busy = false;
        for step in 0..count {
            let has_room = self.station.budget.has_room();
            if self.had_room && !has_room {
                self.station.lanes.flush(); // what waits for company gives its room back the sooner
            }
            self.had_room = has_room;
            let index = (self.first + step) % count;
            if !has_room || !self.queues[index].is_due(sweep) {
                continue;
            }
            let turn = self.queues[index].turn(&self.station.budget);
            let partition = self.queues[index].tenure.topic_partition.clone();
            if let Some((records, next)) = turn.handed {
                busy = true;
                self.ledger.handed(&partition, next);
                self.station.metrics.records_read(&partition.topic, records);
            }
            if turn.ended {
                self.ledger.end_reported(&partition);
            }
            if let Some(error) = turn.error {
                self.fault(&error, Some(&partition))?;
            }
        }
        self.first = self.first.wrapping_add(1);
        Ok(busy)
    }

    fn ask_for_topics(&mut self, now: Instant) {
        let unsettled = !self.missing.is_empty() || !self.station.board.has_assignment();
        if unsettled && self.ask_topics_at.is_none_or(|at| now >= at) {
            self.ask_topics_at = Some(now + ASK_TOPICS);
            self.ask(Request::Topics(self.station.topics.clone()));
        }
    }

    fn topics_missing(&mut self, missing: Vec<(String, rdkafka::error::RDKafkaErrorCode)>) {
        let names: Vec<String> = missing.iter().map(|(topic, _)| topic.clone()).collect();
        for topic in &self.missing {
            if !names.contains(topic) {
                self.station.board.clear(&Scope::Topic(topic.clone()));
            }
        }
        for (topic, code) in missing {
            let cause = match judge(&ClientError::MetadataFetch(code), "", "") {
                Fault::Held(cause) => cause,
                _ => Cause::TopicMissing {
                    topic: topic.clone(),
                },
            };
            self.station.board.hold(Scope::Topic(topic), cause);
        }
        self.missing = names;
    }

    /// Halts that did not come from a writer.
    fn report_halts(&self) {
        for queue in &self.queues {
            if let Some(halt) = queue.tenure.halted() {
                let partition = &queue.tenure.topic_partition;
                self.station.board.halt(partition, halt.cause.clone());
            }
        }
    }

    fn report(&mut self, now: Instant) {
        if now < self.report_at {
            return;
        }
        self.report_at = now + REPORT;
        let context = self.client.context();
        for queue in &self.queues {
            let partition = &queue.tenure.topic_partition;
            let end = context.end(partition);
            let settled = queue.tenure.settled();
            self.station.metrics.position(partition, settled, end);
        }
        self.station.board.remind();
    }

    /// Leaves the group. What does not end in time is left to the end of the process.
    fn close(self) {
        self.client.context().close();
        drop(self.queues);
        let CommitThread {
            requests,
            answers,
            handle,
        } = self.commit;
        drop(requests);
        let deadline = Instant::now() + CLOSE;
        while Instant::now() < deadline {
            match answers.recv_timeout(CLOSE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!("a call to Kafka does not end; leaving the group by time-out");
                    std::mem::forget(self.client);
                    return;
                }
            }
        }
        drop(handle);
        leave(self.client);
    }
}

enum Round {
    Busy,
    Idle,
    Finished(Outcome),
}

/// Dropping the client leaves the group, without a time-out of its own: so it happens beside us.
fn leave(client: Arc<BaseConsumer<Context>>) {
    let (sender, done) = std::sync::mpsc::channel();
    let closer = std::thread::Builder::new()
        .name("close".to_owned())
        .spawn(move || {
            drop(client);
            drop(sender);
        });
    if closer.is_ok() && done.recv_timeout(CLOSE) == Err(RecvTimeoutError::Timeout) {
        tracing::warn!("Kafka does not let go; leaving the group by time-out");
    }
}

fn all_down(error: &ClientError) -> bool {
    error.rdkafka_error_code() == Some(rdkafka::error::RDKafkaErrorCode::AllBrokersDown)
}

fn list<'a>(
    offsets: impl Iterator<Item = (&'a TopicPartition, i64)>,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(
            &partition.topic,
            partition.partition,
            Offset::Offset(offset),
        )
        .map_err(|error| KafkaError::Fatal(error.to_string()))?;
    }
    Ok(list)
}
