//! `verify` within its bounds: slices of the keys, ranges, the group's offsets, what comes later, and servers that are in
//! the way.

use std::time::Duration;

use kafka_milvus_sink::config::{self, Sources};
use kafka_milvus_sink::verify::{Limits, Options, Verdict, verify_within};
use serde_json::Value;
use testkit::client::Collection;
use testkit::fake::{Code, Fake, Key, Reply};
use testkit::kafka::Record;
use testkit::process::Signal;
use testkit::sink::write_config;
use testkit::suite;
use tokio::runtime::Runtime;

use super::{check, verify, with, written};
use crate::support::{Job, SOON, article, articles};

/// A scripted Milvus that has what the topic says.
fn on_fake(fake: &Fake, test: &str, partitions: i32) -> Job {
    let job = Job::with(suite::kafka(), test, partitions, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    job
}

#[test]
fn twenty_thousand_keys_are_taken_in_slices_and_every_change_is_found() {
    const ROWS: i64 = 20_000;
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_slices", 2);
    let record = |id: i64| Record::json(&article(id)).partition(i32::try_from(id % 2).unwrap());
    job.topic.produce((0..ROWS).map(record));
    written(&job, job.sink());
    for id in (0..ROWS).step_by(200) {
        match id % 400 {
            0 => fake.remove(&job.collection, &Key::Int(id)),
            _ => fake.change(&job.collection, &Key::Int(id), |row| {
                row.insert("link".to_owned(), Value::from(""));
            }),
        }
    }
    let (asked, key) = (fake.seen().len(), Key::Int(1));
    fake.copy(&job.collection, &key, &Key::Int(-1));
    let sources = Sources {
        files: vec![write_config(&job.config())],
        ..Sources::default()
    };
    let config = config::load(&sources).unwrap();
    let limits = Limits {
        fold_bytes: 400_000,
        ..Limits::default()
    };
    let options = Options {
        json: true,
        ..Options::default()
    };
    let mut out = Vec::new();
    let verdict = Runtime::new()
        .unwrap()
        .block_on(verify_within(limits, &config, &options, &mut out));
    assert_eq!(verdict.unwrap(), Verdict::Different);
    let out = String::from_utf8(out).unwrap();
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let summary = &last["summary"];
    let counts = [
        "records",
        "keys",
        "missing",
        "stale",
        "undeleted",
        "unexpected",
    ];
    let counts = counts.map(|name| summary[name].as_i64().unwrap());
    assert_eq!(counts, [ROWS, ROWS, 50, 50, 0, 1]);
    // Each slice asks anew for what nobody brought.
    let pages = fake.seen().len() - asked;
    assert!(pages > 10, "{pages} questions: that was one slice");
}

#[test]
fn what_the_group_has_not_committed_is_not_expected() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_committed", 1);
    job.topic
        .produce((0..10).map(|id| Record::json(&article(id))));
    written(&job, job.quick());
    job.topic
        .produce((10..15).map(|id| Record::json(&article(id))));
    let said = check(verify(&job), 0, &[]);
    assert_eq!(said.summary["ranges"][0]["to"], 10);
    let beyond: Vec<_> = (10..15).map(|offset| ("missing", 0, offset, "")).collect();
    check(verify(&job).arg("--to").arg("latest"), 1, &beyond);
    let place = format!("{}:0:12", job.topic.name());
    check(verify(&job).arg("--to").arg(&place), 1, &beyond[..2]);
    let (code, output) = testkit::sink::Sink::new(crate::support::SINK)
        .arg("verify")
        .config(&job.config())
        .run(SOON);
    assert_eq!(code, 0, "{output}");
    for words in [
        "from 0  to 10 (committed)",
        "5 offsets behind the ranges are not expected to be in Milvus",
        "10 records (0 bad, 0 without a change), 10 keys: 0 missing",
        "everything is there",
    ] {
        assert!(output.contains(words), "{words:?} is missing in:\n{output}");
    }
}

/// Of nothing it could not be said that everything is there.
#[test]
fn a_committed_offset_that_is_not_in_the_log_is_no_end_of_a_range() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_expired", 1);
    job.topic
        .produce((0..20).map(|id| Record::json(&article(id))));
    let found = |words: &str| {
        let (code, output) = verify(&job).run(SOON);
        assert_eq!(code, 1, "{output}");
        assert!(output.contains(words), "{words:?} is missing in:\n{output}");
    };
    job.topic.put_commit(&job.group(), 0, 30, b"");
    found("-0: the offsets [20, 30) are not in the log");
    job.topic.put_commit(&job.group(), 0, 5, b"");
    job.topic.delete_records_before(0, 12);
    found("-0: the offsets [5, 12) expired before they were read");
}

#[test]
fn a_difference_that_a_later_record_explains_is_none() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_later", 1);
    job.topic
        .produce((0..4).map(|id| Record::json(&article(id))));
    let changed = |id: i64, title: &str| {
        let mut article = article(id);
        article["title"] = title.into();
        Record::json(&article)
    };
    job.topic.produce([changed(1, "new"), changed(2, "new")]);
    written(&job, job.quick());
    // Both are as their last records say; of the second one somebody made a third thing.
    fake.change(&job.collection, &Key::Int(2), |row| {
        row.insert("title".to_owned(), "odd".into());
    });
    let said = check(verify(&job).arg("--to").arg("4"), 0, &[]);
    assert_eq!(said.summary["changed_behind"], 1, "{}", said.output);
    check(verify(&job), 1, &[("stale", 0, 5, "title")]);
}

