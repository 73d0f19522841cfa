//! The time of day, for what is shown beside a record's timestamp. No timer follows it, since it can be set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Since 1970.
pub(super) fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// How long ago a timestamp of Kafka's was, in milliseconds since 1970; nothing where it lies ahead.
pub(super) fn since(timestamp_ms: i64, now: Duration) -> Duration {
    let timestamp = Duration::from_millis(u64::try_from(timestamp_ms).unwrap_or(0));
    now.saturating_sub(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_ahead_of_the_clock_is_not_long_ago() {
        let now = Duration::from_millis(1_700_000_000_500);
        let ago = |timestamp| since(timestamp, now).as_millis();
        assert_eq!([1_700_000_000_000, 1_800_000_000_000].map(ago), [500, 0]);
        assert_eq!(ago(-1), now.as_millis());
    }
}
