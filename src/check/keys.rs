//! What `check` says of the configuration: every key, what became of it, and what counts though nobody set it.

use std::time::Duration;

use super::report::{Configuration, Derived, Notice};
use crate::config::{self, Config, ConfigErrors, Protocol};

/// Of one that is taken.
pub(super) fn taken(config: &Config) -> Configuration {
    Configuration {
        keys: config.keys.clone(),
        derived: derived(config),
        notices: notices(&config.notices),
        mistakes: Vec::new(),
    }
}

/// Of one that is not.
pub(super) fn refused(errors: &ConfigErrors) -> Configuration {
    Configuration {
        keys: errors.keys().to_vec(),
        derived: Vec::new(),
        notices: notices(errors.notices()),
        mistakes: errors.mistakes().collect(),
    }
}

fn notices(notices: &[config::Notice]) -> Vec<Notice> {
    let notice = |notice: &config::Notice| Notice {
        level: if notice.warn { "warning" } else { "note" },
        text: notice.text.clone(),
    };
    notices.iter().map(notice).collect()
}

/// What nobody has set and counts nevertheless, and where it comes from.
fn derived(config: &Config) -> Vec<Derived> {
    let kafka = &config.kafka;
    let grace = if config.late_landing_grace == config.milvus.request_timeout {
        "as milvus.request.timeout.ms"
    } else {
        "a third of consumer.max.poll.interval.ms, less than milvus.request.timeout.ms"
    };
    let session = if kafka.protocol == Protocol::Consumer {
        "the broker's, taken to have its default"
    } else {
        "default"
    };
    let strategy = kafka.plain("partition.assignment.strategy");
    let assignor = match strategy {
        Some("range") => "as Connect's members, since connector.class is given",
        Some(_) => "default",
        None => "under group.protocol=consumer",
    };
    let millis = |time: Duration| time.as_millis().to_string();
    let row = |key, value, from| Derived { key, value, from };
    let mut rows = vec![
        row(
            "late.landing.grace.ms",
            millis(config.late_landing_grace),
            grace,
        ),
        row(
            "consumer.session.timeout.ms",
            millis(kafka.session_timeout),
            session,
        ),
        row(
            "consumer.partition.assignment.strategy",
            strategy.unwrap_or("the broker's").to_owned(),
            assignor,
        ),
    ];
    rows.retain(|row| !config.is_given(row.key));
    rows
}
