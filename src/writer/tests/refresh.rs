//! Schemas that change while the writer runs: looked for when Milvus or a record gives reason to, and only then.

use super::*;

/// A row with a field that the collection may or may not have.
fn row_with(id: i64, member: &str) -> Option<String> {
    Some(format!(r#"{{"id": {id}, "n": 1, {member}}}"#))
}

fn nullable(name: &str) -> Field {
    Field {
        nullable: true,
        ..field(name, FieldType::Int8, false)
    }
}

fn missing() -> MilvusError {
    MilvusError {
        action: Action::Hold,
        cause: Cause::CollectionMissing {
            database: "default".to_owned(),
            collection: "c".to_owned(),
        },
        outcome_unknown: false,
    }
}

fn halt_of(tenure: &Tenure) -> Option<(i64, &'static str)> {
    tenure.halted().map(|halt| (halt.at, halt.cause.label()))
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_answered_by_a_rebuild_where_the_schema_has_changed() {
    for action in [Action::Refresh, Action::RefreshThenRepeat] {
        let bench = Bench::new(Tolerance::None, 10, 100);
        bench.script([refusal(action)]);
        let tenure = tenure(0);
        let values = [row_with(1, r#""x": 7"#), row(2), row(1)];
        bench.alter(|schema| schema.timestamp = 5);
        bench.hand(&tenure, 0, &[row(9)]).await;
        tokio::time::sleep(Duration::from_millis(6)).await;
        bench.alter(|schema| {
            schema.fields.push(nullable("x"));
            schema.timestamp = 6;
        });
        bench.rest().await;
        assert_eq!(bench.requests(), ["upsert [9] id n", "upsert [9] id n x"]);
        bench.hand(&tenure, 1, &values).await;
        bench.rest().await;
        assert_eq!(bench.requests()[2..], ["upsert [2, 1] id n x"]);
        assert_eq!(tenure.settled(), 4);
        let named = |request: &WriteRequest| match request {
            WriteRequest::Upsert(request) => request.schema_timestamp,
            other => panic!("{other:?}"),
        };
        let seen = bench.shared.milvus.seen.lock().unwrap();
        let timestamps: Vec<u64> = seen.iter().map(named).collect();
        assert_eq!(timestamps, [5, 6, 6]);
        assert_eq!(bench.described(), 2, "one at start, one for the refusal");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stands_where_the_schema_is_the_same() {
    let check = async |action, attempts: usize, described: usize, label| {
        let bench = Bench::new(Tolerance::None, 10, 100);
        bench.script((0..attempts).map(|_| refusal(action)));
        let tenure = tenure(0);
        bench.hand(&tenure, 3, &[row(1)]).await;
        bench.rest().await;
        assert_eq!(bench.seen().len(), attempts, "{action:?}");
        assert_eq!(halt_of(&tenure), Some((3, label)), "{action:?}");
        assert_eq!(bench.described(), described, "{action:?}");
        bench.shared.stations.board.set_assigned(1);
        let causes = bench.shared.stations.board.readiness().unwrap_err();
        assert_eq!(causes.len(), 1, "halted and no longer held: {causes:?}");
    };
    check(Action::Refresh, 1, 2, "bad_record").await;
    check(Action::RefreshThenRepeat, 6, 7, "refused").await;
    check(Action::RepeatThenHalt, 6, 2, "refused").await;
    check(Action::Halt, 1, 1, "refused").await;
}

#[tokio::test(start_paused = true)]
async fn attempts_pause_and_neither_settle_nor_halt_while_milvus_does_not_describe() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.script([refusal(Action::Refresh)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_millis(6)).await;
    let busy = || refusal(Action::Hold).unwrap_err();
    bench.describe_fails((0..1000).map(|_| busy()));
    bench.rest().await;
    assert_eq!((bench.seen().len(), tenure.settled()), (1, 0));
    assert!(tenure.halted().is_none());
    assert!(bench.shared.stations.board.readiness().is_err());
    // A drain hurries it, and a closed tenure ends it.
    let before = bench.described();
    bench.inlet.flush();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(bench.described() > before);
    tenure.close();
    bench.rest().await;
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    assert_eq!(causes, [Cause::NotAssigned]);
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_field_is_filled_from_its_first_record_on() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.rest().await;
    bench.alter(|schema| schema.fields.push(nullable("x")));
    let values = [row(2), row_with(3, r#""x": 7"#), row(4)];
    bench.hand(&tenure, 1, &values).await;
    bench.rest().await;
    let expected = ["upsert [1] id n", "upsert [2] id n", "upsert [3, 4] id n x"];
    assert_eq!(bench.requests(), expected);
    assert_eq!((tenure.settled(), bench.described()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_stays_unknown_asks_once_in_half_a_minute() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    let strange = |id| row_with(id, r#""x": 7"#);
    bench.hand(&tenure, 0, &[strange(1), strange(2)]).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    bench.hand(&tenure, 2, &[strange(3)]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((tenure.settled(), bench.described()), (3, 2));
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.hand(&tenure, 3, &[strange(4), strange(5)]).await;
    bench.rest().await;
    assert_eq!((tenure.settled(), bench.described()), (5, 3));
    assert_eq!(bench.seen(), [vec![1, 2], vec![3], vec![4, 5]]);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_milvus_fills_is_no_reason_to_look() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.alter(|schema| {
        schema.fields.push(Field {
            function_output: true,
            ..field("s", FieldType::SparseFloatVector, false)
        });
    });
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row_with(1, r#""s": 7"#)]).await;
    bench.rest().await;
    assert_eq!((tenure.settled(), bench.described()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_stands_only_when_the_schema_is_still_the_one_it_does_not_fit() {
    let check = async |value: &str, widened: bool, described: usize, halted| {
        let bench = Bench::new(Tolerance::None, 10, 100);
        let tenure = tenure(0);
        bench.hand(&tenure, 0, &[row(1)]).await;
        bench.rest().await;
        if widened {
            bench.alter(|schema| schema.fields[1].kind = FieldType::Int64);
        }
        bench.hand(&tenure, 1, &[Some(value.to_owned())]).await;
        bench.rest().await;
        assert_eq!(halt_of(&tenure), halted, "{value}");
        assert_eq!(bench.described(), described, "{value}");
        assert_eq!(tenure.settled(), if halted.is_some() { 1 } else { 2 });
    };
    let bad = Some((1, "bad_record"));
    check(r#"{"id": 2, "n": 3000000000}"#, true, 2, None).await;
    check(r#"{"id": 2, "n": 3000000000}"#, false, 2, bad).await;
    check(r#"{"id": 2}"#, false, 2, bad).await;
    // No schema makes this an object.
    check("[]", true, 1, bad).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_waits_for_a_describe_that_fails_and_is_not_lost_by_a_drain() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let (tenure, other) = (tenure(0), tenure(1));
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.rest().await;
    let busy = || refusal(Action::Hold).unwrap_err();
    bench.describe_fails((0..1000).map(|_| busy()));
    let values = [row(2), row_with(3, r#""x": 7"#)];
    bench.hand(&tenure, 1, &values).await;
    bench.inlet.flush();
    bench.rest().await;
    assert_eq!(bench.seen(), [[1], [2]], "what is before it is written");
    assert_eq!(tenure.settled(), 2);
    assert!(bench.shared.stations.board.readiness().is_err(), "held");
    // The drain's deadline closes the tenure; its writer goes on with others.
    tenure.close();
    bench.hand(&other, 0, &[row(5)]).await;
    bench.rest().await;
    assert_eq!(bench.seen()[2..], [[5]]);
    assert_eq!((tenure.settled(), other.settled()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_new_schema_makes_bad_goes_by_the_tolerance_and_its_neighbours_are_written() {
    let check = async |tolerance, halted, settled, rows: &str| {
        let bench = Bench::new(tolerance, 10, 100);
        bench.script([refusal(Action::Refresh)]);
        let (bad, good) = (tenure(0), tenure(1));
        bench.hand(&bad, 0, &[row(1), row(2000), row(3)]).await;
        bench.hand(&good, 0, &[row(4)]).await;
        tokio::time::sleep(Duration::from_millis(6)).await;
        bench.alter(|schema| {
            let max_length = Some(3);
            schema.fields[0].kind = FieldType::VarChar { max_length };
            schema.fields.push(nullable("x"));
        });
        bench.rest().await;
        assert_eq!(halt_of(&bad), halted);
        assert_eq!((bad.settled(), good.settled()), (settled, 1));
        let seen = bench.shared.milvus.seen.lock().unwrap();
        let WriteRequest::Upsert(last) = seen.last().unwrap() else {
            panic!("{seen:?}");
        };
        assert!(
            format!("{:?}", last.fields_data[0]).contains(rows),
            "{last:?}"
        );
    };
    let halted = Some((1, "bad_record"));
    check(Tolerance::None, halted, 1, r#"["1", "4"]"#).await;
    check(Tolerance::All, None, 3, r#"["1", "3", "4"]"#).await;
}

#[tokio::test(start_paused = true)]
async fn where_no_plan_can_be_made_any_more_everything_of_the_collection_halts() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([refusal(Action::Refresh)]);
    let (sent, open, late) = (tenure(0), tenure(1), tenure(2));
    bench.hand(&sent, 0, &[row(1), row(2)]).await;
    bench.hand(&open, 4, &[row(3)]).await;
    tokio::time::sleep(Duration::from_millis(6)).await;
    bench.alter(|schema| schema.fields[1].kind = FieldType::Unknown(99));
    bench.rest().await;
    bench.hand(&late, 9, &[row(4)]).await;
    bench.rest().await;
    for (tenure, at) in [(&sent, 0), (&open, 4), (&late, 9)] {
        assert_eq!(halt_of(tenure), Some((at, "plan_impossible")));
    }
    assert_eq!(bench.seen(), [[1, 2]]);
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

/// As an ingress does that has lost its way for a moment.
#[tokio::test(start_paused = true)]
async fn a_describe_that_is_refused_while_running_is_asked_again() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    bench.rest().await; // the first describe is over
    bench.script([refusal(Action::RefreshThenRepeat)]);
    bench.describe_fails((0..3).map(|_| refusal(Action::Halt).unwrap_err()));
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.rest().await;
    assert_eq!((tenure.settled(), tenure.halted()), (1, None));
}

/// A collection that goes missing while rows are on their way, and is there again with id `now`.
async fn comes_back(now: i64, recreated: OnRecreated) -> (Option<(i64, &'static str)>, usize) {
    let bench = Bench::with(Rules {
        recreated,
        ..rules(Tolerance::None, 10, 1)
    });
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1)]).await;
    bench.rest().await;
    bench.script([Err(missing())]);
    bench.describe_fails((0..3).map(|_| missing()));
    bench.alter(|schema| schema.collection_id = now);
    bench.hand(&tenure, 1, &[row(2), row(3)]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(tenure.halted().is_none(), "held");
    bench.rest().await;
    let taken = bench.seen().len() - 2;
    assert_eq!(tenure.settled(), if taken == 0 { 1 } else { 3 });
    (halt_of(&tenure), taken)
}

#[tokio::test(start_paused = true)]
async fn after_a_missing_collection_nothing_is_written_to_another_of_its_name() {
    let halted = Some((1, "collection_recreated"));
    assert_eq!(comes_back(2, OnRecreated::Fail).await, (halted, 0));
    assert_eq!(comes_back(2, OnRecreated::Continue).await, (None, 2));
    assert_eq!(comes_back(1, OnRecreated::Fail).await, (None, 2));
    // Milvus does not say.
    assert_eq!(comes_back(0, OnRecreated::Fail).await, (None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_skipped_stays_skipped_and_counts_once() {
    let bench = Bench::new(Tolerance::All, 10, 100);
    bench.script([refusal(Action::Refresh)]);
    let tenure = tenure(0);
    let values = [row(1), Some("[]".to_owned()), row(2)];
    bench.hand(&tenure, 0, &values).await;
    tokio::time::sleep(Duration::from_millis(6)).await;
    bench.alter(|schema| schema.timestamp = 5);
    bench.rest().await;
    assert_eq!(bench.seen(), [[1, 2], [1, 2]]);
    assert_eq!(tenure.settled(), 3);
    let page = bench.shared.stations.metrics.encode().unwrap();
    let skipped = "records_skipped_total{reason=\"bad_record\"} 1\n";
    assert!(page.contains(skipped), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_held_batch_is_not_sent_any_more_once_no_plan_can_be_made() {
    let bench = Bench::new(Tolerance::None, 10, 1);
    bench.script([refusal(Action::Hold)]);
    let (held, other) = (tenure(0), tenure(1));
    bench.hand(&held, 0, &[row(1)]).await;
    bench.shared.milvus.answered.notified().await;
    bench.alter(|schema| schema.fields[1].kind = FieldType::Unknown(99));
    bench.hand(&other, 3, &[row_with(2, r#""x": 7"#)]).await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1]]);
    for (tenure, at) in [(&held, 0), (&other, 3)] {
        assert_eq!(halt_of(tenure), Some((at, "plan_impossible")));
    }
    bench.shared.stations.board.set_assigned(2);
    let causes = bench.shared.stations.board.readiness().unwrap_err();
    assert_eq!(causes.len(), 1, "halted and no longer held: {causes:?}");
}

#[tokio::test(start_paused = true)]
async fn one_look_answers_all_who_asked_before_it_and_the_doubts_of_half_a_minute() {
    use super::super::plans::Doubt;
    let (plans, mut desk) = plans();
    let plan = Arc::new(plan::make(&schema(), &plan_rules()).unwrap());
    desk.publish(PlanState::Ready(Arc::clone(&plan)));
    let look = |doubt| plans.look(&plan, doubt);
    let one_look = async |desk: &mut Desk| {
        let waiting = desk.wanted().await.unwrap();
        desk.looked(waiting, Ok(None));
    };
    let all = async {
        tokio::join!(
            look(Doubt::Record),
            look(Doubt::Milvus),
            look(Doubt::Record)
        )
    };
    let (answers, ()) = tokio::join!(all, one_look(&mut desk));
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
    let check = async |doubt, desk: &mut Desk, wanted: bool| {
        tokio::select! {
            biased;
            () = one_look(desk) => assert!(wanted, "{doubt:?}"),
            _ = look(doubt) => assert!(!wanted, "{doubt:?}"),
        }
    };
    check(Doubt::Record, &mut desk, false).await;
    check(Doubt::Milvus, &mut desk, true).await;
    tokio::time::advance(Duration::from_secs(30)).await;
    check(Doubt::Record, &mut desk, true).await;
    // Who doubts another plan than the current one has its answer already.
    desk.publish(PlanState::Ready(Arc::new(
        plan::make(&schema(), &plan_rules()).unwrap(),
    )));
    check(Doubt::Milvus, &mut desk, false).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_missing_collection_no_other_batch_is_written_unseen_to_another_of_its_name() {
    let bench = Bench::with(Rules {
        max_in_flight: 2,
        retry_backoff: Duration::from_secs(30),
        ..rules(Tolerance::None, 10, 1)
    });
    let missing = MilvusError {
        cause: Cause::CollectionMissing {
            database: "default".to_owned(),
            collection: "c".to_owned(),
        },
        ..refusal(Action::Hold).unwrap_err()
    };
    let tenure = tenure(0);
    bench.script([Ok(()), Err(missing)]);
    bench.hand(&tenure, 0, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.hand(&tenure, 1, &[row(2)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.alter(|schema| schema.collection_id = 2);
    bench.hand(&tenure, 2, &[row(3)]).await;
    bench.rest().await;
    let halt = tenure.halted().map(|halt| (halt.at, halt.cause.label()));
    assert_eq!(halt, Some((1, "collection_recreated")));
    assert_eq!(bench.seen(), [[1], [2]], "row 3 is in the other collection");
}
