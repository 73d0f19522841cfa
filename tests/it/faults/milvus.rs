//! Milvus is killed, stands still, asks to wait, has no room, is not loaded, or refuses row after row.

use std::time::Duration;

use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::fake::{Call, Code, Fake, Reply};
use testkit::kafka::{Record, Topic};
use testkit::milvus_server::{Lite, Standalone, StandaloneOptions};
use testkit::sink::Sink;
use testkit::{suite, wait};

use super::{administer, await_held, await_no_lag, dead_letters, keeping, partitions, terminate};
use crate::load::{Place, Stream};
use crate::support::{Job, SOON, articles, full};

/// Two partitions on a server of this test's own.
fn job_on(test: &str, endpoint: String, token: Option<&'static str>) -> (Job, Topic) {
    let job = Job::with(suite::kafka(), test, 2, endpoint, token);
    job.create(&articles(&job.collection));
    (job, dead_letters(suite::kafka(), test))
}

/// It waits as a member, with no more memory than it has.
#[track_caller]
fn assert_waits(sink: &Sink, time: Duration) {
    let most = sink.rss_kib() + 64 * 1024;
    wait::throughout(time, "a member that waits", || {
        partitions(sink) == 2 && sink.rss_kib() < most
    });
    let lost = sink.find_line("lost partitions");
    assert!(lost.is_none(), "{}", sink.output());
}

#[test]
fn a_milvus_that_is_killed_and_away_for_minutes_and_killed_again_leaves_no_dead_letter_and_no_lag()
{
    let mut milvus = Standalone::start(&StandaloneOptions::default());
    let (job, dead) = job_on("away", milvus.endpoint(), milvus.token());
    let stream = Stream::start(&job);
    let sink = keeping(job.quick(), &dead).start();
    stream.await_progress(500);
    milvus.kill();
    sink.await_readyz(503, SOON);
    assert_waits(&sink, Duration::from_secs(full(5, 300)));
    for _ in 0..full(1, 20) {
        milvus.start_again();
        stream.await_progress(300);
        milvus.kill();
    }
    milvus.start_again();
    sink.await_readyz(200, SOON);
    stream.await_progress(500);
    stream.finish();
    await_no_lag(&sink, &job);
    assert_eq!(dead.end_offsets(), [0]);
    terminate(&sink);
}

#[test]
fn a_milvus_that_stands_still_for_minutes_costs_neither_memory_nor_membership() {
    let milvus = Lite::start();
    let (job, dead) = job_on("still", milvus.endpoint(), None);
    let stream = Stream::start(&job);
    let sink = keeping(job.quick(), &dead).start();
    stream.await_progress(500);
    milvus.pause();
    await_held(&sink, "milvus_slow");
    assert_waits(&sink, Duration::from_secs(full(10, 300)));
    milvus.resume();
    stream.await_progress(500);
    stream.finish();
    await_no_lag(&sink, &job);
    assert_eq!(dead.end_offsets(), [0]);
    terminate(&sink);
}

/// More often than an answer is repeated that may be a row's fault.
const REPEATS: usize = 8;

#[test]
fn an_answer_that_asks_to_wait_is_repeated_without_end_and_blames_no_record() {
    let answers = [
        (Reply::Code(8, "rate limit exceeded"), "milvus_busy"),
        (Reply::Code(11, "time tick delay"), "milvus_busy"),
        (Reply::Grpc(Code::ResourceExhausted), "milvus_busy"),
        (Reply::Code(9, "quota exceeded"), "milvus_denies"),
        (Reply::Code(3, "memory quota exceeded"), "milvus_denies"),
        (Reply::Code(7, "disk quota exceeded"), "milvus_denies"),
        (Reply::Grpc(Code::Unavailable), "milvus_unreachable"),
        (Reply::Grpc(Code::DeadlineExceeded), "milvus_slow"),
    ];
    std::thread::scope(|scope| {
        for (answer, cause) in &answers {
            scope.spawn(|| check_waits(answer, cause));
        }
    });
}

