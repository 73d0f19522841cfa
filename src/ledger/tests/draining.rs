//! A revoke: drained, or cut off at its deadline; and what was sent may still be applied.

use super::*;

#[test]
fn a_revoke_is_answered_after_drain_and_commit() {
    let mut story = Story::begun(&[0, 1]);
    story.auto_commit = false;
    story.hand(0, 20);
    story.hand(1, 30);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.expect(&["stop reading 0", "flush"]);
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1"]);
    assert!(story.tenures[&tp(0)].is_open());
    story.ledger.commit_done(1, CommitResult::Done);
    story.run();
    story.expect(&["unassign 0"]);
    assert!(!story.tenures[&tp(0)].is_open());
    assert!(story.tenures[&tp(1)].is_open());
}

#[test]
fn a_drain_that_takes_too_long_commits_what_is_settled_and_gives_up_the_rest() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.tenures[&tp(0)].settle(12);
    story.ledger.commits.next_at = Some(story.now + Duration::from_secs(60));
    story.later(29_999);
    story.expect(&[]);
    story.later(1);
    story.expect(&["store 0@12", "commit 1", "closed"]);
    story.later(19_999);
    story.expect(&[]);
    story.later(1);
    let left = "undrained 0: 12 of 20, committed 12";
    story.expect(&[left, "unassign 0"]);
}

#[test]
fn a_commit_that_never_answers_does_not_hold_the_revoke_for_ever() {
    let mut story = Story::begun(&[0]);
    story.auto_commit = false;
    story.hand(0, 20);
    story.tenures[&tp(0)].settle(20);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.later(5000);
    let left = "undrained 0: 20 of 20, committed 10";
    story.expect(&[left, "unassign 0"]);
}

fn draining(partitions: &[i32]) -> Story {
    let mut story = Story::begun(partitions);
    for partition in partitions {
        story.hand(*partition, 20);
    }
    story
        .ledger
        .revoked(partitions.iter().copied().map(tp).collect());
    story.run();
    story.said();
    story
}

impl Story {
    fn doubt(&self, partition: i32, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        self.tenures[&tp(partition)].doubt(until);
    }
}

#[test]
fn a_drain_in_doubt_is_answered_when_nothing_of_it_can_be_applied_any_more() {
    let mut story = draining(&[0]);
    story.doubt(0, 7000);
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1"]);
    assert!(!story.tenures[&tp(0)].is_open());
    story.later(5000);
    story.doubt(0, 4000); // the writer says it a moment after its attempt has ended
    story.later(3999);
    story.expect(&[]);
    story.later(1);
    story.expect(&["unassign 0"]);
}

#[test]
fn the_doubt_of_one_partition_does_not_hold_the_revoke_of_another() {
    let mut story = Story::begun(&[0, 1]);
    story.doubt(1, 7000);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.expect(&["stop reading 0", "flush", "unassign 0"]);
}

#[test]
fn at_the_deadline_the_last_commit_is_made_before_the_tenure_is_closed() {
    let mut story = draining(&[0]);
    story.auto_commit = false;
    story.tenures[&tp(0)].settle(12);
    story.ledger.commits.next_at = Some(story.now + Duration::from_secs(60));
    story.later(30_000);
    story.expect(&["store 0@12", "commit 1"]);
    assert!(story.tenures[&tp(0)].is_open());
    story.later(5000);
    story.expect(&["closed"]);
    // It took longer than its patience, and counts all the same.
    story.ledger.commit_done(1, CommitResult::Done);
    story.later(20_000);
    story.expect(&["undrained 0: 12 of 20, committed 12", "unassign 0"]);
}

#[test]
fn a_commit_that_fails_in_a_drain_is_repeated_before_the_answer() {
    let mut story = draining(&[0]);
    story.auto_commit = false;
    story.settle(0, 20);
    story.expect(&["store 0@20", "commit 1"]);
    story.ledger.commit_done(1, CommitResult::Failed);
    story.run();
    story.expect(&["store 0@20", "commit 2"]);
    story.ledger.commit_done(2, CommitResult::Done);
    story.run();
    story.expect(&["unassign 0"]);
}

#[test]
fn what_settles_after_the_tenure_was_cut_off_is_not_committed() {
    let mut story = draining(&[0]);
    story.later(30_000);
    story.expect(&["closed"]);
    story.settle(0, 20);
    story.later(20_000);
    story.expect(&["undrained 0: 10 of 20, committed 10", "unassign 0"]);
}

#[test]
fn what_is_lost_while_it_is_waited_for_is_waited_for_no_longer() {
    let mut story = draining(&[0]);
    story.later(30_000);
    story.expect(&["closed"]);
    story.ledger.lost(vec![tp(0)]);
    story.run();
    let left = "undrained 0: 10 of 20, committed 10";
    story.expect(&[left, "unassign 0", "unassign 0"]);
}

#[test]
fn writers_hear_of_a_loss_while_another_rebalance_is_answered() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.hand(1, 20);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.ledger.lost(vec![tp(1)]);
    story.run();
    story.expect(&["closed"]);
    assert!(!story.tenures[&tp(1)].is_open());
    assert!(story.tenures[&tp(0)].is_open());
}

