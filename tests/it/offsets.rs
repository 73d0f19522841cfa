//! `offsets`: shows what the group has committed, and sets it while nobody reads.

use serde_json::Value;
use testkit::kafka::Record;
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite};

use crate::load::Place;
use crate::support::{Job, SINK, SOON, article, articles};

/// Where no Milvus is: offsets are Kafka's alone.
const NOWHERE: &str = "http://127.0.0.1:1";

fn offsets(job: &Job) -> SinkCommand {
    Sink::new(SINK).arg("offsets").config(&job.config())
}

fn without_milvus(test: &str, partitions: i32) -> Job {
    Job::with(suite::kafka(), test, partitions, NOWHERE.to_owned(), None)
}

fn with(command: SinkCommand, arguments: &[&str]) -> SinkCommand {
    arguments
        .iter()
        .fold(command, |command, argument| command.arg(argument))
}

/// What `--json` has said of each partition: committed, to, end, lag; and the summary.
#[track_caller]
fn said(job: &Job, arguments: &[&str], code: i32) -> (Vec<[Value; 4]>, Value) {
    let command = with(offsets(job).arg("--json"), arguments);
    let (found, output) = command.run(SOON);
    assert_eq!(found, code, "{output}");
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let (lines, last): (Vec<_>, Vec<_>) = lines.partition(|line| line["summary"].is_null());
    let rows = lines.into_iter().map(|line| {
        assert_eq!(line["topic"], job.topic.name());
        ["committed", "to", "end", "lag"].map(|name| line[name].clone())
    });
    let summary = last.first().map(|last| last["summary"].clone());
    (rows.collect(), summary.unwrap_or_default())
}

#[track_caller]
fn check(job: &Job, arguments: &[&str], expected: &[[Option<i64>; 4]]) {
    let (rows, summary) = said(job, arguments, 0);
    let rows: Vec<[Option<i64>; 4]> = rows
        .iter()
        .map(|row| row.each_ref().map(Value::as_i64))
        .collect();
    assert_eq!(rows, expected, "{arguments:?}");
    let executes = arguments.contains(&"--execute");
    assert_eq!(summary["executed"], executes, "{summary}");
    let lag: i64 = expected.iter().filter_map(|row| row[3]).sum();
    assert_eq!(summary["lag"], lag);
}

/// Thirty records in partition 0, one a minute, and twenty in partition 1.
fn produce(job: &Job) {
    let record = |partition, minute: i64| {
        let record = Record::json(&article(minute)).partition(partition);
        record.timestamp(1_735_689_600_000 + minute * 60_000) // 2025-01-01
    };
    let first = (0..30).map(|minute| record(0, minute));
    job.topic
        .produce(first.chain((0..20).map(|minute| record(1, minute))));
}

#[test]
fn committed_end_and_lag_are_shown_and_a_dry_run_sets_nothing() {
    let job = without_milvus("offsets_shown", 2);
    produce(&job);
    job.topic.put_commit(&job.group(), 0, 12, b"");
    let (first, second) = (
        [Some(12), None, Some(30), Some(18)],
        [None, None, Some(20), Some(20)],
    );
    check(&job, &[], &[first, second]);
    check(&job, &["--partition", "1"], &[second]);

    let to = |to, end| [None, Some(to), Some(end), Some(end - to)];
    let after = |[_, to, end, lag]: [Option<i64>; 4]| [Some(12), to, end, lag];
    let dry = |arguments: &[&str], (a, b)| check(&job, arguments, &[after(to(a, 30)), to(b, 20)]);
    dry(&["--to", "earliest"], (0, 0));
    dry(&["--to", "latest"], (30, 20));
    dry(&["--to", "25"], (25, 20));
    dry(&["--to", "2025-01-01T00:10:00Z"], (10, 10));
    dry(&["--to", "2025-01-01T00:25:00Z"], (25, 20));
    let name = job.topic.name();
    dry(&["--to", "5", "--to", &format!("{name}:1:7")], (5, 7));
    let only = format!("{name}:0");
    check(
        &job,
        &["--to", "3", "--partition", &only],
        &[after(to(3, 30))],
    );
    assert_eq!(job.topic.committed(&job.group()), [Some(12), None]);

    let (code, table) = with(offsets(&job), &["--to", "latest"]).run(SOON);
    assert_eq!(code, 0, "{table}");
    for part in [
        "PARTITION",
        "nobody is in it",
        "nothing was set; --execute sets it",
    ] {
        assert!(table.contains(part), "{part} is missing in:\n{table}");
    }
}

