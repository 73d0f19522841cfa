//! A topic that is deleted and made again: no offset of the one before is committed for it.

use testkit::suite;
use testkit::wait;

use super::{Case, assert_said};
use crate::support::SOON;

/// In the commits of the sink, which name the topic by its id.
fn id_in(metadata: &str) -> &str {
    let (_, rest) = metadata.split_once(r#""topic_id":""#).expect(metadata);
    rest.split_once('"').expect(metadata).0
}

fn id(case: &Case) -> String {
    let texts = case.job.topic.committed_metadata(&case.job.group());
    id_in(&texts[0]).to_owned()
}

/// The new topic has fewer records than were read of the one before, or more: then Kafka's client reads on in it as if
/// nothing had happened.
#[test]
fn one_made_again_under_the_sink_is_read_from_its_beginning() {
    for (test, records) in [("fewer", 40), ("more", 300)] {
        let case = Case::on(suite::kafka().topic(test, 1), test);
        let sink = case.continues().start();
        case.produce(0, 0..100);
        case.await_committed(&[100]);
        let before = id(&case);
        case.job.topic.make_again(1);
        case.produce(0, 1000..1000 + records);
        // Of more records some may be read, and committed as those of the old topic, before it is known to be gone.
        wait::until(SOON, "a commit for the new topic", || id(&case) != before);
        case.await_committed(&[records]);
        let new = case.keys().range(1000..).count();
        assert_eq!(i64::try_from(new).unwrap(), records);
        let words = [
            "the offsets from 100 on",
            &before,
            "going on at offset 0, as set",
        ];
        assert_said(
            &sink.output(),
            "data loss: ",
            "topic_recreated",
            &words[1..],
        );
        case.produce(0, 2000..2010);
        case.await_committed(&[records + 10]);
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}

#[test]
fn one_made_again_under_the_sink_halts_and_halts_again() {
    let case = Case::on(suite::kafka().topic("again", 1), "again");
    let sink = case.fails().start();
    case.produce(0, 0..100);
    case.await_committed(&[100]);
    let before = id(&case);
    case.job.topic.make_again(1);
    case.produce(0, 1000..1300);
    let words = [&*before, "behavior.on.data.loss=continue"];
    case.assert_halts(&sink, "topic_recreated", &words);
    // Nothing of the new one is passed over, whoever reads it next, and that says so too.
    assert_eq!(case.committed(), [Some(0)]);
    assert_eq!(id(&case), before);
    case.assert_halts(&case.fails().start(), "topic_recreated", &words);
    case.run(case.continues(), 0);
    assert_eq!(case.keys().range(1000..).count(), 300);
    assert_ne!(id(&case), before);
    case.run(case.fails(), 0);
}

/// A commit from a moment before the end of the topic, which reached Kafka when the next one was there.
#[test]
fn an_offset_of_the_one_before_that_got_through_is_found_out_at_the_next_start() {
    let case = Case::on(suite::kafka().topic("stale", 1), "stale");
    case.produce(0, 0..100);
    case.run(case.fails(), 0);
    let group = case.job.group();
    let stale = case.job.topic.committed_metadata(&group).remove(0);
    case.job.topic.make_again(1);
    case.produce(0, 1000..1300);
    wait::until(SOON, "the offsets to go with the topic", || {
        case.committed() == [None]
    });
    let commit = || case.job.topic.put_commit(&group, 0, 100, stale.as_bytes());
    commit();
    let words = ["the offsets from 100 on", id_in(&stale)];
    case.assert_halts(&case.fails().start(), "topic_recreated", &words);
    commit();
    case.run(case.continues(), 0);
    assert_eq!(case.keys().range(1000..).count(), 300);
    assert_eq!(case.committed(), [Some(300)]);
}