#[test]
fn after_a_gap_in_a_drain_nothing_more_is_committed_and_the_answer_waits_for_late_landings() {
    let mut story = draining(&[0, 1]);
    story.settle(1, 20);
    story.later(1000);
    story.expect(&["store 1@20", "commit 1"]);
    story.tenures[&tp(0)].settle(12);
    story.gap(15_000);
    story.expect(&["store 0@12", "commit 2"]);
    story.tenures[&tp(0)].settle(13);
    story.gap(15_001);
    story.expect(&["closed"]);
    assert!(!story.tenures[&tp(0)].is_open());
    // What is under way may be applied yet, and the partition may be ours: the next owner begins after the answer.
    story.later(19_999);
    story.expect(&[]);
    assert!(
        story.ledger.may_be_lost(),
        "others, of which nothing is said before the answer"
    );
    story.later(1);
    let left = "undrained 0: 13 of 20, committed 12";
    story.expect(&[left, "unassign 0,1"]);
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn a_gap_while_a_revoke_waits_to_be_heard_ends_it_too() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.tenures[&tp(0)].settle(12);
    story.ledger.revoked(vec![tp(0)]);
    story.gap(15_001);
    story.expect(&["closed", "stop reading 0", "flush"]);
    story.later(20_000);
    let left = "undrained 0: 12 of 20, committed 10";
    story.expect(&[left, "unassign 0"]);
}

#[test]
fn a_revoke_that_the_client_brings_some_polls_after_a_gap_is_given_up_at_once() {
    let mut story = Story::begun(&[0, 1]);
    story.hand(0, 20);
    story.tenures[&tp(0)].settle(12);
    story.gap(15_001);
    story.expect(&["store 0@12", "commit 1"]);
    story.later(500);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.expect(&["closed", "stop reading 0", "flush"]);
    assert!(!story.tenures[&tp(0)].is_open());
    assert!(
        story.ledger.may_be_lost(),
        "the other one, of which nothing is said before the answer"
    );
    story.later(20_000);
    let left = "undrained 0: 12 of 20, committed 12";
    story.expect(&[left, "unassign 0"]);
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn a_revoke_long_after_a_gap_is_drained_as_any_other() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.gap(15_001);
    story.later(2000);
    story.said();
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.expect(&["stop reading 0", "flush"]);
    assert!(story.tenures[&tp(0)].is_open());
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn a_gap_in_which_nothing_is_drained_closes_nothing() {
    let mut story = Story::begun(&[0]);
    story.hand(0, 20);
    story.gap(60_000);
    story.expect(&["commit 1 down 0@10"]);
    assert!(!story.ledger.may_be_lost());
    assert!(story.tenures[&tp(0)].is_open());
}

#[test]
fn after_a_gap_only_a_later_commit_that_succeeds_shows_that_nothing_is_lost() {
    let mut story = Story::begun(&[0]);
    story.auto_commit = false;
    story.hand(0, 20);
    story.settle(0, 12);
    story.later(1_000);
    story.expect(&["store 0@12", "commit 1"]);
    story.gap(60_000);
    story.expect(&["commit 2 down 0@12"]);
    // It began before the gap, and may have been taken then.
    story.ledger.commit_done(1, CommitResult::Done);
    story.run();
    story.expect(&[]);
    assert!(story.ledger.may_be_lost());
    story.ledger.commit_done(2, CommitResult::Failed);
    story.run();
    story.expect(&["commit 3 down 0@12"]);
    story.ledger.commit_done(3, CommitResult::Nothing);
    story.run();
    story.expect(&["commit 4 down 0@12"]);
    assert!(story.ledger.may_be_lost());
    story.ledger.commit_done(4, CommitResult::Done);
    story.run();
    story.expect(&[]);
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn what_was_assigned_before_a_gap_and_begins_after_it_is_asked_for_too() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.assigned(vec![tp(0)]);
    story.run();
    story.gap(60_000);
    story.auto_commit = false;
    story.looked_up(0, look(Some(10), 0, 100));
    story.run();
    story.expect(&["look up 0", "assign ", "add 0@10", "commit 1 down 0@10"]);
    assert!(story.ledger.may_be_lost());
}

#[test]
fn what_kafka_refuses_of_one_partition_is_asked_of_the_next() {
    let mut story = Story::begun(&[0, 1]);
    story.auto_commit = false;
    story.gap(60_000);
    story.expect(&["commit 1 down 0@10"]);
    for (number, next) in [(1, "commit 2 down 1@10"), (2, "commit 3 down 0@10")] {
        story.ledger.commit_done(number, CommitResult::Failed);
        story.run();
        story.expect(&[next]);
    }
}

#[test]
fn after_a_gap_nothing_is_committed_where_a_person_is_to_say_the_offset() {
    let mut story = Story::new(OffsetReset::Fail, false);
    story.assign(&[0, 1], look(None, 0, 100));
    story.said();
    story.gap(60_000);
    assert!(!story.said().iter().any(|words| words.contains("commit")));
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn after_a_gap_nothing_is_asked_for_what_is_closed() {
    let mut story = Story::begun(&[0]);
    story.ledger.lost(vec![tp(0)]);
    story.gap(60_000);
    story.expect(&["unassign 0"]);
    assert!(!story.ledger.may_be_lost());
}

#[test]
fn a_gap_while_late_landings_are_waited_for_changes_nothing() {
    let mut story = draining(&[0]);
    story.later(30_000);
    story.expect(&["closed"]);
    story.gap(15_001);
    story.expect(&[]);
    story.later(4999);
    story.expect(&["undrained 0: 10 of 20, committed 10", "unassign 0"]);
}

/// An insert goes on where another tenure of its batch is open, and a grace may be shorter than a request.
#[test]
fn a_revoke_is_not_answered_while_a_request_of_it_is_under_way() {
    let mut story = draining(&[0]);
    let request = story.tenures[&tp(0)].request();
    story.later(30_000);
    story.expect(&["closed"]);
    story.later(20_000);
    story.expect(&[]);
    // It ends without an answer.
    story.doubt(0, 20_000);
    drop(request);
    story.later(19_999);
    story.expect(&[]);
    story.later(1);
    story.expect(&["undrained 0: 10 of 20, committed 10", "unassign 0"]);
}
