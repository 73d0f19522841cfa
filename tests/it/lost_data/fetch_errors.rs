//! What a broker may answer to a fetch, on librdkafka's scripted one.

use testkit::kafka::{Answer, MockBroker};

use super::{CONTINUE, Case};
use crate::support::SOON;

#[rustfmt::skip] // one row a line
const ANSWERS: [Answer; 6] = [
    Answer::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    Answer::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    Answer::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID,
    Answer::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
    Answer::RD_KAFKA_RESP_ERR_INVALID_MSG,
    Answer::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
];

/// The offset is in the log all the while: whatever a broker says for a moment, nothing is passed over, and no policy has
/// to be asked.
#[test]
fn after_an_error_for_a_moment_everything_is_read() {
    std::thread::scope(|scope| {
        for answer in ANSWERS {
            scope.spawn(move || check(answer));
        }
    });
}

#[track_caller]
fn check(answer: Answer) {
    let kafka = MockBroker::start();
    let case = Case::on(kafka.topic("fetch_error", 1), "fetch_error");
    case.produce(0, 0..50);
    let sink = case.fails().set("log.level", "debug").start();
    case.await_committed(&[50]);
    kafka.answer_fetches(&[answer]);
    case.produce(0, 50..100);
    case.await_committed(&[100]);
    assert_eq!(case.keys(), (0..100).collect(), "{answer:?}");
    let output = sink.output();
    assert!(
        !output.contains("halted"),
        "{answer:?} {CONTINUE:?}\n{output}"
    );
    assert_eq!(sink.terminate(SOON), 0, "{answer:?}\n{}", sink.output());
}
