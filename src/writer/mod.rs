//! The writer: takes chunks, decodes them into the open batch while the batch before is under way, settles in order.

mod attempt;
pub mod backoff;
mod batch;
mod doubts;
mod flags;
mod fold;
mod in_flight;
mod inlet;
mod isolate;
mod letters;
mod parts;
mod patience;
mod plans;
mod records;
mod refusal;
mod sealed;
mod shared;
mod spare;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::cause::Cause;
use crate::columns::Columns;
use crate::config::{OnRecreated, Tolerance};
use crate::dead_letter::DeadLetterQueue;
use crate::decode::change::{Change, Why};
use crate::gate::Gate;
use crate::milvus::{Milvus, WriteRequest};
use crate::ops::board::Board;
use crate::ops::metrics::Metrics;
use crate::plan::Plan;
use crate::record::Chunk;
use crate::wake::Wake;
use attempt::Common;
use batch::Batch;
use doubts::{Doubts, Origin};
use flags::{Lookout, flags};
use in_flight::InFlight;
pub use inlet::Inlet;
use inlet::{CHANNEL_CHUNKS, HALF_FULL};
use isolate::InARow;
pub use plans::{Desk, PlanState, Plans, plans};
use records::At;
use sealed::Fate;
pub use shared::Shared;
pub use spare::EmptyChunk;
use spare::Spare;

/// The request that these rows go out as in a batch of their own. Public for the benchmark of decoding.
#[doc(hidden)]
pub fn request(plan: &Plan, columns: &mut Columns) -> Option<WriteRequest> {
    let dead = vec![false; columns.rows()];
    parts::parts(plan, "", columns, &dead, &[]).pop_back()
}

#[derive(Debug, Clone)]
pub struct Rules {
    pub tolerance: Tolerance,
    /// Records in a row that Milvus may refuse alone before that is called the collection's fault.
    pub refused_max_consecutive: u32,
    pub recreated: OnRecreated,
    pub batch_max_rows: usize,
    /// Encoded bytes.
    pub batch_max_bytes: usize,
    pub linger: Duration,
    /// Batches of one writer that are sent before the first of them is settled.
    pub max_in_flight: usize,
    /// How long after it ended without an answer a request may still be applied.
    pub late_landing_grace: Duration,
    pub retry_backoff: Duration,
    pub retry_backoff_max: Duration,
}

/// What every writer of the process has a share of.
#[derive(Debug, Clone)]
pub struct Stations {
    /// Of the writers of a destination: its share.
    pub budget: Arc<Budget>,
    pub board: Arc<Board>,
    pub metrics: Arc<Metrics>,
    pub wake: Arc<Wake>,
    pub gate: Arc<Gate>,
    /// Where bad records go under `errors.tolerance=all`.
    pub dead_letters: Option<Arc<dyn DeadLetterQueue>>,
}

/// A chunk being decoded, and how far.
#[derive(Debug)]
struct Cursor {
    chunk: Arc<Chunk>,
    run: usize,
    record: usize,
}

type Look = Pin<Box<dyn Future<Output = ()> + Send>>;

#[expect(missing_debug_implementations, reason = "holds futures")]
pub struct Writer<M> {
    common: Arc<Common<M>>,
    inbox: mpsc::Receiver<Arc<Chunk>>,
    lookout: Lookout,
    cursor: Option<Cursor>,
    open: Option<Batch>,
    in_flight: InFlight,
    /// The open batch is sent as it is: a record that does not go into it ended it.
    closed: bool,
    /// While flushing: chunks of the channel that are still to be taken in.
    flush_left: Option<usize>,
    /// The record at hand waits for a look at the schema.
    look: Option<Look>,
}

impl<M: Milvus> Writer<M> {
    pub fn new(shared: Arc<Shared<M>>, plans: Plans) -> (Self, Inlet) {
        let (chunks, inbox) = mpsc::channel(CHANNEL_CHUNKS);
        let (flags, lookout) = flags();
        let budget = shared.stations.budget.share();
        let spare = Spare::new(&budget);
        let inlet = Inlet {
            chunks,
            flags,
            budget: Arc::clone(&budget),
            plans: plans.clone(),
            spare: Arc::clone(&spare),
        };
        let common = Common {
            shared,
            budget,
            plans,
            in_a_row: InARow::default(),
            doubts: Doubts::default(),
            spare,
        };
        let writer = Self {
            common: Arc::new(common),
            inbox,
            lookout,
            cursor: None,
            open: None,
            in_flight: InFlight::default(),
            closed: false,
            flush_left: None,
            look: None,
        };
        (writer, inlet)
    }

