//! Waiting for a condition: the one place that sleeps.

use std::fmt::Display;
use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks until `condition` gives a value; panics with `what` when it has not within `timeout`.
#[track_caller]
pub fn some<T>(
    timeout: Duration,
    what: impl Display,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {timeout:?} in vain for {what}"
        );
        pause();
    }
}

/// Looks until `condition` holds; panics with `what` when it has not within `timeout`.
#[track_caller]
pub fn until(timeout: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    some(timeout, what, || condition().then_some(()));
}

/// Looks for the whole of `duration` and panics as soon as `condition` does not hold: for what must stay as it is.
#[track_caller]
pub fn throughout(duration: Duration, what: impl Display, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        assert!(condition(), "no longer so: {what}");
        pause();
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one sleep behind all waiting"
)]
fn pause() {
    std::thread::sleep(BETWEEN_LOOKS);
}
