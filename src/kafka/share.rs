//! How much librdkafka may hold of each partition, so that all of them together stay bounded.

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Of all partitions together. Once its queue is split off, librdkafka's limits hold for each partition alone.
const TOGETHER: usize = 32 * MIB;
/// Where Kafka cannot say how many there are or will be: rather too many than too few.
pub(super) const GUESS: usize = 128;

/// The two limits for each of `partitions`, by librdkafka's names. What the user sets wins.
pub(super) fn of_each(partitions: Option<usize>) -> [(&'static str, String); 2] {
    let share = TOGETHER / partitions.unwrap_or(GUESS).max(1);
    // A queue that is below its limit by a byte takes another fetch: what a partition holds is the sum of both.
    let queued = (share / 2).clamp(16 * KIB, 8 * MIB);
    let fetched = share.clamp(32 * KIB, MIB);
    [
        ("queued.max.messages.kbytes", (queued / KIB).to_string()),
        ("fetch.message.max.bytes", fetched.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_partition_falls_with_their_number_between_its_bounds() {
        for (partitions, queued_kib, fetched) in [
            (Some(1), 8192, MIB),
            (Some(2), 8192, MIB),
            (Some(8), 2048, MIB),
            (Some(128), 128, 256 * KIB),
            (Some(1000), 16, 33_554),
            (Some(5000), 16, 32 * KIB),
            (None, 128, 256 * KIB),
        ] {
            let [(_, queued), (_, fetch)] = of_each(partitions);
            let expected = (queued_kib.to_string(), fetched.to_string());
            assert_eq!((queued, fetch), expected, "{partitions:?}");
        }
    }
}
