//! Dead letters: a bad record settles when its letter is kept, and not before.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::dead_letter::{Letter, Put, Undelivered};

/// Keeps letters as `offset: sentence`, after the answers of a script and a second each.
#[derive(Debug, Default)]
struct Letterbox {
    answers: Mutex<VecDeque<Undelivered>>,
    kept: Mutex<Vec<String>>,
    tries: Mutex<usize>,
}

impl DeadLetterQueue for Letterbox {
    fn put<'a>(&'a self, letter: Letter<'a>) -> Put<'a> {
        Box::pin(async move {
            *self.tries.lock().unwrap() += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(trouble) = self.answers.lock().unwrap().pop_front() {
                return Err(trouble);
            }
            let kept = format!("{}: {}", letter.record.offset, letter.bad);
            self.kept.lock().unwrap().push(kept);
            Ok(())
        })
    }
}

fn with(letterbox: &Arc<Letterbox>, tolerance: Tolerance) -> Bench {
    let always = Gate::new(Duration::MAX, std::time::Instant::now());
    let queue = Arc::clone(letterbox) as Arc<dyn DeadLetterQueue>;
    Bench::behind(always, Some(queue), rules(tolerance, 10, 10), plan_rules())
}

fn offsets(letterbox: &Letterbox) -> Vec<String> {
    let kept = letterbox.kept.lock().unwrap();
    let mut offsets: Vec<_> = kept
        .iter()
        .map(|kept| kept.split(':').next().unwrap().to_owned())
        .collect();
    offsets.sort();
    offsets
}

fn bad() -> Option<String> {
    Some(r#"{"id": 1, "n": "x"}"#.to_owned())
}

fn held() -> Undelivered {
    Undelivered::Held(Cause::NotAssigned)
}

async fn after(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_settles_after_its_letter_is_kept() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::All);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), bad(), row(3)]).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!((bench.seen(), tenure.settled()), (vec![vec![1, 3]], 0));
    after(1).await;
    assert_eq!(
        (offsets(&letterbox), tenure.settled()),
        (vec!["1".to_owned()], 3)
    );
    let kept = letterbox.kept.lock().unwrap();
    assert!(kept[0].contains("field 'n' wants"), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_tolerated_no_letter_is_written() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::None);
    let tenure = tenure(0);
    bench.hand(&tenure, 0, &[row(1), bad()]).await;
    bench.rest().await;
    assert_eq!(tenure.halted_at(), Some(1));
    assert_eq!(*letterbox.tries.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_not_kept_holds_and_only_it_is_put_again() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::All);
    let tenure = tenure(0);
    letterbox
        .answers
        .lock()
        .unwrap()
        .extend([held(), held(), held()]);
    bench.hand(&tenure, 0, &[bad(), row(1), bad()]).await;
    after(2).await;
    assert_eq!(tenure.settled(), 0);
    bench.shared.stations.board.set_assigned(1);
    assert!(bench.shared.stations.board.readiness().is_err());
    bench.rest().await;
    assert_eq!((offsets(&letterbox).len(), tenure.settled()), (2, 3));
    assert_eq!(*letterbox.tries.lock().unwrap(), 5);
    let metrics = &bench.shared.stations.metrics;
    let letters = (
        metrics.dead_letters.get(),
        metrics.dead_letters_failed.get(),
    );
    assert_eq!(letters, (2, 3));
    assert_eq!(bench.seen(), [[1]]);
    assert_eq!(bench.shared.stations.board.readiness(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_kept_halts_its_partition_and_no_other() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::All);
    let (stands, goes_on) = (tenure(0), tenure(1));
    let cause = Cause::NotAssigned;
    let halts = Undelivered::Halts(cause.clone());
    letterbox.answers.lock().unwrap().push_back(halts);
    bench.hand(&stands, 0, &[row(1), bad(), row(2)]).await;
    bench.hand(&goes_on, 0, &[bad(), row(3)]).await;
    bench.rest().await;
    assert_eq!((stands.settled(), stands.halted_at()), (1, Some(1)));
    assert_eq!(stands.halted().unwrap().cause, cause);
    assert_eq!(goes_on.settled(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_milvus_refuses_alone_becomes_a_letter() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::All);
    let tenure = tenure(0);
    bench.shared.milvus.dislike.lock().unwrap().keys.insert(3);
    bench
        .hand(&tenure, 0, &[row(1), row(2), row(3), bad(), row(4)])
        .await;
    bench.rest().await;
    assert_eq!(
        (offsets(&letterbox), tenure.settled()),
        (vec!["2".to_owned(), "3".to_owned()], 5)
    );
}

#[tokio::test(start_paused = true)]
async fn a_closed_tenure_waits_for_no_letter() {
    let letterbox = Arc::new(Letterbox::default());
    let bench = with(&letterbox, Tolerance::All);
    let (closed, open) = (tenure(0), tenure(1));
    letterbox
        .answers
        .lock()
        .unwrap()
        .extend((0..9).map(|_| held()));
    bench.hand(&closed, 0, &[row(1), bad()]).await;
    bench.hand(&open, 0, &[row(2)]).await;
    after(5).await;
    assert_eq!((closed.settled(), open.settled()), (0, 0));
    closed.close();
    bench.inlet.closed();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((closed.settled(), open.settled()), (0, 1));
    assert_eq!(bench.shared.stations.budget.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_letter_beside_a_record_that_halts_is_kept_before_it_is_settled() {
    let letterbox = Arc::new(Letterbox::default());
    let always = Gate::new(Duration::MAX, std::time::Instant::now());
    let rules = Rules {
        refused_max_consecutive: 0,
        ..rules(Tolerance::All, 10, 10)
    };
    let queue = Arc::clone(&letterbox) as Arc<dyn DeadLetterQueue>;
    let bench = Bench::behind(always, Some(queue), rules, plan_rules());
    bench.shared.milvus.dislike.lock().unwrap().keys.insert(3);
    let (stands, other) = (tenure(0), tenure(1));
    let bad = || Some("[]".to_owned());
    bench.hand(&stands, 0, &[bad(), row(3)]).await;
    bench.hand(&other, 0, &[bad()]).await;
    bench.rest().await;
    assert_eq!((stands.halted_at(), stands.settled()), (Some(1), 1));
    assert_eq!(other.settled(), 1);
    assert_eq!(offsets(&letterbox), ["0", "0"], "settled, so kept");
}

#[tokio::test(start_paused = true)]
async fn that_letters_are_not_kept_is_said_before_all_of_a_batch_were_tried() {
    let letterbox = Arc::new(Letterbox::default());
    let always = Gate::new(Duration::MAX, std::time::Instant::now());
    let queue = Arc::clone(&letterbox) as Arc<dyn DeadLetterQueue>;
    let bench = Bench::behind(
        always,
        Some(queue),
        rules(Tolerance::All, 10, 1000),
        plan_rules(),
    );
    let tenure = tenure(0);
    let away = (0..1000).map(|_| held());
    letterbox.answers.lock().unwrap().extend(away);
    let records: Vec<_> = (0..1000).map(|_| bad()).collect();
    bench.hand(&tenure, 0, &records).await;
    bench.shared.stations.board.set_assigned(1);
    // One attempt of one letter takes a second here; with a broker that is away `delivery.timeout.ms`.
    after(3).await;
    assert!(bench.shared.stations.board.readiness().is_err());
    assert!(*letterbox.tries.lock().unwrap() <= 3 * 64);
}
