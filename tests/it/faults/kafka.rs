//! Kafka is killed: for a moment in mid-stream, and for longer than the session.

use std::time::Duration;

use testkit::kafka::{Broker, BrokerOptions};
use testkit::proxy::{FaultProxy, Network};
use testkit::{suite, wait};

use super::{await_no_lag, records_read, terminate};
use crate::load::{Place, Stream, Witness};
use crate::support::{Job, SOON, articles, full};

#[test]
fn a_kafka_that_is_killed_is_waited_for_shorter_and_longer_than_the_session() {
    let mut kafka = Broker::start(&BrokerOptions::default());
    let lite = suite::lite();
    let proxy = FaultProxy::before(lite.port());
    let job = Job::with(&kafka, "kafka_killed", 4, lite.endpoint(), None);
    job.create(&articles(&job.collection));
    let job = job.through(proxy.endpoint());
    let place = Place::of(&job);
    let (stream, witness) = (Stream::start(&job), Witness::start(&job));
    let sink = job.quick().start();
    for _ in 0..full(1, 20) {
        stream.await_progress(500);
        kafka.kill();
        kafka.start_again();
    }
    stream.await_progress(500);
    stream.finish();
    witness.finish();

    // Rows in hand when it goes are written; when the session is over, nothing is.
    let end = job.topic.end_offsets()[0];
    proxy.set(Network::Swallows);
    place.produce(end..end + 100);
    let read = 4 * (end + 100);
    let reads = || records_read(&sink);
    let before = reads();
    wait::until(SOON, "rows in hand", || reads() > before || reads() >= read);
    kafka.kill();
    proxy.set(Network::Works);
    sink.wait_for_line("lost partitions", SOON);
    sink.await_readyz(503, SOON);
    let away = Duration::from_secs(full(8, 600));
    wait::throughout(away, "a sink that waits", || sink.runs());
    kafka.start_again();
    place.produce(end + 100..end + 200);
    job.await_committed();
    await_no_lag(&sink, &job);
    place.assert_holds(&[end + 200; 4]);
    terminate(&sink);
}
