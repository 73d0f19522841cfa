//! Partitions whose look-up takes longer than the answer to their assign may wait.

use super::*;

#[test]
fn a_partition_that_cannot_be_looked_up_in_time_does_not_hold_the_others() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0), tp(1)]);
    story.run();
    story.looked_up(1, look(None, 0, 9));
    story.later(4999);
    story.expect(&["look up 0,1"]);
    story.later(1);
    story.expect(&["assign 1@0"]);
    assert!(story.ledger.wants_look_up(&story.asked[&tp(0)]));
    story.looked_up(0, look(Some(4), 0, 9));
    story.run();
    story.expect(&["add 0@4"]);
}

#[test]
fn what_an_eager_client_forgets_is_stored_again() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.auto_commit = false;
    story.ledger.assigned(vec![tp(0), tp(1)]);
    story.run();
    story.looked_up(0, look(Some(0), 0, 9));
    story.later(5000);
    story.hand(0, 5);
    story.settle(0, 5);
    story.said();
    story.looked_up(1, look(Some(0), 0, 9));
    story.run();
    story.expect(&["add 1@0"]);
    story.ledger.commit_done(1, CommitResult::Done); // of what the client had forgotten by then, perhaps
    story.later(1000);
    story.expect(&["store 0@5", "commit 2"]);
}

/// The commit thread answers in the order asked, and has old questions waiting when it was slow.
#[test]
fn what_was_found_for_an_assignment_that_is_gone_does_not_count_for_the_next() {
    let mut story = Story::new(OffsetReset::Latest, false);
    story.ledger.assigned(vec![tp(0)]);
    story.run();
    story.later(5000);
    story.expect(&["look up 0", "assign "]);
    let gone = story.asked[&tp(0)].clone();
    // Somebody else begins at 50, reads on and commits 60; then it comes back.
    story.ledger.lost(vec![tp(0)]);
    story.run();
    story.ledger.assigned(vec![tp(0)]);
    story.run();
    story.expect(&["unassign 0", "look up 0"]);
    story.ledger.looked_up(&gone, look(None, 0, 100));
    story.run();
    story.looked_up(0, look(Some(60), 0, 100));
    story.run();
    let said = story.said();
    assert_eq!(said, ["assign 0@60"], "60..100 is left out");
}

/// Partition 1 is read, up to 5, and of partition 0 nothing is known yet.
fn one_late() -> Story {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0), tp(1)]);
    story.run();
    story.looked_up(1, look(None, 0, 9));
    story.later(5000);
    story.hand(1, 5);
    story.expect(&["look up 0,1", "assign 1@0"]);
    story
}

#[test]
fn what_comes_late_is_not_added_while_the_client_waits_for_another_answer() {
    let mut story = one_late();
    story.ledger.revoked(vec![tp(1)]);
    story.looked_up(0, look(Some(4), 0, 9));
    story.run();
    story.expect(&["stop reading 1", "flush"]);
    story.settle(1, 5);
    story.expect(&["store 1@5", "commit 1", "unassign 1", "add 0@4"]);
}

#[test]
fn what_is_taken_away_before_it_could_be_added_is_never_begun() {
    let mut story = one_late();
    story.ledger.revoked(vec![tp(1)]);
    story.looked_up(0, look(Some(4), 0, 9));
    story.ledger.revoked(vec![tp(0)]);
    story.settle(1, 5);
    story.later(60_000);
    let said = story.said();
    assert!(said.iter().any(|word| word == "unassign 0"), "{said:?}");
    assert!(!said.iter().any(|word| word.starts_with("add")), "{said:?}");
}

#[test]
fn what_is_assigned_is_awaited_until_it_is_begun_or_gone() {
    let awaited = |story: &Story| -> Vec<i32> {
        let awaited = story.ledger.awaited();
        awaited.map(|partition| partition.partition).collect()
    };
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0), tp(1), tp(2)]);
    assert_eq!(awaited(&story), [0, 1, 2]);
    story.run();
    assert_eq!(awaited(&story), [0, 1, 2]);
    story.looked_up(1, look(None, 0, 9));
    story.later(5000);
    assert_eq!(awaited(&story), [0, 2]);
    story.looked_up(0, look(None, 0, 9));
    story.run();
    assert_eq!(awaited(&story), [2]);
    story.ledger.revoked(vec![tp(2)]);
    story.run();
    assert_eq!(awaited(&story), [0; 0]);
}
