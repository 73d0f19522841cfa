//! Asked to stop: in quiet, and in the middle of a rebalance.

use super::*;

#[test]
fn stopping_drains_commits_and_finishes() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.expect(&["stop reading 0", "flush"]);
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1", "finished Drained { halted: 0 }"]);
}

#[test]
fn stopping_counts_the_partitions_that_are_halted() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.halt(0, 10);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.expect(&[
        "stop reading 0,1",
        "flush",
        "closed",
        "finished Drained { halted: 1 }",
    ]);
    let outcome = Outcome::Drained { halted: 1 };
    assert!(outcome.to_string().contains("of 1 halted partition up to"));
}

#[test]
fn stopping_with_something_unsettled_ends_at_its_deadline() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.later(10_000);
    let words = [
        "stop reading 0",
        "flush",
        "closed",
        "undrained 0: 10 of 20, committed 10",
        "finished NotDrained",
    ];
    story.expect(&words);
}

#[test]
fn stopping_before_an_assignment_finishes_at_once() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.expect(&["stop reading ", "flush", "finished Drained { halted: 0 }"]);
}

#[test]
fn stopping_cuts_the_drain_of_a_revoke_short() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.later(9_999);
    story.expect(&[]);
    story.later(1);
    let words = [
        "closed",
        "undrained 0: 10 of 20, committed 10",
        "unassign 0",
        "stop reading 1",
        "flush",
        "finished NotDrained",
    ];
    story.expect(&words);
}

#[test]
fn stopping_answers_an_assign_that_is_still_looked_up() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0)]);
    story.run();
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    let words = [
        "assign ",
        "stop reading ",
        "flush",
        "finished Drained { halted: 0 }",
    ];
    story.expect(&[&["look up 0"], &words[..]].concat());
}

#[test]
fn a_rebalance_that_comes_while_stopping_is_answered_before_the_end() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.said();
    story.ledger.revoked(vec![tp(0)]);
    story.settle(0, 20);
    story.expect(&[
        "store 0@20",
        "commit 1",
        "unassign 0",
        "finished Drained { halted: 0 }",
    ]);
}

#[test]
fn a_rebalance_that_comes_while_stopping_does_not_wait_for_all_the_time_there_is() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_mins(10));
    story.run();
    story.said();
    story.ledger.assigned(vec![tp(1)]);
    story.run();
    story.expect(&["assign "]);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.later(29_999);
    story.expect(&[]);
    story.later(1);
    let left = "undrained 0: 10 of 20, committed 10";
    story.expect(&["closed"]);
    story.later(20_000);
    story.expect(&[left, "unassign 0", "finished NotDrained"]);
}

#[test]
fn a_partition_revoked_before_it_was_looked_up_is_never_begun() {
    let mut story = Story::begun(&[0]);
    story.ledger.assigned(vec![tp(1)]);
    story.run();
    story.later(5000);
    story.hand(0, 20);
    story.ledger.revoked(vec![tp(0), tp(1)]);
    story.run();
    story.said();
    story.looked_up(1, look(None, 0, 9));
    story.run();
    story.expect(&[]);
}

#[test]
fn partitions_lost_while_stopping_were_not_drained() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.said();
    story.ledger.lost(vec![tp(0)]);
    story.run();
    let left = "undrained 0: 10 of 20, committed 10";
    story.expect(&["closed", left, "unassign 0", "finished NotDrained"]);
}

#[test]
fn a_partition_that_comes_late_is_not_begun_while_stopping() {
    let mut story = Story::begun(&[0]);
    story.ledger.assigned(vec![tp(1)]);
    story.run();
    story.later(5000);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(10));
    story.run();
    story.said();
    story.looked_up(1, look(None, 0, 9));
    story.run();
    story.expect(&[]);
}

#[test]
fn stopping_waits_for_what_may_still_be_applied_and_calls_it_drained_at_its_deadline() {
    for (doubt, seconds) in [(7, 7), (20, 10)] {
        let mut story = Story::begun(&[0]);
        story.hand(0, 20);
        let until = story.now + Duration::from_secs(doubt);
        story.tenures[&tp(0)].doubt(until);
        story.ledger.stop(story.now + Duration::from_secs(10));
        story.run();
        story.settle(0, 20);
        story.expect(&["stop reading 0", "flush", "store 0@20", "commit 1"]);
        story.later(seconds * 1000 - 1);
        story.expect(&[]);
        story.later(1);
        story.expect(&["finished Drained { halted: 0 }"]);
    }
}

#[test]
fn after_a_gap_while_stopping_nothing_more_is_committed() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.stop(story.now + Duration::from_secs(60));
    story.run();
    story.said();
    story.tenures[&tp(0)].settle(20);
    story.gap(15_001);
    let left = "undrained 0: 20 of 20, committed 10";
    story.expect(&[left, "finished NotDrained"]);
}
