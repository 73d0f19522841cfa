//! `group.protocol`: who decides about sessions and assignments, the members of a group or its broker.

use super::client::{Settings, Users};
use super::plain;
use crate::config::Protocol;
use crate::config::report::Report;

/// What the broker decides under the newer protocol; librdkafka does not take it from a member then.
const OF_THE_BROKER: [(&str, &str); 3] = [
    (
        "session.timeout.ms",
        "the broker's group.consumer.session.timeout.ms",
    ),
    (
        "heartbeat.interval.ms",
        "the broker's group.consumer.heartbeat.interval.ms",
    ),
    (
        "partition.assignment.strategy",
        "the broker's group.consumer.assignors",
    ),
];

/// Takes out of `settings` what is not the member's to say.
pub(super) fn follow(users: &Users<'_>, settings: &mut Settings, report: &mut Report) -> Protocol {
    if plain(settings, "group.protocol").as_deref() != Some("consumer") {
        return Protocol::Classic;
    }
    if let Some(written) = users.get("group.protocol") {
        report.warn(format!(
            "{}: {}=consumer is experimental; classic is the protocol that is tried under load",
            written.given.origin, written.key
        ));
    }
    for (name, instead) in OF_THE_BROKER {
        settings.remove(name);
        if let Some(written) = users.get(name) {
            let why =
                format!("not with group.protocol=consumer, where {instead} counts; remove it");
            report.refused(written.key, written.given, why);
        }
    }
    Protocol::Consumer
}
