//! Tenures whose commits belong to this collection, to another one, or to none that is known.

use super::*;
use crate::target::Target;

/// The group's commits belong to this one.
fn following(partition: i32, collection: &str, id: i64) -> Arc<Tenure> {
    let target = Target {
        database: "default".to_owned(),
        collection: collection.to_owned(),
        id,
        endpoint: "http://before:19530".to_owned(),
    };
    let tenure = Tenure::new(TopicPartition::new("t", partition), 0);
    Arc::new(tenure.following(Some(target)))
}

/// A writer to collection 'c' with id 1 gets a tombstone and two rows of each tenure.
async fn check(recreated: OnRecreated, tenures: &[(Arc<Tenure>, Option<&str>)]) {
    let bench = Bench::with(Rules {
        recreated,
        ..rules(Tolerance::None, 10, 100)
    });
    for (first, (tenure, _)) in (0..).step_by(10).zip(tenures) {
        let values = [None, row(first), row(first + 1)];
        bench.hand(tenure, 0, &values).await;
    }
    bench.rest().await;
    for (tenure, halted) in tenures {
        let cause = tenure.halted().map(|halt| (halt.at, halt.cause.label()));
        assert_eq!(cause, halted.map(|label| (1, label)), "{tenure:?}");
        // What is skipped changes nothing anywhere.
        assert_eq!(tenure.settled(), if halted.is_some() { 1 } else { 3 });
        let belongs_to = tenure.target().map(|target| target.id);
        let refused = if halted.is_some() { 2 } else { 1 };
        assert_eq!(belongs_to, Some(refused), "{tenure:?}");
    }
    let taken = (0..).step_by(10).zip(tenures);
    let taken = taken.filter(|(_, (_, halted))| halted.is_none());
    let keys: Vec<i64> = taken.flat_map(|(first, _)| [first, first + 1]).collect();
    assert_eq!(bench.seen().concat(), keys);
}

#[tokio::test(start_paused = true)]
async fn another_collection_than_the_committed_one_halts_before_the_first_change() {
    let tenures = [
        (following(0, "c", 2), Some("collection_recreated")),
        (following(1, "c", 1), None),
        (following(2, "b", 2), Some("other_target")),
        (following(3, "c", 0), None),
        (tenure(4), None),
    ];
    check(OnRecreated::Fail, &tenures).await;
}

#[tokio::test(start_paused = true)]
async fn where_it_may_be_recreated_only_another_name_halts() {
    let tenures = [
        (following(0, "c", 2), None),
        (following(1, "c", 1), None),
        (following(2, "b", 2), Some("other_target")),
    ];
    check(OnRecreated::Continue, &tenures).await;
}
