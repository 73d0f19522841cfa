//! The model of Milvus: one collection, what it makes of each request, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::group::Pid;
use super::log::Uid;
use super::scenario::Style;
use crate::milvus::WriteRequest;
use crate::milvus::proto::schema::{field_data, scalar_field};
use crate::milvus::schema::{Field, FieldType, Schema};

pub(super) const COLLECTION: &str = "c";

/// One change in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) key: i64,
    /// Of a delete, the last record that it can stand for.
    pub(super) uid: Uid,
    /// The first one that it can stand for.
    pub(super) at_least: Uid,
    pub(super) is_row: bool,
    /// A newer change of its key, of the same batch, was acknowledged before: taken apart, the batch goes out anew in
    /// the order read.
    pub(super) anew: bool,
    /// That it was sent for.
    pub(super) tenure: usize,
}

#[derive(Debug)]
pub(super) struct Landing {
    pub(super) call: u64,
    pub(super) pid: Pid,
    pub(super) sent: Vec<Sent>,
    pub(super) replaces: bool,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) schema: Schema,
    /// Until then the collection is not there.
    pub(super) gone_until: Duration,
    pub(super) out_until: Duration,
    /// By key; of an upsert one at most.
    rows: BTreeMap<i64, Vec<Uid>>,
    /// What is still to be applied.
    landing: BTreeMap<(Duration, u64), Landing>,
    landings: u64,
    pub(super) calls: u64,
    /// When the last call came, and how many came just then.
    pub(super) rush: (Duration, u64),
    /// How often a request with this row failed for no reason of its own.
    pub(super) doubted: BTreeMap<Uid, u32>,
}

impl Store {
    pub(super) fn new(style: Style) -> Self {
        Self {
            schema: schema(style),
            gone_until: Duration::ZERO,
            out_until: Duration::ZERO,
            rows: BTreeMap::new(),
            landing: BTreeMap::new(),
            landings: 0,
            calls: 0,
            rush: (Duration::ZERO, 0),
            doubted: BTreeMap::new(),
        }
    }

    pub(super) fn schedule(&mut self, at: Duration, landing: Landing) {
        self.landings += 1;
        self.landing.insert((at, self.landings), landing);
    }

    /// Who asked has gone: what is not applied by then never is.
    pub(super) fn abandon(&mut self, call: u64, by: Duration) {
        let late =
            |((at, _), landing): (&(Duration, u64), &mut Landing)| landing.call == call && *at > by;
        let mut abandoned = self
            .landing
            .extract_if(.., |at, landing| late((at, landing)));
        let landing = abandoned.next();
        drop(abandoned);
        if let Some((_, landing)) = landing {
            self.schedule(by, landing);
        }
    }

    /// A process has left in a hurry. That its requests are not waited for is known, so none of them lands late.
    pub(super) fn forget(&mut self, pid: Pid) {
        self.landing.retain(|_, landing| landing.pid != pid);
    }

    /// The next of what is due by `now`.
    pub(super) fn due(&mut self, now: Duration) -> Option<Landing> {
        let first = self.landing.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn apply(&mut self, sent: &Sent, replaces: bool) {
        let rows = self.rows.entry(sent.key).or_default();
        if !sent.is_row || replaces {
            rows.clear();
        }
        if sent.is_row {
            rows.push(sent.uid);
        }
    }

    pub(super) fn rows(&self, key: i64) -> &[Uid] {
        self.rows.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.landing.is_empty()
    }

    /// Dropped, and made again under the same name.
    pub(super) fn recreate(&mut self, gone_until: Duration) {
        self.rows.clear();
        self.landing.clear();
        self.schema.collection_id += 1;
        self.schema.timestamp += 1;
        self.gone_until = gone_until;
    }

    pub(super) fn toggle_field(&mut self) {
        let more = field("x", FieldType::Int8);
        self.schema.timestamp += 1;
        if self
            .schema
            .fields
            .last()
            .is_some_and(|last| last.name == more.name)
        {
            self.schema.fields.pop();
        } else {
            self.schema.fields.push(Field {
                nullable: true,
                ..more
            });
        }
    }

    /// Whether the rows have the fields of the schema, as it is now.
    pub(super) fn fits(&self, request: &WriteRequest) -> bool {
        if let WriteRequest::Delete(_) = request {
            return true;
        }
        let has = |field: &&Field| {
            let mut sent = request.fields().iter();
            sent.any(|data| *data.field_name == *field.name)
        };
        let wanted = self.schema.fields.iter().filter(|field| !field.auto_id);
        let known: BTreeSet<&str> = self
            .schema
            .fields
            .iter()
            .map(|field| &*field.name)
            .collect();
        wanted
            .clone()
            .filter(|field| !field.nullable)
            .all(|field| has(&field))
            && request
                .fields()
                .iter()
                .all(|data| known.contains(&*data.field_name))
    }
}

fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: Arc::from(name),
        kind,
        primary_key: false,
        auto_id: false,
        partition_key: false,
        nullable: false,
        default: None,
        function_output: false,
    }
}

fn schema(style: Style) -> Schema {
    let key = Field {
        primary_key: true,
        auto_id: style == Style::AutoId,
        ..field(
            if style == Style::AutoId { "made" } else { "id" },
            FieldType::Int64,
        )
    };
    let mut fields = vec![
        key,
        field("n", FieldType::Int64),
        field("m", FieldType::Int32),
    ];
    if style == Style::AutoId {
        fields.push(field("id", FieldType::Int64));
    }
    Schema {
        collection: COLLECTION.to_owned(),
        collection_id: 1,
        timestamp: 1,
        fields,
        dynamic: false,
        allow_insert_auto_id: false,
        version: None,
    }
}

/// The values of an Int64 field of the rows; empty where there is none.
fn longs(request: &WriteRequest, name: &str) -> Vec<i64> {
    if let WriteRequest::Delete(_) = request {
        return Vec::new();
    }
    let mut fields = request.fields().iter();
    let field = fields.find(|field| field.field_name == name);
    match field.and_then(|field| field.field.as_ref()) {
        Some(field_data::Field::Scalars(scalars)) => match &scalars.data {
            Some(scalar_field::Data::LongData(longs)) => longs.data.clone(),
            other => panic!("{name} as {other:?}"),
        },
        other => panic!("{name} as {other:?}"),
    }
}

/// Key and record of each row.
pub(super) fn rows(request: &WriteRequest) -> Vec<(i64, Uid)> {
    let (keys, uids) = (longs(request, "id"), longs(request, "n"));
    assert_eq!(keys.len(), uids.len(), "columns are even");
    keys.into_iter().zip(uids).collect()
}

/// The keys that are deleted.
pub(super) fn deleted(request: &WriteRequest) -> Vec<i64> {
    let WriteRequest::Delete(delete) = request else {
        return Vec::new();
    };
    let expr = &delete.request().expr;
    let keys = expr.trim_start_matches("id in [").trim_end_matches(']');
    keys.split(',').map(|key| key.parse().unwrap()).collect()
}
