//! Commits that Kafka refuses, and a group coordinator that is slow or away, on librdkafka's scripted broker.

use std::time::{Duration, Instant};

use testkit::fake::{Fake, Key};
use testkit::kafka::{Answer, MockBroker};
use testkit::sink::{Sink, SinkCommand};
use testkit::wait;

use crate::load::Place;
use crate::support::{Job, SOON, articles, given_up};

const PARTITIONS: i32 = 2;

/// A sink between a scripted broker and a scripted Milvus.
struct Case {
    kafka: MockBroker,
    job: Job,
    place: Place,
}

impl Case {
    fn new(fake: &Fake, test: &str) -> Self {
        let kafka = MockBroker::start();
        let topic = kafka.topic(test, PARTITIONS);
        let job = Job::between(topic, test, fake.endpoint(), None);
        fake.create(articles(&job.collection).schema());
        let place = Place::of(&job);
        Self { kafka, job, place }
    }

    fn sink(&self) -> SinkCommand {
        self.job.quick().set("log.level", "debug")
    }

    fn await_rows(&self, fake: &Fake, end: i64) {
        let rows = usize::try_from(end * i64::from(PARTITIONS)).unwrap();
        wait::until(SOON, format_args!("{rows} rows"), || {
            fake.rows(&self.job.collection).len() == rows
        });
    }

    /// Everything is committed up to `end`, and every row is there.
    #[track_caller]
    fn assert_everything_below(&self, end: i64, fake: &Fake, what: &str) {
        assert_eq!(self.place.committed(), [end; 2], "{what}");
        let rows = fake.rows(&self.job.collection);
        let missing: Vec<_> = (0..PARTITIONS)
            .flat_map(|partition| (0..end).map(move |offset| (partition, offset)))
            .filter(|(partition, offset)| {
                let key = self.place.key(*partition, *offset);
                !rows.contains_key(&Key::Int(key))
            })
            .collect();
        assert!(missing.is_empty(), "{what}: missing {missing:?}");
    }
}

/// What follows a refused commit. It is repeated in each case.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    /// librdkafka repeats it, and nobody hears of it.
    Unsaid,
    Said,
    /// Without the collection that the offsets belong to.
    CommitsBare,
    /// librdkafka takes the member for thrown out: its partitions are lost, and it joins anew.
    Rejoins,
    /// librdkafka looks for the coordinator again, which may take it longer than this short session.
    Reconnects,
}

const AGAIN: &str = "offsets were not committed; committing again until it succeeds";
const BARE: &str = "committing offsets without the collection they belong to";

#[rustfmt::skip] // one row a line
const ANSWERS: &[(Answer, Then)] = &[
    (Answer::RD_KAFKA_RESP_ERR_NOT_COORDINATOR, Then::Reconnects),
    (Answer::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, Then::Unsaid),
    (Answer::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, Then::Reconnects),
    (Answer::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, Then::Unsaid),
    (Answer::RD_KAFKA_RESP_ERR__TRANSPORT, Then::Reconnects),
    (Answer::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Then::Unsaid),
    (Answer::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, Then::Said),
    (Answer::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, Then::Said),
    (Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Then::Said),
    (Answer::RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE, Then::Said),
    (Answer::RD_KAFKA_RESP_ERR_UNKNOWN, Then::Said),
    (Answer::RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, Then::CommitsBare),
    (Answer::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, Then::Rejoins),
    (Answer::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, Then::Rejoins),
];

#[test]
fn whatever_kafka_answers_to_a_commit_the_offsets_are_committed_in_the_end() {
    let fake = Fake::start();
    std::thread::scope(|scope| {
        for (answer, then) in ANSWERS {
            scope.spawn(|| check(&fake, *answer, *then));
        }
    });
}

#[track_caller]
fn check(fake: &Fake, answer: Answer, then: Then) {
    let case = Case::new(fake, "commit_error");
    case.place.produce(0..50);
    let sink = case.sink().start();
    case.job.await_committed();
    case.kafka.answer_commits(&[answer]);
    case.place.produce(50..100);
    case.job.await_committed();

    let what = format!("{answer:?}\n{}", sink.output());
    if then != Then::Reconnects {
        assert_follows(&sink, then, &what);
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    case.assert_everything_below(100, fake, &what);
}

#[track_caller]
fn assert_follows(sink: &Sink, then: Then, what: &str) {
    let rejoins = then == Then::Rejoins;
    let is_lost = sink.find_line("rebalance=Lost").is_some();
    assert_eq!(is_lost, rejoins, "{what}");
    if !rejoins {
        let read = sink.metric("milvus_sink_records_read_total");
        assert_eq!(read, 200, "nothing is read twice after {what}");
    }
    let said = [AGAIN, BARE].map(|text| sink.find_line(text).is_some());
    let expected = [then == Then::Said || rejoins, then == Then::CommitsBare];
    assert_eq!(said, expected, "{what}");
}

/// The coordinator at the moment of the request to stop, and what comes of it.
#[derive(Debug)]
struct Stop {
    /// Rows are written whose offsets are not committed yet.
    uncommitted: bool,
    coordinator: Coordinator,
    status: i32,
}

#[derive(Debug)]
enum Coordinator {
    Slow(Duration),
    Away,
}

const SHUTDOWN: Duration = Duration::from_secs(3);

#[test]
fn a_stop_ends_in_time_however_slow_the_coordinator_is() {
    use Coordinator::{Away, Slow};
    let fake = Fake::start();
    let stop = |uncommitted, coordinator, status| Stop {
        uncommitted,
        coordinator,
        status,
    };
    let stops = [
        stop(true, Slow(Duration::from_millis(500)), 0),
        stop(true, Slow(Duration::from_secs(30)), 1),
        stop(true, Away, 1),
        stop(false, Slow(Duration::from_secs(30)), 0),
        stop(false, Away, 0),
    ];
    std::thread::scope(|scope| {
        for stop in &stops {
            scope.spawn(|| check_stop(&fake, stop));
        }
    });
}

#[track_caller]
fn check_stop(fake: &Fake, stop: &Stop) {
    let case = Case::new(fake, "slow_stop");
    let milliseconds = SHUTDOWN.as_millis().to_string();
    let sink = case.sink().set("shutdown.timeout.ms", &milliseconds);
    let sink = if stop.uncommitted {
        sink.set("offset.flush.interval.ms", "600000") // the first commit does not wait for it
    } else {
        sink
    };
    let sink = sink.start();
    case.place.produce(0..1);
    case.await_rows(fake, 1);
    wait::until(SOON, "the first commit", || {
        case.place.committed() != [0, 0]
    });
    case.place.produce(1..50);
    case.await_rows(fake, 50);
    if !stop.uncommitted {
        case.job.await_committed();
    }

    match stop.coordinator {
        Coordinator::Slow(by) => case.kafka.slow_down(by),
        Coordinator::Away => case.kafka.go_away(),
    }
    let asked = Instant::now();
    let status = sink.terminate(SOON);
    let (took, what) = (asked.elapsed(), format!("{stop:?}\n{}", sink.output()));
    assert_eq!(status, stop.status, "{what}");
    assert_eq!(given_up(&sink).is_empty(), status == 0, "{what}");
    assert!(took < SHUTDOWN + Duration::from_secs(5), "{took:?} {what}");

    match stop.coordinator {
        Coordinator::Slow(_) => case.kafka.slow_down(Duration::ZERO),
        Coordinator::Away => case.kafka.come_back(),
    }
    let sink = case.sink().start();
    case.place.produce(50..60);
    case.job.await_committed();
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    case.assert_everything_below(60, fake, &what);
}
