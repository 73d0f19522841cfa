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
