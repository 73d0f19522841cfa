//! The typed configuration from the merged values.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::endpoint::{self, EndpointError};
use super::fate::Fate;
use super::kafka::{self, Sink};
use super::layers::Givens;
use super::secret::Secret;
use super::values::Values;
use super::{
    Config, Endpoint, InsertMode, KafkaConfig, LogConfig, MilvusConfig, OnDataLoss, OnRecreated,
    Protocol, Token, UnknownFields, converters, dead_letters, routing, shaping,
};

/// Mistakes go into the report; what comes out then is not used.
pub(super) fn config(values: &mut Values<'_>, givens: &Givens, from_connect: bool) -> Config {
    connector_class(values);
    converters::check_value(values);
    let name = name(values);
    let sink = Sink {
        name: &name,
        from_connect,
        allow_insecure: values.bool("allow.insecure"),
    };
    let kafka = kafka::read(givens, &sink, values.report);
    let milvus = milvus(values, sink.allow_insecure);
    request_within_session(values, &kafka, &milvus);
    let batch_max_bytes = values.size("batch.max.bytes");
    let (mut topics, router) = routing::read(values);
    let dead_letters = dead_letters::read(values, givens, &sink, &kafka, &mut topics);
    Config {
        topics,
        router,
        tasks_max: tasks_max(values),
        insert_mode: match values.choice("insert.mode") {
            "upsert" => InsertMode::Upsert,
            "insert" => InsertMode::Insert,
            _ => InsertMode::Auto,
        },
        unknown_fields: match values.choice("behavior.on.unknown.fields") {
            "fail" => UnknownFields::Fail,
            _ => UnknownFields::Ignore,
        },
        recreated: match values.choice("behavior.on.collection.recreated") {
            "continue" => OnRecreated::Continue,
            _ => OnRecreated::Fail,
        },
        data_loss: match values.choice("behavior.on.data.loss") {
            "continue" => OnDataLoss::Continue,
            _ => OnDataLoss::Fail,
        },
        shaping: shaping::read(values),
        tolerance: dead_letters::tolerance(values),
        dead_letters,
        refused_max_consecutive: u32::try_from(values.size("errors.refused.max.consecutive"))
            .unwrap_or(u32::MAX),
        batch_max_rows: values.size("batch.max.rows"),
        batch_max_bytes,
        max_in_flight: values.size("max.in.flight.requests"),
        linger: values.millis("linger.ms"),
        late_landing_grace: late_landing_grace(values, &kafka, &milvus),
        buffer_max_bytes: buffer_max_bytes(values, batch_max_bytes),
        commit_interval: values.millis("offset.flush.interval.ms"),
        shutdown_timeout: values.millis("shutdown.timeout.ms"),
        watchdog_timeout: values.millis("watchdog.timeout.ms"),
        ops_listen: ops_listen(values),
        ops_partitions_max: values.size("ops.partitions.max"),
        log: log(values),
        kafka,
        milvus,
        name,
        notices: Vec::new(),
        effective: Vec::new(),
        keys: Vec::new(),
    }
}

fn connector_class(values: &mut Values<'_>) {
    const KEY: &str = "connector.class";
    const OURS: [&str; 3] = [
        "com.milvus.io.kafka.MilvusSinkConnector",
        "MilvusSinkConnector",
        "MilvusSink",
    ];
    values.typed(KEY, |class| OURS.contains(&class).then_some(()));
}

fn name(values: &mut Values<'_>) -> String {
    const KEY: &str = "name";
    let Some(given) = values.required(KEY) else {
        return String::new();
    };
    if given.value.contains(char::is_control) {
        values
            .report
            .invalid(KEY, given, "text without control characters");
    }
    given.value.clone()
}

fn tasks_max(values: &mut Values<'_>) -> usize {
    const MOST: usize = 1024;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parsed = values.typed("tasks.max", |value| {
        if value.eq_ignore_ascii_case("cores") {
            return Some(cores.min(MOST));
        }
        value
            .parse()
            .ok()
            .filter(|tasks| (1..=MOST).contains(tasks))
    });
    parsed.unwrap_or(1)
}

fn buffer_max_bytes(values: &mut Values<'_>, batch_max_bytes: usize) -> usize {
    const KEY: &str = "buffer.max.bytes";
    let bytes = values.size(KEY);
    if let Some(given) = values.given(KEY)
        && bytes < batch_max_bytes
    {
        let wanted = format!("at least batch.max.bytes, which is {batch_max_bytes}");
        values.report.invalid(KEY, given, wanted);
    }
    bytes
}

fn ops_listen(values: &mut Values<'_>) -> Option<SocketAddr> {
    let parsed = values.typed("ops.listen", |value| {
        if value.eq_ignore_ascii_case("none") {
            return Some(None);
        }
        let address = match value.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => value.to_owned(),
        };
        address.parse().ok().map(Some)
    });
    parsed.flatten()
}

fn log(values: &mut Values<'_>) -> LogConfig {
    LogConfig {
        level: match values.choice("log.level") {
            "error" => tracing::Level::ERROR,
            "warn" => tracing::Level::WARN,
            "debug" => tracing::Level::DEBUG,
            "trace" => tracing::Level::TRACE,
            _ => tracing::Level::INFO,
        },
        json: values.choice("log.format") == "json",
    }
}

