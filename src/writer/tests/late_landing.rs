//! Requests that end without an answer: what may still be applied is waited for before anything newer of its keys.

use super::*;

const GRACE: Duration = Duration::from_secs(20);

fn unanswered() -> Result<(), MilvusError> {
    Err(MilvusError {
        action: Action::Hold,
        cause: Cause::MilvusSlow {
            endpoint: "e".to_owned(),
            timeout_ms: 1,
        },
        outcome_unknown: true,
    })
}

async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_repeated_at_once_and_a_newer_one_of_its_keys_waits() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    let tenure = tenure(0);
    bench.script([unanswered()]);
    bench.hand(&tenure, 0, &[row(1), row(2)]).await;
    after(1).await;
    assert_eq!(bench.seen(), [[1, 2], [1, 2]]);
    bench.hand(&tenure, 2, &[row(2), row(3)]).await;
    after(18).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (2, 2));
    let causes = || bench.shared.stations.board.readiness().unwrap_err();
    bench.shared.stations.board.set_assigned(1);
    assert_eq!(causes()[0].label(), "late_landing");
    after(2).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn other_keys_and_answered_requests_wait_for_nobody() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    let tenure = tenure(0);
    bench.script([unanswered(), Ok(()), Ok(()), refusal(Action::Hold)]);
    bench
        .hand(&tenure, 0, &[row(1), row(2), row(3), row(4)])
        .await;
    after(1).await;
    assert_eq!(bench.seen(), [[1, 2], [1, 2], [3, 4]]);
    bench.hand(&tenure, 4, &[row(5)]).await;
    bench.hand(&tenure, 5, &[row(5)]).await;
    after(1).await;
    assert_eq!(tenure.settled(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_back_of_a_split_batch_waits_for_a_front_without_an_answer() {
    let bench = Bench::new(Tolerance::None, 10, 4);
    let tenure = tenure(0);
    // The whole, the front, the front again.
    bench.script([refusal(Action::Split), unanswered()]);
    let values = [row(1), row(2), row(2), row(3)];
    bench.hand(&tenure, 0, &values).await;
    after(10).await;
    assert_eq!(bench.seen()[1..], [[1, 2], [1, 2]]);
    after(11).await;
    assert_eq!(bench.seen()[3..], [[2, 3]]);
    assert_eq!(tenure.settled(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_insert_waits_for_a_delete_of_its_key_without_an_answer() {
    let plan_rules = plan::Rules {
        insert_mode: InsertMode::Insert,
        ..plan_rules()
    };
    let bench = Bench::planned(rules(Tolerance::None, 10, 10), plan_rules);
    let tenure = tenure(0);
    bench.script([unanswered()]);
    bench.hand(&tenure, 0, &[delete(1), row(1)]).await;
    after(19).await;
    assert_eq!(bench.requests(), ["delete id in [1]", "delete id in [1]"]);
    after(2).await;
    assert_eq!(bench.requests()[2..], ["insert [1] id n"]);
}

#[tokio::test(start_paused = true)]
async fn a_tenure_says_until_when_a_request_of_it_may_be_applied() {
    let bench = Bench::new(Tolerance::None, 10, 10);
    let (doubtful, calm) = (tenure(0), tenure(1));
    bench.script([unanswered()]);
    bench.hand(&doubtful, 0, &[row(1)]).await;
    after(1).await;
    bench.hand(&calm, 0, &[row(9)]).await;
    after(1).await;
    let asked = Instant::now().into_std() + GRACE;
    let until = doubtful.in_doubt().unwrap();
    assert!(until < asked && until + Duration::from_secs(2) > asked);
    assert_eq!(calm.in_doubt(), None);
}

#[tokio::test(start_paused = true)]
async fn a_closed_tenure_ends_the_attempt_and_the_others_go_on() {
    let bench = Bench::new(Tolerance::None, 10, 10);
    let (closed, open) = (tenure(0), tenure(1));
    bench
        .shared
        .milvus
        .pauses
        .lock()
        .unwrap()
        .push_back(Duration::from_secs(60));
    bench.hand(&closed, 0, &[row(1)]).await;
    bench.hand(&open, 0, &[row(2)]).await;
    after(1).await;
    bench.inlet.closed(); // of some other writer's
    after(1).await;
    assert_eq!(bench.seen(), [[1, 2]]);
    closed.close();
    bench.inlet.closed();
    after(1).await;
    assert_eq!(bench.seen(), [vec![1, 2], vec![2]]);
    assert_eq!((closed.settled(), open.settled()), (0, 1));
    assert!(open.in_doubt().is_some() && closed.in_doubt().is_some());
    // Read again at once, by another tenure of this process: the old request may still come.
    let again = tenure(0);
    bench.hand(&again, 0, &[row(1)]).await;
    after(10).await;
    assert_eq!(again.settled(), 0);
    after(20).await;
    assert_eq!(again.settled(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_closed_tenure_ends_the_pauses() {
    for trouble in [Action::Hold, Action::RepeatThenHalt] {
        let bench = Bench::with(Rules {
            retry_backoff: Duration::from_secs(30),
            ..rules(Tolerance::None, 10, 10)
        });
        let tenure = tenure(0);
        bench.script((0..3).map(|_| refusal(trouble)));
        bench.hand(&tenure, 0, &[row(1)]).await;
        after(1).await;
        tenure.close();
        bench.inlet.closed();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(bench.shared.stations.budget.used(), 0);
        assert_eq!(bench.seen().len(), 1);
    }
}
