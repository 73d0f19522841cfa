//! server.properties of the test broker: one node, small, quick, with a listener of every kind that the sink speaks.

use std::fmt::Write as _;
use std::path::Path;

use super::{BrokerOptions, PASSWORD, USER};

/// How a client may come in. All but the first are there only on a secure broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    Plain,
    /// The controller's, not for clients.
    Controller,
    /// `SSL`, no client certificate asked for.
    Tls,
    /// `SASL_PLAINTEXT`, mechanism PLAIN.
    SaslPlain,
    /// `SASL_SSL`, mechanism PLAIN.
    SaslTls,
    /// `SASL_SSL`, mechanism SCRAM-SHA-512.
    ScramTls,
}

impl Listener {
    pub(super) const ALL: [Listener; 6] = [
        Listener::Plain,
        Listener::Controller,
        Listener::Tls,
        Listener::SaslPlain,
        Listener::SaslTls,
        Listener::ScramTls,
    ];

    fn name_and_protocol(self) -> (&'static str, &'static str) {
        match self {
            Listener::Plain => ("PLAIN", "PLAINTEXT"),
            Listener::Controller => ("CONTROLLER", "PLAINTEXT"),
            Listener::Tls => ("TLS", "SSL"),
            Listener::SaslPlain => ("SASLPLAIN", "SASL_PLAINTEXT"),
            Listener::SaslTls => ("SASLTLS", "SASL_SSL"),
            Listener::ScramTls => ("SCRAMTLS", "SASL_SSL"),
        }
    }
}

const FIXED: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.client.auth=none

# One node holds the only replica, and internal topics stay small.
default.replication.factor=1
min.insync.replicas=1
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A missing topic stays missing, a group forms at once, a member may be given up soon.
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=100
group.consumer.heartbeat.interval.ms=300
# After a SIGKILL the next start waits until the dead broker's session is over (9 s by default).
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300

log.retention.ms=-1
log.segment.delete.delay.ms=1000
log.initial.task.delay.ms=1000
# Compaction within seconds, for the tests that need it.
log.cleaner.backoff.ms=500
log.cleaner.dedupe.buffer.size=2097152
log.index.size.max.bytes=1048576
num.network.threads=2
num.io.threads=4
background.threads=2
";

/// Who comes in without a name may do everything; the one user too, but for what a topic's own rules say.
const RULES: [(&str, &str); 3] = [
    (
        "authorizer.class.name",
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    ),
    ("super.users", "User:ANONYMOUS"),
    ("allow.everyone.if.no.acl.found", "true"),
];

/// Warnings, and the line that says that the broker is up.
pub(super) const LOG4J: &str = "\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
";

pub(super) fn server(
    dir: &Path,
    ca: &Path,
    ports: &[u16; Listener::ALL.len()],
    options: &BrokerOptions,
) -> String {
    let of_client = |listener: Listener| options.secure || listener == Listener::Plain;
    let address = |listener: Listener| {
        let (name, _) = listener.name_and_protocol();
        format!("{name}://127.0.0.1:{}", ports[listener as usize])
    };
    let join = |part: &dyn Fn(Listener) -> String, wanted: &dyn Fn(Listener) -> bool| {
        let chosen = Listener::ALL.into_iter().filter(|l| wanted(*l));
        chosen.map(part).collect::<Vec<_>>().join(",")
    };
    let clients = join(&address, &|l| l != Listener::Controller && of_client(l));
    let controller = address(Listener::Controller);
    let protocols = join(
        &|listener| {
            let (name, protocol) = listener.name_and_protocol();
            format!("{name}:{protocol}")
        },
        &|_| true,
    );
    let mut text = FIXED.to_owned();
    let mut set = |key: &str, value: &str| writeln!(text, "{key}={value}").unwrap();
    set("listeners", &format!("{clients},{controller}"));
    set("advertised.listeners", &clients);
    set("listener.security.protocol.map", &protocols);
    let voter = controller.replace("CONTROLLER://", "1@");
    set("controller.quorum.voters", &voter);
    set("log.dirs", &dir.join("data").to_string_lossy());
    set(
        "ssl.keystore.location",
        &dir.join("server.pem").to_string_lossy(),
    );
    set("ssl.truststore.location", &ca.to_string_lossy());
    set_logins(&mut set);
    for (key, value) in RULES.into_iter().filter(|_| options.secure) {
        set(key, value);
    }
    for (key, value) in &options.properties {
        set(key, value);
    }
    text
}

fn set_logins(set: &mut impl FnMut(&str, &str)) {
    let plain = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
    );
    for listener in ["saslplain", "sasltls"] {
        let listener = format!("listener.name.{listener}");
        set(&format!("{listener}.sasl.enabled.mechanisms"), "PLAIN");
        set(&format!("{listener}.plain.sasl.jaas.config"), &plain);
    }
    let listener = "listener.name.scramtls";
    set(
        &format!("{listener}.sasl.enabled.mechanisms"),
        "SCRAM-SHA-512",
    );
    set(
        &format!("{listener}.scram-sha-512.sasl.jaas.config"),
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    );
}
