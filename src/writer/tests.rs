//! A writer driven by hand against a Milvus that answers from a script, under a paused clock.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::config::{InsertMode, UnknownFields};
use crate::milvus::WriteRequest;
use crate::milvus::proto::schema::{field_data, scalar_field};
use crate::milvus::schema::{Field, FieldType, Schema};
use crate::milvus::status::{Action, MilvusError};
use crate::ops::board::Board;
use crate::plan::{self, Plan};
use crate::record::{Record, Run};
use crate::topic_partition::TopicPartition;

/// Answers writes from a script (`Ok` when it has run out) and keeps the keys of every request it saw.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<(), MilvusError>>>,
    seen: Mutex<Vec<Vec<i64>>>,
    answered: Notify,
}

impl Milvus for Scripted {
    async fn describe(&self, _: &str) -> Result<Schema, MilvusError> {
        Ok(schema())
    }

    async fn write(&self, request: &WriteRequest) -> Result<(), MilvusError> {
        let fields = match request {
            WriteRequest::Insert(request) => &request.fields_data,
            WriteRequest::Upsert(request) => &request.fields_data,
        };
        let keys = fields.iter().find(|field| field.field_name == "id");
        let keys = match keys.and_then(|field| field.field.as_ref()) {
            Some(field_data::Field::Scalars(scalars)) => match &scalars.data {
                Some(scalar_field::Data::LongData(longs)) => longs.data.clone(),
                other => panic!("ids as {other:?}"),
            },
            other => panic!("ids as {other:?}"),
        };
        self.seen.lock().unwrap().push(keys);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()));
        self.answered.notify_one();
        answer
    }

    fn endpoint(&self) -> String {
        "http://scripted:19530".to_owned()
    }
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
        struct_arrays: Vec::new(),
        dynamic: false,
        allow_insert_auto_id: false,
    }
}

fn make_plan() -> Arc<Plan> {
    let rules = plan::Rules {
        database: "default".to_owned(),
        insert_mode: InsertMode::Auto,
        unknown_fields: UnknownFields::Ignore,
    };
    Arc::new(plan::make(&schema(), &rules).unwrap())
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
            key: None,
            value: value.is_some().then_some(start..bytes.len()),
        });
    }
    Chunk {
        charge: budget.charge(bytes.len()),
        bytes,
        runs: vec![Run {
            tenure: Arc::clone(tenure),
            from: first,
            records,
        }],
    }
}

struct Bench {
    shared: Arc<Shared<Scripted>>,
    inlet: Inlet,
    tasks: tokio::task::JoinSet<()>,
}

impl Bench {
    fn new(tolerance: Tolerance, linger_ms: u64, max_rows: usize) -> Self {
        let budget = Budget::new(1 << 20);
        let metrics = Metrics::new(Arc::clone(&budget));
        let shared = Arc::new(Shared::new(
            Arc::from("c"),
            Arc::new(Scripted::default()),
            Rules {
                tolerance,
                batch_max_rows: max_rows,
                batch_max_bytes: 1 << 20,
                linger: Duration::from_millis(linger_ms),
                retry_backoff: Duration::from_millis(100),
                retry_backoff_max: Duration::from_secs(30),
            },
            Stations {
                board: Board::new(Arc::clone(&metrics)),
                metrics,
                budget,
                wake: Arc::new(Wake::default()),
            },
        ));
        let (sender, plans) = watch::channel(PlanState::Waiting);
        sender.send_replace(PlanState::Ready(make_plan()));
        let (writer, inlet) = Writer::new(Arc::clone(&shared), plans);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(writer.run());
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
        self.inlet.chunks.send(chunk).await.unwrap();
    }

