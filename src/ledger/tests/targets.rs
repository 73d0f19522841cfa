//! What a commit says that it belongs to: from the look-up, through the tenure, into the next commit.

use super::*;
use crate::config::OnRecreated;

fn target(id: i64) -> Target {
    Target {
        database: "d".to_owned(),
        collection: "c".to_owned(),
        id,
        endpoint: "http://m:19530".to_owned(),
    }
}

fn begun(committed: Option<Target>) -> Story {
    let mut story = Story::new(OffsetReset::Earliest, false);
    let look = Look {
        target: committed,
        ..look(Some(10), 0, 100)
    };
    story.assign(&[0], look);
    story.said();
    story
}

fn write_to(story: &Story, id: i64) {
    let tenure = &story.tenures[&tp(0)];
    let written = tenure.write_to(&Arc::new(target(id)), OnRecreated::Continue);
    written.expect("the same names");
}

#[test]
fn before_the_first_change_a_commit_carries_on_what_was_committed() {
    let mut story = begun(Some(target(5)));
    story.hand(0, 20);
    story.settle(0, 12);
    story.expect(&["store 0@12 of 5", "commit 1"]);
}

#[test]
fn without_metadata_a_commit_says_nothing_until_something_was_written() {
    let mut story = begun(None);
    story.hand(0, 20);
    story.settle(0, 12);
    story.expect(&["store 0@12", "commit 1"]);
    write_to(&story, 5);
    story.settle(0, 13);
    story.later(1000);
    story.expect(&["store 0@13 of 5", "commit 2"]);
}

#[test]
fn a_commit_carries_what_the_changes_went_to_and_is_not_repeated_for_that_alone() {
    let mut story = begun(Some(target(5)));
    write_to(&story, 6);
    story.later(5000);
    story.expect(&[]);
    story.hand(0, 20);
    story.settle(0, 12);
    story.expect(&["store 0@12 of 6", "commit 1"]);
    write_to(&story, 7);
    story.later(5000);
    story.expect(&[]);
}

#[test]
fn a_new_tenure_knows_only_what_kafka_says() {
    let mut story = begun(Some(target(5)));
    write_to(&story, 6);
    story.ledger.lost(vec![tp(0)]);
    story.assign(&[0], look(Some(10), 0, 100));
    assert_eq!(story.tenures[&tp(0)].target(), None);
}
