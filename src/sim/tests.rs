//! Many seeds, on all processors; or one, with its story.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::run;

/// Unless `SIM_SEEDS` says otherwise.
const SEEDS: u64 = 10_000;
/// What has been done is said after so many.
const REPORT: u64 = 50_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable)
        .ok()
        .filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap())
}

#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    counts: BTreeMap<&'static str, u64>,
    failed: BTreeMap<u64, String>,
}

/// Runs seeds until there are no more, or one has failed; all of them where `goes_on`.
fn work(next: &AtomicU64, end: u64, goes_on: bool, sum: &Mutex<Sum>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return;
        }
        let run = run(seed, false);
        let mut sum = lock(sum);
        sum.seeds += 1;
        for (what, times) in run.counts {
            *sum.counts.entry(what).or_insert(0) += times;
        }
        if sum.seeds.is_multiple_of(REPORT) {
            println!("{} seeds", sum.seeds);
        }
        if let Some(violation) = run.violation {
            println!("seed {seed}, {violation}");
            sum.failed.insert(seed, violation);
            if !goes_on {
                next.fetch_max(end, Ordering::Relaxed);
            }
        }
    }
}

fn lock(sum: &Mutex<Sum>) -> MutexGuard<'_, Sum> {
    sum.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `SIM_SEED`: one seed and what happened. Otherwise `SIM_SEEDS` from `SIM_FIRST` on, up to the first failure, or to the
/// last one with `SIM_GO_ON`.
#[test]
fn whatever_happens_nothing_is_lost() {
    if let Some(seed) = number("SIM_SEED") {
        let run = run(seed, true);
        println!("{}\n{:#?}", run.story, run.counts);
        assert_eq!(run.violation, None, "seed {seed}");
        return;
    }
    let first = number("SIM_FIRST").unwrap_or(0);
    let end = first + number("SIM_SEEDS").unwrap_or(SEEDS);
    let goes_on = number("SIM_GO_ON").is_some();
    let (next, began, sum) = (AtomicU64::new(first), Instant::now(), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| work(&next, end, goes_on, &sum));
        }
    });
    let sum = lock(&sum);
    let seconds = began.elapsed().as_secs_f64();
    println!("{} seeds in {seconds:.1} s: {:#?}", sum.seeds, sum.counts);
    if let Some((seed, violation)) = sum.failed.first_key_value() {
        panic!("seed {seed}, {violation}\nits story: make sim SEED={seed}");
    }
}

#[test]
fn a_seed_is_the_same_run_again() {
    for seed in 0..50 {
        let (once, again) = (run(seed, false), run(seed, false));
        assert_eq!(once.counts, again.counts, "seed {seed}");
    }
}
