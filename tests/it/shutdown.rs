//! Asked to stop while nobody answers: it ends in time, says what is left, and the next start goes on from there.

use std::time::{Duration, Instant};

use testkit::kafka::{Broker, BrokerOptions};
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{suite, wait};

use crate::load::Place;
use crate::support::{Job, SOON, articles, given_up};

const SHUTDOWN: Duration = Duration::from_secs(4);
const NOT_DRAINED: &str =
    "ERROR stopped before everything read was written; the rest is read again";

/// What stands still at the moment of the request, beside Kafka.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Left {
    /// Everything is written and committed.
    Nothing,
    /// Rows whose offsets are not committed yet.
    Commits,
    /// Rows that Milvus did not answer for.
    Rows,
}

struct Case {
    left: Left,
    job: Job,
    place: Place,
    proxy: FaultProxy,
    sink: Sink,
    committed: Vec<i64>,
}

impl Case {
    /// Ten records of two partitions are read; what is left of them is left.
    fn start(kafka: &Broker, left: Left) -> Self {
        let lite = suite::lite();
        let proxy = FaultProxy::before(lite.port());
        let job = Job::with(kafka, "frozen_kafka", 2, lite.endpoint(), None);
        job.create(&articles(&job.collection));
        let job = job.through(proxy.endpoint());
        let place = Place::of(&job);
        let shutdown = SHUTDOWN.as_millis().to_string();
        let sink = job.quick().set("shutdown.timeout.ms", &shutdown);
        let sink = match left {
            // The first commit does not wait for it.
            Left::Commits => sink.set("offset.flush.interval.ms", "600000"),
            _ => sink,
        };
        let sink = sink.start();
        place.produce(0..1);
        job.milvus.await_count(&job.collection, 2, SOON);
        wait::until(SOON, "the first commit", || place.committed() != [0, 0]);
        if left == Left::Rows {
            job.await_committed();
            proxy.set(Network::Swallows);
        }
        place.produce(1..5);
        match left {
            Left::Nothing => job.await_committed(),
            Left::Commits => job.milvus.await_count(&job.collection, 10, SOON),
            Left::Rows => wait::until(SOON, "rows in hand", || {
                sink.metric("milvus_sink_records_read_total") == 10
            }),
        }
        let committed = place.committed();
        Self {
            left,
            job,
            place,
            proxy,
            sink,
            committed,
        }
    }

    #[track_caller]
    fn assert_ends_in_time(&self) {
        let asked = Instant::now();
        let status = self.sink.terminate(SOON);
        let (took, output) = (asked.elapsed(), self.sink.output());
        let what = format!("{:?} {took:?}\n{output}", self.left);
        assert!(took < SHUTDOWN + Duration::from_secs(5), "{what}");
        let (expected, words, settled) = match self.left {
            Left::Nothing => (0, "everything read was written and committed", None),
            Left::Commits => (1, NOT_DRAINED, Some(5)),
            Left::Rows => (1, NOT_DRAINED, Some(1)),
        };
        assert_eq!(status, expected, "{what}");
        assert!(output.contains(words), "{what}");
        assert!(!output.contains("goes on"), "{what}");
        assert!(output.contains("INFO in all: 10 records read, "), "{what}");
        let said = settled.map(|settled| self.all_given_up(settled));
        assert_eq!(given_up(&self.sink), said.unwrap_or_default(), "{what}");
    }

    fn all_given_up(&self, settled: i64) -> Vec<String> {
        let topic = self.job.topic.name();
        let line = |(committed, partition): (&i64, usize)| {
            format!("{topic}-{partition} settled={settled} read=5 committed={committed}")
        };
        self.committed.iter().zip(0..).map(line).collect()
    }

    #[track_caller]
    fn assert_goes_on(&self) {
        let sink = self.job.quick().start();
        self.place.produce(5..10);
        self.job.await_committed();
        self.place.assert_holds(&[10; 2]);
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}

#[test]
fn a_stop_while_kafka_is_frozen_ends_in_time_says_what_is_left_and_loses_nothing() {
    let kafka = Broker::start(&BrokerOptions::default());
    let lefts = [Left::Nothing, Left::Commits, Left::Rows];

    let cases = lefts.map(|left| Case::start(&kafka, left));
    kafka.pause();
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| case.assert_ends_in_time());
        }
    });
    kafka.resume();
    for case in &cases {
        case.proxy.set(Network::Works);
    }
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| case.assert_goes_on());
        }
    });
}
