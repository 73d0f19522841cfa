//! A writer driven by hand against a Milvus that answers from a script, under a paused clock.

mod deletes;
mod gate;
mod in_flight;
mod isolate;
mod late_landing;
mod letters;
mod memory;
mod overtaking;
mod refresh;
mod scripted;
mod storm;
mod targets;
mod trouble;

use std::sync::atomic::Ordering;

use super::*;
use crate::config::{DeleteWhen, InsertMode, OnRecreated, Shaping, UnknownFields};
use crate::milvus::WriteRequest;
use crate::milvus::proto::schema::{field_data, scalar_field};
use crate::milvus::schema::{Field, FieldType, Schema};
use crate::milvus::status::{Action, MilvusError};
use crate::ops::board::Board;
use crate::pipeline::planner::Planner;
use crate::plan;
use crate::record::{Record, Run};
use crate::routing::Destination;
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;
use scripted::Scripted;

/// The keys of the rows; empty for a delete.
fn keys(request: &WriteRequest) -> Vec<i64> {
    if let WriteRequest::Delete(_) = request {
        return Vec::new();
    }
    let mut fields = request.fields().iter();
    let keys = fields.find(|field| field.field_name == "id");
    match keys.and_then(|field| field.field.as_ref()) {
        Some(field_data::Field::Scalars(scalars)) => match &scalars.data {
            Some(scalar_field::Data::LongData(longs)) => longs.data.clone(),
            other => panic!("ids as {other:?}"),
        },
        other => panic!("ids as {other:?}"),
    }
}

/// The values of `n` of the rows.
fn numbers(request: &WriteRequest) -> Vec<i64> {
    if let WriteRequest::Delete(_) = request {
        return Vec::new();
    }
    let mut fields = request.fields().iter();
    let field = fields.find(|field| field.field_name == "n");
    match field.and_then(|field| field.field.as_ref()) {
        Some(field_data::Field::Scalars(scalars)) => match &scalars.data {
            Some(scalar_field::Data::IntData(ints)) => {
                ints.data.iter().map(|n| (*n).into()).collect()
            }
            other => panic!("n as {other:?}"),
        },
        other => panic!("n as {other:?}"),
    }
}

/// The keys that are deleted; empty for rows.
fn deleted(request: &WriteRequest) -> Vec<i64> {
    let WriteRequest::Delete(delete) = request else {
        return Vec::new();
    };
    let expr = &delete.request().expr;
    let keys = expr.trim_start_matches("id in [").trim_end_matches(']');
    keys.split(',').map(|key| key.parse().unwrap()).collect()
}

/// `upsert [1, 2] id n`, `insert …`, `delete id in [1]`.
fn shown(request: &WriteRequest) -> String {
    let verb = match request {
        WriteRequest::Insert(_) => "insert",
        WriteRequest::Upsert(_) => "upsert",
        WriteRequest::Delete(delete) => return format!("delete {}", delete.request().expr),
    };
    let names: Vec<&str> = request
        .fields()
        .iter()
        .map(|field| &*field.field_name)
        .collect();
    format!("{verb} {:?} {}", keys(request), names.join(" "))
}

fn field(name: &str, kind: FieldType, primary_key: bool) -> Field {
    Field {
        name: Arc::from(name),
        kind,
        primary_key,
        auto_id: false,
        partition_key: false,
        nullable: false,
        default: None,
        function_output: false,
    }
}

fn schema() -> Schema {
    Schema {
        collection: "c".to_owned(),
        collection_id: 1,
        timestamp: 0,
        fields: vec![
            field("id", FieldType::Int64, true),
            field("n", FieldType::Int32, false),
        ],
        dynamic: false,
        allow_insert_auto_id: false,
        version: None,
    }
}

/// How long a describe takes.
const DESCRIBING: Duration = Duration::from_millis(5);

fn plan_rules() -> plan::Rules {
    plan::Rules {
        endpoint: "http://scripted:19530".to_owned(),
        database: "default".to_owned(),
        insert_mode: InsertMode::Auto,
        unknown_fields: UnknownFields::Ignore,
        names_partition: false,
        shaping: Shaping {
            delete_when: Some(DeleteWhen {
                field: "gone".to_owned(),
                value: "true".to_owned(),
            }),
            ..Shaping::default()
        },
        longest_topic: 1,
    }
}

fn refusal(action: Action) -> Result<(), MilvusError> {
    Err(MilvusError {
        action,
        cause: Cause::Refused {
            collection: "c".to_owned(),
            reason: "because".to_owned(),
        },
        outcome_unknown: false,
    })
}

