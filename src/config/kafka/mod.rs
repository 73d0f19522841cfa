//! The Kafka consumer's settings: ours first, the user's over them, a few that nobody may change.
//!
//! Users write Java's names or librdkafka's; where one name has two meanings, Java's counts.

mod assignor;
mod client;
mod dead_letters;
mod jaas;
mod limits;
mod notes;
mod pem;
mod protocol;
mod security;
mod servers;
mod settings;

use std::time::Duration;

use self::client::{Settings, Users, Written};
use self::security::Surroundings;
use self::settings::Of;
use super::fate::Fate;
use super::layers::{Given, Givens};
use super::report::Report;
use super::{KafkaConfig, OffsetReset, Protocol, Setting};

pub(super) use client::is_security;
pub(super) use dead_letters::read as dead_letter_clients;
pub(super) use notes::idle_clients;

/// Whether a Kafka client has a setting of this name.
pub(super) fn is_setting(name: &str) -> bool {
    settings::find(name, Of::All).is_some() || settings::java(name).is_some()
}

/// What the rest of the configuration says that matters here.
pub(super) struct Sink<'a> {
    pub(super) name: &'a str,
    /// It came with a Connect connector file: its group may have Java members.
    pub(super) from_connect: bool,
    pub(super) allow_insecure: bool,
}

pub(super) fn read(givens: &Givens, sink: &Sink<'_>, report: &mut Report) -> KafkaConfig {
    notes::inheritance(givens, sink, report);
    let mut users = client::translate(client::written(givens, "consumer."), Of::Consumer, report);
    let bootstrap_servers = servers::bootstrap(givens, &users, report);
    let mut settings = defaults(sink);
    security::apply(
        &mut users,
        &mut settings,
        &Surroundings {
            bootstrap_servers: &bootstrap_servers,
            allow_insecure: sink.allow_insecure,
        },
        report,
    );
    let auto_offset_reset = auto_offset_reset(users.remove("auto.offset.reset"), report);
    take_over(&mut users, &mut settings, report);
    limits::reconcile(&users, &mut settings);
    put(&mut settings, "bootstrap.servers", &bootstrap_servers);
    let protocol = protocol::follow(&users, &mut settings, report);
    force(&users, &mut settings, report);
    // Under the newer protocol it is the broker's, whose default this is.
    let session_timeout = millis(&settings, "session.timeout.ms").unwrap_or(SESSION_TIMEOUT);
    let max_poll_interval = millis(&settings, "max.poll.interval.ms").unwrap_or(SESSION_TIMEOUT);
    if protocol == Protocol::Classic
        && max_poll_interval < session_timeout
        && let Some(written) = users
            .get("max.poll.interval.ms")
            .or_else(|| users.get("session.timeout.ms"))
    {
        let why = "max.poll.interval.ms must be at least session.timeout.ms";
        report.refused(written.key, written.given, why);
    }
    // Without a sign it is a time; -1 is librdkafka's way of switching it off.
    let topic_refresh = millis(&settings, "topic.metadata.refresh.interval.ms");
    KafkaConfig {
        topic_refresh,
        group_id: plain(&settings, "group.id").unwrap_or_default(),
        bootstrap_servers,
        consumer: settings.into_iter().collect(),
        auto_offset_reset,
        protocol,
        session_timeout,
        max_poll_interval,
    }
}

const SESSION_TIMEOUT: Duration = Duration::from_millis(45_000);

fn defaults(sink: &Sink<'_>) -> Settings {
    // Java members of the same group, as during a rolling switch from Connect, take range and not cooperative-sticky.
    let strategy = if sink.from_connect {
        "range"
    } else {
        "cooperative-sticky"
    };
    let (client_id, group_id) = (
        format!("kafka-milvus-sink-{}", sink.name),
        format!("connect-{}", sink.name),
    );
    let session_timeout = SESSION_TIMEOUT.as_millis().to_string();
    [
        ("client.id", client_id.as_str()),
        ("group.id", &group_id),
        ("isolation.level", "read_committed"),
        ("allow.auto.create.topics", "false"),
        ("partition.assignment.strategy", strategy),
        ("session.timeout.ms", &session_timeout),
        ("heartbeat.interval.ms", "3000"),
        ("max.poll.interval.ms", "300000"),
        // Small queues. How many bytes each may hold, and how soon a full one is looked at again, depends on how many
        // there are: `kafka/share.rs`.
        ("queued.min.messages", "2000"),
        ("fetch.max.bytes", "8388608"),
        ("topic.metadata.refresh.interval.ms", "30000"),
        ("socket.keepalive.enable", "true"),
        ("reconnect.backoff.max.ms", "10000"),
    ]
    .map(|(name, value)| (name.to_owned(), Setting::Plain(value.to_owned())))
    .into()
}

