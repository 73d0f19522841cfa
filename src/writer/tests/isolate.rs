//! Records that only Milvus finds fault with: found among their neighbours, which are written and settled.

use super::*;

fn halt_of(tenure: &Tenure) -> Option<(i64, &'static str)> {
    tenure.halted().map(|halt| (halt.at, halt.cause.label()))
}

fn rows(keys: impl IntoIterator<Item = i64>) -> Vec<Option<String>> {
    keys.into_iter().map(row).collect()
}

impl Bench {
    fn dislikes(&self, keys: impl IntoIterator<Item = i64>, action: Action) {
        let mut dislike = self.shared.milvus.dislike.lock().unwrap();
        dislike.keys = keys.into_iter().collect();
        dislike.error = refusal(action).unwrap_err();
    }

    /// The keys of all rows that were acknowledged, in that order.
    fn taken(&self) -> Vec<i64> {
        let taken = self.shared.milvus.taken.lock().unwrap();
        taken.iter().flat_map(keys).collect()
    }

    fn skipped(&self) -> u64 {
        let page = self.shared.stations.metrics.encode().unwrap();
        let line = "records_skipped_total{reason=\"bad_record\"} ";
        let count = page.lines().find_map(|l| l.split_once(line)).unwrap().1;
        count.parse().unwrap()
    }

    /// Ends when so many requests have come.
    async fn requested(&self, count: usize) {
        while self.seen().len() < count {
            self.shared.milvus.answered.notified().await;
        }
    }
}

fn inserting(tolerance: Tolerance, max_rows: usize) -> Bench {
    let plan_rules = plan::Rules {
        insert_mode: InsertMode::Insert,
        ..plan_rules()
    };
    Bench::planned(rules(tolerance, 10, max_rows), plan_rules)
}

const CONTENT: [Action; 3] = [Action::Refresh, Action::RepeatThenHalt, Action::Isolate];