    /// Runs until the consumer is gone.
    pub async fn run(mut self) {
        let mut plans = self.common.plans.clone();
        loop {
            match plans.current() {
                PlanState::Waiting => {}
                PlanState::Ready(plan) => self.fill(&plan),
                PlanState::Impossible(cause) => self.give_up(&cause),
            }
            let is_due = self.is_due();
            if is_due && self.may_send() {
                self.send();
                continue; // what is left of the chunk opens the next batch, or is dropped
            }
            let linger_ends = self
                .open
                .as_ref()
                .map(|batch| batch.opened + self.shared().rules.linger);
            tokio::select! {
                biased; // none of them comes without end, and so a simulation can be run again
                () = self.in_flight.next() => {}
                () = finished(&mut self.look) => self.look = None,
                true = plans.changed() => {}
                () = until(linger_ends), if !is_due => {}
                () = self.lookout.flush() => self.flush_left = Some(self.inbox.len()),
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

    fn shared(&self) -> &Arc<Shared<M>> {
        &self.common.shared
    }

    /// Of a key that is under way, nothing newer is sent: the open batch then takes more company.
    fn may_send(&mut self) -> bool {
        if self.in_flight.len() >= self.shared().rules.max_in_flight {
            return false;
        }
        match &self.open {
            Some(batch) => !self.in_flight.is_in_the_way_of(batch),
            None => true,
        }
    }

    /// No plan can be made (any more): what is here halts, and so will what comes.
    fn give_up(&mut self, cause: &Cause) {
        for cover in self.open.take().iter().flat_map(Batch::covers) {
            self.common
                .shared
                .halt(&cover.tenure, cover.from, cause.clone());
        }
        self.closed = false;
        let Some(cursor) = self.cursor.take() else {
            return;
        };
        let runs = cursor.chunk.runs.iter().enumerate().skip(cursor.run);
        for (run, records) in runs {
            let record = if run == cursor.run { cursor.record } else { 0 };
            if record < records.records.len() {
                let at = At {
                    chunk: &cursor.chunk,
                    run,
                    record,
                };
                self.common
                    .shared
                    .halt(at.tenure(), at.from(), cause.clone());
            }
        }
    }

    fn take(&mut self, chunk: Arc<Chunk>) {
        self.cursor = Some(Cursor {
            chunk,
            run: 0,
            record: 0,
        });
        self.flush_left = self.flush_left.map(|left| left.saturating_sub(1));
        // Not for each of them: on a busy core it would be woken for one chunk at a time.
        if matches!(self.inbox.len(), 0 | HALF_FULL) {
            self.common.shared.stations.wake.wake();
        }
    }

    /// Moves records from the chunk at hand into the open batch, as far as it takes them.
    fn fill(&mut self, plan: &Arc<Plan>) {
        let rules = &self.shared().rules;
        let (rows, bytes) = (rules.batch_max_rows, rules.batch_max_bytes);
        let is_other = |batch: &Batch| !Arc::ptr_eq(batch.plan(), plan);
        self.closed |= self.open.as_ref().is_some_and(is_other);
        let may_look = self.common.plans.is_look_due();
        while let Some(cursor) = &mut self.cursor {
            let open = self.open.as_ref();
            if self.closed
                || self.look.is_some()
                || open.is_some_and(|batch| batch.is_full(rows, bytes))
            {
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
            let at = At {
                chunk: &chunk,
                run,
                record,
            };
            if self.add(plan, at, may_look)
                && let Some(cursor) = &mut self.cursor
            {
                cursor.record += 1;
            }
        }
    }

    /// Whether it is done with the record; otherwise the record waits for a look at the schema, or for the next batch.
    fn add(&mut self, plan: &Arc<Plan>, at: At<'_>, may_look: bool) -> bool {
        if !at.is_wanted() {
            return true; // read again by the next owner, or after the halt
        }
        let batch = self.open.get_or_insert_with(|| {
            let common = &self.common;
            let (room, partition) = (common.spare.room(plan), &common.shared.milvus_partition);
            Batch::new(room, partition.clone(), &common.budget, Instant::now())
        });
        let draft = batch.read(at);
        if may_look && draft.doubts_the_plan() {
            draft.discard();
            self.look = Some(self.look_for(plan, at));
            return false;
        }
        if draft.is_too_much(self.common.shared.rules.batch_max_bytes) {
            draft.discard();
            self.closed = true;
            return false;
        }
        match draft.keep(self.common.shared.rules.recreated) {
            Ok(Change::Row | Change::Delete(_)) => {}
            Ok(Change::Nothing(Why::Tombstone)) => {
                self.common
                    .shared
                    .tombstone(&at.tenure().topic_partition.topic);
            }
            Err(refusal) => match self.common.shared.refuse(at, refusal) {
                Fate::Pass(passed) => batch.pass(at, passed),
                Fate::Keep | Fate::Leave => self.closed = true,
            },
        }
        true
    }

    fn look_for(&self, plan: &Arc<Plan>, at: At<'_>) -> Look {
        let common = Arc::clone(&self.common);
        let (plan, tenure) = (Arc::clone(plan), Arc::clone(at.tenure()));
        Box::pin(async move { common.shared.look(&common.plans, &plan, &tenure).await })
    }

    fn is_due(&self) -> bool {
        let rules = &self.shared().rules;
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

    fn send(&mut self) {
        self.closed = false;
        self.end_flush();
        let Some(batch) = self.open.take().filter(|batch| !batch.is_empty()) else {
            return;
        };
        let (number, turn) = self.in_flight.enter();
        let batch = batch.seal(Origin::batch(number));
        let (common, lookout) = (Arc::clone(&self.common), self.lookout.clone());
        let (plan, keys) = (Arc::clone(&batch.plan), batch.keys.clone());
        self.in_flight.run(number, plan, keys, async move {
            attempt::write(&common, batch, turn, lookout).await;
        });
    }
}

async fn finished(look: &mut Option<Look>) {
    match look {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