#[test]
fn what_is_set_is_where_the_sink_goes_on() {
    let job = Job::on_lite("offsets_set", 2);
    let place = Place::of(&job);
    produce(&job);
    let run = || {
        let (code, output) = job.quick().arg("--until-end").run(SOON);
        assert_eq!(code, 0, "{output}");
        output
    };
    run();
    assert_eq!(place.committed(), [30, 20]);
    let set = [
        [Some(30), Some(25), Some(30), Some(5)],
        [Some(20), Some(20), Some(20), Some(0)],
    ];
    check(&job, &["--to", "25", "--execute"], &set);
    assert_eq!(place.committed(), [25, 20]);
    let metadata = job.topic.committed_metadata(&job.group());
    for text in &metadata {
        assert!(
            text.contains("topic_id") && !text.contains("collection"),
            "{text}"
        );
    }
    let output = run();
    assert!(output.contains("in all: 5 records read"), "{output}");
    assert_eq!(place.committed(), [30, 20]);
}

#[test]
fn after_a_collection_was_made_again_offsets_that_are_set_let_the_sink_go_on() {
    // Milvus Lite has no ids, and so does not tell the one from the other.
    let job = Job::new("offsets_again", 1);
    job.topic
        .produce((0..10).map(|id| Record::json(&article(id))));
    let run = || job.quick().arg("--until-end").run(SOON);
    assert_eq!(run().0, 0);
    job.milvus.drop_collection(&job.collection);
    job.create(&articles(&job.collection));
    job.topic
        .produce((10..12).map(|id| Record::json(&article(id))));
    let (code, output) = run();
    assert_eq!(code, 3, "{output}");
    check(
        &job,
        &["--to", "earliest", "--execute"],
        &[[Some(10), Some(0), Some(12), Some(12)]],
    );
    assert_eq!(run().0, 0);
    assert_eq!(job.milvus.count(&job.collection), 12);
}

#[test]
fn while_somebody_reads_nothing_is_set_and_it_is_said_who() {
    for (protocol, who) in [
        ("classic", "stop them first: kafka-milvus-sink-"),
        ("consumer", "of which Kafka does not say who they are"),
    ] {
        let job = Job::on_lite("offsets_members", 1);
        job.topic
            .produce((0..10).map(|id| Record::json(&article(id))));
        let sink = job.sink().set("consumer.group.protocol", protocol).start();
        job.await_committed();
        let (code, output) = with(offsets(&job), &["--to", "earliest", "--execute"]).run(SOON);
        assert_eq!(code, 1, "{output}");
        assert!(output.contains("nothing was set"), "{output}");
        assert!(output.contains(who), "{protocol}: {output}");
        assert_eq!(job.topic.committed(&job.group()), [Some(10)]);
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
        let set = [Some(10), Some(0), Some(10), Some(10)];
        check(&job, &["--to", "earliest", "--execute"], &[set]);
        assert_eq!(job.topic.committed(&job.group()), [Some(0)]);
    }
}

#[test]
fn partitions_and_topics_that_are_not_there_are_mistakes() {
    let job = without_milvus("offsets_strangers", 1);
    let fails = |arguments: &[&str], code, part: &str| {
        let (found, output) = with(offsets(&job), arguments).run(SOON);
        assert_eq!(found, code, "{output}");
        assert!(output.contains(part), "{part} is missing in:\n{output}");
    };
    fails(&["--partition", "1"], 2, "--partition names 1");
    fails(&["--to", "nobody:0:5"], 2, "names partition nobody-0");
    let other = services::unique("not_there");
    let set = format!("topics={other}");
    fails(&["--set", &set], 1, "does not exist");
}
