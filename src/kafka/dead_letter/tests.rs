//! What a broker refuses, and what follows.

use std::time::Instant;

use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaApiKey as Request;
use rdkafka::types::RDKafkaRespErr::{
    self as Refusal, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED as NO_CLUSTER,
    RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP as BAD_TIME,
    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE as TOO_LARGE,
    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED as NO_TOPIC,
};

use super::*;
use crate::bad_record::BadRecord;
use crate::budget::Budget;
use crate::config::{Sources, load};
use crate::record::{Chunk, Record, Run};
use crate::tenure::Tenure;
use crate::topic_partition::TopicPartition;

fn open(brokers: &str, more: &[(&str, &str)]) -> Arc<Topic> {
    let set = [
        ("name", "n"),
        ("topics", "t"),
        ("public.endpoint", "http://localhost:1"),
        ("bootstrap.servers", brokers),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dead"),
        ("producer.delivery.timeout.ms", "3000"),
    ];
    let set = set.iter().chain(more);
    let sources = Sources {
        set: set
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        ..Sources::default()
    };
    Topic::open(&load(&sources).unwrap()).unwrap().unwrap()
}

async fn put(topic: &Topic) -> Result<(), Undelivered> {
    let chunk = Chunk {
        bytes: b"sesame-4712".to_vec(),
        runs: vec![Run {
            tenure: Arc::new(Tenure::new(TopicPartition::new("t", 0), 0)),
            from: 0,
            records: vec![Record {
                value: Some(0..11),
                ..Record::default()
            }],
            headers: Vec::new(),
        }],
        charge: Budget::new(1).charge(0),
    };
    let bad = BadRecord::of_tombstone();
    let record = chunk.view(0, 0);
    topic.put(Letter { record, bad: &bad }).await
}

/// Repeats as a writer would.
async fn await_delivery(topic: &Topic) {
    let begun = Instant::now();
    while let Err(trouble) = put(topic).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{trouble:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn cluster() -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let brokers = MockCluster::new(1).unwrap();
    brokers.create_topic("dead", 1, 1).unwrap();
    brokers
}

/// One request of this kind is refused: the letter is held with these words, and the next attempt delivers it.
async fn check(request: Request, refusal: Refusal, words: [&str; 2]) {
    let brokers = cluster();
    let topic = open(&brokers.bootstrap_servers(), &[]);
    brokers.request_errors(request, &[refusal]);
    let Err(Undelivered::Held(cause)) = put(&topic).await else {
        panic!("{refusal:?} does not hold");
    };
    let said = cause.to_string();
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
    assert!(!said.contains("sesame-4712"), "{said}");
    assert_eq!(cause.label(), "dead_letters_held");
    await_delivery(&topic).await;
    topic.close().await;
    let late = put(&topic).await;
    assert!(matches!(late, Err(Undelivered::Held(_))), "{late:?}");
}

#[tokio::test]
async fn what_is_refused_holds_with_what_to_do_and_is_delivered_afterwards() {
    let write = [
        "Topic authorization failed",
        "grant this user WRITE on the topic",
    ];
    check(Request::Produce, NO_TOPIC, write).await;
    let time = ["Invalid timestamp", "message.timestamp.*"];
    check(Request::Produce, BAD_TIME, time).await;
}

#[tokio::test]
async fn a_producer_that_will_never_send_again_is_replaced() {
    let idempotent = [
        "Cluster authorization failed",
        "grant this user IDEMPOTENT_WRITE",
    ];
    check(Request::InitProducerId, NO_CLUSTER, idempotent).await;
}

#[tokio::test]
async fn without_context_a_letter_that_is_too_large_halts_at_once() {
    let brokers = cluster();
    let topic = open(&brokers.bootstrap_servers(), &[]);
    brokers.request_errors(Request::Produce, &[TOO_LARGE]);
    let halts = put(&topic).await;
    assert!(matches!(halts, Err(Undelivered::Halts(_))), "{halts:?}");
}

#[tokio::test]
async fn a_broker_that_does_not_confirm_holds_in_time() {
    let brokers = cluster();
    let topic = open(&brokers.bootstrap_servers(), &[]);
    put(&topic).await.unwrap();
    brokers.broker_down(1).unwrap();
    let begun = Instant::now();
    let Err(Undelivered::Held(cause)) = put(&topic).await else {
        panic!("does not hold");
    };
    let said = cause.to_string();
    assert!(
        said.contains("not confirmed within delivery.timeout.ms"),
        "{said}"
    );
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(9), "{took:?}");
    brokers.broker_up(1).unwrap();
    await_delivery(&topic).await;
}

#[tokio::test]
async fn letters_side_by_side_wait_for_one_look_at_the_topic_and_not_each_for_its_own() {
    let topic = open("localhost:1", &[]);
    let begun = Instant::now();
    let puts = (0..4).map(|_| put(&topic));
    for put in futures_util::future::join_all(puts).await {
        assert!(matches!(put, Err(Undelivered::Held(_))), "{put:?}");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

/// Each writer puts 64 side by side, and there may be a thousand writers.
#[tokio::test]
async fn many_writers_letters_at_once_are_no_trouble() {
    let brokers = cluster();
    let topic = open(&brokers.bootstrap_servers(), &[]);
    put(&topic).await.unwrap();
    let puts = (0..32 * 64).map(|_| put(&topic));
    let results = futures_util::future::join_all(puts).await;
    let held: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(held.is_empty(), "{} are held: {:?}", held.len(), held[0]);
}
