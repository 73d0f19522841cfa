//! What the pages say of a board and counts in a known state.

use serde_json::{Value, json};

use super::*;
use crate::bad_record::BadRecord;
use crate::cause::Cause;
use crate::ops::board::{Fate, Peer, Scope};
use crate::ops::metrics::{Done, Position, Skipped};
use crate::plan::fixture;
use crate::topic_partition::TopicPartition;

/// Of a sink that reads `t` and `u`, into collections of these names, and its board, on which all was well at `start`.
pub(in crate::ops) fn pages(start: Instant) -> (Pages, Arc<Board>) {
    let budget = Budget::new(1000);
    let metrics = Metrics::new(Arc::clone(&budget));
    let board = Board::at(Arc::clone(&metrics), start);
    let about = About {
        name: "n".to_owned(),
        bootstrap_servers: "k:9092".to_owned(),
        group: "connect-n".to_owned(),
        endpoint: "http://m:19530".to_owned(),
        database: "d".to_owned(),
        topics: Topics::Listed(vec!["t".to_owned(), "u".to_owned()]),
        router: Router {
            collection_name: "${topic}".to_owned(),
            collections: [("u".to_owned(), "c".to_owned())].into(),
            partition_name: None,
        },
        most_partitions: 2,
        configuration: vec![Effective {
            key: "token",
            value: "****".to_owned(),
            origin: "a.properties:3".to_owned(),
        }],
    };
    (
        Pages::new(about, Arc::clone(&board), metrics, budget),
        board,
    )
}

#[test]
fn whoever_of_loop_and_runtime_and_writers_stands_still_makes_the_process_ill() {
    let start = Instant::now() - 2 * MAX_SILENCE;
    for (turns, runs, expected) in [
        (true, true, true),
        (false, true, false),
        (true, false, false),
    ] {
        let (pages, board) = pages(start);
        if turns {
            board.beat();
        }
        if runs {
            board.ran();
        }
        let health = pages.health(Instant::now());
        assert_eq!(health.healthy, expected, "{turns} {runs}");
    }
}

#[tokio::test]
async fn a_writer_that_does_not_pause_makes_the_process_ill() {
    let (pages, board) = pages(Instant::now());
    let works = async {
        let later = Instant::now() + 2 * MAX_SILENCE;
        board.beat();
        pages.health(later)
    };
    let health = board.pulses.watch("a writer of c".to_owned(), works).await;
    assert!(!health.healthy);
    let busy = health.busy.unwrap();
    assert!(busy.starts_with("a writer of c has worked for "), "{busy}");
}

#[tokio::test]
async fn the_answer_of_healthz_is_the_verdict() {
    for (start, expected) in [
        (Instant::now(), StatusCode::OK),
        (
            Instant::now() - MAX_SILENCE,
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    ] {
        let (status, body) = healthz(State(Arc::new(pages(start).0))).await;
        assert_eq!(status, expected, "{body}");
    }
}

fn status_of(pages: &Pages) -> Value {
    let status = Status::of(pages, Instant::now());
    serde_json::from_str(&serde_json::to_string(&status).unwrap()).unwrap()
}

/// `found` has everything that `expected` has; numbers that run are left out of that.
#[track_caller]
fn assert_has(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, value) in expected {
                assert_has(found.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert_has(found, expected);
            }
        }
        _ => assert_eq!(found, expected),
    }
}

fn bad() -> Cause {
    Cause::BadRecord {
        at: TopicPartition::new("t", 1),
        offset: 7,
        bad: BadRecord::of_payload("broken JSON".to_owned(), "send valid JSON"),
    }
}

#[test]
fn the_status_of_a_sink_that_works() {
    let (pages, board) = pages(Instant::now());
    assert_has(
        &status_of(&pages),
        &json!({"state": "held", "reasons": [{"state": "held", "cause": "not_assigned"}]}),
    );
    board.set_assigned(3);
    board.set_connected(Peer::Kafka, true);
    board.planned(&Arc::new(fixture::plan(vec![fixture::key(
        "id",
        crate::milvus::schema::FieldType::Int64,
    )])));
    let metrics = &pages.metrics;
    metrics.read(9, 90);
    metrics.acknowledged(&metrics.flow("articles"), Done::Wrote, 4, 50);
    metrics.skip(Skipped::BadRecord, 1);
    let _charge = pages.budget.charge(10);
    for (partition, lag) in [(0, 5), (1, 50), (2, 500)] {
        let position = Position {
            read: Some(40),
            settled: Some(30),
            lag: Some(lag),
            is_led: true,
            ..Position::default()
        };
        metrics.set_position(&TopicPartition::new("t", partition), position);
    }
    board.pass(Scope::Collection("c".into()), Fate::Skipped, &bad());
    let expected = json!({
        "name": "n",
        "version": env!("CARGO_PKG_VERSION"),
        "state": "ready",
        "health": {"healthy": true, "busy": null},
        "reasons": [],
        "kafka": {"bootstrap_servers": "k:9092", "group": "connect-n", "connected": true, "assigned_partitions": 3},
        "milvus": {"endpoint": "http://m:19530", "database": "d", "connected": false},
        "lag_records": 555,
        "counts": {"records_read": 9, "bytes_read": 90, "rows_written": 4, "bytes_written": 50,
            "bad_records_skipped": 1, "requests": 0, "requests_acknowledged": 1},
        "requests_under_way": 0,
        "buffer_used_bytes": 10,
        "buffer_limit_bytes": 1000,
        "flows": [
            {"topic": "t", "collection": "t", "milvus_partition": null, "partitions": 3, "lag_records": 555},
            {"topic": "u", "collection": "c", "partitions": 0, "lag_records": 0},
        ],
        // Those with the largest lag.
        "partitions": [
            {"topic": "t", "partition": 1, "state": "reading", "read_offset": 40, "settled_offset": 30,
                "committed_offset": null, "lag_records": 50, "broker_connected": true},
            {"topic": "t", "partition": 2, "lag_records": 500},
        ],
        "partitions_not_named": 1,
        "held": [],
        "halted": [],
        "bad_records": [{"topic": "t", "partition": 1, "offset": 7, "field": null, "fate": "skipped"}],
        "plans": [{"collection": "articles", "operation": "upsert", "rows_written": 4, "rows_deleted": 0,
            "fields": [{"field": "id", "from": "'id'", "type": "Int64", "rule": "required (primary key)"}]}],
        "configuration": [{"key": "token", "value": "****", "origin": "a.properties:3"}],
    });
    assert_has(&status_of(&pages), &expected);
}

#[test]
fn the_status_of_a_sink_that_stands_still() {
    let (pages, board) = pages(Instant::now());
    board.set_assigned(1);
    let reason = "rate limit".to_owned();
    let busy = Cause::MilvusBusy { reason };
    let sentence = busy.to_string();
    board.hold(Scope::Collection("c".into()), busy);
    let held = json!({
        "state": "held",
        "reasons": [{"state": "held", "cause": "milvus_busy", "why": sentence}],
        "held": [{"what": "collection c", "cause": "milvus_busy", "why": sentence, "seconds": 0}],
    });
    assert_has(&status_of(&pages), &held);

    let at = TopicPartition::new("t", 1);
    pages.metrics.set_position(&at, Position::default());
    board.halt(at, bad());
    let halted = json!({
        "state": "halted",
        "halted": [{"what": "t-1", "topic": "t", "partition": 1, "cause": "bad_record"}],
        "partitions": [{"state": "halted"}],
        "bad_records": [{"offset": 7, "fate": "halted"}],
    });
    assert_has(&status_of(&pages), &halted);
}
