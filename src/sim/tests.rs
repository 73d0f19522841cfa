//! Many seeds, on all processors; or one, with its story.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::run;

/// Unless `SIM_SEEDS` says otherwise.
const SEEDS: u64 = 10_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap())
}

#[test]
fn whatever_happens_nothing_is_lost() {
    if let Some(seed) = number("SIM_SEED") {
        let run = run(seed, true);
        eprintln!("{}\n{:#?}", run.story, run.counts);
        assert_eq!(run.violation, None, "seed {seed}");
        return;
    }
    let first = number("SIM_FIRST").unwrap_or(0);
    let end = first + number("SIM_SEEDS").unwrap_or(SEEDS);
    let (next, began) = (AtomicU64::new(first), Instant::now());
    let counts = Mutex::new(BTreeMap::new());
    let failed = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let run = run(seed, false);
                    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                    for (what, times) in run.counts {
                        *counts.entry(what).or_insert(0) += times;
                    }
                    if let Some(violation) = run.violation {
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(seed, violation);
                        if std::env::var("SIM_GO_ON").is_err() {
                            next.fetch_max(end, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    println!(
        "{} seeds in {:.1} s: {:#?}",
        end - first,
        began.elapsed().as_secs_f64(),
        counts.into_inner().unwrap()
    );
    let failed = failed.into_inner().unwrap();
    if std::env::var("SIM_GO_ON").is_ok() {
        for (seed, violation) in &failed {
            println!("{seed} {violation}");
        }
    }
    if let Some((seed, violation)) = failed.first_key_value() {
        panic!(
            "seed {seed}, {violation}\nits story: SIM_SEED={seed} cargo test --lib sim -- --nocapture"
        );
    }
}
