//! The settings that a user gave to one Kafka client, by librdkafka's names and checked one by one.

use std::collections::BTreeMap;

use super::settings::{self, Java, Of};
use crate::config::Setting;
use crate::config::fate::Fate;
use crate::config::keys::nearest::nearest;
use crate::config::keys::{self, Kind};
use crate::config::layers::{Given, Givens};
use crate::config::report::Report;
use crate::config::values::{parse_bool, parse_choice};

/// Settings on their way to librdkafka.
pub(super) type Settings = BTreeMap<String, Setting>;

/// A setting as the user wrote it.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    /// With its prefix.
    pub(super) key: &'a str,
    pub(super) given: &'a Given,
}

/// By librdkafka's name, or Java's for those of [`OWN_RULES`].
pub(super) type Users<'a> = BTreeMap<&'static str, Written<'a>>;

/// Java settings that need more than another name.
const OWN_RULES: [&str; 4] = [
    "sasl.jaas.config",
    "ssl.truststore.location",
    "ssl.truststore.type",
    "ssl.truststore.certificates",
];

/// Keys that serve all clients without a prefix.
pub(in crate::config) fn is_security(name: &str) -> bool {
    ["security.", "sasl.", "ssl."]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The client's own keys and, where it has no security keys among them, the un-prefixed ones.
pub(super) fn written<'a>(givens: &'a Givens, prefix: &str) -> Vec<(&'a str, Written<'a>)> {
    let own = own(givens, prefix);
    if own.iter().any(|(name, _)| is_security(name)) {
        return own;
    }
    let shared = unprefixed_security(givens).map(|written| (written.key, written));
    shared.chain(own).collect()
}

/// The client's own keys alone.
pub(super) fn own<'a>(givens: &'a Givens, prefix: &str) -> Vec<(&'a str, Written<'a>)> {
    let own = |(key, given): (&'a String, &'a Given)| {
        Some((key.strip_prefix(prefix)?, Written { key, given }))
    };
    givens.iter().filter_map(own).collect()
}

pub(super) fn unprefixed_security(givens: &Givens) -> impl Iterator<Item = Written<'_>> {
    givens
        .iter()
        .filter(|(key, given)| is_security(key) && !given.is_default())
        .map(|(key, given)| Written { key, given })
}

/// Names translated; what cannot be taken is reported.
pub(super) fn translate<'a>(
    written: Vec<(&str, Written<'a>)>,
    of: Of,
    report: &mut Report,
) -> Users<'a> {
    let mut users = Users::new();
    let mut without_effect = Vec::new();
    for (name, written) in written {
        let Written { key, given } = written;
        let own_rule = OWN_RULES.into_iter().find(|rule| *rule == name);
        let setting = settings::find(name, of).map(|setting| setting.name);
        let target = match (own_rule.or(setting), settings::java(name)) {
            (Some(target), _) | (None, Some(Java::Is(target))) => target,
            (None, Some(Java::Nothing)) => {
                let why =
                    "Java's clients have it, this one has no use for it; nothing is to be done";
                report.fate(key, Fate::ignored(why));
                without_effect.push(key);
                continue;
            }
            (None, Some(Java::Refused(why))) => {
                report.refused(key, given, why);
                continue;
            }
            (None, Some(Java::NotBuilt(instead))) => {
                report.not_built(key, given, instead);
                continue;
            }
            (None, None) => {
                report_unknown(name, written, report);
                continue;
            }
        };
        if let Some(to) = translation(name, target) {
            report.fate(key, Fate::translated(to));
        }
        if let Some(other) = users.insert(target, written) {
            let why = format!(
                "is the same setting as {} ({}); keep one of them",
                other.key, other.given.origin
            );
            report.refused(key, given, why);
        }
    }
    if !without_effect.is_empty() {
        report.info(format!(
            "settings of Java's Kafka clients that have no counterpart here: {}",
            without_effect.join(", ")
        ));
    }
    users
}

/// What `name` becomes for librdkafka, where that is another name.
fn translation(name: &str, target: &str) -> Option<String> {
    let to = match name {
        "sasl.jaas.config" => "sasl.username and sasl.password",
        "ssl.truststore.location" => "ssl.ca.location",
        "ssl.truststore.certificates" => "ssl.ca.pem",
        _ if name != target => target,
        _ => return None,
    };
    Some(to.to_owned())
}

fn report_unknown(name: &str, Written { key, given }: Written<'_>, report: &mut Report) {
    let known = settings::names().chain(OWN_RULES);
    if settings::find(name, Of::All).is_some() {
        report.fate(
            key,
            Fate::ignored("a setting of another kind of Kafka client"),
        );
        report.warn(format!(
            "{}: {key} is a setting of another kind of Kafka client and is ignored",
            given.origin
        ));
    } else if let Some(nearest) = nearest(name, known) {
        let prefix = key.strip_suffix(name).unwrap_or_default();
        report.typo(key, given, &format!("{prefix}{nearest}"));
    } else if is_security(name) {
        report.refused(
            key,
            given,
            "not a known setting of a Kafka client, and one about security is not ignored; remove it",
        );
    } else {
        report.fate(key, Fate::Unknown { nearest: None });
        report.warn(format!(
            "{}: {key} is not a known setting of this Kafka client and is ignored",
            given.origin
        ));
    }
}

/// The value as librdkafka takes it, or `None` after reporting a mistake.
pub(super) fn checked(name: &str, written: Written<'_>, report: &mut Report) -> Option<Setting> {
    let kind = settings::find(name, Of::All)?.kind;
    let Written { key, given } = written;
    let value = fit(name, kind, &given.value);
    if value.is_none() {
        report.invalid(key, given, kind.wanted());
    }
    let value = value?;
    Some(if keys::is_secret(name) {
        Setting::Secret(crate::config::secret::Secret::new(value))
    } else {
        Setting::Plain(value)
    })
}

fn fit(name: &str, kind: Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Bool => parse_bool(value).map(|value| value.to_string()),
        Kind::Choice(choices) => parse_choice(value, choices).map(str::to_owned),
        Kind::Int { min, max, .. } => {
            let value: i64 = value.parse().ok()?;
            let value = within_java_range(name, value, min, max);
            (min..=max).contains(&value).then(|| value.to_string())
        }
        _ => (!value.is_empty()).then(|| value.to_owned()),
    }
}

/// Values that Java takes and librdkafka does not become the nearest that it takes; -1 is the system's default, 0.
fn within_java_range(name: &str, value: i64, min: i64, max: i64) -> i64 {
    const WIDER_IN_JAVA: [&str; 8] = [
        "fetch.min.bytes",
        "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes",
        "connections.max.idle.ms",
        "retry.backoff.ms",
        "retry.backoff.max.ms",
        "socket.connection.setup.timeout.ms",
        "socket.timeout.ms",
    ];
    if WIDER_IN_JAVA.contains(&name) && value >= -1 {
        value.clamp(min, max)
    } else {
        value
    }
}
