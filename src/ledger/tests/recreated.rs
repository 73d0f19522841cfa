//! A topic that is deleted and made again: no offset of the one before is committed for it.

use super::*;

const ENDED: &str = "finished AllHalted";

fn id(name: &str) -> Option<TopicId> {
    Some(TopicId::new(name))
}

/// What is found: committed for topic `before`, where `now` is.
fn found(committed: Option<i64>, before: &str, now: &str, high: i64) -> Look {
    Look {
        before: committed.and_then(|_| id(before)),
        topic: id(now),
        ..look(committed, 0, high)
    }
}

fn begun(policy: OnDataLoss, look: Look) -> Story {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.rules.data_loss = policy;
    story.assign(&[0], look);
    story
}

/// Read up to 50 of topic `a`, settled and committed up to 40; then Kafka says that it is `b`, with 20 records.
fn replaced(policy: OnDataLoss) -> Story {
    let mut story = begun(policy, found(Some(10), "a", "a", 100));
    story.hand(0, 50);
    story.settle(0, 40);
    story.later(1000);
    story.said();
    story.ledger.topic_is("t", &TopicId::new("a"));
    story.ledger.topic_is("u", &TopicId::new("b"));
    story.run();
    story.expect(&[]);
    story.ledger.topic_is("t", &TopicId::new("b"));
    story.run();
    story.expect(&["wait 0", "flush", "look up 0"]);
    story.ledger.topic_is("t", &TopicId::new("b"));
    story.looked_up(0, found(None, "", "b", 20));
    story.run();
    story
}

#[test]
fn commits_carry_the_id_and_one_that_is_absent_says_nothing() {
    let look = Look {
        topic: id("a"),
        ..look(Some(10), 0, 100)
    };
    let mut story = begun(OnDataLoss::Fail, look);
    story.hand(0, 20);
    story.settle(0, 20);
    story.expect(&["look up 0", "assign 0@10", "store 0@20 in a", "commit 1"]);
    let nameless = Look {
        before: id("a"),
        ..super::look(Some(10), 0, 100)
    };
    let mut story = begun(OnDataLoss::Fail, nameless);
    story.expect(&["look up 0", "assign 0@10"]);
    story.ledger.topic_is("t", &TopicId::new("b"));
    story.run();
    story.expect(&[]);
}

#[test]
fn an_offset_of_the_topic_before_halts_or_gives_way_to_the_beginning() {
    let mut story = begun(OnDataLoss::Fail, found(Some(10), "a", "b", 20));
    let lost = "topic_recreated 0@10..";
    // Committed for the topic before, so that it halts there again.
    let down = "commit 1 down 0@0 in a";
    let halts = format!("{lost}, halts");
    story.expect(&["look up 0", &halts, "assign 0@0", down, ENDED]);
    let halt = story.tenures[&tp(0)].halted().unwrap();
    assert_eq!(halt.cause.label(), "topic_recreated");

    let mut story = begun(OnDataLoss::Continue, found(Some(10), "a", "b", 20));
    let goes_on = format!("{lost}, on at 0");
    let down = "commit 1 down 0@0 in b";
    story.expect(&["look up 0", &goes_on, "assign 0@0", down]);
    story.hand(0, 20);
    story.settle(0, 20);
    story.later(1000);
    story.expect(&["store 0@20 in b", "commit 2"]);
}

#[test]
fn what_was_read_of_the_topic_before_is_written_and_none_of_it_is_committed() {
    let mut story = replaced(OnDataLoss::Fail);
    let down = "commit 2 down 0@0 in a";
    story.expect(&["topic_recreated 0@50.., halts", down]);
    assert!(story.tenures[&tp(0)].is_open());
    story.later(5000);
    story.expect(&[]);
    story.settle(0, 50);
    story.later(5000);
    story.expect(&[ENDED]);
}

#[test]
fn the_new_topic_is_read_from_its_beginning_when_the_one_before_is_written() {
    let mut story = replaced(OnDataLoss::Continue);
    let down = "commit 2 down 0@0 in a";
    story.expect(&["topic_recreated 0@50.., on at 0", down]);
    story.later(1000);
    story.expect(&[]);
    story.settle(0, 50);
    story.expect(&["restart 0@0", "commit 3 down 0@0 in b"]);
    story.hand(0, 20);
    story.settle(0, 20);
    story.later(1000);
    story.expect(&["store 0@20 in b", "commit 4"]);
}

#[test]
fn a_record_that_needs_a_person_keeps_its_place_but_not_its_commits() {
    let mut story = begun(OnDataLoss::Continue, found(Some(10), "a", "a", 100));
    story.hand(0, 50);
    story.halt(0, 45);
    story.said();
    story.ledger.topic_is("t", &TopicId::new("b"));
    story.run();
    story.looked_up(0, found(None, "", "b", 20));
    story.run();
    story.said();
    story.settle(0, 45);
    story.later(5000);
    story.expect(&["closed", ENDED]);
}

#[test]
fn a_topic_that_went_with_the_offsets_of_the_group_is_remembered() {
    let mut story = begun(OnDataLoss::Fail, found(Some(10), "a", "a", 100));
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.assign(&[0], found(None, "", "b", 20));
    let halts = "topic_recreated 0@0.., halts";
    let down = "commit 1 down 0@0 in a";
    story.expect(&["look up 0", halts, "assign 0@0", down, ENDED]);
}

/// An id is never given again, so a broker that names one of before has fallen behind.
#[test]
fn a_topic_that_has_given_way_to_another_is_never_taken_for_a_new_one() {
    let mut story = replaced(OnDataLoss::Continue);
    story.settle(0, 50);
    story.said();
    story.ledger.topic_is("t", &TopicId::new("a"));
    story.run();
    story.expect(&[]);
    // Nor when it comes back, whatever the group had committed by then.
    for committed in [None, Some(5)] {
        story.ledger.lost(vec![tp(0)]);
        story.run();
        story.said();
        story.assign(&[0], found(committed, "b", "a", 20));
        let begin = format!("assign 0@{}", committed.unwrap_or(0));
        story.expect(&["look up 0", &begin]);
        // Commits are for the topic that is there.
        story.hand(0, 9);
        story.settle(0, 9);
        story.later(1000);
        let said = story.said().join(", ");
        assert!(said.contains("0@9 in b"), "{said}");
    }
}
