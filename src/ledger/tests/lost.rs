//! Records that Kafka no longer has, or cannot give: what is found before an assign and while it is read, and the policy.

use super::*;

const ENDED: &str = "finished AllHalted";

fn continuing() -> Story {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.ledger.rules.data_loss = OnDataLoss::Continue;
    story
}

/// Read up to 50 under epoch 4, settled and committed up to `settled`.
fn read(policy: OnDataLoss, settled: i64) -> Story {
    let mut story = Story::begun(&[0]);
    story.ledger.rules.data_loss = policy;
    story.ledger.led(&tp(0), 10, 4);
    story.hand(0, 50);
    story.settle(0, settled);
    story.later(1000);
    story.said();
    story
}

impl Story {
    fn out_of_range(&mut self, look: Look) {
        self.ledger.out_of_range(&tp(0));
        self.run();
        self.expect(&["wait 0", "flush", "look up 0"]);
        self.looked_up(0, look);
        self.run();
    }

    fn corrupt(&mut self) {
        self.ledger.corrupt(&tp(0), "why".to_owned());
        self.run();
        self.expect(&["wait 0", "flush", "look up 0"]);
        self.looked_up(0, look(Some(40), 0, 90));
        self.run();
        self.expect(&["search 0 in 50..90 for EndOfCorrupt"]);
    }

    fn searched(&mut self, found: Result<Option<i64>, ()>) {
        let asked = self.asked[&tp(0)].clone();
        self.ledger.searched(&asked, found);
        self.run();
    }

    fn halted(&self) -> Option<(i64, &'static str)> {
        let halt = self.tenures[&tp(0)].halted()?;
        Some((halt.at, halt.cause.label()))
    }
}

#[test]
fn a_committed_offset_that_expired_halts_or_goes_on_with_what_is_left() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.assign(&[0], look(Some(10), 30, 100));
    let lost = "offsets_expired 0@10..30";
    story.expect(&["look up 0", &format!("{lost}, halts"), "assign 0@10", ENDED]);
    assert_eq!(story.halted(), Some((10, "offsets_expired")));

    let mut story = continuing();
    story.assign(&[0], look(Some(10), 30, 100));
    let lost = format!("{lost}, on at 30");
    let commits = ["store 0@30", "commit 1"]; // so that it is said once
    story.expect(&[&["look up 0", &lost, "assign 0@30"], &commits[..]].concat());
    assert_eq!(story.halted(), None);
}

#[test]
fn a_committed_offset_behind_the_end_halts_or_is_searched_for() {
    let mut story = Story::new(OffsetReset::Earliest, false);
    story.assign(&[0], look(Some(60), 0, 50));
    let halts = "log_truncated 0@50..60, halts";
    story.expect(&["look up 0", halts, "assign 0@60", ENDED]);
    assert_eq!(story.halted(), Some((60, "log_truncated")));

    // Who committed it said under which leader.
    let look = Look {
        epoch: Some(7),
        ..look(Some(60), 3, 50)
    };
    let search = "search 0 in 3..50 for EpochAfter(7)";
    let mut story = Story::new(OffsetReset::Earliest, true);
    story.assign(&[0], look.clone());
    story.expect(&["look up 0", search, "assign 0@60"]);
    story.searched(Ok(Some(45)));
    let ended = "finished EndReached { halted: true }";
    story.expect(&["log_truncated 0@45..60, halts", ended]);

    let mut story = continuing();
    story.assign(&[0], look);
    story.expect(&["look up 0", search, "assign 0@60"]);
    story.ledger.out_of_range(&tp(0)); // says the client, too
    story.searched(Ok(Some(45)));
    let lost = "log_truncated 0@45..60, on at 45";
    let down = "commit 1 down 0@45 under 7";
    story.expect(&[lost, "restart 0@45", down]);
}

#[test]
fn where_a_log_was_cut_off_is_not_guessed() {
    for policy in [OnDataLoss::Fail, OnDataLoss::Continue] {
        let mut story = Story::begun(&[0]);
        story.ledger.rules.data_loss = policy;
        story.out_of_range(look(Some(10), 0, 5));
        story.expect(&["log_truncated 0@5..10, halts", ENDED]);
        assert_eq!(story.halted(), Some((10, "log_truncated")));
    }
}

#[test]
fn what_expires_under_the_reader_halts_with_the_exact_range() {
    let mut story = read(OnDataLoss::Fail, 40);
    story.out_of_range(look(Some(40), 70, 90));
    story.expect(&["offsets_expired 0@50..70, halts"]);
    assert_eq!(story.halted(), Some((50, "offsets_expired")));
    // What was read before is written and committed.
    story.settle(0, 50);
    story.later(1000);
    story.expect(&["store 0@50 under 4", "commit 2", ENDED]);
}

#[test]
fn what_expires_under_the_reader_is_passed_over_when_the_rest_is_settled() {
    let mut story = read(OnDataLoss::Continue, 40);
    story.out_of_range(look(Some(40), 70, 90));
    story.expect(&["offsets_expired 0@50..70, on at 70"]);
    story.later(5000);
    story.expect(&[]);
    story.settle(0, 50);
    story.expect(&["restart 0@70", "store 0@70 under 4", "commit 2"]);
    story.hand(0, 90);
    story.settle(0, 80);
    story.later(1000);
    story.expect(&["store 0@80 under 4", "commit 3"]);
}

