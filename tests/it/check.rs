//! `check`: verdicts, the plan field by field, and no trace of it in Kafka or Milvus.

mod gathered;
mod plugin;
mod sample;

use std::time::{Duration, Instant};

use kafka_milvus_sink::check::{Options, Verdict, check_within};
use kafka_milvus_sink::config::{self, Sources};
use serde_json::Value;
use testkit::services;
use testkit::sink::{Sink, write_config};

use crate::support::{Job, SINK, SOON, article};

/// `check` of the job's file with these settings over it.
#[track_caller]
fn check(job: &Job, settings: &[(&str, &str)], status: i32, words: &[&str]) {
    let output = said(job, &[], settings, status);
    for word in words {
        assert!(output.contains(word), "{word:?} is missing in:\n{output}");
    }
}

/// All that it says with these arguments and settings.
#[track_caller]
fn said(job: &Job, arguments: &[&str], settings: &[(&str, &str)], status: i32) -> String {
    let command = Sink::new(SINK).arg("check").config(&job.config());
    let command = arguments
        .iter()
        .fold(command, |command, argument| command.arg(argument));
    let command = settings
        .iter()
        .fold(command, |command, (key, value)| command.set(key, value));
    let (code, output) = command.run(SOON);
    assert_eq!(code, status, "{output}");
    output
}

/// The report for programs; what is logged beside it is on lines of its own.
#[track_caller]
fn report(job: &Job, arguments: &[&str], settings: &[(&str, &str)], status: i32) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    let output = said(job, &arguments, settings, status);
    let mut lines = output.lines();
    let json = lines.find(|line| line.starts_with("{\"result\""));
    serde_json::from_str(json.expect("a report")).unwrap()
}

/// Those of a section that are marked as bad, by their causes.
fn causes(section: &Value) -> Vec<&str> {
    let findings = section["findings"].as_array().expect("findings");
    let causes = findings.iter().filter_map(|found| found["cause"].as_str());
    causes.collect()
}

#[test]
fn a_clean_check_prints_the_plan_and_leaves_no_trace() {
    let job = Job::new("clean_check", 3);
    job.topic.produce_json(&article(1));
    let topic = format!("✓ topic '{}', 3 partitions", job.topic.name());
    let collection = format!("✓ collection '{}'", job.collection);
    let words = [
        topic.as_str(),
        &collection,
        "   (as milvus.request.timeout.ms)",
        "= cooperative-sticky   (default)",
        "id           ← 'id'            Int64           required (primary key)",
        "title        ← 'title'         VarChar(512)    required",
        "title_vector ← 'title_vector'  FloatVector(8)  required",
        "everything is there",
    ];
    check(&job, &[], 0, &words);
    assert!(!job.topic.is_group_known(&job.group()));
    assert_eq!(job.topic.committed(&job.group()), [None, None, None]);
    assert_eq!(job.milvus.count(&job.collection), 0);
}

#[test]
fn what_is_missing_is_1_and_what_only_the_file_can_mend_is_2() {
    let job = Job::new("failing_check", 1);
    let topic = services::unique("never");
    let sentence = format!("✗ topic '{topic}' does not exist; create it");
    check(
        &job,
        &[("topics", &topic)],
        1,
        &[&sentence, "`run` would wait or halt"],
    );
    let settings = [("collection.name", "no_such_collection")];
    let sentence =
        "✗ collection 'no_such_collection' does not exist in database 'default'; create it";
    check(&job, &settings, 1, &[sentence, "✓ topic"]);
    let settings = [("tasks.max", "none"), ("public.endpoint", "ftp://x")];
    check(
        &job,
        &settings,
        2,
        &[
            "2 mistakes",
            "✗ tasks.max",
            "refused: found \"none\"",
            "✗ public.endpoint",
            "    linger.ms ",
        ],
    );
}

#[test]
fn a_refused_token_is_2() {
    let job = Job::new("check_token", 1);
    let command = Sink::new(SINK).arg("check").config(&job.config());
    let (code, output) = command
        .env("MILVUS_SINK_TOKEN", "root:wrong-token")
        .run(SOON);
    assert_eq!(code, 2, "{output}");
    assert!(
        output.contains("✗ Milvus refused the credentials"),
        "{output}"
    );
    assert!(output.contains("= ****   (MILVUS_SINK_TOKEN)"), "{output}");
}

/// Both are waited for at the same time, and no longer than said.
#[test]
fn servers_that_do_not_answer_are_waited_for_with_patience() {
    let job = Job::on_lite("patient_check", 1);
    let path = write_config(&job.config());
    let nobody = "127.0.0.1:1".to_owned();
    let sources = Sources {
        files: vec![path],
        set: vec![
            ("bootstrap.servers".to_owned(), nobody.clone()),
            ("public.endpoint".to_owned(), format!("http://{nobody}")),
        ],
        ..Sources::default()
    };
    let config = config::load(&sources).unwrap();
    let mut out = Vec::new();
    let patience = Duration::from_secs(4);
    let start = Instant::now();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verdict = runtime
        .block_on(check_within(
            patience,
            &config,
            Options::default(),
            &mut out,
        ))
        .unwrap();
    let took = start.elapsed();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(verdict, Verdict::WouldFail, "{out}");
    assert!(took >= patience && took < 3 * patience, "{took:?}");
    for words in [
        "waiting up to 4 s",
        "✗ Kafka at",
        "✗ Milvus at",
        "`run` would wait or halt",
    ] {
        assert!(out.contains(words), "{words:?} is missing in:\n{out}");
    }
}