/// The user's settings over ours, each checked.
fn take_over(users: &mut Users<'_>, settings: &mut Settings, report: &mut Report) {
    for (&name, &written) in users.iter() {
        let setting = match name {
            "partition.assignment.strategy" => {
                assignor::translate(written, report).map(Setting::Plain)
            }
            // Java's empty value switches it off.
            "ssl.endpoint.identification.algorithm" if written.given.value.is_empty() => {
                Some(Setting::Plain("none".to_owned()))
            }
            _ => client::checked(name, written, report),
        };
        if let Some(setting) = setting {
            if let Setting::Plain(value) = &setting
                && *value != written.given.value
            {
                report.fate(written.key, Fate::translated(format!("{name}={value}")));
            }
            settings.insert(name.to_owned(), setting);
        }
    }
}

fn auto_offset_reset(written: Option<Written<'_>>, report: &mut Report) -> OffsetReset {
    let Some(Written { key, given }) = written else {
        return OffsetReset::Earliest;
    };
    match given.value.to_ascii_lowercase().as_str() {
        "earliest" | "smallest" | "beginning" => OffsetReset::Earliest,
        "latest" | "largest" | "end" => OffsetReset::Latest,
        "none" | "error" => OffsetReset::Fail,
        value if value.starts_with("by_duration") => {
            report.not_built(key, given, "earliest, latest and none are");
            OffsetReset::Fail
        }
        _ => {
            report.invalid(key, given, "earliest, latest or none");
            OffsetReset::Fail
        }
    }
}

/// An offset is committed only when Milvus has its row, and a missing one is seen and not papered over: these are not
/// for the user to change.
fn force(users: &Users<'_>, settings: &mut Settings, report: &mut Report) {
    for name in ["enable.auto.commit", "enable.auto.offset.store"] {
        put(settings, name, "false");
        if let Some(written) = users.get(name)
            && written.given.value.eq_ignore_ascii_case("true")
        {
            report.warn(format!(
                "{}: {} stays false: offsets are committed when Milvus has the rows",
                written.given.origin, written.key
            ));
            let why = "stays false: offsets are committed when Milvus has the rows";
            report.fate(written.key, Fate::ignored(why));
        }
    }
    put(settings, "check.crcs", "true");
    if let Some(written) = users.get("check.crcs")
        && written.given.value.eq_ignore_ascii_case("false")
    {
        report.warn(format!(
            "{}: {} stays true: a corrupt batch would be written as if it were not",
            written.given.origin, written.key
        ));
        let why = "stays true: a corrupt batch would be written as if it were not";
        report.fate(written.key, Fate::ignored(why));
    }
    put(settings, "auto.offset.reset", "error");
}

fn put(settings: &mut Settings, name: &str, value: &str) {
    settings.insert(name.to_owned(), Setting::Plain(value.to_owned()));
}

fn plain(settings: &Settings, name: &str) -> Option<String> {
    match settings.get(name)? {
        Setting::Plain(value) => Some(value.clone()),
        Setting::Secret(_) => None,
    }
}

fn millis(settings: &Settings, name: &str) -> Option<Duration> {
    Some(Duration::from_millis(plain(settings, name)?.parse().ok()?))
}

/// For the effective configuration: `name=value`, secrets as `****`.
pub(super) fn summary<'a>(family: impl Iterator<Item = (&'a str, &'a Given)>) -> String {
    let pairs: Vec<_> = family
        .map(|(key, given)| {
            let value = if super::keys::is_secret(key) {
                "****"
            } else {
                &given.value
            };
            format!("{key}={value}")
        })
        .collect();
    pairs.join(" ")
}
