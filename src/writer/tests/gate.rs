//! Nothing is sent while the consumer does not poll.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_writer_whose_consumer_stands_still_sends_nothing_and_says_so() {
    let now = || Instant::now().into_std();
    let gate = Gate::new(Duration::from_secs(10), now());
    let bench = Bench::behind(gate, None, rules(Tolerance::None, 10, 100), plan_rules());
    let (gate, board) = (&bench.shared.stations.gate, &bench.shared.stations.board);
    let (kept, lost) = (tenure(0), tenure(1));
    bench.rest().await;
    bench.hand(&kept, 0, &[row(1)]).await;
    bench.hand(&lost, 0, &[row(2)]).await;
    bench.rest().await;
    assert!(bench.seen().is_empty());
    board.set_assigned(1);
    let causes = board.readiness().unwrap_err();
    assert!(causes.contains(&Cause::KafkaNotPolled), "{causes:?}");
    // The session was over: what is lost is closed before the gate opens.
    gate.poll(now());
    lost.close();
    tokio::time::sleep(Duration::from_millis(1999)).await;
    gate.poll(now());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(bench.seen().is_empty());
    gate.poll(now());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.seen(), [[1]]);
    assert_eq!((kept.settled(), lost.settled()), (1, 0));
    assert_eq!(board.readiness(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_asks_the_gate_again() {
    let gate = Gate::new(Duration::from_secs(10), Instant::now().into_std());
    let bench = Bench::behind(gate, None, rules(Tolerance::None, 10, 100), plan_rules());
    let tenure = tenure(0);
    bench.script([refusal(Action::RepeatThenHalt)]);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.shared.stations.gate.poll(Instant::now().into_std());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (2, 1));
    bench.script([refusal(Action::RepeatThenHalt)]);
    bench.hand(&tenure, 1, &[row(2)]).await;
    bench.rest().await;
    assert_eq!((bench.seen().len(), tenure.settled()), (3, 1));
}
