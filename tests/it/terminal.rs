//! What a person sees: bars and a summary of `--until-end`, colours; and that a pipe has none of it.

use testkit::kafka::Record;
use testkit::proxy::{FaultProxy, Network};
use testkit::suite;

use crate::support::{Job, SOON, article};

/// Green, as INFO is.
const GREEN: &str = "\u{1b}[32m";

#[test]
fn on_a_terminal_there_is_a_bar_for_each_topic_and_a_table_at_the_end() {
    let proxy = FaultProxy::before(suite::lite().port());
    let job = Job::on_lite("bars", 2).through(proxy.endpoint());
    job.topic
        .produce((0..120).map(|id| Record::json(&article(id))));
    job.topic.produce([Record::new("{")]);
    proxy.set(Network::Refuses);
    let sink = job.quick().set("errors.tolerance", "all");
    let sink = sink.arg("--until-end").on_terminal().start();
    let bar = sink.wait_for_line("0 of 121", SOON);
    assert!(bar.contains(job.topic.name()), "{bar}");
    proxy.set(Network::Works);
    assert_eq!(sink.wait_exit(SOON), 0, "{}", sink.output());
    let output = sink.output();
    assert!(output.contains(GREEN), "{output}");
    for row in [
        ["read", "121"],
        ["written", "120"],
        ["skipped", "1"],
        ["dead-lettered", "0"],
    ] {
        // Behind what has cleared the bar.
        let is_row = |line: &str| line.split_whitespace().collect::<Vec<_>>().ends_with(&row);
        assert!(
            output.lines().any(is_row),
            "{row:?} is missing in:\n{output}"
        );
    }
    assert!(output.contains("rows/s"), "{output}");
}

#[test]
fn a_terminal_without_colours_has_none() {
    let job = Job::on_lite("no_color", 1);
    let sink = job.quick().env("NO_COLOR", "1").arg("--until-end");
    let (code, output) = sink.on_terminal().run(SOON);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("the end was reached"), "{output}");
    assert!(!output.contains(GREEN), "{output}");
}

#[test]
fn a_pipe_has_plain_lines_with_the_rate_in_the_last() {
    let job = Job::on_lite("plain_lines", 1);
    job.topic
        .produce((0..20).map(|id| Record::json(&article(id))));
    let (code, output) = job.quick().arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    assert!(!output.contains('\u{1b}'), "{output}");
    let totals = output.lines().find(|line| line.contains("in all: "));
    let totals = totals.expect("totals");
    assert!(
        totals.contains("20 records read, 20 rows written"),
        "{totals}"
    );
    assert!(totals.ends_with(" rows/s"), "{totals}");
}
