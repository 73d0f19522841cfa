//! What a user of Connect would not expect about the settings of the three clients.

use super::Sink;
use super::client::{self, Written, is_security};
use super::settings::{self, Of};
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
        report.info(format!(
            "not for the consumer, which has security keys of its own: {list}"
        ));
    } else if sink.from_connect {
        report.info(format!(
            "for all Kafka clients (Connect's consumers would not inherit them): {list}"
        ));
    }
}

/// The producer and the admin client come with dead letters; their keys are checked already now.
pub(super) fn later_clients(givens: &Givens, report: &mut Report) {
    for prefix in ["producer.", "admin."] {
        let own: Vec<_> = givens
            .iter()
            .filter_map(|(key, given)| Some((key.strip_prefix(prefix)?, Written { key, given })))
            .collect();
        if own.is_empty() {
            continue;
        }
        let users = client::translate(own, Of::All, report);
        for (name, written) in users {
            let blank = written.given.value.is_empty();
            if settings::find(name, Of::All).is_some() && !blank {
                client::checked(name, written, report);
            }
        }
        report.info(format!(
            "{prefix}* settings take effect with dead letters, which are not built yet"
        ));
    }
}
