//! What is shipped for Prometheus and Grafana asks only for what a running sink says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::wait;

use crate::support::{Job, SOON, article};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the series of every metric on the page, there or not yet.
fn series(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.flat_map(|line| {
        let (name, kind) = line.split_once(' ').expect("a name and its type");
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_sum", "_count", "_bucket"],
            "info" => &["_info"],
            _ => &[""],
        };
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    });
    names.collect()
}

/// Every word of `text` that begins so.
fn words<'a>(text: &'a str, begins: &'a str) -> impl Iterator<Item = &'a str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(move |word| word.starts_with(begins))
}

/// The values of a key in a file of rules, each on one line.
fn values<'a>(rules: &'a str, key: &str) -> Vec<&'a str> {
    let key = format!("{key}: ");
    let lines = rules
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(&key)).collect()
}

/// The expressions of all panels and variables.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "expr" || key == "query" => {
                        found.push(text.clone())
                    }
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// It is on the page when data was lost, by partition: `lost_data` reads it there.
const AFTER_LOSS: &str = "milvus_sink_records_lost_total";

#[test]
fn every_metric_that_rules_and_dashboard_name_is_on_the_page_and_in_the_document() {
    let job = Job::on_lite("metric_names", 1);
    job.topic.produce_json(&article(1));
    let sink = job.prompt().start();
    wait::until(SOON, "a row", || {
        sink.metric("milvus_sink_rows_written_total") == 1
    });
    let page = sink.metrics();
    let mut series = series(&page);
    assert!(series.len() > 40, "{series:?}");
    let dashboard: Value = serde_json::from_str(&read("packaging/grafana/dashboard.json")).unwrap();
    series.insert(AFTER_LOSS.to_owned());
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 40, "{asked:?}");
    for file in ["alerts", "recording"] {
        let rules = read(&format!("packaging/prometheus/{file}.yml"));
        let expressions = values(&rules, "expr");
        assert!(expressions.len() > 10, "{file}: {expressions:?}");
        asked.extend(expressions.iter().map(ToString::to_string));
    }
    for expression in &asked {
        for name in words(expression, "milvus_sink_") {
            assert!(
                series.contains(name),
                "{name} is not on the page: {expression}"
            );
        }
    }
    let document = read("docs/operations.md");
    let (_, table) = document.split_once("\n## Metrics\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let documented: BTreeSet<&str> = words(table, "milvus_sink_").collect();
    let whole = |name: &&String| {
        let histogram = ["_sum", "_count", "_bucket"];
        let name = histogram
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        documented.contains(name)
    };
    let missing: Vec<_> = series.iter().filter(|name| !whole(name)).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let unknown = documented.iter().filter(|name| {
        let buckets = format!("{name}_bucket");
        !series.contains(**name) && !series.contains(&buckets)
    });
    assert_eq!(
        unknown.collect::<Vec<_>>(),
        [""; 0].iter().collect::<Vec<_>>()
    );
}

/// As jmx_exporter's example and Strimzi's name them.
const OF_CONNECT: [(&str, &[&str]); 2] = [
    (
        "kafka_connect_sink_task_",
        &[
            "sink_record_read_total",
            "sink_record_read_rate",
            "sink_record_send_total",
            "sink_record_send_rate",
            "sink_record_active_count",
            "sink_record_active_count_max",
            "sink_record_active_count_avg",
            "sink_record_lag_max",
            "partition_count",
            "put_batch_avg_time_ms",
            "put_batch_max_time_ms",
            "offset_commit_seq_no",
            "offset_commit_completion_total",
            "offset_commit_completion_rate",
            "offset_commit_skip_total",
            "offset_commit_skip_rate",
        ],
    ),
    (
        "kafka_connect_task_error_",
        &[
            "total_record_failures",
            "total_record_errors",
            "total_records_skipped",
            "total_retries",
            "total_errors_logged",
            "deadletterqueue_produce_requests",
            "deadletterqueue_produce_failures",
            "last_error_timestamp",
        ],
    ),
];