fn milvus(values: &mut Values<'_>, allow_insecure: bool) -> MilvusConfig {
    let endpoint = endpoint(values);
    let token = token(values);
    let credential = !matches!(token, Token::None);
    if credential && !endpoint.tls && !endpoint::is_loopback(&endpoint.host) {
        unencrypted_token(values, allow_insecure);
    }
    let (retry_backoff, retry_backoff_max) = retry_backoff(values);
    MilvusConfig {
        database: values
            .text("database.name")
            .unwrap_or_else(|| "default".to_owned()),
        tls_ca_path: values.file("milvus.tls.ca.path"),
        tls_server_name: values.text("milvus.tls.server.name"),
        request_timeout: values.millis("milvus.request.timeout.ms"),
        retry_backoff,
        retry_backoff_max,
        endpoint,
        token,
    }
}

fn retry_backoff(values: &mut Values<'_>) -> (Duration, Duration) {
    const FIRST: &str = "milvus.retry.backoff.ms";
    const LONGEST: &str = "milvus.retry.backoff.max.ms";
    let (first, longest) = (values.millis(FIRST), values.millis(LONGEST));
    if first > longest {
        // The mistake is the one's that was written.
        match (values.given(FIRST), values.given(LONGEST)) {
            (Some(given), _) if !given.is_default() => {
                values
                    .report
                    .invalid(FIRST, given, format!("at most {LONGEST}"));
            }
            (_, Some(given)) => {
                values
                    .report
                    .invalid(LONGEST, given, format!("at least {FIRST}"));
            }
            _ => {}
        }
    }
    (first, longest)
}

fn endpoint(values: &mut Values<'_>) -> Endpoint {
    const KEY: &str = "public.endpoint";
    let nowhere = Endpoint {
        tls: true,
        host: String::new(),
        port: 0,
    };
    let Some(given) = values.required(KEY) else {
        return nowhere;
    };
    let parsed = endpoint::parse(&given.value);
    if let Ok(endpoint) = &parsed
        && endpoint.to_string() != given.value
    {
        let fate = Fate::translated(endpoint.to_string());
        values.report.fate(KEY, fate);
    }
    parsed.unwrap_or_else(|error| {
        match error {
            // May hold a password.
            EndpointError::Userinfo => values.report.refused(KEY, given, error.to_string()),
            _ => values.report.unfit(KEY, given, error.to_string()),
        }
        nowhere
    })
}

fn token(values: &mut Values<'_>) -> Token {
    const INLINE: &str = "token";
    const FILE: &str = "token.file";
    let path: Option<PathBuf> = values.file(FILE);
    let Some(given) = values.given(INLINE) else {
        return path.map_or(Token::None, Token::File);
    };
    if given.value.chars().all(|c| c == '*') {
        values.report.warn(format!(
            "{}: token is the placeholder of the documentation; no token is sent",
            given.origin
        ));
        let fate = Fate::ignored("the placeholder of the documentation; no token is sent");
        values.report.fate(INLINE, fate);
        return path.map_or(Token::None, Token::File);
    }
    if path.is_some() {
        let why = "token.file is given as well; keep one of them";
        values.report.refused(INLINE, given, why);
    }
    Token::Inline(Secret::new(given.value.clone()))
}

fn unencrypted_token(values: &mut Values<'_>, allow_insecure: bool) {
    const KEY: &str = "public.endpoint";
    if allow_insecure {
        values.report.warn(
            "the Milvus token crosses the network unencrypted; use an https endpoint (allow.insecure=false would refuse this)",
        );
    } else if let Some(given) = values.given(KEY) {
        let why = "would send the token unencrypted, and allow.insecure=false refuses that; use an https endpoint";
        values.report.refused(KEY, given, why);
    }
}

/// A revoke waits so long in the worst case, beside its drain, and must be answered within the poll interval.
fn late_landing_grace(
    values: &mut Values<'_>,
    kafka: &KafkaConfig,
    milvus: &MilvusConfig,
) -> Duration {
    const KEY: &str = "late.landing.grace.ms";
    let most = kafka.max_poll_interval / 3;
    let Some(given) = values.given(KEY) else {
        return milvus.request_timeout.min(most);
    };
    let grace = values.millis(KEY);
    if grace > most {
        let wanted = format!(
            "at most {}, a third of consumer.max.poll.interval.ms",
            most.as_millis()
        );
        values.report.invalid(KEY, given, wanted);
    }
    grace
}

/// An attempt must have ended before the group can have given its partitions to another member.
fn request_within_session(values: &mut Values<'_>, kafka: &KafkaConfig, milvus: &MilvusConfig) {
    const REQUEST: &str = "milvus.request.timeout.ms";
    const SESSION: &str = "consumer.session.timeout.ms";
    let most = kafka.session_timeout / 2;
    if milvus.request_timeout <= most {
        return;
    }
    let session = match kafka.protocol {
        Protocol::Classic => SESSION.to_owned(),
        Protocol::Consumer => format!(
            "{}, the broker's default for group.consumer.session.timeout.ms",
            kafka.session_timeout.as_millis()
        ),
    };
    match (values.given(REQUEST), values.given(SESSION)) {
        (Some(request), Some(session)) if request.is_default() => {
            let wanted = format!("at least twice {REQUEST}, which is {}", request.value);
            values.report.invalid(SESSION, session, wanted);
        }
        (Some(request), _) => {
            let wanted = format!("at most {}, half of {session}", most.as_millis());
            values.report.invalid(REQUEST, request, wanted);
        }
        (None, _) => {}
    }
}
