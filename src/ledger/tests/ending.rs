//! How the ledger ends: at the end, or with everything halted.

use super::*;

#[test]
fn all_halted_and_committed_ends_the_process() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.halt(0, 15);
    story.settle(0, 15);
    story.said();
    story.halt(1, 10);
    story.expect(&["closed", "finished AllHalted"]);
}

#[test]
fn the_end_waits_for_requests_behind_a_halt_and_for_what_may_still_be_applied() {
    let mut story = Story::begun(&[0]);
    let tenure = Arc::clone(&story.tenures[&tp(0)]);
    tenure.doubt(story.now + Duration::from_secs(20));
    let request = tenure.request();
    story.halt(0, 10);
    story.later(30_000);
    story.expect(&[]);
    tenure.doubt(story.now + Duration::from_secs(20));
    drop(request);
    story.later(19_000);
    story.expect(&[]);
    story.later(1000);
    story.expect(&["finished AllHalted"]);
}

#[test]
fn one_halted_partition_leaves_the_others_running() {
    let mut story = Story::begun(&[0, 1]);
    story.halt(0, 10);
    story.later(5000);
    story.expect(&[]);
}

#[test]
fn until_end_finishes_when_every_end_is_read_settled_and_committed() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.later(60_000);
    story.expect(&[]);
    story.assign(&[0, 1, 2], look(None, 0, 5));
    story.said();
    story.hand(0, 5);
    story.settle(0, 5);
    story.expect(&["store 0@5", "commit 1"]);
    story.ledger.end_reported(&tp(1)); // compacted: no record at the end
    story.halt(2, 0);
    story.expect(&["finished EndReached { halted: true }"]);
}

#[test]
fn the_last_commit_does_not_wait_for_its_time() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.assign(&[0, 1], look(None, 0, 5));
    story.halt(1, 0);
    story.said();
    story.hand(0, 2);
    story.settle(0, 2);
    story.expect(&["store 0@2", "commit 1"]);
    story.hand(0, 5);
    story.settle(0, 5);
    let ended = "finished EndReached { halted: true }";
    story.expect(&["store 0@5", "commit 2", ended]);
}

#[test]
fn until_end_with_everything_committed_before_finishes_at_once() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.assign(&[0], look(Some(5), 0, 5));
    story.expect(&[
        "look up 0",
        "assign 0@5",
        "finished EndReached { halted: false }",
    ]);
}

#[test]
fn until_end_waits_for_a_missing_topic_and_for_a_second_round_of_the_group() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.ledger.topics_missing(true);
    story.assign(&[], look(None, 0, 0));
    story.later(60_000);
    story.expect(&["assign "]);
    story.ledger.topics_missing(false);
    story.later(9_999);
    story.expect(&[]);
    story.assign(&[0], look(Some(5), 0, 5));
    story.expect(&[
        "look up 0",
        "assign 0@5",
        "finished EndReached { halted: false }",
    ]);
}

#[test]
fn until_end_a_spare_member_ends_after_a_while() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.assign(&[], look(None, 0, 0));
    story.later(10_000);
    story.expect(&["assign ", "finished EndReached { halted: false }"]);
}

#[test]
fn until_end_a_member_that_lost_its_partitions_has_not_reached_their_end() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.assign(&[0], look(None, 0, 5));
    story.hand(0, 2);
    story.ledger.lost(vec![tp(0)]);
    story.run();
    story.said();
    story.later(60_000);
    story.expect(&[]);
    story.assign(&[0], look(Some(5), 0, 5));
    let said = [
        "look up 0",
        "assign 0@5",
        "finished EndReached { halted: false }",
    ];
    story.expect(&said);
}