#[test]
fn connects_metrics_of_sink_tasks_and_task_errors_are_recorded_under_their_names() {
    let rules = read("packaging/prometheus/recording.yml");
    let expected: BTreeSet<String> = OF_CONNECT
        .iter()
        .flat_map(|(prefix, names)| names.iter().map(move |name| format!("{prefix}{name}")))
        .collect();
    let recorded = values(&rules, "record")
        .into_iter()
        .map(ToString::to_string);
    assert_eq!(recorded.collect::<BTreeSet<_>>(), expected);
    for expression in values(&rules, "expr") {
        let labels = expression.ends_with(r#", "connector", "$1", "sink", "(.*)")"#);
        assert!(
            labels && expression.starts_with("label_replace("),
            "{expression}"
        );
    }
    assert_eq!(values(&rules, "task").len(), expected.len());
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() {
    let (rules, document) = (
        read("packaging/prometheus/alerts.yml"),
        read("docs/operations.md"),
    );
    let alerts = values(&rules, "alert");
    let runbooks = values(&rules, "runbook");
    assert_eq!(alerts.len(), runbooks.len());
    for (alert, runbook) in alerts.iter().zip(runbooks) {
        let expected = format!("\"docs/operations.md#{}\"", alert.to_lowercase());
        assert_eq!(runbook, expected);
    }
    assert_eq!(
        alerts.into_iter().collect::<BTreeSet<_>>(),
        sections(&document, "Alerts")
    );
}

/// The headings of a section's sections, none of which is empty.
fn sections<'a>(document: &'a str, section: &str) -> BTreeSet<&'a str> {
    let (_, rest) = document.split_once(&format!("\n## {section}\n")).unwrap();
    let text = rest.split("\n## ").next().unwrap_or_default();
    let sections = text.split("\n### ").skip(1);
    let heading = |section: &'a str| {
        let (heading, text) = section.split_once('\n').unwrap();
        assert!(text.trim().len() > 40, "{heading}: {text}");
        heading
    };
    sections.map(heading).collect()
}

#[test]
fn every_cause_has_its_section_and_every_section_its_cause() {
    let document = read("docs/operations.md");
    let mut causes = BTreeSet::new();
    let sources = ["cause", "data_loss", "dead_letter"].map(|file| read(&format!("src/{file}.rs")));
    for source in &sources {
        let (_, rest) = source.split_once("fn label(&self)").unwrap();
        let (body, _) = rest.split_once("\n    }\n").unwrap();
        causes.extend(body.split('"').skip(1).step_by(2));
    }
    assert!(causes.len() > 35, "{causes:?}");
    assert_eq!(causes, sections(&document, "Causes"));
    // Each is on the page before it comes, but for those that are no trouble of a running sink.
    let labels =
        read("src/cause/labels.rs") + sources[1].split("LABELS").nth(1).unwrap_or_default();
    let counted: BTreeSet<&str> = labels.split('"').skip(1).step_by(2).collect();
    let not_counted: Vec<_> = causes
        .iter()
        .filter(|cause| !counted.contains(*cause))
        .collect();
    assert_eq!(
        not_counted,
        [&"cannot_read", &"not_assigned", &"not_described"]
    );
}

#[test]
fn every_field_of_the_status_is_in_the_document() {
    let job = Job::on_lite("status_fields", 1);
    job.topic.produce_json(&article(1));
    let sink = job.prompt().start();
    wait::until(SOON, "a row", || {
        sink.metric("milvus_sink_rows_written_total") == 1
    });
    let (status, text) = sink.http_get("/status").expect("an answer");
    assert_eq!(status, 200, "{text}");
    let status: Value = serde_json::from_str(&text).unwrap();
    let document = read("docs/operations.md");
    let (_, table) = document.split_once("\n## Status\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let documented: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    let mut fields = BTreeSet::new();
    collect(&status, &mut fields);
    let missing: Vec<_> = fields
        .iter()
        .filter(|name| !documented.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let plan = &status["plans"][0];
    assert_eq!(plan["collection"], job.collection);
    assert_eq!(plan["fields"].as_array().map(Vec::len), Some(4));
    assert_eq!(status["flows"][0]["collection"], job.collection);
    assert_eq!(status["name"], job.name);
}

fn collect(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                fields.insert(name.clone());
                collect(value, fields);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, fields)),
        _ => {}
    }
}
