//! The writer: takes chunks, decodes them into the open batch while the batch before is under way, settles in order.

mod attempt;
pub mod backoff;
mod batch;
mod rate_limit;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::bad_record::BadRecord;
use crate::budget::Budget;
use crate::cause::Cause;
use crate::config::{OnRecreated, Tolerance};
use crate::decode::change::{Change, Unfit, Why};
use crate::milvus::Milvus;
use crate::ops::board::Board;
use crate::ops::metrics::{Metrics, Skipped};
use crate::plan::Plan;
use crate::record::Chunk;
use crate::tenure::Tenure;
use crate::wake::Wake;
use batch::{At, Batch};
use rate_limit::RateLimit;

/// Chunks that wait for a writer. A full channel means that its partitions are not polled.
pub const CHANNEL_CHUNKS: usize = 16;

#[derive(Debug, Clone)]
pub struct Rules {
    pub tolerance: Tolerance,
    pub recreated: OnRecreated,
    pub batch_max_rows: usize,
    /// Encoded bytes.
    pub batch_max_bytes: usize,
    pub linger: Duration,
    pub retry_backoff: Duration,
    pub retry_backoff_max: Duration,
}

/// What every writer of the process has a share of.
#[derive(Debug, Clone)]
pub struct Stations {
    pub budget: Arc<Budget>,
    pub board: Arc<Board>,
    pub metrics: Arc<Metrics>,
    pub wake: Arc<Wake>,
}

/// What the writers of one collection share.
#[derive(Debug)]
pub struct Shared<M> {
    pub collection: Arc<str>,
    pub milvus: Arc<M>,
    pub rules: Rules,
    pub stations: Stations,
    /// Topics whose first tombstone has been said.
    tombstones: Mutex<BTreeSet<Arc<str>>>,
}

impl<M> Shared<M> {
    pub fn new(collection: Arc<str>, milvus: Arc<M>, rules: Rules, stations: Stations) -> Self {
        Self {
            collection,
            milvus,
            rules,
            stations,
            tombstones: Mutex::default(),
        }
    }

    fn halt(&self, tenure: &Tenure, at: i64, cause: Cause) {
        if tenure.is_open() && tenure.halt(at, cause.clone()) {
            let (board, partition) = (&self.stations.board, &tenure.topic_partition);
            board.halt(partition.clone(), cause);
            // Closed meanwhile: the consumer may have cleared the board before this halt was on it.
            if !tenure.is_open() {
                board.unhalt(partition);
            }
        }
    }

    fn tombstone(&self, topic: &Arc<str>) {
        self.stations.metrics.skip(Skipped::Tombstone, 1);
        let mut said = self
            .tombstones
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if said.insert(Arc::clone(topic)) {
            tracing::warn!(%topic, "a record without a value (tombstone) deletes nothing; such records are skipped and counted (behavior.on.null.values=ignore)");
        }
    }
}

/// The plan of a collection, as far as it is known.
#[derive(Debug, Clone)]
pub enum PlanState {
    Waiting,
    Ready(Arc<Plan>),
    /// No plan can be made: the collection's partitions halt.
    Impossible(Cause),
}

/// The consumer's end of a writer.
#[derive(Debug, Clone)]
pub struct Inlet {
    pub chunks: mpsc::Sender<Chunk>,
    /// Send what is there without waiting for company.
    pub flush: Arc<Notify>,
    plans: watch::Receiver<PlanState>,
}

impl Inlet {
    /// Before there is a plan nothing is read: what nobody can decode would only stand in the way of a rebalance.
    pub fn is_open(&self) -> bool {
        !matches!(*self.plans.borrow(), PlanState::Waiting)
    }
}

/// A chunk being decoded, and how far.
#[derive(Debug)]
struct Cursor {
    chunk: Arc<Chunk>,
    run: usize,
    record: usize,
}

type UnderWay = Pin<Box<dyn Future<Output = ()> + Send>>;

#[expect(missing_debug_implementations, reason = "holds a future")]
pub struct Writer<M> {
    shared: Arc<Shared<M>>,
    inbox: mpsc::Receiver<Chunk>,
    flush: Arc<Notify>,
    /// Ends the pause before the next attempt: a drain has no time for it.
    hurry: Arc<Notify>,
    plans: watch::Receiver<PlanState>,
    cursor: Option<Cursor>,
    open: Option<Batch>,
    /// The open batch is sent as it is: a bad record ended it.
    closed: bool,
    /// While flushing: chunks of the channel that are still to be taken in.
    flush_left: Option<usize>,
    bad_records: RateLimit,
}

impl<M: Milvus> Writer<M> {
    pub fn new(shared: Arc<Shared<M>>, plans: watch::Receiver<PlanState>) -> (Self, Inlet) {
        let (chunks, inbox) = mpsc::channel(CHANNEL_CHUNKS);
        let flush = Arc::new(Notify::new());
        let inlet = Inlet {
            chunks,
            flush: Arc::clone(&flush),
            plans: plans.clone(),
        };
        let writer = Self {
            shared,
            inbox,
            flush,
            hurry: Arc::new(Notify::new()),
            plans,
            cursor: None,
            open: None,
            closed: false,
            flush_left: None,
            bad_records: RateLimit::default(),
        };
        (writer, inlet)
    }

