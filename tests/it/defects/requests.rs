//! Defects in requests and answers: what is sent, how much of it, and what a refusal leads to.

use prost::Message as _;
use serde_json::json;
use testkit::client::{Collection, Type};
use testkit::fake::{Call, Code, Fake, Key, Options, Reply, Seen};
use testkit::kafka::Record;
use testkit::sink::Sink;
use testkit::{services, suite, wait};

use super::{on_fake, row, small, with};
use crate::support::{Job, SINK, SOON, articles};

fn writes(seen: &[Seen]) -> Vec<&Seen> {
    let is_write = |seen: &&Seen| matches!(seen.call, Call::Insert(_) | Call::Upsert(_));
    seen.iter().filter(is_write).collect()
}

#[test]
fn d05_poll_of_nothing_but_nulls_and_bad_rows_kills_the_task() {
    let fake = Fake::start();
    let job = on_fake("d05", &fake, small);
    let bad = Record::json(&with(row(1), "v", json!("no")));
    job.topic
        .produce([Record::tombstone("k"), bad, Record::tombstone("k")]);
    let sink = job.quick().set("errors.tolerance", "all").start();
    job.await_committed();
    assert_eq!(writes(&fake.seen()).len(), 0);
    job.topic.produce_json(&row(2));
    wait::until(SOON, "the next row", || {
        fake.rows(&job.collection).len() == 1
    });
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d15_one_refusal_that_would_pass_kills_the_task() {
    let fake = Fake::start();
    let job = on_fake("d15", &fake, small);
    fake.next_writes([
        Reply::Code(8, "rate limit exceeded"),
        Reply::Grpc(Code::Unavailable),
        Reply::Code(9, "quota exceeded"),
        Reply::Grpc(Code::ResourceExhausted),
        Reply::ApplyThenFail(Box::new(Reply::Hang)),
    ]);
    let sink = job.quick().start();
    job.topic.produce_json(&row(1));
    job.await_committed();
    assert_eq!(writes(&fake.seen()).len(), 6);
    assert_eq!(fake.rows(&job.collection).len(), 1);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d16_whole_poll_in_one_request() {
    const LIMIT: usize = 65_536;
    let fake = Fake::start();
    let job = on_fake("d16", &fake, |c| small(c).varchar("text", 8_192));
    let text = "x".repeat(8_000);
    let records = (0..200).map(|id| Record::json(&with(row(id), "text", json!(text))));
    job.topic.produce(records);
    let limit = LIMIT.to_string();
    let sink = job.quick().set("batch.max.bytes", &limit).start();
    job.await_committed();
    assert_eq!(fake.rows(&job.collection).len(), 200);
    for seen in writes(&fake.seen()) {
        let Call::Upsert(request) = &seen.call else {
            panic!("not an upsert: {seen:?}");
        };
        // The row that fills a request is still in it.
        assert!(request.encoded_len() < LIMIT + 9_000);
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d18_added_field_dropped_until_a_restart() {
    let fake = Fake::start();
    let job = on_fake("d18", &fake, small);
    let sink = job.quick().start();
    job.topic.produce_json(&row(1));
    let rows = |count| wait::until(SOON, "rows", || fake.rows(&job.collection).len() == count);
    rows(1);
    let with_size = |c: Collection| small(c).scalar("size", Type::Int8).nullable();
    let fields = with_size(Collection::new(&job.collection)).schema().fields;
    fake.alter(&job.collection, |schema| schema.fields = fields);
    job.topic.produce_json(&with(row(2), "size", json!(7)));
    rows(2);
    let written = &fake.rows(&job.collection)[&Key::Int(2)][0];
    assert_eq!(written["size"], 7);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d21_token_seen_outside_the_login() {
    const TOKEN: &str = "root:sesame-3141";
    let options = Options {
        token: Some(TOKEN.to_owned()),
        ..Options::default()
    };
    let fake = Fake::start_with(options);
    let (kafka, name) = (suite::kafka(), services::unique("d21"));
    let job = Job::with(kafka, &name, 1, fake.endpoint(), Some(TOKEN));
    fake.create(articles(&job.collection).schema());
    // The handle to a sink looks for the token in all that it writes, at trace level too.
    let sink = job.quick().arg("--log-level").arg("trace").start();
    sink.await_readyz(200, SOON);
    let check = Sink::new(SINK).arg("check").config(&job.config());
    let (code, output) = check.run(SOON);
    assert_eq!(code, 0, "{output}");
    assert!(
        output.contains("= ****") && !output.contains("sesame"),
        "{output}"
    );
    for seen in fake.seen() {
        for (header, value) in seen.headers {
            assert!(
                header == "authorization" || !value.contains("sesame"),
                "{header}"
            );
        }
    }
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn d22_short_count_passes_for_success() {
    let fake = Fake::start();
    let job = on_fake("d22", &fake, small);
    (0..3).for_each(|id| job.topic.produce_json(&row(id)));
    fake.next_writes([Reply::Count(1)]);
    let sink = job.quick().start();
    wait::until(SOON, "the count", || !writes(&fake.seen()).is_empty());
    sink.wait_for_line("acknowledged 1 of 3 rows", SOON);
    assert_eq!(job.topic.committed(&job.group()), [None]);
    // It may have been the server's fault, so the request is repeated.
    job.await_committed();
    assert_eq!(writes(&fake.seen()).len(), 2);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
