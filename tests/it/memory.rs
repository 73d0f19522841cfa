//! Memory: how much the sink takes while Milvus is silent, and who gets what is left of it.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::client::Collection;
use testkit::fake::Fake;
use testkit::kafka::{Record, Topic};
use testkit::process::Signal;
use testkit::proxy::{FaultProxy, Network};
use testkit::sink::Sink;
use testkit::{services, suite, wait};

use crate::load::Place;
use crate::support::{Job, SOON, article, assert_held};

const USED: &str = "milvus_sink_buffer_used_bytes";
const MIB: i64 = 1 << 20;

/// The collection of [`page`].
pub fn pages(name: &str) -> Collection {
    let collection = Collection::new(name)
        .int64_key("id")
        .varchar("text", 65_535);
    collection.float_vector("vector", 2)
}

/// Ten thousand bytes that go into a column.
pub fn page(id: i64) -> Record {
    Record::json(&json!({"id": id, "text": "x".repeat(10_000), "vector": [0.5, 1.0]}))
}

/// With the buffer as it comes, and two cores. Batches are so large that it is used up before one is full.
#[test]
fn with_a_silent_milvus_and_a_large_backlog_the_sink_stays_below_256_mib() {
    let fake = Fake::start();
    let proxy = FaultProxy::before(fake.port());
    let job = Job::with(suite::kafka(), "backlog", 4, proxy.endpoint(), None);
    fake.create(pages(&job.collection).schema());
    let sink = job.sink().set("tasks.max", "2");
    let sink = sink.set("batch.max.bytes", "50000000").start();
    job.topic.produce([page(0)]);
    job.await_committed();
    proxy.set(Network::Swallows);
    job.topic.produce((1..12_000).map(page));
    wait::until(SOON, "a full buffer", || sink.metric(USED) >= 64 * MIB);
    wait::throughout(Duration::from_secs(3), "bounded memory", || {
        sink.metric(USED) < 80 * MIB
    });
    let most = sink.peak_rss_kib() / 1024;
    assert!(most < 256, "{most} MiB");
    // Nothing of it can be written, so it is not asked to.
    sink.signal(Signal::Kill);
}

/// A small buffer, and records that may be larger.
fn small_buffer(job: &Job) -> Sink {
    let sink = job.quick().set("buffer.max.bytes", "1048576");
    let sink = sink.set("batch.max.bytes", "262144");
    sink.set("tasks.max", "4").start()
}

/// An article with so many bytes that no column takes.
fn padded(id: i64, bytes: usize) -> Record {
    let mut article = article(id);
    article["padding"] = "x".repeat(bytes).into();
    Record::json(&article)
}

const LARGE: (&str, &str) = ("max.message.bytes", "100000000");

#[test]
fn records_that_are_larger_than_the_buffer_pass_one_by_one() {
    let job = Job::on_lite("larger_than_the_buffer", 2).topic_config(&[LARGE]);
    let record = |id: i64| padded(id, if id % 10 == 5 { 6_000_000 } else { 100 });
    job.topic.produce((0..60).map(record));
    let sink = small_buffer(&job);
    job.await_committed();
    job.milvus.await_count(&job.collection, 60, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// What waits for company is sent when there is no room for company.
#[test]
fn an_exhausted_buffer_does_not_wait_for_the_linger() {
    let job = Job::on_lite("exhausted", 4);
    let record = |id: i64| padded(id, 10_000).partition(i32::try_from(id % 4).unwrap());
    job.topic.produce((0..800).map(record));
    let sink = job.quick().set("linger.ms", "60000");
    let sink = sink.set("buffer.max.bytes", "1048576");
    let begun = Instant::now();
    // Eight buffers full, of which none fills a batch.
    let sink = sink.set("batch.max.bytes", "1048576").start();
    wait::until(SOON, "all but what still waits", || {
        job.milvus.count(&job.collection) > 600
    });
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(50), "{took:?}");
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

/// The collection that goes with a topic of the family.
fn collection(topic: &Topic) -> String {
    topic.name().replace('-', "_")
}

#[test]
fn a_topic_that_comes_when_another_one_holds_everything_is_written() {
    let mut job = Job::on_lite("everything", 1);
    let family = services::unique("hoard");
    let topic = |suffix: &str| {
        let name = format!("{family}-{suffix}");
        suite::kafka().topic_named(&name, 1, &[LARGE])
    };
    let hoard = topic("first");
    job.create(&crate::support::articles(&collection(&hoard)));
    let sink = job
        .quick()
        .set("topics", "")
        .set("topics.regex", &format!("{family}-.*"))
        .set("collection.name", "${topic}")
        .set("consumer.metadata.max.age.ms", "1000")
        .set("shutdown.timeout.ms", "1000")
        .set("batch.max.bytes", "262144")
        .set("buffer.max.bytes", "1048576")
        .start();
    hoard.produce([padded(0, 100)]);
    job.milvus.await_count(&collection(&hoard), 1, SOON);
    job.milvus.drop_collection(&collection(&hoard));
    hoard.produce((1..400).map(|id| padded(id, 10_000)));
    assert_held(&sink, "collection_missing", &[]);
    wait::until(SOON, "all of the memory", || sink.metric(USED) >= MIB);

    let late = topic("late");
    job.create(&crate::support::articles(&collection(&late)));
    late.produce((0..10).map(|id| padded(id, if id == 5 { 3_000_000 } else { 100 })));
    late.await_committed_to_end(&job.group(), SOON);
    job.milvus.await_count(&collection(&late), 10, SOON);
    assert!(sink.metric(USED) >= MIB, "the first still holds everything");
    job.topic = hoard;
    assert_eq!(job.topic.committed(&job.group()), [Some(1)]);
    assert_eq!(sink.terminate(SOON), 1, "{}", sink.output());
}

#[test]
fn a_hot_key_keeps_its_own_partition_busy_and_no_other() {
    let job = Job::on_lite("hot_key", 4);
    let place = Place::of(&job);
    let hot = |n: i64| {
        let mut article = article(-1);
        article["title"] = n.to_string().into();
        Record::json(&article).partition(0)
    };
    let sink = job.quick().set("tasks.max", "4").start();
    // One key, over and over: each batch of it waits for the one before.
    let mut heated = 0;
    let mut heat = || {
        job.topic.produce((heated..heated + 100).map(hot));
        heated += 100;
    };
    heat();
    for partition in 1..4 {
        job.topic.produce(place.records(partition, 0..1000));
    }
    wait::until(SOON, "the other partitions", || {
        heat();
        place.committed()[1..] == [1000; 3]
    });
    job.await_committed();
    let rows = job.milvus.query(&job.collection, "id == -1");
    let titles: Vec<_> = rows.iter().map(|row| &row["title"]).collect();
    assert_eq!(titles, [&json!((heated - 1).to_string())]);
    assert_eq!(job.milvus.count(&job.collection), 3001);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
