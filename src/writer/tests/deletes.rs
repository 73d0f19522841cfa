//! Deletes in a batch: folded with rows, sent as parts, settled together.

use super::*;
use crate::writer::letters::Passed;
use crate::writer::sealed::Fate;
use crate::writer::spare::Room;

/// Hands one chunk to a writer whose plan has `insert_mode`, and returns its requests.
async fn requests(insert_mode: InsertMode, values: &[Option<String>]) -> Vec<String> {
    let plan_rules = plan::Rules {
        insert_mode,
        ..plan_rules()
    };
    let bench = Bench::planned(rules(Tolerance::None, 10, 100), plan_rules);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, values).await;
    bench.rest().await;
    assert_eq!(tenure.settled(), i64::try_from(values.len()).unwrap());
    let metrics = &bench.shared.stations.metrics;
    let sent = metrics.changes_written() + metrics.rows_superseded.get();
    assert_eq!(sent, values.len() as u64, "each is sent or superseded");
    assert_eq!(bench.shared.stations.budget.used(), 0);
    bench.requests()
}

#[tokio::test(start_paused = true)]
async fn the_last_change_of_a_key_is_the_one_that_is_sent() {
    let check = async |values: &[Option<String>], expected: &[&str]| {
        assert_eq!(requests(InsertMode::Auto, values).await, expected);
    };
    let (one, two) = (|| row(1), || row(2));
    check(&[delete(1)], &["delete id in [1]"]).await;
    check(&[one(), delete(1)], &["delete id in [1]"]).await;
    check(&[delete(1), one()], &["upsert [1] id n"]).await;
    check(&[delete(1), delete(1)], &["delete id in [1]"]).await;
    check(&[one(), delete(1), one()], &["upsert [1] id n"]).await;
    check(&[delete(1), one(), delete(1)], &["delete id in [1]"]).await;
    check(
        &[one(), delete(2), two(), delete(1), delete(3)],
        &["delete id in [1,3]", "upsert [2] id n"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_insert_keeps_the_delete_before_it_and_goes_out_after_it() {
    let check = async |values: &[Option<String>], expected: &[&str]| {
        assert_eq!(requests(InsertMode::Insert, values).await, expected);
    };
    check(&[row(1), row(2), row(1)], &["insert [2, 1] id n"]).await;
    check(
        &[row(1), delete(1), row(1)],
        &["delete id in [1]", "insert [1] id n"],
    )
    .await;
    check(
        &[delete(1), row(1), delete(1), row(2)],
        &["delete id in [1]", "insert [2] id n"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_part_is_not_sent_again_and_nothing_is_settled_before_the_last() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([
        Ok(()),
        refusal(Action::Hold),
        refusal(Action::RepeatThenHalt),
    ]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), delete(2)]).await;
    bench.shared.milvus.answered.notified().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((bench.requests().len(), tenure.settled()), (2, 0));
    bench.rest().await;
    let rows = "upsert [1] id n";
    assert_eq!(bench.requests(), ["delete id in [2]", rows, rows, rows]);
    assert_eq!(tenure.settled(), 2);
    let metrics = &bench.shared.stations.metrics;
    let counts = (metrics.rows_written.get(), metrics.rows_deleted.get());
    assert_eq!((counts, metrics.batches_settled.get()), ((1, 1), 1));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_a_closed_tenure_had_deleted_takes_its_place_again() {
    let bench = Bench::new(Tolerance::None, 10, 3);
    bench.script([refusal(Action::Hold)]);
    let (kept, closed) = (tenure(0), tenure(1));
    bench.hand(&kept, 0, &[row(1), delete(2)]).await;
    bench.hand(&closed, 0, &[delete(1)]).await;
    bench.shared.milvus.answered.notified().await;
    closed.close();
    bench.rest().await;
    let expected = ["delete id in [2,1]", "delete id in [2]", "upsert [1] id n"];
    assert_eq!(bench.requests(), expected);
    assert_eq!((kept.settled(), closed.settled()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_whole_batch_is_built_anew_under_the_new_schema() {
    let bench = Bench::new(Tolerance::None, 10, 2);
    bench.script([Ok(()), refusal(Action::Refresh)]);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), delete(2)]).await;
    bench.alter(|schema| schema.timestamp = 1);
    tokio::time::sleep(Duration::from_millis(6)).await;
    bench.alter(|schema| schema.timestamp = 2);
    bench.rest().await;
    let (deletes, rows) = ("delete id in [2]", "upsert [1] id n");
    assert_eq!(bench.requests(), [deletes, rows, deletes, rows]);
    assert_eq!(tenure.settled(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_delete_can_name_makes_a_bad_record() {
    let bench = Bench::new(Tolerance::None, 10, 100);
    let tenure = tenure(0);
    let smallest = delete(i64::MIN);
    bench.hand(&tenure, 0, &[delete(1), smallest]).await;
    bench.rest().await;
    assert_eq!(bench.requests(), ["delete id in [1]"]);
    let halt = tenure.halted().unwrap();
    assert_eq!((halt.at, tenure.settled()), (1, 1));
    let said = halt.cause.to_string();
    let expected = "t-0@1: field 'id' wants a key that a delete can name";
    assert!(said.starts_with(expected), "{said}");
    assert!(!said.contains("9223"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_deletes_fill_a_batch_and_the_budget() {
    let budget = Budget::new(1 << 20);
    let plan = Arc::new(plan::make(&schema(), &plan_rules()).unwrap());
    let tenure = tenure(0);
    let values: Vec<_> = (0..100).map(|id| delete(1_000_000_000 + id)).collect();
    let chunk = Arc::new(chunk(&budget, &tenure, 0, &values));
    let raw = budget.used();
    let mut batch = Batch::new(Room::new(&plan), None, &budget, Instant::now());
    let frame = budget.used() - raw;
    for record in 0..90 {
        let (chunk, run) = (&chunk, 0);
        let at = At { chunk, run, record };
        batch.read(at).keep(OnRecreated::Fail).unwrap();
    }
    let literals = 90 * "1000000000,".len();
    assert!(budget.used() - raw - frame >= literals);
    assert!(batch.is_full(1000, literals));
    assert!(!batch.is_full(1000, 2 * literals));
}

/// What is sent, and how far the tenure is settled, when `left_out` becomes of the record at offset 2.
async fn rebuilt(values: &[Option<String>], left_out: Fate) -> (Vec<String>, i64) {
    let budget = Budget::new(1 << 20);
    let plan = Arc::new(plan::make(&schema(), &plan_rules()).unwrap());
    let tenure = tenure(0);
    let chunk = Arc::new(chunk(&budget, &tenure, 0, values));
    let mut batch = Batch::new(Room::new(&plan), None, &budget, Instant::now());
    for record in 0..values.len() {
        let (chunk, run) = (&chunk, 0);
        let at = At { chunk, run, record };
        batch.read(at).keep(OnRecreated::Fail).unwrap();
    }
    let fate = |at: At<'_>| {
        if at.offset() == 2 {
            left_out.clone()
        } else {
            Fate::Keep
        }
    };
    let refuse = |_: At<'_>, refusal| panic!("{refusal:?}");
    let sealed = batch.seal(Origin::batch(1));
    let sealed = sealed
        .unsealed()
        .seal(&plan, &budget, OnRecreated::Fail, fate, refuse);
    sealed.settle();
    (sealed.parts.iter().map(shown).collect(), tenure.settled())
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_without_a_record_brings_back_what_it_superseded() {
    let check = async |last: Option<String>, fate, expected: &[&str], settled| {
        let (sent, reached) = rebuilt(&[row(1), row(2), last], fate).await;
        assert_eq!(
            (sent, reached),
            (expected.iter().map(|s| s.to_string()).collect(), settled)
        );
    };
    let both = ["upsert [1, 2] id n"];
    check(
        delete(1),
        Fate::Keep,
        &["delete id in [1]", "upsert [2] id n"],
        3,
    )
    .await;
    check(delete(1), Fate::Pass(Passed::Skipped), &both, 3).await;
    check(delete(1), Fate::Leave, &both, 2).await;
    check(row(1), Fate::Keep, &["upsert [2, 1] id n"], 3).await;
    check(row(1), Fate::Pass(Passed::Skipped), &both, 3).await;
    check(row(1), Fate::Leave, &both, 2).await;
}
