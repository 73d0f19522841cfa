//! Several batches of one writer under way.

use super::*;

fn deep(depth: usize) -> Bench {
    Bench::with(Rules {
        max_in_flight: depth,
        ..rules(Tolerance::None, 10, 2)
    })
}

impl Bench {
    fn takes(&self, seconds: impl IntoIterator<Item = u64>) {
        let pauses = seconds.into_iter().map(Duration::from_secs);
        self.shared.milvus.pauses.lock().unwrap().extend(pauses);
    }
}

async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn as_many_as_allowed_are_sent_side_by_side_and_settled_in_order() {
    let bench = deep(3);
    let tenure = tenure(0);
    bench.takes([10, 5, 2, 1]);
    let values: Vec<_> = (0..8).map(row).collect();
    bench.hand(&tenure, 0, &values).await;
    after(1).await;
    assert_eq!(bench.seen(), [[0, 1], [2, 3], [4, 5]]);
    after(8).await;
    // The second and the third are acknowledged and wait for the first; they keep their places.
    assert_eq!((bench.seen().len(), tenure.settled()), (3, 0));
    after(2).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (4, 6));
    after(2).await;
    assert_eq!(tenure.settled(), 8);
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_under_way_waits_and_its_batch_takes_more_company() {
    let bench = deep(3);
    let tenure = tenure(0);
    bench.takes([10, 1]);
    bench.hand(&tenure, 0, &[row(1), row(2)]).await;
    after(1).await;
    bench.hand(&tenure, 2, &[row(2)]).await;
    after(1).await;
    bench.hand(&tenure, 3, &[row(3)]).await;
    after(5).await;
    assert_eq!(bench.seen(), [[1, 2]]);
    after(10).await;
    assert_eq!(bench.seen(), [[1, 2], [2, 3]]);
    assert_eq!(tenure.settled(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_halt_of_an_older_batch_leaves_what_a_younger_one_wrote_uncommitted() {
    let bench = deep(2);
    let (stands, goes_on) = (tenure(0), tenure(1));
    bench.takes([10, 1]);
    bench.script([Ok(()), refusal(Action::Halt)]);
    bench.hand(&stands, 0, &[row(1), row(2)]).await;
    bench.hand(&stands, 2, &[row(3)]).await;
    bench.hand(&goes_on, 0, &[row(4)]).await;
    bench.rest().await;
    // The script answers the second one first.
    assert_eq!(bench.seen(), [[1, 2], [3, 4]]);
    assert_eq!((stands.settled(), stands.halted_at()), (0, Some(0)));
    assert_eq!(goes_on.settled(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_halt_of_a_younger_batch_does_not_stop_the_older_one() {
    let bench = deep(2);
    let tenure = tenure(0);
    bench.takes([10, 1]);
    bench.script([refusal(Action::Halt)]);
    bench.hand(&tenure, 0, &[row(1), row(2), row(3)]).await;
    bench.rest().await;
    assert_eq!((tenure.settled(), tenure.halted_at()), (2, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_halt_in_between_does_not_let_a_younger_batch_settle_before_the_oldest() {
    let bench = Bench::with(Rules {
        max_in_flight: 3,
        ..rules(Tolerance::None, 10, 2)
    });
    let (slow, stands) = (tenure(0), tenure(1));
    let pauses = [10, 1, 2].map(Duration::from_secs);
    bench.shared.milvus.pauses.lock().unwrap().extend(pauses);
    // Answered in this order: the second batch, the third, the first.
    bench.script([refusal(Action::Halt), Ok(()), refusal(Action::Halt)]);
    bench.hand(&slow, 0, &[row(1), row(2)]).await;
    bench.hand(&stands, 0, &[row(11), row(12)]).await;
    bench.hand(&slow, 2, &[row(3), row(4)]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.seen(), [[1, 2], [11, 12], [3, 4]]);
    assert_eq!(stands.halted_at(), Some(0));
    assert_eq!(slow.settled(), 0, "rows 1 and 2 are still under way");
    bench.rest().await;
    assert_eq!((slow.settled(), slow.halted_at()), (0, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_tenure_that_is_closed_before_a_batch_has_its_turn_is_not_settled_past_what_was_written()
{
    let bench = Bench::with(Rules {
        max_in_flight: 2,
        ..rules(Tolerance::None, 10, 2)
    });
    let tenure = tenure(0);
    let pauses = [60, 1].map(Duration::from_secs);
    bench.shared.milvus.pauses.lock().unwrap().extend(pauses);
    bench
        .hand(&tenure, 0, &[row(1), row(2), row(3), row(4)])
        .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    tenure.close();
    bench.inlet.closed();
    bench.rest().await;
    assert_eq!(tenure.settled(), 0, "rows 1 and 2 were never acknowledged");
}

fn missing() -> Result<(), MilvusError> {
    Err(MilvusError {
        cause: Cause::CollectionMissing {
            database: "default".to_owned(),
            collection: "c".to_owned(),
        },
        ..refusal(Action::Hold).unwrap_err()
    })
}

fn pair(id: i64, n: i64) -> Option<String> {
    Some(format!(r#"{{"id": {id}, "n": {n}}}"#))
}

/// Made anew under the same name: `n` is the key.
fn recreate(bench: &Bench) {
    bench.alter(|schema| {
        schema.collection_id = 2;
        schema.fields = vec![
            field("n", FieldType::Int64, true),
            field("id", FieldType::Int64, false),
        ];
    });
}

fn bench() -> Bench {
    Bench::with(Rules {
        max_in_flight: 2,
        recreated: OnRecreated::Continue,
        ..rules(Tolerance::None, 10, 1)
    })
}

fn takes(bench: &Bench, seconds: &[u64]) {
    let pauses = seconds.iter().copied().map(Duration::from_secs);
    bench.shared.milvus.pauses.lock().unwrap().extend(pauses);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_a_rebuilt_batch_is_under_way() {
    let bench = bench();
    let tenure = tenure(0);
    // The first attempt, its repetition in the new collection, the younger row.
    takes(&bench, &[1, 10, 1]);
    bench.script([missing()]);
    bench.hand(&tenure, 0, &[pair(1, 5)]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    recreate(&bench);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.requests(), ["upsert [1] id n", "upsert [1] n id"]);
    bench.hand(&tenure, 1, &[pair(2, 5)]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.requests().len(), 2, "row 5 is under way");
}

#[tokio::test(start_paused = true)]
async fn batches_under_way_that_a_new_plan_gives_the_same_key_go_one_after_the_other() {
    let bench = bench();
    let tenure = tenure(0);
    takes(&bench, &[1, 1, 10, 1]);
    bench.script([missing(), missing()]);
    bench.hand(&tenure, 0, &[pair(1, 5), pair(2, 5)]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    recreate(&bench);
    tokio::time::sleep(Duration::from_secs(5)).await;
    // What the second one is taken to be by then is written over by the first.
    assert_eq!(bench.requests().len(), 3, "row 5 is under way");
}