#[test]
fn a_log_cut_off_under_the_reader_halts_or_is_read_from_there_again() {
    let mut story = read(OnDataLoss::Fail, 40);
    story.out_of_range(look(Some(40), 0, 90));
    story.expect(&["search 0 in 0..50 for EpochAfter(4)"]);
    story.searched(Ok(Some(45)));
    story.expect(&["log_truncated 0@45..50, halts"]);
    assert_eq!(story.halted(), Some((50, "log_truncated")));

    let mut story = read(OnDataLoss::Continue, 40);
    story.out_of_range(look(Some(40), 0, 48));
    story.expect(&["search 0 in 0..48 for EpochAfter(4)"]);
    story.searched(Ok(Some(30)));
    let lost = "log_truncated 0@30..50, on at 30";
    let down = "commit 2 down 0@30 under 4";
    story.expect(&[lost, "closed", "restart 0@30", down]);
    assert_eq!(story.ledger.committed(&tp(0)), Some(30));
}

#[test]
fn a_position_that_is_in_the_log_after_all_is_read_on() {
    let mut story = read(OnDataLoss::Fail, 50);
    for _ in 0..3 {
        story.out_of_range(look(Some(50), 0, 90));
        story.expect(&["search 0 in 0..50 for EpochAfter(4)"]);
        story.searched(Ok(Some(50)));
        story.expect(&["restart 0@50"]);
        assert_eq!(story.halted(), None);
    }
    story.out_of_range(look(Some(50), 0, 90));
    story.said();
    story.searched(Ok(Some(50)));
    story.expect(&["log_truncated 0@50.., halts", ENDED]);
}

#[test]
fn a_corrupt_batch_halts_or_is_passed_over_as_a_whole() {
    let mut story = read(OnDataLoss::Fail, 40);
    story.corrupt();
    story.searched(Ok(Some(60)));
    story.expect(&["log_corrupt 0@50..60, halts"]);
    assert_eq!(story.halted(), Some((50, "log_corrupt")));

    let mut story = read(OnDataLoss::Continue, 50);
    story.corrupt();
    story.searched(Ok(Some(60)));
    let commits = ["store 0@60 under 4", "commit 2"];
    let lost = "log_corrupt 0@50..60, on at 60";
    story.expect(&[&[lost, "restart 0@60"], &commits[..]].concat());
}

#[test]
fn a_corrupt_batch_whose_end_is_not_found_halts_whatever_the_policy() {
    let mut story = read(OnDataLoss::Continue, 50);
    for _ in 0..3 {
        story.corrupt();
        story.searched(Ok(None)); // it was the network's fault, perhaps
        story.expect(&["restart 0@50"]);
    }
    story.corrupt();
    story.searched(Ok(None));
    story.expect(&["log_corrupt 0@50.., halts", ENDED]);
}

#[test]
fn a_search_that_fails_is_made_again_and_one_for_another_assignment_says_nothing() {
    let mut story = read(OnDataLoss::Continue, 50);
    story.corrupt();
    let asked = story.asked[&tp(0)].clone();
    story.searched(Err(()));
    story.expect(&["look up 0"]);
    assert!(story.ledger.wants_look_up(&story.asked[&tp(0)]));
    story.ledger.searched(&asked, Ok(Some(60)));
    story.run();
    story.expect(&[]);
    story.ledger.lost(vec![tp(0)]);
    story.run();
    story.said();
    story.searched(Ok(Some(60)));
    story.expect(&[]);
}

#[test]
fn a_halted_partition_is_not_examined() {
    let mut story = read(OnDataLoss::Continue, 40);
    story.halt(0, 45);
    story.ledger.out_of_range(&tp(0));
    story.ledger.corrupt(&tp(0), "why".to_owned());
    story.run();
    story.expect(&[]);
}

#[test]
fn while_a_rebalance_waits_for_its_answer_nothing_is_assigned_anew() {
    let mut story = read(OnDataLoss::Continue, 50);
    story.ledger.out_of_range(&tp(0));
    story.ledger.assigned(vec![tp(1)]);
    story.run();
    story.expect(&["wait 0", "flush", "look up 0", "look up 1"]);
    story.looked_up(0, look(Some(50), 70, 90));
    story.run();
    story.expect(&["offsets_expired 0@50..70, on at 70"]);
    story.looked_up(1, look(Some(4), 0, 9));
    story.run();
    story.later(1000);
    let commits = ["store 0@70 under 4", "commit 2"];
    story.expect(&[&["assign 1@4", "restart 0@70"], &commits[..]].concat());
}

#[test]
fn a_revoke_in_the_midst_takes_the_partition() {
    let mut story = read(OnDataLoss::Continue, 40);
    story.out_of_range(look(Some(40), 70, 90));
    story.said();
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.settle(0, 50);
    story.later(30_000);
    let said = story.said();
    assert!(said.contains(&"unassign 0".to_owned()), "{said:?}");
}

#[test]
fn partitions_that_come_later_are_read_from_their_beginning_whatever_the_reset() {
    let first = Look {
        partitions: Some(1),
        ..look(None, 3, 90)
    };
    let added = Look {
        added: true,
        partitions: Some(1),
        ..look(None, 3, 90)
    };
    let mut story = Story::new(OffsetReset::Latest, false);
    story.assign(&[0], first);
    let stored = "store 0@90 and 1 partitions";
    story.expect(&["look up 0", "assign 0@90", stored, "commit 1"]);
    story.assign(&[1], added);
    story.expect(&["look up 1", "assign 1@3"]);
    let mut story = Story::new(OffsetReset::Latest, false);
    story.ledger.appeared("t".into());
    story.assign(&[0], look(None, 0, 90));
    assert_eq!(story.said().get(1), Some(&"assign 0@0".to_owned()));
}