/// The delete of `id`.
fn delete(id: i64) -> Option<String> {
    Some(format!(r#"{{"id": {id}, "gone": true}}"#))
}

/// A row with key `id`.
fn row(id: i64) -> Option<String> {
    Some(format!(r#"{{"id": {id}, "n": 1}}"#))
}

fn tenure(partition: i32) -> Arc<Tenure> {
    Arc::new(Tenure::new(TopicPartition::new("t", partition), 0))
}

/// Records of one tenure from `first` on; `None` is a tombstone.
fn chunk(
    budget: &Arc<Budget>,
    tenure: &Arc<Tenure>,
    first: i64,
    values: &[Option<String>],
) -> Chunk {
    let mut bytes = Vec::new();
    let mut records = Vec::new();
    for (offset, value) in (first..).zip(values) {
        let start = bytes.len();
        bytes.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
        records.push(Record {
            offset,
            value: value.is_some().then_some(start..bytes.len()),
            ..Record::default()
        });
    }
    Chunk {
        charge: budget.charge(bytes.len()),
        bytes,
        runs: vec![Run {
            tenure: Arc::clone(tenure),
            from: first,
            records,
            headers: Vec::new(),
        }],
    }
}

fn rules(tolerance: Tolerance, linger_ms: u64, max_rows: usize) -> Rules {
    Rules {
        tolerance,
        refused_max_consecutive: 100,
        recreated: OnRecreated::Fail,
        batch_max_rows: max_rows,
        batch_max_bytes: 1 << 20,
        linger: Duration::from_millis(linger_ms),
        max_in_flight: 1,
        late_landing_grace: Duration::from_secs(20),
        retry_backoff: Duration::from_millis(100),
        retry_backoff_max: Duration::from_secs(30),
    }
}

struct Bench {
    shared: Arc<Shared<Scripted>>,
    inlet: Inlet,
    /// The writer and its planner.
    tasks: tokio::task::JoinSet<()>,
}

impl Bench {
    fn new(tolerance: Tolerance, linger_ms: u64, max_rows: usize) -> Self {
        Self::with(rules(tolerance, linger_ms, max_rows))
    }

    fn with(rules: Rules) -> Self {
        Self::planned(rules, plan_rules())
    }

    fn planned(rules: Rules, plan_rules: plan::Rules) -> Self {
        let always = Gate::new(Duration::MAX, std::time::Instant::now());
        Self::behind(always, None, rules, plan_rules)
    }

    fn behind(
        gate: Gate,
        dead_letters: Option<Arc<dyn DeadLetterQueue>>,
        rules: Rules,
        plan_rules: plan::Rules,
    ) -> Self {
        let budget = Budget::new(1 << 20);
        let metrics = Metrics::new(Arc::clone(&budget));
        let shared = Arc::new(Shared::new(
            Destination {
                collection: Arc::from("c"),
                milvus_partition: Some(Arc::from("p")),
            },
            Arc::new(Scripted::default()),
            rules,
            Stations {
                board: Board::new(Arc::clone(&metrics)),
                metrics,
                budget,
                wake: Arc::new(Wake::default()),
                gate: Arc::new(gate),
                dead_letters,
            },
        ));
        let (plans, desk) = plans();
        let planner = Planner::with(&shared, plan_rules, desk, true);
        let (writer, inlet) = Writer::new(Arc::clone(&shared), plans);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(writer.run());
        tasks.spawn(async move { planner.run().await.unwrap() });
        Self {
            shared,
            inlet,
            tasks,
        }
    }

    fn script(&self, answers: impl IntoIterator<Item = Result<(), MilvusError>>) {
        self.shared.milvus.answers.lock().unwrap().extend(answers);
    }

    async fn hand(&self, tenure: &Arc<Tenure>, first: i64, values: &[Option<String>]) {
        let chunk = chunk(&self.shared.stations.budget, tenure, first, values);
        self.inlet.chunks.send(Arc::new(chunk)).await.unwrap();
    }

    /// The keys of the rows that each request brought.
    fn seen(&self) -> Vec<Vec<i64>> {
        self.shared
            .milvus
            .seen
            .lock()
            .unwrap()
            .iter()
            .map(keys)
            .collect()
    }

    fn requests(&self) -> Vec<String> {
        self.shared
            .milvus
            .seen
            .lock()
            .unwrap()
            .iter()
            .map(shown)
            .collect()
    }

    fn described(&self) -> usize {
        self.shared.milvus.described.load(Ordering::Relaxed)
    }

    fn alter(&self, change: impl FnOnce(&mut Schema)) {
        change(&mut self.shared.milvus.schema.lock().unwrap());
    }

    fn describe_fails(&self, troubles: impl IntoIterator<Item = MilvusError>) {
        self.shared.milvus.troubles.lock().unwrap().extend(troubles);
    }

    /// The paused clock runs on while the writer waits, so this ends as soon as the writer has nothing to do.
    async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(300)).await;
    }

    async fn end(self) {
        drop(self.inlet);
        self.tasks.join_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_sent_after_linger_and_settled_after_the_ack() {
    let bench = Bench::new(Tolerance::None, 100, 100);
    let tenure = tenure(0);
    bench.hand(&tenure, 7, &[row(1), row(2)]).await;
    tokio::time::sleep(Duration::from_millis(99)).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (0, 0));
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2]]);
    assert_eq!(tenure.settled(), 9);
    assert_eq!(bench.shared.stations.budget.used(), 0);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_and_a_flush_do_not_wait_for_linger() {
    let bench = Bench::new(Tolerance::None, 3_600_000, 2);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), row(3)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2]]);
    bench.inlet.flush();
    bench.rest().await;
    assert_eq!(bench.seen(), [vec![1, 2], vec![3]]);
    assert_eq!(tenure.settled(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_row_of_a_key_wins_and_settles_those_before_it() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), row(1)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[2, 1]]);
    assert_eq!(tenure.settled(), 3);
}
