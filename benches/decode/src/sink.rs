//! The sink's own way from payloads to the bytes of a request: what its writer does.

use kafka_milvus_sink::budget::Budget;
use kafka_milvus_sink::columns::Columns;
use kafka_milvus_sink::config::InsertMode;
use kafka_milvus_sink::decode::change::change;
use kafka_milvus_sink::milvus::WriteRequest;
use kafka_milvus_sink::milvus::proto::milvus::DescribeCollectionResponse;
use kafka_milvus_sink::milvus::proto::schema::CollectionSchema;
use kafka_milvus_sink::milvus::schema::Schema;
use kafka_milvus_sink::plan::{self, Plan, Rules};
use kafka_milvus_sink::record::{Chunk, Record, Run};
use kafka_milvus_sink::tenure::Tenure;
use kafka_milvus_sink::topic_partition::TopicPartition;
use kafka_milvus_sink::writer;
use prost::Message as _;
use testkit::workload::Workload;

use crate::corpus::Corpus;
use crate::peers::COLLECTION;

/// A chunk of records, and the plan for them.
#[derive(Debug)]
pub struct Sink {
    plan: Plan,
    chunk: Chunk,
}

impl Sink {
    pub fn new(corpus: &Corpus) -> Self {
        Self {
            plan: plan(corpus.workload),
            chunk: chunk(&corpus.payloads),
        }
    }

    /// All records as one request.
    pub fn run(&mut self, request: &mut Vec<u8>) {
        let mut columns = Columns::new(&self.plan);
        for record in 0..self.chunk.runs[0].records.len() {
            let change = change(&self.plan, &mut columns, self.chunk.view(0, record));
            change.expect("a record of the workload fits");
        }
        request.clear();
        match writer::request(&self.plan, columns) {
            Some(WriteRequest::Insert(message)) => message.encode(request),
            other => panic!("not an insert: {other:?}"),
        }
        .expect("a Vec takes all");
    }
}

/// As the sink makes it of what Milvus says of the collection.
pub fn plan(workload: Workload) -> Plan {
    let collection = workload.collection(COLLECTION);
    let described = collection.schema().encode_to_vec();
    let described = CollectionSchema::decode(&described[..]).expect("a schema");
    let described = DescribeCollectionResponse {
        schema: Some(described),
        ..Default::default()
    };
    let schema = Schema::from_reply(COLLECTION, described).expect("a schema");
    let rules = Rules {
        insert_mode: InsertMode::Insert,
        ..Rules::default()
    };
    plan::make(&schema, &rules).expect("a collection that can be written")
}

fn chunk(payloads: &[String]) -> Chunk {
    let mut bytes = Vec::new();
    let mut records = Vec::new();
    for (offset, payload) in (0..).zip(payloads) {
        let start = bytes.len();
        bytes.extend_from_slice(payload.as_bytes());
        records.push(Record {
            offset,
            value: Some(start..bytes.len()),
            ..Record::default()
        });
    }
    let run = Run {
        tenure: Tenure::new(TopicPartition::new("bench", 0), 0).into(),
        from: 0,
        records,
        headers: Vec::new(),
    };
    Chunk {
        bytes,
        runs: vec![run],
        charge: Budget::new(usize::MAX).charge(0),
    }
}
