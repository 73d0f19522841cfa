//! Allocations per record of the whole writer in steady state: chunks in, requests encoded and acknowledged. A Milvus that
//! encodes each request into one buffer stands for the connection; the broker's client is not in it.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark: it ends at the first trouble, and prints what it counted"
)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kafka_milvus_sink::budget::Budget;
use kafka_milvus_sink::config::{OnRecreated, Tolerance};
use kafka_milvus_sink::gate::Gate;
use kafka_milvus_sink::milvus::schema::{Field, FieldType, Schema};
use kafka_milvus_sink::milvus::status::MilvusError;
use kafka_milvus_sink::milvus::{Milvus, WriteRequest};
use kafka_milvus_sink::ops::board::Board;
use kafka_milvus_sink::ops::metrics::Metrics;
use kafka_milvus_sink::plan;
use kafka_milvus_sink::record::Record;
use kafka_milvus_sink::routing::Destination;
use kafka_milvus_sink::tenure::Tenure;
use kafka_milvus_sink::topic_partition::TopicPartition;
use kafka_milvus_sink::wake::Wake;
use kafka_milvus_sink::writer::{Inlet, PlanState, Rules, Shared, Stations, Writer, plans};
use prost::Message as _;

const DIM: usize = 768;
/// As much as the consumer takes in a turn.
const CHUNK_BYTES: usize = 64 * 1024;
const RECORDS: i64 = 1_000_000;
/// Until all buffers have their size.
const WARM_UP: i64 = 10_000;

/// Acknowledges what it has encoded.
#[derive(Debug)]
struct Null {
    schema: Schema,
    buffer: Mutex<Vec<u8>>,
}

impl Milvus for Null {
    async fn describe(&self, _: &str) -> Result<Schema, MilvusError> {
        Ok(self.schema.clone())
    }

    async fn write(&self, request: &WriteRequest) -> Result<(), MilvusError> {
        tokio::task::yield_now().await; // an answer never comes at once
        let mut buffer = self.buffer.lock().unwrap();
        buffer.clear();
        match request {
            WriteRequest::Insert(request) => request.encode_raw(&mut *buffer),
            WriteRequest::Upsert(request) => request.encode_raw(&mut *buffer),
            WriteRequest::Delete(delete) => delete.request().encode_raw(&mut *buffer),
        }
        Ok(())
    }

    fn endpoint(&self) -> String {
        "http://null:19530".to_owned()
    }
}

fn schema() -> Schema {
    let field = |name: &str, kind| Field {
        name: name.into(),
        kind,
        primary_key: name == "id",
        auto_id: false,
        partition_key: false,
        nullable: false,
        default: None,
        function_output: false,
    };
    let text = || FieldType::VarChar { max_length: None };
    Schema {
        collection: "c".to_owned(),
        collection_id: 1,
        timestamp: 1,
        fields: vec![
            field("id", FieldType::Int64),
            field("title", text()),
            field("vector", FieldType::FloatVector { dim: DIM }),
            field("category", text()),
            field("price", FieldType::Double),
            field("views", FieldType::Int64),
            field("active", FieldType::Bool),
        ],
        dynamic: false,
        allow_insert_auto_id: false,
        version: None,
    }
}

/// A record of about 10 KB but for its key.
fn rest(random: &mut fastrand::Rng) -> String {
    let mut json =
        r#""title": "sixty bytes of a title that says what the record is about.", "vector": ["#
            .to_owned();
    for index in 0..DIM {
        let comma = if index == 0 { "" } else { ", " };
        write!(json, "{comma}{}", (random.f32() - 0.5) / 10.0).unwrap();
    }
    json.push_str(r#"], "category": "books", "price": 12.5, "views": 4711, "active": true}"#);
    json
}

fn stations() -> Stations {
    let budget = Budget::new(64 << 20);
    let metrics = Metrics::new(Arc::clone(&budget));
    Stations {
        budget,
        board: Board::new(Arc::clone(&metrics)),
        metrics,
        wake: Arc::new(Wake::default()),
        gate: Arc::new(Gate::new(Duration::MAX, Instant::now())),
        dead_letters: None,
    }
}

fn rules() -> Rules {
    Rules {
        tolerance: Tolerance::None,
        refused_max_consecutive: 100,
        recreated: OnRecreated::Fail,
        batch_max_rows: 10_000,
        batch_max_bytes: 2 << 20,
        linger: Duration::from_millis(100),
        max_in_flight: 3,
        late_landing_grace: Duration::from_secs(20),
        retry_backoff: Duration::from_millis(100),
        retry_backoff_max: Duration::from_secs(30),
    }
}

/// Hands over records up to `end`, in chunks as the consumer makes them.
async fn feed(inlet: &Inlet, tenure: &Arc<Tenure>, rests: &[String], next: &mut i64, end: i64) {
    let mut rests = rests.iter().cycle();
    while *next < end {
        let mut chunk = inlet.empty_chunk();
        let from = *next;
        while chunk.bytes.len() < CHUNK_BYTES && *next < end {
            let start = chunk.bytes.len();
            std::io::Write::write_fmt(&mut chunk.bytes, format_args!(r#"{{"id": {next}, "#))
                .unwrap();
            chunk
                .bytes
                .extend_from_slice(rests.next().unwrap().as_bytes());
            chunk.records.push(Record {
                offset: *next,
                value: Some(start..chunk.bytes.len()),
                ..Record::default()
            });
            *next += 1;
        }
        let charge = inlet.budget.charge(chunk.bytes.len());
        let chunk = chunk.fill(Arc::clone(tenure), from, charge);
        assert!(inlet.chunks.send(chunk).await.is_ok(), "a writer that runs");
    }
    inlet.flush();
    while tenure.settled() < end {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn main() {
    let records = std::env::args()
        .nth(1)
        .map_or(RECORDS, |n| n.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(7);
    let rests: Vec<String> = (0..64).map(|_| rest(&mut random)).collect();
    let milvus = Arc::new(Null {
        schema: schema(),
        buffer: Mutex::default(),
    });
    let plan = plan::make(&milvus.schema, &plan::Rules::default()).unwrap();
    let (plans, desk) = plans();
    desk.publish(PlanState::Ready(Arc::new(plan)));
    let destination = Destination {
        collection: "c".into(),
        milvus_partition: None,
    };
    let shared = Arc::new(Shared::new(destination, milvus, rules(), stations()));
    let (writer, inlet) = Writer::new(shared, plans);
    let tenure = Arc::new(Tenure::new(TopicPartition::new("t", 0), 0));

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut next = 0;
    let mut tasks = tokio::task::JoinSet::new();
    runtime.block_on(async {
        tasks.spawn(writer.run());
        feed(&inlet, &tenure, &rests, &mut next, WARM_UP).await;
    });
    let counted = allocation_counter::measure(|| {
        runtime.block_on(feed(&inlet, &tenure, &rests, &mut next, WARM_UP + records));
    });
    println!(
        "{records} records: {:.4} allocations and {:.1} bytes allocated per record",
        counted.count_total as f64 / records as f64,
        counted.bytes_total as f64 / records as f64,
    );
}
