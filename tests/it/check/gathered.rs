//! What is found in Kafka and Milvus: where the group stands, what this user may do, what is loaded.

use serde_json::json;
use testkit::fake::{Call, Code, Fake, Reply};
use testkit::kafka::Record;
use testkit::sink::Sink;
use testkit::{services, suite};

use super::{causes, check, report, said};
use crate::faults::administer;
use crate::support::{Job, SINK, SOON, article, articles};

/// On the scripted Milvus.
fn on(fake: &Fake, test: &str) -> Job {
    let job = Job::with(suite::kafka(), test, 2, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    job
}

#[test]
fn the_first_read_is_told_before_and_after_a_commit() {
    let job = Job::on_lite("check_first", 2);
    let records = (0..5).map(|id| Record::json(&article(id)).partition(0));
    job.topic.produce(records);
    let positions = || report(&job, &[], &[], 0)["kafka"]["partitions"].clone();
    let position = |partition, committed: Option<i64>, end, first, why: &str| {
        json!({
            "topic": job.topic.name(), "partition": partition, "committed": committed,
            "begin": 0, "end": end, "first_read": first, "lag": end - first, "why": why,
        })
    };
    let why = "nothing is committed: begins at the first record";
    let expected = [position(0, None, 5, 0, why), position(1, None, 0, 0, why)];
    assert_eq!(positions(), json!(expected));

    let (code, output) = job.quick().arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    job.topic.produce([Record::json(&article(9)).partition(0)]);
    let found = positions();
    let why = "goes on after what is committed";
    assert_eq!(found[0], position(0, Some(5), 6, 5, why));
    check(
        &job,
        &[("consumer.auto.offset.reset", "none"), ("name", "nobody")],
        1,
        &["[no_committed_offset]", "set the group's offset"],
    );
}

#[test]
fn a_group_that_has_members_is_told() {
    let job = Job::on_lite("check_members", 1);
    let sink = job.quick().start();
    sink.await_readyz(200, SOON);
    let said = said(&job, &[], &[], 0);
    let words = "it has members now, which share the partitions with `run`: kafka-milvus-sink-";
    assert!(said.contains(words), "{said}");
    assert_eq!(sink.terminate(SOON), 0);
}

#[test]
fn the_insert_privilege_is_asked_for_by_a_request_of_no_rows() {
    let fake = Fake::start();
    let job = on(&fake, "check_insert");
    job.topic.produce_json(&article(1));
    let found = report(&job, &[], &[], 0);
    let privileges = &found["milvus"]["collections"][0]["privileges"];
    let expected = json!({"insert": "there", "upsert": "not_checked", "delete": "not_checked"});
    assert_eq!(*privileges, expected);
    assert_eq!(found["milvus"]["version"], "v3.0.0-fake");
    for seen in fake.seen() {
        match seen.call {
            Call::Insert(request) => {
                assert_eq!((request.num_rows, request.fields_data.len()), (0, 0));
            }
            Call::Upsert(_) | Call::Delete(_) | Call::Query(_) => panic!("{:?}", seen.call),
            Call::Describe(_) | Call::Version => {}
        }
    }
    assert!(fake.rows(&job.collection).is_empty());

    // Only who inserts needs it.
    let expected = [
        ("insert", 1, &["milvus_not_permitted"][..]),
        ("auto", 0, &[]),
    ];
    for (mode, status, bad) in expected {
        fake.next_writes([Reply::Grpc(Code::PermissionDenied)]);
        let found = report(&job, &[], &[("insert.mode", mode)], status);
        assert_eq!(causes(&found["milvus"]), bad, "{mode}");
        let privileges = &found["milvus"]["collections"][0]["privileges"];
        assert_eq!(privileges["insert"], "missing", "{mode}");
    }
    // Anything else says that Milvus looked into it.
    fake.next_writes([Reply::Code(8, "rate limit exceeded")]);
    let found = report(&job, &[], &[], 0);
    let privileges = &found["milvus"]["collections"][0]["privileges"];
    assert_eq!(privileges["insert"], "there");
}

#[test]
fn a_collection_that_is_not_loaded_can_be_written() {
    let milvus = suite::milvus();
    let (endpoint, token) = (milvus.endpoint(), milvus.token());
    let job = Job::with(suite::kafka(), "check_unloaded", 1, endpoint, token);
    job.milvus.create_unloaded(&articles(&job.collection));
    let found = report(&job, &[], &[], 0);
    assert_eq!(found["milvus"]["collections"][0]["loaded"], false);
    check(
        &job,
        &[],
        0,
        &["is not loaded", "the token is accepted", "version v2.3.5"],
    );
    job.milvus.load(&job.collection);
    let found = report(&job, &[], &[], 0);
    assert_eq!(found["milvus"]["collections"][0]["loaded"], true);
    assert_eq!(job.milvus.count(&job.collection), 0);
}

#[test]
fn offsets_of_another_collection_are_told() {
    let job = Job::on_lite("check_target", 1);
    job.topic.produce_json(&article(1));
    let (code, output) = job.quick().arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    let other = services::unique_collection("check_other");
    job.create(&articles(&other));
    let words = ["[other_target]", "belong to collection"];
    check(&job, &[("collection.name", &other)], 1, &words);
}

/// On the real one, whose words the script only repeats.
#[test]
fn a_user_who_may_not_insert_is_told_so() {
    let job = Job::new("check_user", 1).without_token();
    let user = services::unique_collection("reader");
    administer(
        job.endpoint(),
        &format!("client.create_user('{user}', 'larch-4711')"),
    );
    let token = format!("{user}:larch-4711");
    let cases = [
        ("insert", 1, "✗ Milvus does not permit this user the call"),
        ("upsert", 0, "is not there, and not needed for upsert"),
    ];
    for (mode, status, words) in cases {
        let command = Sink::new(SINK).arg("check").config(&job.config());
        let command = command.set("insert.mode", mode);
        let (code, output) = command.env("MILVUS_SINK_TOKEN", &token).run(SOON);
        assert_eq!(code, status, "{output}");
        assert!(output.contains(words), "{words:?} is missing in:\n{output}");
    }
    assert_eq!(job.milvus.count(&job.collection), 0);
    administer(job.endpoint(), &format!("client.drop_user('{user}')"));
}