    /// Runs until the consumer is gone.
    pub async fn run(mut self) {
        let Some(plan) = self.plan().await else {
            return;
        };
        let mut under_way: Option<UnderWay> = None;
        loop {
            self.fill(&plan);
            if under_way.is_none() && self.is_due() {
                under_way = self.send();
                continue; // what is left of the chunk opens the next batch, or is dropped
            }
            let linger_ends = self
                .open
                .as_ref()
                .map(|batch| batch.opened + self.shared.rules.linger);
            let is_idle = under_way.is_none();
            tokio::select! {
                () = finished(&mut under_way) => under_way = None,
                () = until(linger_ends), if is_idle => {}
                () = self.flush.notified() => {
                    self.flush_left = Some(self.inbox.len());
                    self.hurry.notify_one();
                }
                chunk = self.inbox.recv(), if self.cursor.is_none() => {
                    let Some(chunk) = chunk else { return };
                    self.take(chunk);
                }
            }
            if self.open.is_none() {
                self.end_flush();
            }
        }
    }

    /// Waits for the plan; until then nothing is read. Where none can be made, halts what comes. `None` when the consumer is gone.
    async fn plan(&mut self) -> Option<Arc<Plan>> {
        loop {
            let state = self.plans.borrow_and_update().clone();
            match state {
                PlanState::Ready(plan) => return Some(plan),
                PlanState::Waiting => self.plans.changed().await.ok()?,
                PlanState::Impossible(cause) => {
                    let chunk = self.inbox.recv().await?;
                    for run in &chunk.runs {
                        self.shared.halt(&run.tenure, run.from, cause.clone());
                    }
                }
            }
        }
    }

    fn take(&mut self, chunk: Chunk) {
        self.cursor = Some(Cursor {
            chunk: Arc::new(chunk),
            run: 0,
            record: 0,
        });
        self.flush_left = self.flush_left.map(|left| left.saturating_sub(1));
        if self.inbox.len() <= CHANNEL_CHUNKS / 2 {
            self.shared.stations.wake.wake();
        }
    }

    /// Moves records from the chunk at hand into the open batch, as far as it takes them.
    fn fill(&mut self, plan: &Arc<Plan>) {
        let rules = &self.shared.rules;
        let (rows, bytes) = (rules.batch_max_rows, rules.batch_max_bytes);
        while let Some(cursor) = &mut self.cursor {
            let open = self.open.as_ref();
            if self.closed || open.is_some_and(|batch| batch.is_full(rows, bytes)) {
                return;
            }
            let Some(run) = cursor.chunk.runs.get(cursor.run) else {
                self.cursor = None;
                return;
            };
            if cursor.record >= run.records.len() {
                cursor.run += 1;
                cursor.record = 0;
                continue;
            }
            let (chunk, run, record) = (Arc::clone(&cursor.chunk), cursor.run, cursor.record);
            cursor.record += 1;
            self.add(
                plan,
                At {
                    chunk: &chunk,
                    run,
                    record,
                },
            );
        }
    }

    fn add(&mut self, plan: &Arc<Plan>, at: At<'_>) {
        if !at.tenure().is_open() || at.tenure().halted_at().is_some() {
            return; // read again by the next owner, or after the halt
        }
        let (rules, budget) = (&self.shared.rules, &self.shared.stations.budget);
        let new = || Batch::new(Arc::clone(plan), budget, Instant::now());
        let batch = self.open.get_or_insert_with(new);
        match batch.add(at) {
            Ok(Change::Row | Change::Delete(_)) => {}
            Ok(Change::Nothing(Why::Tombstone)) => {
                self.shared.tombstone(&at.tenure().topic_partition.topic);
            }
            Err(Unfit::Bad(bad)) => self.bad_record(at, bad, self.shared.rules.tolerance),
            Err(Unfit::Halts(bad)) => self.bad_record(at, bad, Tolerance::None),
        }
    }

    /// Skipped and counted, or the partition stands at it and what is before it is sent.
    fn bad_record(&mut self, at: At<'_>, bad: BadRecord, tolerance: Tolerance) {
        let topic_partition = &at.tenure().topic_partition;
        let cause = Cause::BadRecord {
            at: topic_partition.clone(),
            offset: at.offset(),
            bad,
        };
        match tolerance {
            Tolerance::All => {
                if let Some(batch) = &mut self.open {
                    batch.skip(at);
                }
                self.shared.stations.metrics.skip(Skipped::BadRecord, 1);
                if let Some(unsaid) = self.bad_records.allow(Instant::now()) {
                    tracing::warn!(unsaid, "skipped a bad record: {cause}");
                }
            }
            Tolerance::None => {
                self.shared.halt(at.tenure(), at.from(), cause);
                self.closed = true;
            }
        }
    }

    fn is_due(&self) -> bool {
        let rules = &self.shared.rules;
        self.open.as_ref().is_some_and(|batch| {
            self.closed
                || self.flush_left.is_some()
                || batch.is_full(rules.batch_max_rows, rules.batch_max_bytes)
                || batch.opened.elapsed() >= rules.linger
        })
    }

    /// What was there when the flush was asked for is on its way.
    fn end_flush(&mut self) {
        if self.flush_left == Some(0) && self.cursor.is_none() {
            self.flush_left = None;
        }
    }

    fn send(&mut self) -> Option<UnderWay> {
        self.closed = false;
        self.end_flush();
        let batch = self.open.take().filter(|batch| !batch.is_empty())?;
        let (shared, hurry) = (Arc::clone(&self.shared), Arc::clone(&self.hurry));
        Some(Box::pin(async move {
            attempt::write(&shared, batch.seal(), &hurry).await;
        }))
    }
}

async fn finished(under_way: &mut Option<UnderWay>) {
    match under_way {
        Some(write) => write.await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
