//! The settings of librdkafka that users may give, and how Java's names for them are translated.

use crate::config::keys::Kind;

/// A setting by librdkafka's name.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Which clients have it.
    pub(super) of: Of,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Consumer,
    Producer,
    /// Has only what all have.
    Admin,
    All,
}

/// What a name means that librdkafka does not have, or has with another meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Java {
    /// librdkafka's name for it.
    Is(&'static str),
    /// Has no counterpart, and none is missed.
    Nothing,
    /// Ignoring it would change delivery or security, or it belongs to this program. What to do.
    Refused(&'static str),
    NotBuilt(&'static str),
}

pub(super) fn find(name: &str, of: Of) -> Option<&'static Setting> {
    let serves = |setting: &Setting| setting.of == of || setting.of == All || of == All;
    SETTINGS
        .iter()
        .find(|setting| setting.name == name && serves(setting))
}

/// The verdict of [`JAVA`]; a row that ends in `*` stands for all names that begin so.
pub(super) fn java(name: &str) -> Option<Java> {
    JAVA.iter().find_map(|&(row, meaning)| {
        let matches = match row.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == row,
        };
        matches.then_some(meaning)
    })
}

/// For the typo rule.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let java = JAVA.iter().map(|(name, _)| *name);
    SETTINGS.iter().map(|setting| setting.name).chain(java)
}

use Java::{Is, NotBuilt, Nothing, Refused};
use Kind::{Bool, Text};
use Of::{All, Consumer, Producer};

const fn set(name: &'static str, of: Of, kind: Kind) -> Setting {
    Setting { name, of, kind }
}

const fn int(min: i64, max: i64) -> Kind {
    Kind::Int { min, max, unit: "" }
}

const MAX: i64 = 2_147_483_647;

