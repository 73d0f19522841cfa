//! Limits that librdkafka wants in an order and Java does not: what the user did not set follows what they did.

use super::client::{Settings, Users};
use super::{plain, put};

/// librdkafka's defaults, and what a response adds to the records in it.
const RESPONSE_MAX: i64 = 100_000_000;
const RESPONSE_OVERHEAD: i64 = 512;
const MESSAGE_MAX: i64 = 1_000_000;
const MESSAGE_MIN: i64 = 1000;
const BACKOFF: i64 = 100;

pub(super) fn reconcile(users: &Users<'_>, settings: &mut Settings) {
    let free = |name| !users.contains_key(name);
    if let Some(fetch) = number(settings, "fetch.max.bytes") {
        let fetch = fetch.max(MESSAGE_MIN);
        put(settings, "fetch.max.bytes", &fetch.to_string());
        if fetch < MESSAGE_MAX && free("message.max.bytes") {
            put(settings, "message.max.bytes", &fetch.to_string());
        }
        let response = fetch + RESPONSE_OVERHEAD;
        if response > RESPONSE_MAX && free("receive.message.max.bytes") {
            put(settings, "receive.message.max.bytes", &response.to_string());
        }
    }
    let first = number(settings, "reconnect.backoff.ms").unwrap_or(BACKOFF);
    if let Some(longest) = number(settings, "reconnect.backoff.max.ms")
        && first > longest
    {
        // Both being the user's, the longest wait counts.
        if free("reconnect.backoff.max.ms") {
            put(settings, "reconnect.backoff.max.ms", &first.to_string());
        } else {
            put(settings, "reconnect.backoff.ms", &longest.to_string());
        }
    }
}

fn number(settings: &Settings, name: &str) -> Option<i64> {
    plain(settings, name)?.parse().ok()
}
