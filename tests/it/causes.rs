//! Five things break. Log, `/readyz`, `/status`, metrics and `check` call each of them by one name, and the runbook has it.

use std::collections::BTreeSet;
use std::thread;

use serde_json::Value;
use testkit::fake::{Fake, Options};
use testkit::kafka::{Listener, PASSWORD, Record, Topic, USER};
use testkit::sink::{Sink, SinkCommand};
use testkit::{suite, wait};

use crate::support::{Job, SINK, SOON, article, articles};

const TOKEN: &str = "root:larch17";
/// As long as `check` waits for a server, and then some.
const PATIENT: std::time::Duration = std::time::Duration::from_secs(180);

struct Break {
    what: &'static str,
    cause: &'static str,
    state: &'static str,
    /// Lines of the configuration that it takes.
    settings: fn(&Stage) -> String,
    happens: fn(&mut Stage),
}

const BREAKS: [Break; 5] = [
    Break {
        what: "milvus_dead",
        cause: "milvus_unreachable",
        state: "held",
        settings: |_| String::new(),
        happens: |stage| {
            stage.fake = None;
            stage.job.topic.produce([row(2)]);
        },
    },
    Break {
        what: "token_revoked",
        cause: "milvus_login_refused",
        state: "held",
        settings: |_| String::new(),
        happens: |stage| {
            let fake = stage.fake.as_ref().expect("a Milvus");
            fake.set_token("root:maple18");
            stage.job.topic.produce([row(2)]);
        },
    },
    Break {
        what: "topic_deleted",
        cause: "topic_missing",
        state: "held",
        settings: |_| "consumer.metadata.max.age.ms=500\n".to_owned(),
        happens: |stage| stage.job.topic.delete(),
    },
    Break {
        what: "record_bad",
        cause: "bad_record",
        state: "halted",
        settings: |_| String::new(),
        happens: |stage| stage.job.topic.produce([bad()]),
    },
    Break {
        what: "letters_denied",
        cause: "dead_letters_held",
        state: "held",
        settings: dead_letters,
        happens: |stage| {
            stage.dead.deny_writes(USER);
            stage.job.topic.produce([bad()]);
        },
    },
];

/// A topic, a Milvus, and a topic for dead letters.
struct Stage {
    job: Job,
    /// `None` when it is dead.
    fake: Option<Fake>,
    dead: Topic,
}

fn row(id: i64) -> Record {
    Record::json(&article(id)).partition(0)
}

/// Beside good ones, so that the process has something to go on with.
fn bad() -> Record {
    Record::new("no JSON").partition(1)
}

/// Whoever writes them has a login, which may be denied something.
fn dead_letters(stage: &Stage) -> String {
    format!(
        "errors.tolerance=all\n\
         errors.deadletterqueue.topic.name={}\n\
         producer.bootstrap.servers={}\n\
         producer.security.protocol=SASL_PLAINTEXT\n\
         producer.sasl.mechanism=PLAIN\n\
         producer.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{USER}\" password=\"{PASSWORD}\";\n",
        stage.dead.name(),
        suite::kafka().bootstrap_of(Listener::SaslPlain),
    )
}

impl Stage {
    fn of(what: &str) -> Self {
        let fake = Fake::start_with(Options {
            token: Some(TOKEN.to_owned()),
            ..Options::default()
        });
        let job = Job::with(suite::kafka(), what, 2, fake.endpoint(), Some(TOKEN));
        fake.create(articles(&job.collection).schema());
        Self {
            dead: suite::kafka().topic(&format!("{what}_letters"), 1),
            fake: Some(fake),
            job,
        }
    }
}

/// Everything at once: most of it is waiting.
#[test]
fn what_breaks_has_one_name_wherever_it_is_said_and_the_runbook_has_it() {
    let runbook = include_str!("../../docs/operations.md");
    thread::scope(|scope| {
        for case in BREAKS {
            let title = format!("\n### {}\n", case.cause);
            assert!(runbook.contains(&title), "no section:{title}");
            scope.spawn(move || assert_has_one_name(&case));
        }
    });
}

fn assert_has_one_name(case: &Break) {
    let mut stage = Stage::of(case.what);
    let text = stage.job.config() + &(case.settings)(&stage);
    let prompt = "linger.ms=10\nmilvus.request.timeout.ms=2000\nmilvus.retry.backoff.max.ms=500\n";
    let sink = Sink::new(SINK).config(&(text.clone() + prompt)).start();
    stage.job.topic.produce([row(1)]);
    wait::until(SOON, format_args!("a row, {}", case.what), || {
        sink.metric("milvus_sink_rows_written_total") == 1
    });
    assert_eq!(sink.await_readyz(200, SOON), "ready\n", "{}", case.what);
    let before = sink.output().len();
    (case.happens)(&mut stage);

    let expected = BTreeSet::from([case.cause.to_owned()]);
    wait::until(SOON, format_args!("{} at /readyz", case.cause), || {
        at_readyz(&sink, case.state) == expected
    });
    assert_eq!(in_status(&sink, case.state), expected, "/status");
    assert_eq!(in_metrics(&sink, case.state), expected, "/metrics");
    let log = sink.output().split_off(before);
    assert_eq!(in_log(&log, case.state), expected, "{log}");
    let health = sink.http_get("/healthz").expect("an answer");
    assert_eq!(health.0, 200, "{}", health.1);

    let check: SinkCommand = Sink::new(SINK).arg("check").config(&text);
    let (code, said) = check.run(PATIENT);
    assert_ne!(code, 0, "{said}");
    assert!(said.contains(case.cause), "{}:\n{said}", case.cause);
}

/// The words behind `begins`, up to `ends`, of the lines that are `wanted`.
fn words(text: &str, begins: &str, ends: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| wanted(line));
    let word = |line: &str| {
        let (_, rest) = line.rsplit_once(begins)?;
        Some(rest.split_once(ends)?.0.to_owned())
    };
    lines.filter_map(word).collect()
}

fn at_readyz(sink: &Sink, state: &str) -> BTreeSet<String> {
    let (status, body) = sink.http_get("/readyz").unwrap_or_default();
    let begins = format!("{state}: ");
    let is_of_it = |line: &str| status == 503 && line.starts_with(&begins);
    words(&body, " [", "]", is_of_it)
}

/// Those in the way are those that stand still.
fn in_status(sink: &Sink, state: &str) -> BTreeSet<String> {
    let (_, text) = sink.http_get("/status").expect("an answer");
    let status: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(status["state"], state, "{text}");
    let causes = |of: &str| -> BTreeSet<String> {
        let all = status[of].as_array().expect("a list").iter();
        all.filter_map(|one| Some(one["cause"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(causes("reasons"), causes(state), "{text}");
    causes(state)
}

fn in_metrics(sink: &Sink, state: &str) -> BTreeSet<String> {
    let metric = match state {
        "held" => "milvus_sink_held{",
        _ => "milvus_sink_halted_partitions{",
    };
    let is_there = |line: &str| line.starts_with(metric) && !line.ends_with(" 0");
    words(&sink.metrics(), "cause=\"", "\"", is_there)
}

fn in_log(log: &str, state: &str) -> BTreeSet<String> {
    let said = format!(" {state} ");
    words(log, " cause=\"", "\"", |line| line.contains(&said))
}
