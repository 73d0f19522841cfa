//! What a writer's batches hold: bytes of a request, and the writer's share of the budget.

use super::*;
use crate::budget::Room;

/// A row with a text of so many bytes, which Milvus is to take.
fn wide(id: i64, bytes: usize) -> Option<String> {
    Some(format!(
        r#"{{"id": {id}, "n": 1, "text": "{}"}}"#,
        "x".repeat(bytes)
    ))
}

fn bench(max_bytes: usize) -> Bench {
    let bench = Bench::with(Rules {
        batch_max_bytes: max_bytes,
        ..rules(Tolerance::None, 1000, 100)
    });
    let text = field("text", FieldType::VarChar { max_length: None }, false);
    bench.alter(|schema| schema.fields.push(text));
    bench
}

#[tokio::test(start_paused = true)]
async fn a_row_that_would_make_a_request_too_large_opens_the_next_one() {
    for (sizes, expected) in [
        (&[400, 400, 400][..], &[&[0, 1][..], &[2]][..]),
        (&[900, 900, 10], &[&[0], &[1, 2]]),
        (&[10, 5000, 10], &[&[0], &[1], &[2]]),
        (&[5000, 5000], &[&[0], &[1]]),
    ] {
        let bench = bench(1200);
        let tenure = tenure(0);
        let rows = (0..).zip(sizes).map(|(id, bytes)| wide(id, *bytes));
        bench.hand(&tenure, 0, &rows.collect::<Vec<_>>()).await;
        bench.rest().await;
        assert_eq!(bench.seen(), expected, "{sizes:?}");
        assert_eq!(tenure.settled(), i64::try_from(sizes.len()).unwrap());
        assert_eq!(bench.shared.stations.budget.used(), 0);
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_holds_is_its_writers_own_until_it_is_settled() {
    let bench = bench(1 << 20);
    let budget = Arc::clone(&bench.inlet.budget);
    let tenure = tenure(0);
    assert_eq!((budget.used(), budget.room()), (0, Room::Turn));
    bench.hand(&tenure, 0, &[wide(0, 4000)]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(budget.used() > 4000, "columns: {}", budget.used());
    bench.rest().await;
    assert_eq!((budget.used(), tenure.settled()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_is_the_same_one_and_not_a_copy() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.script([refusal(Action::Hold)]);
    bench.hand(&tenure(0), 0, &[row(1)]).await;
    bench.rest().await;
    let seen = bench.shared.milvus.seen.lock().unwrap();
    let [WriteRequest::Upsert(first), WriteRequest::Upsert(second)] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert!(Arc::ptr_eq(first, second));
}

#[tokio::test(start_paused = true)]
async fn rows_that_a_delete_superseded_are_not_sent_with_the_next_batch() {
    let bench = Bench::planned(rules(Tolerance::None, 10, 100), plan_rules());
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), delete(1)]).await;
    bench.rest().await;
    bench.hand(&tenure, 2, &[row(2)]).await;
    bench.rest().await;
    assert_eq!(bench.requests(), ["delete id in [1]", "upsert [2] id n"]);
}
