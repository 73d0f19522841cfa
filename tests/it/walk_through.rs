//! The user's walk-through: one record with its four values goes in, an entity with the same values, bit for bit, is there.

use serde_json::{Value, json};
use testkit::kafka::Record;
use testkit::official::{OfficialClient, bits};
use testkit::sink::Sink;
use testkit::suite;

use crate::support::{Job, SINK, SOON};

/// As written in the documentation of the Connect plugin.
const RECORD: &str = r#"{"id": 0, "title": "The Reported Mortality Rate of Coronavirus Is Not Important", "title_vector": [0.041732933, 0.013779674, -0.027564144, -0.013061441, 0.009748648, 0.00082446384, -0.00071647146, 0.048612226], "link": "https://medium.com/swlh/the-reported-mortality-rate-of-coronavirus-is-not-important-369989c8d912"}"#;

const WORKER: &str = "\
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.storage.file.filename=/tmp/connect.offsets
offset.flush.interval.ms=10000
plugin.path=libs/zilliz-kafka-connect-milvus-xxx
";

const CONNECTOR: &str = "\
name=zilliz-kafka-connect-milvus
connector.class=com.milvus.io.kafka.MilvusSinkConnector
public.endpoint=https://<public.endpoint>:port
token=*****************************************
collection.name=topic_0
topics=topic_0
";

fn record() -> Value {
    serde_json::from_str(RECORD).unwrap()
}

/// The numbers of the vector as they are written.
fn vector() -> Vec<f32> {
    let numbers = RECORD.split(['[', ']']).nth(1).unwrap().split(',');
    numbers.map(|n| n.trim().parse().unwrap()).collect()
}

fn assert_is_there(job: &Job) {
    let rows = job.milvus.query(&job.collection, "id == 0");
    assert_eq!(rows.len(), 1);
    for field in ["id", "title", "link"] {
        assert_eq!(rows[0][field], record()[field], "{field}");
    }
    let expected: Vec<f64> = vector().into_iter().map(f64::from).collect();
    assert_eq!(rows[0]["title_vector"], json!(expected));
}

fn walk(job: &Job, sink: &Sink) {
    job.topic.produce([Record::new(RECORD)]);
    job.milvus.await_count(&job.collection, 1, SOON);
    assert_is_there(job);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn one_file() {
    let job = Job::new("one_file", 1);
    walk(&job, &job.start());
    assert!(job.topic.is_group_known(&job.group()));
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
}

#[test]
fn one_file_on_lite() {
    let job = Job::on_lite("one_file_on_lite", 1);
    walk(&job, &job.start());
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
}

#[test]
fn two_connect_files_and_the_official_client_reads_the_entity() {
    let job = Job::new("two_connect_files", 1);
    let worker = WORKER.replace("localhost:9092", &suite::kafka().bootstrap());
    let connector = CONNECTOR
        .replace("https://<public.endpoint>:port", job.endpoint())
        .replace(&"*".repeat(41), job.token().unwrap())
        .replace("name=topic_0", &format!("name={}", job.collection))
        .replace("topics=topic_0", &format!("topics={}", job.topic.name()));
    let sink = Sink::new(SINK).config(&worker).config(&connector).start();
    walk(&job, &sink);
    let group = "connect-zilliz-kafka-connect-milvus";
    assert_eq!(job.topic.committed(group), [Some(1)]);

    let client = OfficialClient {
        endpoint: job.endpoint(),
        token: job.token(),
    };
    let entity = client.get(&job.collection, "0");
    for field in ["id", "title", "link"] {
        assert_eq!(entity[field], record()[field], "{field}");
    }
    assert_eq!(entity["title_vector_bits"], json!(bits(&vector())));
}

#[test]
fn the_environment_alone() {
    let job = Job::new("the_environment_alone", 1);
    let sink = Sink::new(SINK)
        .env("MILVUS_SINK_NAME", &job.name)
        .env("MILVUS_SINK_TOPICS", job.topic.name())
        .env("MILVUS_SINK_COLLECTION_NAME", &job.collection)
        .env("MILVUS_SINK_BOOTSTRAP_SERVERS", &suite::kafka().bootstrap())
        .env("MILVUS_SINK_PUBLIC_ENDPOINT", job.endpoint())
        .env("MILVUS_SINK_TOKEN", job.token().unwrap())
        .start();
    walk(&job, &sink);
}
