//! What a user of Connect would not expect about the settings of the three clients.

use super::Sink;
use super::client::{self, is_security};
use super::settings::{self, Of};
use crate::config::fate::Fate;
use crate::config::layers::Givens;
use crate::config::report::Report;

/// In Connect un-prefixed security keys are the admin client's alone.
pub(super) fn inheritance(givens: &Givens, sink: &Sink<'_>, report: &mut Report) {
    let unprefixed: Vec<_> = client::unprefixed_security(givens).map(|w| w.key).collect();
    if unprefixed.is_empty() {
        return;
    }
    let list = unprefixed.join(", ");
    let own = givens
        .keys()
        .filter_map(|key| key.strip_prefix("consumer."))
        .any(is_security);
    if own {
        for key in &unprefixed {
            let why = "the consumer has security keys of its own; only the clients for dead letters take this one";
            report.fate(key, Fate::ignored(why));
        }
        report.info(format!(
            "not for the consumer, which has security keys of its own: {list}"
        ));
    } else if sink.from_connect {
        report.info(format!(
            "for all Kafka clients (Connect's consumers would not inherit them): {list}"
        ));
    }
}

/// Without dead letters there is neither a producer nor an admin client; their keys are checked all the same.
pub(in crate::config) fn idle_clients(givens: &Givens, report: &mut Report) {
    for (prefix, of) in [("producer.", Of::Producer), ("admin.", Of::Admin)] {
        let own = client::own(givens, prefix);
        if own.is_empty() {
            continue;
        }
        let keys: Vec<_> = own.iter().map(|(_, written)| written.key).collect();
        let users = client::translate(own, of, report);
        for key in keys {
            let why = "no effect without errors.deadletterqueue.topic.name";
            report.fate(key, Fate::ignored(why));
        }
        for (name, written) in users {
            let blank = written.given.value.is_empty();
            if settings::find(name, Of::All).is_some() && !blank {
                client::checked(name, written, report);
            }
        }
        report.info(format!(
            "{prefix}* settings have no effect without errors.deadletterqueue.topic.name"
        ));
    }
}