#[test]
fn a_range_begins_at_an_offset_or_a_time_and_then_no_row_is_unexpected() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_since", 1);
    let at = |id: i64, time: i64| Record::json(&article(id)).timestamp(time);
    const HOUR: i64 = 3_600_000;
    let noon = 1_735_732_800_000;
    job.topic
        .produce([at(0, noon - HOUR), at(1, noon), at(2, noon + HOUR)]);
    written(&job, job.quick());
    for id in 0..3 {
        fake.remove(&job.collection, &Key::Int(id));
    }
    let missing = |offset| ("missing", 0, offset, "");
    let said = check(
        verify(&job).arg("--since").arg("2025-01-01T12:00:00Z"),
        1,
        &[missing(1), missing(2)],
    );
    assert_eq!(said.notes.len(), 1, "{}", said.output);
    assert!(
        said.notes[0].contains("are not looked for"),
        "{}",
        said.output
    );
    check(verify(&job).arg("--from").arg("2"), 1, &[missing(2)]);
    check(verify(&job).arg("--since").arg("1h"), 0, &[]);
}

#[test]
fn collections_without_a_key_of_the_records_are_refused() {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "verify_auto", 1, fake.endpoint(), None);
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .auto_id()
        .float_vector("v", 2);
    fake.create(collection.schema());
    let (code, output) = verify(&job).run(SOON);
    assert_eq!(code, 2, "{output}");
    assert!(output.contains("makes its own keys (autoID)"), "{output}");
}

#[test]
fn what_is_in_the_way_is_said() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_trouble", 1);
    job.topic.produce([Record::json(&article(1))]);
    written(&job, job.quick());
    let check = |command, code: i32, words: &str| {
        let (found, output) = testkit::sink::SinkCommand::run(command, SOON);
        assert_eq!(found, code, "{output}");
        assert!(output.contains(words), "{words:?} is missing in:\n{output}");
    };
    // What passes is waited for.
    let passing = [Reply::Code(8, "rate limit"), Reply::Grpc(Code::Unavailable)];
    fake.next_queries(passing);
    check(verify(&job), 0, "\"result\":\"same\"");
    fake.next_queries([Reply::Code(101, "collection not loaded[collection=7]")]);
    check(verify(&job), 1, "not loaded…); load the collection");
    let other = verify(&job).set("collection.name", "no_such_collection");
    check(other, 1, "collection 'no_such_collection' does not exist");
    check(
        verify(&job).set("topics", "no-such-topic"),
        1,
        "'no-such-topic' does not exist",
    );
    check(
        verify(&job).arg("--from").arg("other:0:1"),
        2,
        "names partition other-0",
    );
    fake.next_queries([Reply::Grpc(Code::Unauthenticated)]);
    check(verify(&job), 2, "refused the credentials");
}

#[test]
fn asked_to_stop_it_ends_at_once_and_says_that_it_is_not_finished() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_stop", 1);
    job.topic.produce([Record::json(&article(1))]);
    written(&job, job.quick());
    fake.next_queries([Reply::Hang]);
    let asked = fake.seen().len();
    let running = verify(&job)
        .set("milvus.request.timeout.ms", "20000")
        .start();
    testkit::wait::until(SOON, "a query", || {
        let seen = fake.seen();
        seen[asked..]
            .iter()
            .any(|seen| matches!(seen.call, testkit::fake::Call::Query(_)))
    });
    running.signal(Signal::Int);
    assert_eq!(
        running.wait_exit(Duration::from_secs(5)),
        1,
        "{}",
        running.output()
    );
    let said = running.output();
    assert!(
        said.contains(r#""result":"unfinished","reason":"interrupted""#),
        "{said}"
    );
}

#[test]
fn each_milvus_partition_is_compared_by_itself() {
    let fake = Fake::start();
    let job = on_fake(&fake, "verify_parts", 1);
    let other = suite::kafka().topic("verify_parts", 1);
    let topics = [&job.topic, &other];
    for topic in topics {
        fake.create_partition(&job.collection, &topic.name().replace('-', "_"));
        let mut article = article(1);
        article["title"] = topic.name().into();
        topic.produce_json(&article);
    }
    let both = format!("{},{}", job.topic.name(), other.name());
    let settings = [("topics", both.as_str()), ("partition.name", "${topic}")];
    let (code, output) = with(job.quick(), &settings).arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    let command = || with(verify(&job), &settings);
    assert_eq!(check(command(), 0, &[]).summary["keys"], 2);
    // The newest row of the key is that of one of the two.
    fake.change(&job.collection, &Key::Int(1), |row| {
        row.insert("link".to_owned(), "".into());
    });
    check(command(), 1, &[("stale", 0, 0, "link")]);
}
