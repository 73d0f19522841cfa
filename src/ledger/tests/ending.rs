//! How the ledger ends: asked to stop, at the end, or with everything halted.

use super::*;

#[test]
fn stopping_drains_commits_and_finishes() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.expect(&["stop reading 0", "flush"]);
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1", "finished Drained"]);
}

#[test]
fn stopping_with_something_unsettled_ends_at_its_deadline() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.later(10_000);
    story.expect(&["stop reading 0", "flush", "finished NotDrained"]);
}

#[test]
fn stopping_before_an_assignment_finishes_at_once() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.expect(&["stop reading ", "flush", "finished Drained"]);
}

#[test]
fn all_halted_and_committed_ends_the_process() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.halt(0, 15);
    story.settle(0, 15);
    story.said();
    story.halt(1, 10);
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
fn stopping_answers_an_assign_that_is_being_looked_up() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0)]);
    story.run();
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    let said = [
        "look up 0",
        "assign ",
        "stop reading ",
        "flush",
        "finished Drained",
    ];
    story.expect(&said);
}

#[test]
fn stopping_shortens_a_revoke_that_drains_and_answers_what_came_meanwhile() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.ledger.assigned(vec![tp(2)]);
    story.said();
    story.later(10_000);
    let said = [
        "unassign 0",
        "stop reading 1",
        "flush",
        "assign ",
        "finished NotDrained",
    ];
    story.expect(&said);
}
