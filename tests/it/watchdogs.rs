//! The sink stands still, and nothing is said to be in its way: it says its state, and ends with 1.

use testkit::fake::Fake;
use testkit::kafka::{Answer, MockBroker};
use testkit::process::Signal;
use testkit::wait;

use crate::load::Place;
use crate::support::{Job, SOON, articles};

#[test]
fn commits_that_kafka_never_takes_are_said_with_the_state_and_then_end_the_sink() {
    let (fake, kafka) = (Fake::start(), MockBroker::start());
    let topic = kafka.topic("uncommitted", 2);
    let job = Job::between(topic, "uncommitted", fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let place = Place::of(&job);
    let sink = job.quick().set("watchdog.timeout.ms", "4000").start();
    place.produce(0..10);
    job.await_committed();
    kafka.answer_commits(&[Answer::RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE; 10_000]);
    place.produce(10..20);

    sink.wait_for_line("watchdog=\"commit\"", SOON);
    let said = |word: &str| sink.wait_for_line(word, SOON);
    let state = said("ERROR state: the poll loop turned ");
    assert!(state.contains("bytes of memory are held"), "{state}");
    for partition in 0..2 {
        let name = format!("state: {}-{partition}: ", job.topic.name());
        let read = "read 20, settled 20, committed 10, lag 0";
        assert!(said(&name).contains(read), "{}", said(&name));
    }
    let alarms = sink.metric(r#"milvus_sink_watchdog_alarms_total{watchdog="commit"}"#);
    assert_eq!(alarms, 1);
    assert_eq!(sink.wait_exit(SOON), 1, "{}", sink.output());
    let why = said("ends the process: ");
    assert!(why.contains("the commit watchdog"), "{why}");
    assert!(
        why.contains("has not been told of settled offsets"),
        "{why}"
    );
}

/// A client that fetches nothing never hears that there is more: so Kafka is asked.
#[test]
fn records_that_the_client_does_not_fetch_are_noticed_and_end_the_sink() {
    let (fake, kafka) = (Fake::start(), MockBroker::start());
    let topic = kafka.topic("unfetched", 1);
    let job = Job::between(topic, "unfetched", fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let place = Place::of(&job);
    let sink = job.quick().set("watchdog.timeout.ms", "4000");
    let sink = sink.set("late.landing.grace.ms", "1000").start();
    place.produce(0..10);
    job.await_committed();
    kafka.answer_fetches(&[Answer::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR; 100_000]);
    place.produce(10..20);

    let said = sink.wait_for_line("watchdog=\"progress\"", SOON);
    let expected = "read 10, settled 10, committed 10, lag 10, fetched 10";
    assert!(said.contains(expected), "{said}");
    assert_eq!(sink.wait_exit(SOON), 1, "{}", sink.output());
}

/// Its end is never told, and no error says so.
#[test]
fn a_partition_that_is_assigned_and_never_begun_is_noticed_and_ends_the_sink() {
    let (fake, kafka) = (Fake::start(), MockBroker::start());
    let topic = kafka.topic("unbegun", 1);
    let job = Job::between(topic, "unbegun", fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    kafka.answer_ends(&[Answer::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART; 100_000]);
    let sink = job.quick().set("watchdog.timeout.ms", "4000");
    let sink = sink.set("late.landing.grace.ms", "1000").start();

    let said = sink.wait_for_line("watchdog=\"progress\"", SOON);
    let expected = "not begun, since Kafka has not said from where";
    assert!(said.contains(expected), "{said}");
    assert_eq!(sink.wait_exit(SOON), 1, "{}", sink.output());
}

/// Neither a process that was stopped for longer than that nor a Milvus that is away is a standstill of the sink.
#[test]
fn a_hold_and_a_frozen_process_trip_no_watchdog() {
    let fake = Fake::start();
    let proxy = testkit::proxy::FaultProxy::before(fake.port());
    let kafka = testkit::suite::kafka();
    let job = Job::with(kafka, "excused", 1, proxy.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let place = Place::of(&job);
    let sink = job.quick().set("watchdog.timeout.ms", "2000");
    let sink = sink.set("shutdown.timeout.ms", "3000").start();
    place.produce(0..10);
    job.await_committed();
    proxy.set(testkit::proxy::Network::Refuses);
    place.produce(10..20);
    sink.wait_for_line("cause=\"milvus_unreachable\"", SOON);
    let while_held = std::time::Duration::from_secs(9);
    wait::throughout(while_held, "a patient sink", || sink.runs());
    sink.signal(Signal::Stop);
    wait::throughout(std::time::Duration::from_secs(3), "a burst", || true);
    sink.signal(Signal::Cont);
    proxy.set(testkit::proxy::Network::Works);
    job.await_committed();
    assert_eq!(sink.find_line("watchdog=\""), None, "{}", sink.output());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