/// Ranges as librdkafka 2.12 checks them.
#[rustfmt::skip] // one row a line
const SETTINGS: &[Setting] = &[
    set("bootstrap.servers", All, Text),
    set("client.id", All, Text),
    set("client.rack", All, Text),
    set("client.dns.lookup", All, Kind::Choice(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    set("message.max.bytes", All, int(1000, 1_000_000_000)),
    set("message.copy.max.bytes", All, int(0, 1_000_000_000)),
    set("receive.message.max.bytes", All, int(1000, MAX)),
    set("max.in.flight.requests.per.connection", All, int(1, 1_000_000)),
    set("metadata.recovery.strategy", All, Kind::Choice(&["none", "rebootstrap"])),
    set("metadata.recovery.rebootstrap.trigger.ms", All, int(0, MAX)),
    set("topic.metadata.refresh.interval.ms", All, int(-1, 3_600_000)),
    set("topic.metadata.refresh.fast.interval.ms", All, int(1, 60_000)),
    set("topic.metadata.refresh.sparse", All, Bool),
    set("topic.metadata.propagation.max.ms", All, int(0, 3_600_000)),
    set("socket.timeout.ms", All, int(10, 300_000)),
    set("socket.send.buffer.bytes", All, int(0, 100_000_000)),
    set("socket.receive.buffer.bytes", All, int(0, 100_000_000)),
    set("socket.keepalive.enable", All, Bool),
    set("socket.nagle.disable", All, Bool),
    set("socket.max.fails", All, int(0, 1_000_000)),
    set("socket.connection.setup.timeout.ms", All, int(1000, MAX)),
    set("broker.address.ttl", All, int(0, 86_400_000)),
    set("broker.address.family", All, Kind::Choice(&["any", "v4", "v6"])),
    set("connections.max.idle.ms", All, int(0, MAX)),
    set("reconnect.backoff.ms", All, int(0, 3_600_000)),
    set("reconnect.backoff.max.ms", All, int(0, 3_600_000)),
    set("retry.backoff.ms", All, int(1, 300_000)),
    set("retry.backoff.max.ms", All, int(1, 300_000)),
    set("statistics.interval.ms", All, int(0, 86_400_000)),
    set("log.connection.close", All, Bool),
    set("log.thread.name", All, Bool),
    set("enable.random.seed", All, Bool),
    set("api.version.request.timeout.ms", All, int(1, 300_000)),
    set("enable.metrics.push", All, Bool),
    set("security.protocol", All, Kind::Choice(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])),
    set("ssl.curves.list", All, Text),
    set("ssl.sigalgs.list", All, Text),
    set("ssl.key.location", All, Kind::Path),
    set("ssl.key.password", All, Text),
    set("ssl.key.pem", All, Text),
    set("ssl.certificate.location", All, Kind::Path),
    set("ssl.certificate.pem", All, Text),
    set("ssl.ca.location", All, Text), // a path, or the word probe
    set("ssl.ca.pem", All, Text),
    set("ssl.crl.location", All, Kind::Path),
    set("ssl.providers", All, Text),
    set("ssl.endpoint.identification.algorithm", All, Kind::Choice(&["none", "https"])),
    set("enable.ssl.certificate.verification", All, Bool),
    set("sasl.mechanism", All, Text),
    set("sasl.username", All, Text),
    set("sasl.password", All, Text),

    set("group.id", Consumer, Text),
    set("group.instance.id", Consumer, Text),
    set("group.protocol", Consumer, Kind::Choice(&["classic", "consumer"])),
    set("group.remote.assignor", Consumer, Text),
    set("partition.assignment.strategy", Consumer, Text),
    set("session.timeout.ms", Consumer, int(1, 3_600_000)),
    set("heartbeat.interval.ms", Consumer, int(1, 3_600_000)),
    set("coordinator.query.interval.ms", Consumer, int(1, 3_600_000)),
    set("max.poll.interval.ms", Consumer, int(1, 86_400_000)),
    set("queued.min.messages", Consumer, int(1, 10_000_000)),
    set("queued.max.messages.kbytes", Consumer, int(1, 2_097_151)),
    set("fetch.wait.max.ms", Consumer, int(0, 300_000)),
    set("fetch.queue.backoff.ms", Consumer, int(0, 300_000)),
    set("fetch.message.max.bytes", Consumer, int(1, 1_000_000_000)),
    set("fetch.max.bytes", Consumer, int(0, 2_147_483_135)),
    set("fetch.min.bytes", Consumer, int(1, 100_000_000)),
    set("fetch.error.backoff.ms", Consumer, int(0, 300_000)),
    set("auto.offset.reset", Consumer, Text),
    set("isolation.level", Consumer, Kind::Choice(&["read_uncommitted", "read_committed"])),
    set("allow.auto.create.topics", Consumer, Bool),
    set("check.crcs", Consumer, Bool),
    set("enable.auto.commit", Consumer, Bool),
    set("enable.auto.offset.store", Consumer, Bool),

    set("acks", Producer, Kind::Choice(&["all", "-1", "0", "1"])),
    set("enable.idempotence", Producer, Bool),
    set("retries", Producer, int(0, MAX)),
    set("linger.ms", Producer, int(0, 900_000)),
    set("batch.size", Producer, int(0, MAX)),
    set("batch.num.messages", Producer, int(1, 1_000_000)),
    set("compression.type", Producer, Kind::Choice(&["none", "gzip", "snappy", "lz4", "zstd"])),
    set("compression.level", Producer, int(-1, 22)),
    set("delivery.timeout.ms", Producer, int(0, MAX)),
    set("request.timeout.ms", Producer, int(1, 900_000)),
    set("queue.buffering.max.messages", Producer, int(0, MAX)),
    set("queue.buffering.max.kbytes", Producer, int(1, MAX)),
    set("queue.buffering.backpressure.threshold", Producer, int(1, 1_000_000)),
    set("sticky.partitioning.linger.ms", Producer, int(0, 900_000)),
    set("partitioner", Producer, Text),
];

const STORES: Java = NotBuilt(
    "give the certificate and key as PEM files in ssl.certificate.location and ssl.key.location",
);
const OAUTH: Java = NotBuilt("PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are");
const KERBEROS: Java = NotBuilt("PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are");
const CLASSES: Java =
    Refused("a Java class cannot run here; PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are built in");
const OURS: Java = Refused("this belongs to the program itself; remove it");
const NATIVE_CODE: Java = Refused("code from a configuration file is not run; remove it");

#[rustfmt::skip] // one row a line
const JAVA: &[(&str, Java)] = &[
    ("fetch.max.wait.ms", Is("fetch.wait.max.ms")),
    ("max.partition.fetch.bytes", Is("fetch.message.max.bytes")),
    ("receive.buffer.bytes", Is("socket.receive.buffer.bytes")),
    ("send.buffer.bytes", Is("socket.send.buffer.bytes")),
    ("metadata.max.age.ms", Is("topic.metadata.refresh.interval.ms")),
    ("request.timeout.ms", Is("socket.timeout.ms")), // of a consumer; librdkafka's own is a producer's
    ("metadata.broker.list", Is("bootstrap.servers")),
    ("sasl.mechanisms", Is("sasl.mechanism")),
    ("auto.commit.enable", Is("enable.auto.commit")),
    ("max.in.flight", Is("max.in.flight.requests.per.connection")),
    ("max.request.size", Is("message.max.bytes")),
    ("message.timeout.ms", Is("delivery.timeout.ms")),
    ("message.send.max.retries", Is("retries")),
    ("queue.buffering.max.ms", Is("linger.ms")),
    ("compression.codec", Is("compression.type")),
    ("request.required.acks", Is("acks")),

    ("auto.commit.interval.ms", Nothing), ("max.poll.records", Nothing), ("default.api.timeout.ms", Nothing),
    ("socket.connection.setup.timeout.max.ms", Nothing), ("exclude.internal.topics", Nothing),
    ("key.deserializer", Nothing), ("value.deserializer", Nothing),
    ("key.serializer", Nothing), ("value.serializer", Nothing),
    ("interceptor.classes", Nothing), ("confluent.monitoring.*", Nothing),
    ("metric.reporters", Nothing), ("metrics.*", Nothing), ("auto.include.jmx.reporter", Nothing),
    ("security.providers", Nothing), ("share.*", Nothing),
    ("ssl.enabled.protocols", Nothing), ("ssl.protocol", Nothing), ("ssl.provider", Nothing),
    ("ssl.keymanager.algorithm", Nothing), ("ssl.trustmanager.algorithm", Nothing),
    ("ssl.secure.random.implementation", Nothing), ("ssl.truststore.password", Nothing), ("ssl.client.auth", Nothing),
    ("sasl.login.refresh.*", Nothing), ("sasl.login.retry.*", Nothing),
    ("sasl.login.connect.timeout.ms", Nothing), ("sasl.login.read.timeout.ms", Nothing),
    ("sasl.kerberos.ticket.*", Nothing), ("sasl.kerberos.min.time.before.relogin", Nothing),
    ("buffer.memory", Nothing), ("max.block.ms", Nothing), ("metadata.max.idle.ms", Nothing),
    ("partitioner.*", Nothing), ("compression.gzip.level", Nothing), ("compression.lz4.level", Nothing),
    ("compression.zstd.level", Nothing),

    ("ssl.keystore.*", STORES),
    ("ssl.cipher.suites", NotBuilt("remove it to use the cipher suites of OpenSSL")),
    ("sasl.oauthbearer.*", OAUTH), ("enable.sasl.oauthbearer.unsecure.jwt", OAUTH),
    ("sasl.kerberos.kinit.cmd", NATIVE_CODE), ("sasl.kerberos.*", KERBEROS),
    ("sasl.login.class", CLASSES), ("sasl.login.callback.handler.class", CLASSES),
    ("sasl.client.callback.handler.class", CLASSES), ("ssl.engine.factory.class", CLASSES),
    ("plugin.library.paths", NATIVE_CODE), ("ssl.engine.*", NATIVE_CODE),
    ("transactional.id", OURS), ("enable.partition.eof", OURS), ("debug", OURS), ("log.queue", OURS),
    ("log_level", OURS), ("test.mock.*", OURS), ("internal.*", OURS), ("interceptors", OURS),
    ("topic.blacklist", OURS), ("enabled_events", OURS), ("offset.store.*", OURS), ("group.protocol.type", OURS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_translation_leads_to_a_setting() {
        for (name, meaning) in JAVA {
            if let Is(target) = meaning {
                assert!(find(target, All).is_some(), "{name} → {target}");
                assert!(find(name, Consumer).is_none(), "{name} has two meanings");
            }
        }
    }

    #[test]
    fn a_row_for_a_class_of_names_does_not_swallow_settings() {
        for setting in SETTINGS {
            let of_producer = setting.of == Producer; // Java's name for something else of a consumer
            assert!(
                of_producer || java(setting.name).is_none(),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn settings_belong_to_their_clients() {
        assert!(find("group.id", Consumer).is_some());
        assert!(find("group.id", Producer).is_none());
        assert!(find("client.id", Producer).is_some());
        assert!(find("linger.ms", Consumer).is_none());
    }
}
