//! What is produced: the record at each offset, by the seed alone.

use fastrand::Rng;
use serde_json::json;

use crate::kafka::Record;

/// Keys of a partition; half of the records are for the first few of them.
const KEYS: i64 = 300;
const HOT_KEYS: i64 = 8;
/// A key belongs to one partition, now and when more are added.
pub(super) const MOST_PARTITIONS: i64 = 64;

/// What a record asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Row(i64),
    Gone(i64),
    Bad,
}

pub(super) fn record(seed: u64, partition: i32, offset: i64) -> (Meaning, Record) {
    let place = (u64::from(partition.unsigned_abs()) << 48) ^ offset.unsigned_abs();
    let mut rng = Rng::with_seed(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let number = if rng.bool() {
        rng.i64(0..HOT_KEYS)
    } else {
        rng.i64(0..KEYS)
    };
    let key = number * MOST_PARTITIONS + i64::from(partition);
    let name = key.to_string();
    let (meaning, record) = match rng.u8(0..100) {
        0..84 => (
            Meaning::Row(key),
            Record::json(&row(key, partition, offset)),
        ),
        84..94 => (Meaning::Gone(key), Record::default()),
        _ => (Meaning::Bad, Record::new(bad(&mut rng, key))),
    };
    (meaning, record.key(name).partition(partition))
}

fn row(key: i64, partition: i32, offset: i64) -> serde_json::Value {
    let title = format!("{partition}:{offset}");
    json!({"id": key, "title": title, "vector": [0.5, -1, offset % 100, 2]})
}

/// Were one of them taken for a row, it would be one that no good record can have made.
fn bad(rng: &mut Rng, key: i64) -> String {
    let bad = match rng.u8(0..5) {
        0 => return format!(r#"{{"id": {key}, "title": "cut of"#),
        1 => json!({"id": key, "title": "five elements", "vector": [1, 2, 3, 4, 5]}),
        2 => json!({"id": "not a number", "title": "key", "vector": [1, 2, 3, 4]}),
        3 => json!({"id": key, "title": "text", "vector": "none"}),
        _ => json!({"id": key, "vector": [1, 2, 3, 4]}),
    };
    bad.to_string()
}
