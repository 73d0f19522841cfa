//! The sink itself is killed: at every point of a request, and at moments that nobody chose.

use std::time::Duration;

use testkit::fake::{Call, Fake, Key, Reply};
use testkit::process::Signal;
use testkit::sink::Sink;
use testkit::{suite, wait};

use super::terminate;
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, articles, full};

/// Where a request is when the process dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Point {
    /// Milvus has it and has not applied it.
    Sent,
    /// Milvus has applied it and has not answered.
    Applied,
    /// It is acknowledged and its offsets are not committed.
    Acknowledged,
    /// As `Sent`, and the process was asked to stop before.
    Draining,
}

#[test]
fn killed_at_any_point_of_a_request_it_goes_on_from_what_was_committed() {
    let points = [
        Point::Sent,
        Point::Applied,
        Point::Acknowledged,
        Point::Draining,
    ];
    std::thread::scope(|scope| {
        for point in points {
            scope.spawn(move || check(point));
        }
    });
}

#[track_caller]
fn check(point: Point) {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "point", 1, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let place = Place::of(&job);
    let sink = match point {
        // The first commit does not wait for it.
        Point::Acknowledged => job.quick().set("offset.flush.interval.ms", "600000"),
        _ => job.quick(),
    };
    let sink = sink.start();
    place.produce(0..10);
    job.await_committed();
    let rows = || fake.rows(&job.collection).len();
    let writes = || {
        let seen = fake.seen();
        let writes = seen.iter().filter(|s| matches!(s.call, Call::Upsert(_)));
        writes.count()
    };
    let before = writes();
    match point {
        Point::Sent | Point::Draining => fake.next_writes([Reply::Hang]),
        Point::Applied => fake.next_writes([Reply::ApplyThenFail(Box::new(Reply::Hang))]),
        Point::Acknowledged => {}
    }
    place.produce(10..20);
    wait::until(SOON, "the request", || writes() > before);
    await_point(point, &sink, &|| rows() == 20);
    sink.kill();
    assert_eq!(place.committed(), [10], "{point:?}");

    // What it left in the script is no answer to its successor.
    let sink = job.quick().start();
    job.await_committed();
    let found: Vec<Key> = fake.rows(&job.collection).into_keys().collect();
    assert_eq!(found, (0..20).map(Key::Int).collect::<Vec<_>>());
    terminate(&sink);
}

#[track_caller]
fn await_point(point: Point, sink: &Sink, is_applied: &dyn Fn() -> bool) {
    match point {
        Point::Sent => {}
        Point::Applied => wait::until(SOON, "the rows", is_applied),
        Point::Acknowledged => wait::until(SOON, "the acknowledgement", || {
            sink.metric("milvus_sink_rows_written_total") == 20
        }),
        Point::Draining => {
            sink.signal(Signal::Term);
            sink.wait_for_line("asked to stop; draining", SOON);
        }
    }
}

#[test]
fn killed_again_and_again_at_random_moments_it_loses_nothing() {
    let job = Job::new("random_kills", 4);
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));
    let mut random = 20_261_123_u64;
    for _ in 0..full(5, 50) {
        let sink = job.quick().start();
        stream.await_progress(100);
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let moment = Duration::from_millis((random >> 33) % 400);
        wait::throughout(moment, "a running sink", || sink.runs());
        sink.kill();
    }
    let sink = job.quick().start();
    stream.await_progress(100);
    stream.finish();
    witness.finish();
    terminate(&sink);
}
