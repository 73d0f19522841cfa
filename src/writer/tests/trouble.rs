//! Holds, refusals, bad records, gaps and closed tenures.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_hold_repeats_the_same_batch_until_it_is_taken_and_settles_nothing_before() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script((0..20).map(|_| refusal(Action::Hold)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), row(3)]).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tenure.settled(), 0);
    assert!(tenure.halted().is_none());
    tokio::time::sleep(Duration::from_secs(1200)).await;
    let seen = bench.seen();
    assert_eq!(seen.len(), 22);
    assert!(seen[..21].iter().all(|keys| keys == &[1, 2]), "{seen:?}");
    assert_eq!(tenure.settled(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_halts_the_partitions_of_the_batch_and_no_others() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Halt)]);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&bad, 5, &[row(1), row(2), row(3)]).await;
    bench.hand(&good, 0, &[row(4)]).await;
    bench.rest().await;
    assert_eq!(bad.halted().map(|halt| halt.at), Some(5));
    assert_eq!(bad.settled(), 5);
    assert_eq!(good.settled(), 1);
    assert_eq!(
        bench.seen(),
        [vec![1, 2], vec![4]],
        "nothing behind the halt is sent"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_may_pass_is_repeated_five_times_over_thirty_seconds() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script((0..6).map(|_| refusal(Action::RepeatThenHalt)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(tenure.halted().is_none());
    bench.shared.stations.board.set_assigned(1);
    let held = bench.shared.stations.board.readiness().unwrap_err();
    assert_eq!(held[0].label(), "milvus_busy", "not called a refusal yet");
    bench.rest().await;
    assert!(tenure.halted().is_some());
    assert_eq!(bench.seen().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_halts_its_partition_at_its_offset_and_not_its_neighbours() {
    let bench = Bench::new(Tolerance::None, 3_600_000, 100);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&good, 0, &[row(8)]).await;
    bench
        .hand(&bad, 0, &[row(1), Some("{".to_owned()), row(2)])
        .await;
    bench.rest().await;
    assert_eq!(
        bench.seen(),
        [[8, 1]],
        "the batch closes before the bad record"
    );
    assert_eq!(bad.halted().map(|halt| halt.at), Some(1));
    assert_eq!((bad.settled(), good.settled()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_is_skipped_and_settled_where_that_is_tolerated() {
    let bench = Bench::new(Tolerance::All, 10, 100);
    let tenure = tenure(0);
    let values = [row(1), Some("[]".to_owned()), None, row(2)];
    bench.hand(&tenure, 0, &values).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2]]);
    assert_eq!(tenure.settled(), 4);
    assert!(tenure.halted().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_tombstones_settles_in_its_turn_without_a_request() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2), None, None]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(tenure.settled(), 0, "not before the batch before it");
    bench.rest().await;
    assert_eq!((bench.seen().len(), tenure.settled()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_closed_tenure_are_not_sent_again_and_what_they_superseded_takes_its_place() {
    let bench = Bench::new(Tolerance::None, 10, 3);
    bench.script([refusal(Action::Hold)]);
    let (kept, closed) = (tenure(0), tenure(1));
    bench.hand(&kept, 0, &[row(1), row(2)]).await;
    bench.hand(&closed, 0, &[row(1)]).await;
    bench.shared.milvus.answered.notified().await;
    closed.close();
    bench.rest().await;
    assert_eq!(bench.seen(), [vec![2, 1], vec![1, 2]]);
    assert_eq!((kept.settled(), closed.settled()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_a_bad_record_at_the_front_of_a_batch_keeps_nobody_waiting() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let (bad, good) = (tenure(0), tenure(1));
    bench.hand(&bad, 0, &[Some("{".to_owned()), row(1)]).await;
    bench.hand(&good, 0, &[row(2)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[2]]);
    assert_eq!((bad.settled(), good.settled()), (0, 1));
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_a_bad_record_keeps_what_lies_between_from_being_settled() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold), refusal(Action::Halt)]);
    let tenure = tenure(0);
    let values = [row(1), row(2), row(3), Some("{".to_owned())];
    bench.hand(&tenure, 0, &values).await;
    bench.shared.milvus.answered.notified().await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2], [1, 2]]);
    assert_eq!((tenure.halted_at(), tenure.settled()), (Some(0), 0));
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    let causes: Vec<_> = causes.iter().map(Cause::label).collect();
    assert_eq!(causes, ["refused", "not_assigned"], "what it stands at now");
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_when_nothing_of_its_batch_is_wanted_any_more() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Hold)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.shared.milvus.answered.notified().await;
    tenure.close();
    bench.rest().await;
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    assert_eq!(causes, [Cause::NotAssigned]);
    assert_eq!((bench.seen().len(), tenure.settled()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_the_pause_before_the_next_attempt() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.script((0..10).map(|_| refusal(Action::Hold)));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let before = bench.seen().len();
    bench.inlet.flush();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(bench.seen().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_halt_behind_a_gap_in_the_log_stands_where_settled_can_get() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), row(2)]).await;
    let mut behind = chunk(
        &bench.shared.stations.budget,
        &tenure,
        7,
        &[Some("{".to_owned())],
    );
    behind.runs[0].from = 2; // offsets 2 to 6 are no records
    bench.inlet.chunks.send(Arc::new(behind)).await.unwrap();
    bench.rest().await;
    assert_eq!(tenure.halted_at(), Some(2));
    assert_eq!(tenure.settled(), 2);
    let said = tenure.halted().unwrap().cause.to_string();
    assert!(said.starts_with("t-0@7: "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_insert_is_settled_even_if_a_tenure_of_it_was_closed_under_way() {
    let plan_rules = plan::Rules {
        insert_mode: InsertMode::Insert,
        ..plan_rules()
    };
    let bench = Bench::planned(rules(Tolerance::None, 10, 2), plan_rules);
    let (kept, closed) = (tenure(0), tenure(1));
    bench.shared.milvus.closes(&closed);
    bench.hand(&kept, 0, &[row(1)]).await;
    bench.hand(&closed, 0, &[row(2)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2]], "row 1 would be there twice");
    assert_eq!(kept.settled(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_before_a_halt_of_the_consumer_is_written() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    let tenure = tenure(0);
    let values = [row(1), row(2), row(3)];
    // Kafka has no record at 3: said while the records before are still on their way.
    assert!(tenure.halt(3, Cause::NotAssigned));
    bench.hand(&tenure, 0, &values).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [vec![1, 2], vec![3]]);
    assert_eq!(tenure.settled(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_held_is_said_to_be_while_another_one_is_taken() {
    let bench = Bench::with(Rules {
        max_in_flight: 2,
        retry_backoff: Duration::from_secs(30),
        ..rules(Tolerance::None, 10, 1)
    });
    let tenure = tenure(0);
    bench.shared.stations.board.set_assigned(1);
    let pauses = [0, 5].map(Duration::from_secs);
    bench.shared.milvus.pauses.lock().unwrap().extend(pauses);
    bench.script([refusal(Action::Hold)]);
    bench.hand(&tenure, 0, &[row(1), row(2)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(bench.shared.stations.board.readiness().is_err());
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!((bench.seen().len(), tenure.settled()), (2, 0));
    assert!(bench.shared.stations.board.readiness().is_err(), "held yet");
}

#[tokio::test(start_paused = true)]
async fn a_partition_without_a_record_in_the_request_does_not_halt_with_it() {
    let bench = Bench::new(Tolerance::All, 10, 10);
    bench.script([refusal(Action::Halt)]);
    let (refused, tombstones, skipped) = (tenure(0), tenure(1), tenure(2));
    bench.hand(&refused, 0, &[row(1)]).await;
    bench.hand(&tombstones, 0, &[None]).await;
    bench.hand(&skipped, 0, &[Some("[]".to_owned())]).await;
    bench.rest().await;
    assert_eq!(refused.halted_at(), Some(0));
    assert_eq!((tombstones.halted_at(), skipped.halted_at()), (None, None));
    assert_eq!((tombstones.settled(), skipped.settled()), (1, 1));
}
