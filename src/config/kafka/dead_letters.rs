//! The settings of the two clients that dead letters need: a producer, and an admin client that makes their topic.

use super::client::{self, Settings, Users, Written, is_security};
use super::security::{self, Surroundings};
use super::settings::Of;
use super::{Sink, plain, put, servers, take_over};
use crate::config::layers::Givens;
use crate::config::report::Report;
use crate::config::{KafkaConfig, Setting};

/// How long one attempt may take: it is repeated, and what holds has to be said soon.
const DELIVERY_MS: u64 = 15_000;
const LONGEST_DELIVERY_MS: u64 = 60_000;
/// librdkafka's default of what a consumer takes, and the most that a producer may be told.
const RECEIVED: u64 = 100_000_000;
const MESSAGE_MAX: u64 = 1_000_000_000;
const SERVERS: &str = "bootstrap.servers";

/// By librdkafka's names.
pub(in crate::config) struct Clients {
    /// For messages.
    pub(in crate::config) bootstrap_servers: String,
    pub(in crate::config) producer: Vec<(String, Setting)>,
    pub(in crate::config) admin: Vec<(String, Setting)>,
}

pub(in crate::config) fn read(
    givens: &Givens,
    sink: &Sink<'_>,
    consumer: &KafkaConfig,
    report: &mut Report,
) -> Clients {
    let mut users = client::translate(written(givens), Of::Producer, report);
    let for_all = givens.get(SERVERS).is_some_and(|given| !given.is_default());
    let bootstrap_servers = match users.contains_key(SERVERS) || for_all {
        true => servers::bootstrap(givens, &users, report),
        false => consumer.bootstrap_servers.clone(),
    };
    let mut producer = defaults(sink, consumer);
    keep_the_promise(&users, report);
    finish(&mut users, &mut producer, &bootstrap_servers, sink, report);
    bound(&users, &mut producer, report);
    let admin = admin(givens, sink, &bootstrap_servers, report);
    Clients {
        bootstrap_servers,
        producer: producer.into_iter().collect(),
        admin: admin.into_iter().collect(),
    }
}

/// Where nothing is said of the producer or of all clients, the letters stay in the consumer's cluster, by its login.
fn written(givens: &Givens) -> Vec<(&str, Written<'_>)> {
    let mut written = client::written(givens, "producer.");
    let is_own = |(name, _): &(&str, Written<'_>)| is_security(name) || *name == SERVERS;
    if !written.iter().any(is_own) {
        let consumers = client::written(givens, "consumer.");
        written.extend(consumers.into_iter().filter(|(name, _)| is_security(name)));
    }
    written
}

fn client_id(sink: &Sink<'_>) -> String {
    format!("kafka-milvus-sink-{}-dead-letters", sink.name)
}

fn defaults(sink: &Sink<'_>, consumer: &KafkaConfig) -> Settings {
    let received = consumer
        .consumer
        .iter()
        .find_map(|(name, setting)| match setting {
            Setting::Plain(value) if name == "receive.message.max.bytes" => value.parse().ok(),
            _ => None,
        });
    // Whatever was read can be handed on.
    let message_max = received.unwrap_or(RECEIVED).min(MESSAGE_MAX);
    [
        ("client.id", client_id(sink).as_str()),
        ("acks", "all"),
        ("enable.idempotence", "true"),
        // The partition that a Java producer would choose.
        ("partitioner", "murmur2_random"),
        ("message.max.bytes", &message_max.to_string()),
        // Each alone: of several in one request that is too large, none would be told to be it.
        ("batch.num.messages", "1"),
        ("linger.ms", "0"),
        ("queue.buffering.max.messages", "1000"),
        ("delivery.timeout.ms", &DELIVERY_MS.to_string()),
        // It is made by us, with settings of its own.
        ("allow.auto.create.topics", "false"),
        ("socket.keepalive.enable", "true"),
        // While it waits for that, it does not look whether an attempt has ended.
        ("reconnect.backoff.max.ms", "2000"),
    ]
    .map(|(name, value)| (name.to_owned(), Setting::Plain(value.to_owned())))
    .into()
}

/// The user's settings over ours.
fn finish(
    users: &mut Users<'_>,
    settings: &mut Settings,
    bootstrap_servers: &str,
    sink: &Sink<'_>,
    report: &mut Report,
) {
    let surroundings = Surroundings {
        bootstrap_servers,
        allow_insecure: sink.allow_insecure,
    };
    security::apply(users, settings, &surroundings, report);
    take_over(users, settings, report);
    put(settings, "bootstrap.servers", bootstrap_servers);
}

/// A bad record counts as settled when its dead letter is confirmed: that has to mean something.
fn keep_the_promise(users: &Users<'_>, report: &mut Report) {
    if let Some(written) = users.get("acks")
        && !["all", "-1"].contains(&written.given.value.to_ascii_lowercase().as_str())
    {
        let why = "a dead letter is confirmed by all replicas in sync, or it might be lost; remove it, or set all";
        report.refused(written.key, written.given, why);
    }
    if let Some(written) = users.get("enable.idempotence")
        && written.given.value.eq_ignore_ascii_case("false")
    {
        report.warn(format!(
            "{}: {}=false: a dead letter may be written more than once",
            written.given.origin, written.key
        ));
    }
}

/// An attempt has an end, and the largest message has room in the queue.
fn bound(users: &Users<'_>, settings: &mut Settings, report: &mut Report) {
    let number = |settings: &Settings, name| plain(settings, name)?.parse::<u64>().ok();
    let delivery = number(settings, "delivery.timeout.ms");
    if let (Some(0 | LONGEST_DELIVERY_MS..), Some(written)) =
        (delivery, users.get("delivery.timeout.ms"))
        && delivery != Some(LONGEST_DELIVERY_MS)
    {
        let longest = LONGEST_DELIVERY_MS.to_string();
        put(settings, "delivery.timeout.ms", &longest);
        report.info(format!(
            "{}: {} is taken as {longest}: an attempt ends, and is repeated for as long as it takes",
            written.given.origin, written.key
        ));
    }
    if !users.contains_key("queue.buffering.max.kbytes") {
        let largest = number(settings, "message.max.bytes").unwrap_or(RECEIVED);
        let room = largest / 1024 + 1024;
        put(settings, "queue.buffering.max.kbytes", &room.to_string());
    }
}

/// Where it has no brokers or no security of its own, it has the producer's: the topic is made where it is written.
fn admin(givens: &Givens, sink: &Sink<'_>, producers: &str, report: &mut Report) -> Settings {
    let mut own = client::own(givens, "admin.");
    if !own.iter().any(|(name, _)| is_security(name)) {
        let producers = written(givens).into_iter();
        own.extend(producers.filter(|(name, _)| is_security(name)));
    }
    let mut users = client::translate(own, Of::Admin, report);
    let bootstrap_servers = match users.contains_key("bootstrap.servers") {
        true => servers::bootstrap(givens, &users, report),
        false => producers.to_owned(),
    };
    let mut settings = Settings::new();
    put(&mut settings, "client.id", &client_id(sink));
    put(&mut settings, "allow.auto.create.topics", "false");
    finish(&mut users, &mut settings, &bootstrap_servers, sink, report);
    settings
}
