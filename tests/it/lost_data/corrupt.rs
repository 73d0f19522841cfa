//! A byte changed on a broker's disk.

use testkit::kafka::{Broker, BrokerOptions};
use testkit::sink::Sink;

use super::{Case, assert_said};
use crate::support::{SINK, SOON};

#[test]
fn a_corrupt_batch_halts_or_is_passed_over_as_a_whole() {
    let mut kafka = Broker::start(&BrokerOptions::default());
    let case = Case::on(kafka.topic("corrupt", 1), "corrupt");
    // Each a batch, and two of them broken side by side.
    for begin in (0..100).step_by(20) {
        case.produce(0, begin..begin + 20);
    }
    let reread = Case::on(kafka.topic("corrupt_reread", 4), "corrupt_reread");
    for partition in 0..4 {
        let begin = 1000 * i64::from(partition);
        reread.produce(partition, begin..begin + 20);
    }
    kafka.stop();
    kafka.corrupt(reread.job.topic.name(), 0, 5);
    kafka.corrupt(case.job.topic.name(), 0, 25);
    kafka.corrupt(case.job.topic.name(), 0, 45);
    kafka.start_again();

    let lost = "-0: the offsets [20, 40) are corrupt";
    let words = [lost, "behavior.on.data.loss=continue", "offset to 40"];
    case.assert_halts(&case.fails().start(), "log_corrupt", &words);
    assert_eq!(case.committed(), [Some(20)]);
    assert_eq!(case.keys(), (0..20).collect());

    let sink = case.continues().start();
    case.await_committed(&[100]);
    let output = sink.output();
    let goes_on = "going on at offset 40, as set";
    assert_said(&output, "the offsets [20, 40)", "log_corrupt", &[goes_on]);
    assert_said(
        &output,
        "the offsets [40, 60)",
        "log_corrupt",
        &["offset 60"],
    );
    let topic = case.job.topic.name();
    let series = format!("milvus_sink_records_lost_total{{topic=\"{topic}\",partition=\"0\"}}");
    assert_eq!(sink.metric(&series), 40);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    assert_eq!(case.keys(), (0..20).chain(60..100).collect());
    assert_verify_names_its_partition(&reread);
}

/// Of several that it reads at the same time.
fn assert_verify_names_its_partition(case: &Case) {
    let verify = Sink::new(SINK).arg("verify").config(&case.job.config());
    let (code, output) = verify.arg("--to").arg("latest").run(SOON);
    assert_eq!(code, 1, "{output}");
    let place = format!("{}-0: ", case.job.topic.name());
    assert!(output.contains(&place), "{output}");
    assert!(output.contains("are corrupt"), "{output}");
}

#[test]
fn checksums_are_looked_at_whatever_is_set() {
    let kafka = testkit::suite::kafka();
    let case = Case::on(kafka.topic("checksums", 1), "checksums");
    case.produce(0, 0..10);
    let output = case.run(case.fails().set("consumer.check.crcs", "false"), 0);
    let said = "consumer.check.crcs stays true: a corrupt batch would be written";
    assert!(output.contains(said), "{output}");
}
