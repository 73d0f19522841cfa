//! A log that was cut off under the reader.

use super::*;

/// Read up to 50, settled and committed up to `settled`.
fn read(settled: i64) -> Story {
    let mut story = Story::begun(&[0]);
    story.hand(0, 50);
    story.settle(0, settled);
    story.later(1000);
    story.said();
    story
}

impl Story {
    fn rewound(&mut self, offset: i64) {
        self.ledger.rewound(&tp(0), offset);
        self.run();
    }
}

#[test]
fn a_cut_below_what_is_committed_is_committed_by_name_before_anything_else() {
    let mut story = read(40);
    story.auto_commit = false;
    let old = Arc::clone(&story.tenures[&tp(0)]);
    story.rewound(30);
    story.expect(&["flush", "closed", "rewind 0@30", "commit 2 down 0@30"]);
    assert!(!old.is_open());
    old.settle(50);
    story.hand(0, 50);
    story.settle(0, 45);
    story.later(5000);
    story.expect(&[]);
    story.ledger.commit_done(2, CommitResult::Failed);
    story.later(1000);
    story.expect(&["commit 3 down 0@30"]);
    story.ledger.commit_done(3, CommitResult::Done);
    assert_eq!(story.ledger.committed(&tp(0)), Some(30));
    story.later(1000);
    story.expect(&["store 0@45", "commit 4"]);
}

#[test]
fn a_commit_that_seemed_to_fail_may_have_reached_kafka() {
    let mut story = read(20);
    story.auto_commit = false;
    story.settle(0, 40);
    story.later(1000);
    story.expect(&["store 0@40", "commit 2"]);
    story.ledger.commit_done(2, CommitResult::Failed);
    story.rewound(30);
    story.expect(&["flush", "closed", "rewind 0@30", "commit 3 down 0@30"]);
}

#[test]
fn a_cut_above_what_is_committed_is_committed_by_name_nowhere() {
    let mut story = Story::begun(&[0]);
    story.ledger.commits.next_at = Some(story.now + Duration::from_secs(60));
    story.hand(0, 50);
    story.settle(0, 40);
    story.rewound(30);
    story.expect(&["flush", "closed", "rewind 0@30"]);
    story.later(60_000);
    story.expect(&["store 0@30", "commit 1"]);
}

#[test]
fn what_comes_before_the_cut_is_settled_in_the_old_tenure_first() {
    let mut story = read(20);
    story.rewound(30);
    story.expect(&["flush"]);
    story.settle(0, 29);
    story.later(1000);
    story.expect(&["store 0@29", "commit 2"]);
    assert!(story.tenures[&tp(0)].is_open());
    story.tenures[&tp(0)].settle(50);
    story.ledger.commit_settled(); // its writer is faster than the ledger
    story.run();
    let again = ["store 0@30", "commit 4"]; // of the new tenure
    story.expect(&[&["store 0@30", "commit 3", "rewind 0@30"], &again[..]].concat());
    assert_eq!(story.tenures[&tp(0)].settled(), 30);
}

#[test]
fn a_partition_that_stands_before_the_cut_stays_there() {
    let mut story = read(20);
    story.hand(0, 60);
    story.assign(&[1], look(None, 0, 9));
    story.said();
    story.halt(0, 25);
    story.rewound(30);
    story.settle(0, 25);
    story.later(60_000);
    story.expect(&["flush", "store 0@25", "commit 2"]);
    assert!(story.tenures[&tp(0)].halted().is_some());
}

#[test]
fn the_new_tenure_goes_on_with_the_same_target_and_end() {
    let mut story = Story::new(OffsetReset::Earliest, true);
    let target = Target {
        database: "d".to_owned(),
        collection: "c".to_owned(),
        id: 5,
        endpoint: "http://m:19530".to_owned(),
    };
    let look = Look {
        target: Some(target),
        ..look(Some(10), 0, 100)
    };
    story.assign(&[0], look);
    story.hand(0, 50);
    story.settle(0, 50);
    story.said();
    story.rewound(30);
    story.expect(&["flush", "rewind 0@30", "commit 2 down 0@30 of 5"]);
    story.hand(0, 100);
    story.settle(0, 100);
    story.run();
    let ended = "finished EndReached { halted: false }";
    story.expect(&["store 0@100 of 5", "commit 3", ended]);
}

#[test]
fn a_revoke_waits_for_the_lower_commit() {
    let mut story = read(50);
    story.auto_commit = false;
    story.rewound(30);
    story.ledger.revoked(vec![tp(0)]);
    story.run();
    story.said();
    story.later(1000);
    story.expect(&[]);
    story.ledger.commit_done(2, CommitResult::Done);
    story.run();
    story.expect(&["unassign 0"]);
}

#[test]
fn a_revoke_waits_for_what_the_old_tenure_sent() {
    // Settled and in doubt, or cut off in the midst of it.
    for (settled, seconds) in [(50, 7), (40, 20)] {
        let mut story = read(settled);
        let doubt = story.now + Duration::from_secs(7);
        story.tenures[&tp(0)].doubt(doubt);
        story.rewound(30);
        story.ledger.revoked(vec![tp(0)]);
        story.run();
        story.said();
        story.later(seconds * 1000 - 1);
        story.expect(&[]);
        story.later(1);
        story.expect(&["unassign 0"]);
    }
}

#[test]
fn a_lost_partition_is_not_committed_down() {
    let mut story = read(40);
    story.auto_commit = false;
    story.rewound(30);
    story.said();
    story.ledger.lost(vec![tp(0)]);
    story.ledger.commit_done(2, CommitResult::Failed);
    story.later(5000);
    story.expect(&["unassign 0"]);
}

#[test]
fn a_cut_in_a_lost_partition_changes_nothing() {
    let mut story = read(40);
    story.ledger.lost(vec![tp(0)]);
    story.rewound(30);
    story.expect(&["closed", "flush", "unassign 0"]);
}