#[tokio::test(start_paused = true)]
async fn one_bad_row_is_found_in_few_requests_and_its_neighbours_are_written_once() {
    for action in CONTENT {
        let check = async |tolerance, written: Vec<i64>, settled, halted| {
            let bench = inserting(tolerance, 100);
            bench.dislikes([37], action);
            let tenure = tenure(0);
            bench.hand(&tenure, 0, &rows(0..100)).await;
            bench.rest().await;
            assert_eq!(bench.taken(), written, "{action:?}");
            assert_eq!((tenure.settled(), halt_of(&tenure)), (settled, halted));
            assert_eq!(bench.skipped(), u64::from(tolerance == Tolerance::All));
            assert!(bench.seen().len() < 30, "{}", bench.seen().len());
            assert!(bench.described() < 5, "{}", bench.described());
            assert_eq!(bench.shared.stations.budget.used(), 0);
        };
        let neighbours = (0..100).filter(|key| *key != 37).collect();
        check(Tolerance::All, neighbours, 100, None).await;
        let halted = Some((37, "bad_record"));
        check(Tolerance::None, (0..37).collect(), 37, halted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bad_rows_of_two_partitions_stop_each_its_own() {
    let check = async |tolerance, written: Vec<i64>, ends: [_; 2]| {
        let bench = inserting(tolerance, 500);
        bench.dislikes([10, 240, 300], Action::Refresh);
        let tenures = [tenure(0), tenure(1)];
        bench.hand(&tenures[0], 0, &rows(0..250)).await;
        bench.hand(&tenures[1], 0, &rows(250..500)).await;
        bench.rest().await;
        assert_eq!(bench.taken(), written);
        assert_eq!(tenures.map(|t| (t.settled(), halt_of(&t))), ends);
    };
    let bad = [10, 240, 300];
    let good = (0..500).filter(|key| !bad.contains(key)).collect();
    check(Tolerance::All, good, [(250, None), (250, None)]).await;
    let ends = [10, 50].map(|at| (at, Some((at, "bad_record"))));
    check(Tolerance::None, (0..10).chain(250..300).collect(), ends).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_row_had_superseded_takes_its_place() {
    let check = async |tolerance, written: &[&str], settled| {
        let bench = Bench::new(tolerance, 10, 100);
        bench.shared.milvus.dislike.lock().unwrap().n = Some(5);
        let tenure = tenure(0);
        let bad = Some(r#"{"id": 1, "n": 5}"#.to_owned());
        bench.hand(&tenure, 0, &[row(1), row(2), bad, row(3)]).await;
        bench.rest().await;
        let taken = bench.shared.milvus.taken.lock().unwrap();
        assert_eq!(taken.iter().map(shown).collect::<Vec<_>>(), written);
        assert_eq!(tenure.settled(), settled);
    };
    let (front, back) = ("upsert [1, 2] id n", "upsert [3] id n");
    check(Tolerance::All, &[front, back], 4).await;
    check(Tolerance::None, &[front], 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_delete_is_found_among_deletes_and_rows() {
    let bench = Bench::new(Tolerance::All, 10, 100);
    bench.dislikes([5], Action::Isolate);
    let tenure = tenure(0);
    let values = [row(1), delete(4), delete(5), delete(6), row(2)];
    bench.hand(&tenure, 0, &values).await;
    bench.rest().await;
    let taken = bench.shared.milvus.taken.lock().unwrap();
    let deleted: Vec<i64> = taken.iter().flat_map(deleted).collect();
    assert_eq!(deleted, [4, 6]);
    assert_eq!((tenure.settled(), bench.skipped()), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_hold_in_the_middle_holds_and_a_drain_leaves_out_what_is_closed() {
    let bench = inserting(Tolerance::All, 8);
    bench.dislikes([5], Action::Refresh);
    let (kept, closed) = (tenure(0), tenure(1));
    // Whole refused, front half taken, then the back half meets a server that is away.
    bench.script(
        [Ok(()), Ok(())]
            .into_iter()
            .chain(vec![refusal(Action::Hold); 40]),
    );
    bench.hand(&kept, 0, &rows(0..6)).await;
    bench.hand(&closed, 0, &rows(6..8)).await;
    bench.requested(9).await;
    assert_eq!(bench.taken(), [0, 1, 2, 3]);
    assert_eq!((kept.settled(), closed.settled()), (4, 0));
    assert!(bench.shared.stations.board.readiness().is_err());
    closed.close();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.taken(), [0, 1, 2, 3, 4]);
    assert_eq!((kept.settled(), closed.settled()), (6, 0));
    assert_eq!(bench.skipped(), 1);
    assert!(kept.halted().is_none());
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_doubtful_answer_makes_no_record_bad_while_nothing_is_taken() {
    for action in [Action::RepeatThenHalt, Action::Isolate] {
        let bench = Bench::new(Tolerance::All, 10, 10);
        bench.dislikes(0..10, action);
        let tenure = tenure(0);
        bench.hand(&tenure, 0, &rows(0..10)).await;
        bench.rest().await;
        assert_eq!(halt_of(&tenure), Some((0, "refused")), "{action:?}");
        assert_eq!((bench.skipped(), tenure.settled()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_fault_of_the_rows_halts_all_of_them() {
    let short = || {
        Err(MilvusError {
            action: Action::RepeatThenHalt,
            cause: Cause::ShortCount {
                collection: "c".to_owned(),
                sent: 4,
                acked: 3,
            },
            outcome_unknown: true,
        })
    };
    let check = async |answer: Result<(), MilvusError>, requests, label| {
        let bench = Bench::new(Tolerance::All, 10, 4);
        bench.script(vec![answer; requests]);
        let tenure = tenure(0);
        bench.hand(&tenure, 0, &rows(0..4)).await;
        bench.rest().await;
        assert_eq!(halt_of(&tenure), Some((0, label)));
        assert_eq!(bench.seen().len(), requests);
    };
    check(refusal(Action::Halt), 1, "refused").await;
    check(refusal(Action::RefreshThenRepeat), 6, "refused").await;
    check(short(), 6, "short_count").await;
}

#[tokio::test(start_paused = true)]
async fn too_many_refused_in_a_row_are_the_collections_fault() {
    let check = async |bad: Vec<i64>, most, settled, halted: Option<_>| {
        let bench = Bench::with(Rules {
            refused_max_consecutive: most,
            ..rules(Tolerance::All, 10, 3)
        });
        bench.dislikes(bad, Action::Refresh);
        let tenure = tenure(0);
        bench.hand(&tenure, 0, &rows(0..12)).await;
        bench.rest().await;
        assert_eq!((tenure.settled(), halt_of(&tenure)), (settled, halted));
        if let Some(halt) = tenure.halted() {
            let said = halt.cause.to_string();
            assert!(said.contains("errors.refused.max.consecutive"), "{said}");
        }
    };
    let rows_halt = Some((4, "refused_in_a_row"));
    check((0..12).collect(), 4, 4, rows_halt).await;
    check((0..12).filter(|key| *key != 4).collect(), 7, 12, None).await;
    check(
        (0..12).filter(|key| *key != 4).collect(),
        6,
        11,
        Some((11, "refused_in_a_row")),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_goes_out_in_smaller_requests_and_alone_is_a_bad_record() {
    let bench = inserting(Tolerance::None, 16);
    bench.shared.milvus.dislike.lock().unwrap().most_rows = 5;
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &rows(0..16)).await;
    bench.rest().await;
    assert_eq!(bench.taken(), (0..16).collect::<Vec<_>>());
    assert_eq!(bench.seen().len(), 7, "16, 8, 4, 4, 8, 4, 4");
    assert_eq!((tenure.settled(), bench.described()), (16, 1));
    bench.shared.milvus.dislike.lock().unwrap().most_rows = 0;
    bench.hand(&tenure, 16, &rows(16..17)).await;
    bench.rest().await;
    let said = tenure.halted().unwrap().cause.to_string();
    assert!(said.starts_with("t-0@16: "), "{said}");
    assert!(said.contains("too large alone (because)"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_was_skipped_before_rides_along_and_settles_in_its_turn() {
    let check = async |tolerance, ends: [(i64, Option<i64>); 2], written: &[i64]| {
        let bench = Bench::new(tolerance, 10, 100);
        bench.dislikes([2], Action::Refresh);
        let (bad, other) = (tenure(0), tenure(1));
        bench.hand(&other, 0, &[None, row(1)]).await;
        bench.hand(&bad, 0, &[None, row(2), None, row(3)]).await;
        bench.hand(&other, 2, &[None, row(4), None]).await;
        bench.rest().await;
        assert_eq!(bench.taken(), written);
        let found = [&bad, &other].map(|t| (t.settled(), t.halted_at()));
        assert_eq!(found, ends);
        assert_eq!(bench.shared.stations.budget.used(), 0);
    };
    check(Tolerance::All, [(4, None), (5, None)], &[1, 3, 4]).await;
    check(Tolerance::None, [(1, Some(1)), (5, None)], &[1, 4]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_of_a_closed_tenure_is_not_settled() {
    for action in CONTENT {
        let bench = Bench::new(Tolerance::None, 10, 1);
        bench.dislikes([1], action);
        let tenure = tenure(0);
        bench.shared.milvus.closes(&tenure);
        bench.hand(&tenure, 0, &[row(1)]).await;
        bench.rest().await;
        assert_eq!((tenure.settled(), halt_of(&tenure)), (0, None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_beside_skipped_ones_is_alone() {
    let bench = Bench::new(Tolerance::All, 10, 3);
    bench.dislikes([1], Action::Refresh);
    let tenure = tenure(0);
    let skipped = || Some("[]".to_owned());
    bench
        .hand(&tenure, 0, &[skipped(), row(1), skipped()])
        .await;
    bench.rest().await;
    assert_eq!(bench.seen(), [[1]]);
    assert_eq!((tenure.settled(), bench.skipped()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_doubtful_answer_is_repeated_for_the_record_alone_and_not_for_every_half() {
    let bench = Bench::new(Tolerance::None, 10, 4);
    bench.dislikes([1], Action::RepeatThenHalt);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &rows(1..5)).await;
    bench.rest().await;
    let seen = bench.seen().into_iter().map(|keys| keys.len());
    let expected = [[4; 6].as_slice(), &[2], &[1; 6]].concat();
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    assert_eq!(halt_of(&tenure), Some((0, "refused")));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_held_against_the_record_that_is_left_when_the_bad_one_goes() {
    for action in CONTENT {
        let bench = Bench::new(Tolerance::All, 10, 2);
        bench.dislikes([2], action);
        let (kept, closed) = (tenure(0), tenure(1));
        bench.shared.milvus.closes(&closed);
        bench.hand(&kept, 0, &[row(1)]).await;
        bench.hand(&closed, 0, &[row(2)]).await;
        bench.rest().await;
        assert_eq!((bench.taken(), bench.skipped()), (vec![1], 0), "{action:?}");
        assert_eq!((kept.settled(), closed.settled()), (1, 0));
    }
}

/// Or a watchdog would take it for a standstill: it may take longer than it is patient.
#[tokio::test(start_paused = true)]
async fn every_answer_is_a_step_while_a_batch_is_taken_apart_and_at_no_other_time() {
    let (bench, tenure) = (inserting(Tolerance::All, 100), tenure(0));
    let router = crate::routing::Router {
        collection_name: bench.shared.collection.to_string(),
        collections: std::collections::BTreeMap::new(),
        partition_name: bench
            .shared
            .milvus_partition
            .as_ref()
            .map(ToString::to_string),
    };
    let board = &bench.shared.stations.board;
    let steps = || board.standing().steps(&router, &tenure.topic_partition);
    bench.hand(&tenure, 0, &rows(0..8)).await;
    bench.rest().await;
    assert_eq!(steps(), 0);
    bench.dislikes([12], Action::Isolate);
    let before = bench.seen().len();
    bench.hand(&tenure, 8, &rows(8..16)).await;
    bench.rest().await;
    // All but the refusal of the whole.
    let answers = bench.seen().len() - before - 1;
    assert!(answers > 3, "{answers}");
    assert_eq!(steps(), u64::try_from(answers).unwrap());
}
