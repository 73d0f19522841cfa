//! One attempt after the other at a real broker: making the topic, letters of all sizes, what a broker refuses.

use std::sync::Arc;

use kafka_milvus_sink::bad_record::BadRecord;
use kafka_milvus_sink::budget::Budget;
use kafka_milvus_sink::config::{self, Sources};
use kafka_milvus_sink::dead_letter::{DeadLetterQueue as _, Letter, Stage, Undelivered};
use kafka_milvus_sink::kafka::dead_letter;
use kafka_milvus_sink::record::{self, Chunk, Run};
use kafka_milvus_sink::tenure::Tenure;
use kafka_milvus_sink::topic_partition::TopicPartition;
use testkit::kafka::{Record, Topic};
use testkit::{sink, suite};
use tokio::runtime::Runtime;

use super::dead;

const SIZE: usize = 20_000;

/// Lines of a configuration beside what it needs at least.
fn open(dead: &Topic, topics: &str, more: &str) -> Arc<dead_letter::Topic> {
    let text = format!(
        "name=letters\nbootstrap.servers={}\ntopics={topics}\npublic.endpoint=http://localhost:1\nerrors.tolerance=all\nerrors.deadletterqueue.topic.name={}\n{more}",
        suite::kafka().bootstrap(),
        dead.name(),
    );
    let sources = Sources {
        files: vec![sink::write_config(&text)],
        ..Sources::default()
    };
    let config = config::load(&sources).unwrap();
    dead_letter::Topic::open(&config).unwrap().unwrap()
}

/// One attempt, with the value of `record` and no headers.
fn put(topic: &dead_letter::Topic, record: &Record) -> Result<(), Undelivered> {
    let value = record.value.clone().unwrap_or_default();
    let tenure = Tenure::new(TopicPartition::new("source", 3), 0);
    let chunk = Chunk {
        charge: Budget::new(1).charge(0),
        runs: vec![Run {
            tenure: Arc::new(tenure),
            from: 7,
            records: vec![record::Record {
                offset: 7,
                timestamp: record.timestamp,
                key: None,
                value: record.value.is_some().then_some(0..value.len()),
            }],
            headers: Vec::new(),
        }],
        bytes: value,
    };
    let bad = BadRecord {
        stage: Stage::TaskPut,
        field: None,
        wanted: "good".into(),
        found: "bad".into(),
        remedy: "mend it".into(),
    };
    let letter = Letter {
        record: chunk.view(0, 0),
        bad: &bad,
    };
    Runtime::new().unwrap().block_on(topic.put(letter))
}

#[track_caller]
fn held(result: Result<(), Undelivered>) -> String {
    match result {
        Err(Undelivered::Held(cause)) => cause.to_string(),
        other => panic!("not held: {other:?}"),
    }
}

#[test]
fn a_missing_topic_is_made_to_take_whatever_is_read() {
    let kafka = suite::kafka();
    let small = kafka.topic_with("letters_small", 1, &[("max.message.bytes", "300000")]);
    let large = kafka.topic_with("letters_large", 1, &[("max.message.bytes", "2345678")]);
    let dead = dead("letters_made");
    let topics = format!("{},{}", small.name(), large.name());
    let topic = open(&dead, &topics, "");
    let record = Record::new(vec![b'x'; 2_300_000]).timestamp(1_700_000_000_000);
    put(&topic, &record).unwrap();
    assert_eq!(dead.found_partitions(), 1);
    assert_eq!(
        dead.setting("max.message.bytes").as_deref(),
        Some("2345678")
    );
    let tombstone = Record::default().timestamp(1);
    put(&topic, &tombstone).unwrap();
    assert_eq!(dead.read(), [record.partition(0), tombstone.partition(0)]);
}

#[test]
fn a_topic_that_goes_away_is_made_again() {
    let dead = dead("letters_again");
    let topic = open(&dead, "source", "producer.metadata.max.age.ms=500");
    let record = Record::new("x").timestamp(1_700_000_000_000);
    put(&topic, &record).unwrap();
    dead.delete();
    let mut attempts = 0;
    while let Err(trouble) = put(&topic, &record) {
        assert!(matches!(trouble, Undelivered::Held(_)), "{trouble:?}");
        attempts += 1;
        assert!(attempts < 10, "{trouble:?}");
    }
    assert_eq!(dead.read(), [record.partition(0)]);
}

#[test]
fn what_is_too_large_goes_without_its_context_and_halts_where_it_is_too_large_then() {
    let kafka = suite::kafka();
    let dead = dead("letters_too_large");
    kafka.topic_named(dead.name(), 1, &[("max.message.bytes", "20300")]);
    let context = "errors.deadletterqueue.context.headers.enable=true";
    let topic = open(&dead, "source", context);
    let fits = Record::new(vec![b'x'; SIZE]).timestamp(1_700_000_000_000);
    put(&topic, &fits).unwrap();
    let small = Record::new("x").timestamp(1_700_000_000_001);
    put(&topic, &small).unwrap();
    let found = dead.read();
    assert_eq!(found[0], fits.partition(0));
    assert_eq!(found[1].headers.len(), 10);
    match put(&topic, &Record::new(vec![b'x'; SIZE + 1000])) {
        Err(Undelivered::Halts(cause)) => {
            assert_eq!(cause.label(), "dead_letter_too_large");
            let said = cause.to_string();
            assert!(
                said.starts_with("source-3@7: the bad record has 21000 bytes"),
                "{said}"
            );
            assert!(
                said.contains("raise max.message.bytes of that topic"),
                "{said}"
            );
        }
        other => panic!("does not halt: {other:?}"),
    }
    // The producer goes on.
    put(&topic, &small).unwrap();
    let limited = open(&dead, "source", "producer.max.request.size=10000");
    let local = put(&limited, &Record::new(vec![b'x'; SIZE]));
    assert!(matches!(local, Err(Undelivered::Halts(_))), "{local:?}");
}

#[test]
fn more_replicas_than_brokers_hold_and_name_the_key() {
    let dead = dead("letters_replicas");
    let three = "errors.deadletterqueue.topic.replication.factor=3";
    let said = held(put(&open(&dead, "source", three), &Record::new("x")));
    assert!(
        said.contains(
            "set errors.deadletterqueue.topic.replication.factor to at most the number of brokers"
        ),
        "{said}"
    );
    assert_eq!(dead.found_partitions(), 0);
    put(&open(&dead, "source", ""), &Record::new("x")).unwrap();
}