    fn seen(&self) -> Vec<Vec<i64>> {
        self.shared.milvus.seen.lock().unwrap().clone()
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
    bench.inlet.flush.notify_one();
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

#[tokio::test(start_paused = true)]
async fn a_hold_repeats_the_same_batch_until_it_is_taken_and_settles_nothing_before() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script((0..20).map(|_| refusal(Action::Hold)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), row(3)]).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tenure.settled(), 0);
    assert!(tenure.halted().is_none());
    tokio::time::sleep(Duration::from_secs(1200)).await;
    let seen = bench.seen();
    assert_eq!(seen.len(), 22);
    assert!(seen[..21].iter().all(|keys| keys == &[1, 2]), "{seen:?}");
    assert_eq!(tenure.settled(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_halts_the_partitions_of_the_batch_and_no_others() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Halt)]);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&bad, 5, &[row(1), row(2), row(3)]).await;
    bench.hand(&good, 0, &[row(4)]).await;
    bench.rest().await;
    assert_eq!(bad.halted().map(|halt| halt.at), Some(5));
    assert_eq!(bad.settled(), 0);
    assert_eq!(good.settled(), 1);
    assert_eq!(
        bench.seen(),
        [vec![1, 2], vec![4]],
        "nothing behind the halt is sent"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_may_pass_is_repeated_five_times_over_thirty_seconds() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script((0..6).map(|_| refusal(Action::RepeatThenHalt)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(tenure.halted().is_none());
    bench.rest().await;
    assert!(tenure.halted().is_some());
    assert_eq!(bench.seen().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_halts_its_partition_at_its_offset_and_not_its_neighbours() {
    let bench = Bench::new(Tolerance::None, 3_600_000, 100);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&good, 0, &[row(8)]).await;
    bench
        .hand(&bad, 0, &[row(1), Some("{".to_owned()), row(2)])
        .await;
    bench.rest().await;
    assert_eq!(
        bench.seen(),
        [[8, 1]],
        "the batch closes before the bad record"
    );
    assert_eq!(bad.halted().map(|halt| halt.at), Some(1));
    assert_eq!((bad.settled(), good.settled()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_is_skipped_and_settled_where_that_is_tolerated() {
    let bench = Bench::new(Tolerance::All, 10, 100);
    let tenure = tenure(0);
    let values = [row(1), Some("[]".to_owned()), None, row(2)];
    bench.hand(&tenure, 0, &values).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2]]);
    assert_eq!(tenure.settled(), 4);
    assert!(tenure.halted().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_tombstones_settles_in_its_turn_without_a_request() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), None, None]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(tenure.settled(), 0, "not before the batch before it");
    bench.rest().await;
    assert_eq!((bench.seen().len(), tenure.settled()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_closed_tenure_are_not_sent_again_and_what_they_superseded_takes_its_place() {
    let bench = Bench::new(Tolerance::None, 10, 3);
    bench.script([refusal(Action::Hold)]);
    let (kept, closed) = (tenure(0), tenure(1));
    bench.hand(&kept, 0, &[row(1), row(2)]).await;
    bench.hand(&closed, 0, &[row(1)]).await;
    bench.shared.milvus.answered.notified().await;
    closed.close();
    bench.rest().await;
    assert_eq!(bench.seen(), [vec![2, 1], vec![1, 2]]);
    assert_eq!((kept.settled(), closed.settled()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_a_bad_record_at_the_front_of_a_batch_keeps_nobody_waiting() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&bad, 0, &[Some("{".to_owned()), row(1)]).await;
    bench.hand(&good, 0, &[row(2)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[2]]);
    assert_eq!((bad.settled(), good.settled()), (0, 1));
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_a_bad_record_keeps_what_lies_between_from_being_settled() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold), refusal(Action::Halt)]);
    let tenure = tenure(0);
    let values = [row(1), row(2), row(3), Some("{".to_owned())];
    bench.hand(&tenure, 0, &values).await;
    bench.shared.milvus.answered.notified().await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2], [1, 2]]);
    assert_eq!((tenure.halted_at(), tenure.settled()), (Some(0), 0));
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    let causes: Vec<_> = causes.iter().map(Cause::label).collect();
    assert_eq!(causes, ["not_assigned", "refused"], "what it stands at now");
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_when_nothing_of_its_batch_is_wanted_any_more() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.shared.milvus.answered.notified().await;
    tenure.close();
    bench.rest().await;
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    assert_eq!(causes, [Cause::NotAssigned]);
    assert_eq!((bench.seen().len(), tenure.settled()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_the_pause_before_the_next_attempt() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.script((0..10).map(|_| refusal(Action::Hold)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let before = bench.seen().len();
    bench.inlet.flush.notify_one();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(bench.seen().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_halt_behind_a_gap_in_the_log_stands_where_settled_can_get() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2)]).await;
    let mut behind = chunk(
        &bench.shared.stations.budget,
        &tenure,
        7,
        &[Some("{".to_owned())],
    );
    behind.runs[0].from = 2; // offsets 2 to 6 are no records
    bench.inlet.chunks.send(behind).await.unwrap();
    bench.rest().await;
    assert_eq!(tenure.halted_at(), Some(2));
    assert_eq!(tenure.settled(), 2);
    let said = tenure.halted().unwrap().cause.to_string();
    assert!(said.starts_with("t-0@7: "), "{said}");
}
