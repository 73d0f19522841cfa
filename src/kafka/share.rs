//! How much librdkafka may hold of each partition, so that all of them together stay bounded.

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Of all partitions together. Once its queue is split off, librdkafka's limits hold for each partition alone.
const TOGETHER: usize = 32 * MIB;
/// Of so many each may be fetched as much as a producer sends in one large batch. With less Kafka answers a fetch with one
/// batch of one partition and leaves the others out: a hundred of them then come at a third of the rate.
const FEW: usize = 128;
const LARGE_BATCH: usize = 640 * KIB;
/// Where Kafka cannot say how many there are or will be: rather too many than too few.
pub(super) const GUESS: usize = FEW;

/// Of one partition alone. What waits behind more of it has left the processor's cache when it is read.
const QUEUED: usize = 2 * MIB;

/// The limits of each of `partitions`, by librdkafka's names. What the user sets wins.
pub(super) fn of_each(partitions: Option<usize>) -> [(&'static str, String); 3] {
    let partitions = partitions.unwrap_or(GUESS).max(1);
    let share = TOGETHER / partitions;
    // A queue that is below its limit by a byte takes another fetch: what a partition holds is the sum of both.
    let queued = (share / 2).clamp(16 * KIB, QUEUED);
    // The queue of one of few must be looked at again before it can be empty; of many, others are full meanwhile.
    let backoff = if queued == QUEUED { "1" } else { "10" };
    let least = if partitions <= FEW {
        LARGE_BATCH
    } else {
        32 * KIB
    };
    let fetched = share.clamp(least, MIB);
    [
        ("queued.max.messages.kbytes", (queued / KIB).to_string()),
        ("fetch.message.max.bytes", fetched.to_string()),
        ("fetch.queue.backoff.ms", backoff.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_partition_falls_with_their_number_between_its_bounds() {
        for (partitions, queued_kib, fetched, backoff) in [
            (Some(1), 2048, MIB, "1"),
            (Some(8), 2048, MIB, "1"),
            (Some(16), 1024, MIB, "10"),
            (Some(32), 512, MIB, "10"),
            (Some(128), 128, LARGE_BATCH, "10"),
            (Some(129), 127, 260_111, "10"),
            (Some(1000), 16, 33_554, "10"),
            (Some(5000), 16, 32 * KIB, "10"),
            (None, 128, LARGE_BATCH, "10"),
        ] {
            let found = of_each(partitions).map(|(_, value)| value);
            let expected = [
                queued_kib.to_string(),
                fetched.to_string(),
                backoff.to_owned(),
            ];
            assert_eq!(found, expected, "{partitions:?}");
        }
    }
}
