//! `--compare-plugin`: what the Connect plugin would have made of the records that are left.

use serde_json::{Value, json};
use testkit::client::Collection;
use testkit::fake::Fake;
use testkit::kafka::Record;
use testkit::suite;

use super::{report, said};
use crate::support::{Job, article, articles};

fn counts(comparison: &Value) -> [u64; 6] {
    let names = [
        "records",
        "sound",
        "dropped",
        "corrupted",
        "died_of",
        "unreadable",
    ];
    names.map(|name| comparison[name].as_u64().unwrap())
}

#[test]
fn retained_records_are_counted_by_defect_with_the_first_position() {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "check_plugin", 1, fake.endpoint(), None);
    fake.create(articles(&job.collection).schema());
    let mut null = article(3);
    null["title"] = Value::Null;
    let mut whole = article(4);
    whole["id"] = json!(4.0);
    job.topic.produce([
        Record::json(&article(0)),
        Record::json(&article(1)),
        Record::tombstone("1"),
        Record::json(&null),
        Record::json(&whole),
        Record::json(&article(1)),
        Record::json(&json!({"op": "c", "after": article(6)})),
        Record::new("{"),
    ]);
    // The first record is no longer retained.
    job.topic.delete_records_before(0, 1);
    let settings = [("errors.tolerance", "all")];
    let found = report(&job, &["--compare-plugin"], &settings, 0)["plugin"].clone();
    assert_eq!(counts(&found), [7, 1, 3, 1, 1, 1]);
    let at = |offset: i64| format!("{}-0@{offset}", job.topic.name());
    let defects = found["defects"].as_array().unwrap();
    let defects: Vec<_> = defects
        .iter()
        .map(|d| {
            (
                d["defect"].as_str().unwrap(),
                d["first"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(
        defects,
        [
            ("tombstone", at(2)),
            ("null", at(3)),
            ("integer_with_fraction", at(4)),
            ("no_field_matches", at(6)),
            ("sent_unchecked", at(6)),
            ("same_key_in_a_poll", at(5)),
        ]
    );
    let said = said(&job, &["--compare-plugin"], &settings, 0);
    let line = format!("1  first {}  no value: skipped", at(2));
    assert!(said.contains(&line), "{said}");
    assert!(!job.topic.is_group_known(&job.group()));
}

#[test]
fn where_milvus_makes_the_keys_every_record_was_lost() {
    let fake = Fake::start();
    let job = Job::with(suite::kafka(), "check_auto", 1, fake.endpoint(), None);
    let collection = Collection::new(&job.collection).int64_key("id").auto_id();
    fake.create(collection.float_vector("v", 2).schema());
    job.topic
        .produce((0..3).map(|_| Record::json(&json!({"v": [1, 2]}))));
    let found = report(&job, &["--compare-plugin"], &[], 0);
    assert_eq!(counts(&found["plugin"]), [3, 0, 3, 0, 0, 0]);
    assert_eq!(found["plugin"]["defects"][0]["defect"], "auto_id");
    let promises = found["promises"].to_string();
    assert!(promises.contains("is a second row"), "{promises}");
}
