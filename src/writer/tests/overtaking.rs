//! Late landings beside closed tenures, halts and other plans.

use super::*;

fn unanswered() -> Result<(), MilvusError> {
    Err(MilvusError {
        outcome_unknown: true,
        ..refusal(Action::Hold).unwrap_err()
    })
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_in_doubt_when_the_rest_of_its_batch_is_repeated_without_an_answer() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    let (closed, open) = (tenure(0), tenure(1));
    let minute = Duration::from_secs(60);
    bench.shared.milvus.pauses.lock().unwrap().push_back(minute);
    bench.script([unanswered()]); // of the second attempt: the first is cancelled
    bench.hand(&closed, 0, &[row(1)]).await;
    bench.hand(&open, 0, &[row(2)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    closed.close();
    bench.inlet.closed();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.seen(), [vec![1, 2], vec![2], vec![2]]);
    // The partition comes back, with a newer row of key 1, while the cancelled request may still be applied.
    let again = tenure(0);
    bench.hand(&again, 1, &[row(1)]).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.seen().len(), 3, "row 1 would be overtaken");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(again.settled(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_a_new_plan_makes_another_one_waits_for_its_old_request() {
    let bench = Bench::new(Tolerance::None, 10, 10);
    let tenure = tenure(0);
    let unanswered = MilvusError {
        outcome_unknown: true,
        ..refusal(Action::Hold).unwrap_err()
    };
    bench.script([Err(unanswered), refusal(Action::Refresh)]);
    let pause = Duration::from_secs(1);
    bench.shared.milvus.pauses.lock().unwrap().push_back(pause);
    bench.alter(|schema| schema.timestamp = 5);
    let value = r#"{"id": 1, "n": 1}"#;
    bench.hand(&tenure, 0, &[Some(value.to_owned())]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    bench.alter(|schema| {
        let x = field("x", FieldType::Int8, false);
        schema.fields.push(Field {
            nullable: true,
            ..x
        });
        schema.timestamp = 6;
    });
    tokio::time::sleep(Duration::from_secs(15)).await;
    let old = "upsert [1] id n";
    assert_eq!(
        bench.requests(),
        [old, old],
        "the old one may come behind it"
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.requests(), [old, old, "upsert [1] id n x"]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_stands_is_not_drained_while_a_request_behind_the_halt_is_under_way() {
    let bench = Bench::with(Rules {
        max_in_flight: 2,
        ..rules(Tolerance::None, 10, 2)
    });
    let tenure = tenure(0);
    let pauses = [1, 60].map(Duration::from_secs);
    bench.shared.milvus.pauses.lock().unwrap().extend(pauses);
    bench.script([refusal(Action::Halt)]);
    bench
        .hand(&tenure, 0, &[row(1), row(2), row(3), row(4)])
        .await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.seen(), [[1, 2], [3, 4]]);
    assert_eq!((tenure.settled(), tenure.halted_at()), (0, Some(0)));
    assert!(!tenure.is_quiet(), "rows 3 and 4 may still be applied");
    bench.rest().await;
    assert!(tenure.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_closed_tenure_does_not_make_the_rows_of_the_others_be_inserted_twice() {
    let plan_rules = plan::Rules {
        insert_mode: InsertMode::Insert,
        ..plan_rules()
    };
    let bench = Bench::planned(rules(Tolerance::None, 10, 2), plan_rules);
    let (kept, closed) = (tenure(0), tenure(1));
    let pause = Duration::from_secs(5);
    bench.shared.milvus.pauses.lock().unwrap().push_back(pause);
    bench.hand(&kept, 0, &[row(1)]).await;
    bench.hand(&closed, 0, &[row(2)]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    closed.close();
    bench.inlet.closed();
    bench.rest().await;
    assert_eq!(bench.seen(), [vec![1, 2]], "row 1 is on its way already");
    assert_eq!(kept.settled(), 1);
}
