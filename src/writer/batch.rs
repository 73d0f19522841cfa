//! A batch: changes of one collection in the order read, the last of a key alive, and the offsets they settle.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use crate::budget::{Budget, Charge};
use crate::columns::Columns;
use crate::decode::change::{Change, Unfit, change};
use crate::key::Key;
use crate::milvus::WriteRequest;
use crate::milvus::proto::milvus::{InsertRequest, UpsertRequest};
use crate::plan::{Operation, Plan};
use crate::record::{Chunk, RecordView};
use crate::tenure::Tenure;

/// One record of one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) chunk: &'a Arc<Chunk>,
    pub(super) run: usize,
    pub(super) record: usize,
}

impl<'a> At<'a> {
    pub(super) fn tenure(&self) -> &'a Arc<Tenure> {
        &self.chunk.runs[self.run].tenure
    }

    pub(super) fn offset(&self) -> i64 {
        self.chunk.runs[self.run].records[self.record].offset
    }

    /// The offset after the record before it. A partition that halts at this record stands there: `settled` gets no
    /// further where compaction or a transaction's marker leaves a gap.
    pub(super) fn from(&self) -> i64 {
        let run = &self.chunk.runs[self.run];
        let before = self.record.checked_sub(1);
        before.map_or(run.from, |before| run.records[before].offset + 1)
    }

    pub(super) fn view(&self) -> RecordView<'a> {
        self.chunk.view(self.run, self.record)
    }
}

/// Neighbouring records of one run: what a rebuild decodes anew.
#[derive(Debug)]
struct Slice {
    chunk: Arc<Chunk>,
    run: usize,
    records: Range<usize>,
}

/// The records of one tenure in a batch: `from..next` by offset.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) tenure: Arc<Tenure>,
    pub(super) from: i64,
    pub(super) next: i64,
}

impl Cover {
    /// Whether its records may still be sent: the tenure is open and does not stand before them.
    fn is_wanted(&self) -> bool {
        let halted_before = |at| at <= self.from;
        self.tenure.is_open() && !self.tenure.halted_at().is_some_and(halted_before)
    }
}

/// A batch that still takes records.
#[derive(Debug)]
pub(super) struct Batch {
    plan: Arc<Plan>,
    /// Keys are compared within one Milvus partition only, as Milvus does.
    milvus_partition: Option<Arc<str>>,
    columns: Columns,
    /// Rows that a later row of the same key supersedes; left out when the request is made.
    dead: Vec<bool>,
    superseded: usize,
    latest: HashMap<Key, usize>,
    slices: Vec<Slice>,
    covers: Vec<Cover>,
    records: usize,
    charge: Charge,
    pub(super) opened: Instant,
}

impl Batch {
    pub(super) fn new(
        plan: Arc<Plan>,
        milvus_partition: Option<Arc<str>>,
        budget: &Arc<Budget>,
        opened: Instant,
    ) -> Self {
        Self {
            columns: Columns::new(&plan),
            plan,
            milvus_partition,
            dead: Vec::new(),
            superseded: 0,
            latest: HashMap::new(),
            slices: Vec::new(),
            covers: Vec::new(),
            records: 0,
            charge: budget.charge(0),
            opened,
        }
    }

    /// Takes the change that a record is; a row of the same key before it is superseded.
    /// A record that is unfit leaves the batch as it was.
    pub(super) fn add(&mut self, at: At<'_>) -> Result<Change, Unfit> {
        let change = change(&self.plan, &mut self.columns, at.view())?;
        if change == Change::Row {
            self.fold();
        }
        self.charge.resize(self.columns.bytes());
        self.cover(at);
        Ok(change)
    }

    fn fold(&mut self) {
        let row = self.dead.len();
        self.dead.push(false);
        if let Some(key) = self.columns.key(row)
            && let Some(earlier) = self.latest.insert(key, row)
        {
            self.dead[earlier] = true;
            self.superseded += 1;
        }
    }

    /// Settles a record without a change when the batch settles.
    pub(super) fn skip(&mut self, at: At<'_>) {
        self.cover(at);
    }

