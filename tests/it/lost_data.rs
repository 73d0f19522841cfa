//! Records that Kafka no longer has, or cannot give: exactly which is said and counted, and the policy decides.

mod corrupt;
mod expired;
mod fetch_errors;
mod partitions;
mod recreated;
mod truncated;

use std::collections::BTreeSet;

use testkit::fake::{Fake, Key};
use testkit::kafka::{Record, Topic};
use testkit::sink::{Sink, SinkCommand};
use testkit::wait;

use crate::support::{Job, SOON, article, articles};

const CONTINUE: (&str, &str) = ("behavior.on.data.loss", "continue");

/// A sink between a topic and a scripted Milvus.
struct Case {
    fake: Fake,
    job: Job,
}

impl Case {
    fn on(topic: Topic, test: &str) -> Self {
        let fake = Fake::start();
        let job = Job::between(topic, test, fake.endpoint(), None);
        fake.create(articles(&job.collection).schema());
        Self { fake, job }
    }

    fn fails(&self) -> SinkCommand {
        self.job.quick()
    }

    fn continues(&self) -> SinkCommand {
        self.job.quick().set(CONTINUE.0, CONTINUE.1)
    }

    /// Records of one partition, with these keys.
    fn produce(&self, partition: i32, keys: std::ops::Range<i64>) {
        let record = |id| Record::json(&article(id)).partition(partition);
        self.job.topic.produce(keys.map(record));
    }

    fn keys(&self) -> BTreeSet<i64> {
        let rows = self.fake.rows(&self.job.collection);
        let keys = rows.into_keys().map(|key| match key {
            Key::Int(key) => key,
            other => panic!("{other:?}"),
        });
        keys.collect()
    }

    #[track_caller]
    fn await_committed(&self, offsets: &[i64]) {
        let wanted: Vec<_> = offsets.iter().copied().map(Some).collect();
        let what = format_args!("commits of {offsets:?}");
        wait::until(SOON, what, || self.committed() == wanted);
    }

    fn committed(&self) -> Vec<Option<i64>> {
        self.job.topic.committed(&self.job.group())
    }

    /// Reads to the end, and ends with `code`. What it said.
    #[track_caller]
    fn run(&self, sink: SinkCommand, code: i32) -> String {
        let (found, output) = sink.arg("--until-end").run(SOON);
        assert_eq!(found, code, "{output}");
        output
    }

    /// All partitions are halted: it ends, and has said why.
    #[track_caller]
    fn assert_halts(&self, sink: &Sink, cause: &str, words: &[&str]) {
        assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
        assert_said(&sink.output(), " halted ", cause, words);
    }

    #[track_caller]
    fn assert_counted(&self, sink: &Sink, cause: &str, partition: i32, offsets: i64) {
        let losses = format!("milvus_sink_data_losses_total{{cause=\"{cause}\"}}");
        wait::until(SOON, &losses, || sink.metric(&losses) == 1);
        let topic = self.job.topic.name();
        let labels = format!("topic=\"{topic}\",partition=\"{partition}\"");
        let lost = sink.metric(&format!("milvus_sink_records_lost_total{{{labels}}}"));
        assert_eq!(lost, offsets);
    }
}

/// One line is an ERROR with all these words.
#[track_caller]
fn assert_said(output: &str, what: &str, cause: &str, words: &[&str]) {
    let is_it = |line: &&str| line.contains("ERROR") && line.contains(what) && line.contains(cause);
    let lines: Vec<_> = output.lines().filter(is_it).collect();
    assert_eq!(lines.len(), 1, "{what} for {cause}:\n{output}");
    for word in words {
        assert!(
            lines[0].contains(word),
            "{word:?} is missing in: {}",
            lines[0]
        );
    }
}