#[track_caller]
fn check_waits(answer: &Reply, cause: &str) {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "waits", 1, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let dead = dead_letters(suite::kafka(), "waits");
    let place = Place::of(&job);
    place.produce(0..20);
    fake.next_writes(std::iter::repeat_n(answer.clone(), REPEATS));
    let sink = keeping(job.quick(), &dead).set("linger.ms", "500").start();
    sink.wait_for_line(&format!("cause=\"{cause}\""), SOON);
    job.await_committed();
    assert_eq!(fake.rows(&job.collection).len(), 20, "{answer:?}");
    assert_eq!(dead.end_offsets(), [0], "{answer:?}");
    // The same request every time, and not its halves.
    let seen = fake.seen();
    let writes = seen.iter().filter_map(|seen| match &seen.call {
        Call::Upsert(request) => Some(request.num_rows),
        _ => None,
    });
    assert_eq!(writes.collect::<Vec<_>>(), [20; REPEATS + 1], "{answer:?}");
    terminate(&sink);
}

#[test]
fn a_milvus_that_denies_writes_is_waited_for_until_it_takes_them() {
    const DENIES: &str = "quotaAndLimits.limitWriting.forceDeny";
    let mut milvus = Standalone::start(&StandaloneOptions {
        authorization: false,
        settings: vec![(DENIES.to_owned(), "true".to_owned())],
    });
    let (job, dead) = job_on("quota", milvus.endpoint(), None);
    let place = Place::of(&job);
    place.produce(0..500);
    let sink = keeping(job.quick(), &dead).start();
    await_held(&sink, "milvus_denies");
    assert_waits(&sink, Duration::from_secs(full(3, 60)));
    assert_eq!(place.committed(), [0, 0]);
    milvus.stop();
    milvus.set(DENIES, "false");
    milvus.start_again();
    job.await_committed();
    place.assert_holds(&[500; 2]);
    assert_eq!(dead.end_offsets(), [0]);
    terminate(&sink);
}

#[test]
fn a_collection_that_is_released_and_has_no_index_any_more_is_written_all_the_same() {
    let job = Job::new("released", 2);
    let place = Place::of(&job);
    let sink = job.quick().start();
    place.produce(0..100);
    job.await_committed();
    let (endpoint, name) = (job.endpoint(), &job.collection);
    administer(
        endpoint,
        &format!(
            "client.release_collection('{name}')\n\
             for index in client.list_indexes('{name}'): client.drop_index('{name}', index)"
        ),
    );
    place.produce(100..200);
    job.await_committed();
    assert_eq!(sink.await_readyz(200, SOON), "ready\n");
    administer(
        endpoint,
        &format!(
            "index = client.prepare_index_params()\n\
             index.add_index('title_vector', index_type='FLAT', metric_type='L2')\n\
             client.create_index('{name}', index)\n\
             client.load_collection('{name}')"
        ),
    );
    place.assert_holds(&[200; 2]);
    terminate(&sink);
}

#[test]
fn records_refused_one_after_the_other_halt_before_they_fill_the_dead_letters() {
    let job = Job::with(
        suite::kafka(),
        "all_refused",
        1,
        suite::lite().endpoint(),
        None,
    );
    let collection = Collection::new(&job.collection).int64_key("id");
    job.create(&collection.scalar("sparse", Type::SparseFloatVector));
    let dead = dead_letters(suite::kafka(), "all_refused");
    // Milvus Lite refuses a sparse vector of nothing, however many there are.
    let record = |id: i64| Record::json(&json!({"id": id, "sparse": {}}));
    job.topic.produce((0..200).map(record));
    let sink = keeping(job.quick(), &dead)
        .set("errors.refused.max.consecutive", "5")
        .start();
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    let halted = sink.find_line(" halted ").unwrap();
    assert!(halted.contains("refused_in_a_row"), "{halted}");
    let kept = dead.end_offsets()[0];
    assert!(kept <= 5, "{kept} dead letters");
    assert_eq!(
        job.topic.committed(&job.group()).remove(0).unwrap_or(0),
        kept
    );
}