    fn cover(&mut self, at: At<'_>) {
        self.records += 1;
        match self.slices.last_mut() {
            Some(last)
                if Arc::ptr_eq(&last.chunk, at.chunk)
                    && last.run == at.run
                    && last.records.end == at.record =>
            {
                last.records.end += 1;
            }
            _ => self.slices.push(Slice {
                chunk: Arc::clone(at.chunk),
                run: at.run,
                records: at.record..at.record + 1,
            }),
        }
        let offset = at.offset();
        let covered = |cover: &&mut Cover| Arc::ptr_eq(&cover.tenure, at.tenure());
        match self.covers.iter_mut().rev().find(covered) {
            Some(cover) => cover.next = offset + 1,
            None => self.covers.push(Cover {
                tenure: Arc::clone(at.tenure()),
                from: at.from(),
                next: offset + 1,
            }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Full by records (rows and skipped ones, so that what it holds is bounded) or by encoded bytes.
    /// The first record always fits.
    pub(super) fn is_full(&self, max_records: usize, max_bytes: usize) -> bool {
        self.records >= max_records || self.columns.bytes() >= max_bytes
    }

    /// Ready to be sent: no record is added any more.
    pub(super) fn seal(self) -> Sealed {
        let rows = self.dead.len() - self.superseded;
        let partition = self.milvus_partition.as_deref().unwrap_or_default();
        let request = || request(&self.plan, partition, self.columns, &self.dead, rows);
        Sealed {
            request: (rows > 0).then(request),
            plan: self.plan,
            milvus_partition: self.milvus_partition,
            rows,
            superseded: self.superseded,
            slices: self.slices,
            covers: self.covers,
            charge: self.charge,
        }
    }
}

/// `partition` is the Milvus partition, or empty where Milvus is to choose.
fn request(
    plan: &Plan,
    partition: &str,
    columns: Columns,
    dead: &[bool],
    rows: usize,
) -> WriteRequest {
    let partition_name = partition.to_owned();
    let fields_data = columns.into_fields(dead);
    let num_rows = u32::try_from(rows).unwrap_or(u32::MAX); // rows are bounded by batch.max.rows
    let (db_name, collection_name) = (plan.database.clone(), plan.collection.to_string());
    match plan.operation {
        Operation::Insert => WriteRequest::Insert(InsertRequest {
            db_name,
            collection_name,
            partition_name,
            fields_data,
            num_rows,
            ..InsertRequest::default()
        }),
        Operation::Upsert => WriteRequest::Upsert(UpsertRequest {
            db_name,
            collection_name,
            partition_name,
            fields_data,
            num_rows,
            ..UpsertRequest::default()
        }),
    }
}

/// A batch on its way. It holds its raw records until it is settled.
#[derive(Debug)]
pub(super) struct Sealed {
    plan: Arc<Plan>,
    milvus_partition: Option<Arc<str>>,
    /// `None` where nothing is to be sent: every record was skipped.
    pub(super) request: Option<WriteRequest>,
    pub(super) rows: usize,
    pub(super) superseded: usize,
    slices: Vec<Slice>,
    pub(super) covers: Vec<Cover>,
    charge: Charge,
}

impl Sealed {
    /// Every record of it is settled.
    pub(super) fn settle(&self) {
        for cover in &self.covers {
            cover.tenure.settle(cover.next);
        }
    }

    /// Some of its records must not be sent (again): their tenure is closed, or stands before them.
    pub(super) fn is_stale(&self) -> bool {
        !self.covers.iter().all(Cover::is_wanted)
    }

    /// The slow path: decodes the records that are still wanted anew, folding keys anew, so that a record
    /// superseded by one that is gone takes its place again.
    pub(super) fn rebuild(self, budget: &Arc<Budget>) -> Self {
        let (plan, partition) = (Arc::clone(&self.plan), self.milvus_partition.clone());
        let mut batch = Batch::new(plan, partition, budget, Instant::now());
        drop(self.request);
        drop(self.charge);
        for slice in &self.slices {
            let tenure = &slice.chunk.runs[slice.run].tenure;
            let mut covers = self.covers.iter();
            if !covers.any(|cover| Arc::ptr_eq(&cover.tenure, tenure) && cover.is_wanted()) {
                continue;
            }
            for record in slice.records.clone() {
                let at = At {
                    chunk: &slice.chunk,
                    run: slice.run,
                    record,
                };
                // What was skipped before is skipped again: the same bytes under the same plan.
                if batch.add(at).is_err() {
                    batch.skip(at);
                }
            }
        }
        batch.seal()
    }
}
