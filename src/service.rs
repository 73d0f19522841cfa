//! What systemd is told of a unit with `Type=notify`: that it is ready, how it stands, and that it is alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use crate::ops::board::Board;
use crate::ops::metrics::Metrics;

const TICK: Duration = Duration::from_secs(1);
/// As for `/healthz`: a consumer loop that is silent for longer does not work.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// Ready is the process that waits, too: systemd would end one that waits for Milvus at its start.
pub async fn tell(board: Arc<Board>, metrics: Arc<Metrics>) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let watchdog = sd_notify::watchdog_enabled();
    let mut tick = tokio::time::interval(tick(watchdog));
    notify(&[NotifyState::Ready]);
    let mut said = String::new();
    loop {
        tick.tick().await;
        let status = status(&board, &metrics);
        if status != said {
            notify(&[NotifyState::Status(&status)]);
            said = status;
        }
        if watchdog.is_some() && board.silence(Instant::now()) < MAX_SILENCE {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

/// systemd asks for a sign of life at half of its time-out.
fn tick(watchdog: Option<Duration>) -> Duration {
    let half = watchdog.map(|timeout| timeout / 2);
    half.map_or(TICK, |half| half.clamp(Duration::from_millis(1), TICK))
}

/// For `Type=notify-reload`, which waits for [`reloaded`].
pub fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

pub fn reloaded() {
    notify(&[NotifyState::Ready]);
}

pub fn stopping() {
    notify(&[
        NotifyState::Stopping,
        NotifyState::Status("asked to stop; writes and commits what was read"),
    ]);
}

/// Nobody listens where there is no such socket.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// In one line.
fn status(board: &Board, metrics: &Metrics) -> String {
    let standstills = board.standstills();
    if !standstills.is_empty() {
        return standstills.join(", ");
    }
    match board.readiness() {
        Ok(()) => format!(
            "reads {} partitions, lag {}",
            metrics.assigned_partitions.get(),
            metrics.lag()
        ),
        Err(causes) => {
            let said: Vec<String> = causes.iter().map(ToString::to_string).collect();
            said.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::cause::Cause;
    use crate::ops::board::Scope;

    #[test]
    fn the_status_says_what_is_read_or_what_is_in_the_way() {
        let metrics = Metrics::new(Budget::new(1));
        let board = Board::new(Arc::clone(&metrics));
        let first = Cause::NotAssigned.to_string();
        assert_eq!(status(&board, &metrics), first);
        board.set_assigned(3);
        assert_eq!(status(&board, &metrics), "reads 3 partitions, lag 0");
        let reason = String::new();
        board.hold(Scope::Collection("c".into()), Cause::MilvusBusy { reason });
        assert_eq!(status(&board, &metrics), "held: collection c (milvus_busy)");
    }

    #[test]
    fn a_sign_of_life_comes_in_half_of_the_time_and_every_second_at_least() {
        assert_eq!(tick(None), TICK);
        assert_eq!(tick(Some(Duration::from_secs(60))), TICK);
        let short = tick(Some(Duration::from_millis(400)));
        assert_eq!(short, Duration::from_millis(200));
        assert_eq!(tick(Some(Duration::ZERO)), Duration::from_millis(1));
    }
}
