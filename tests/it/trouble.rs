//! The world in the way: what is said, what `/readyz` answers, and that the sink goes on by itself.

use std::time::{Duration, Instant};

use testkit::kafka::Record;
use testkit::{services, suite};

use crate::support::{Job, SOON, article};

#[test]
fn a_missing_topic_sole() {
    let job = Job::on_lite("missing_topic", 1);
    let name = services::unique("created_later");
    let sink = job
        .sink()
        .set("topics", &name)
        .set("log.level", "debug")
        .start();
    eprintln!("{}", sink.wait_for_line("does not exist", SOON));
    std::thread::sleep(Duration::from_secs(7));
    let topic = suite::kafka().topic_named(&name, 1, &[]);
    topic.produce([Record::json(&article(1))]);
    let start = Instant::now();
    job.milvus.await_count(&job.collection, 1, SOON);
    eprintln!("took {:?}", start.elapsed());
    eprintln!("{}", sink.output());
}

#[test]
fn a_missing_topic_beside() {
    let job = Job::on_lite("missing_topic_b", 1);
    let name = services::unique("created_later");
    let sink = job
        .sink()
        .set("topics", &format!("{name},{}", job.topic.name()))
        .set("log.level", "debug")
        .start();
    job.topic.produce([Record::json(&article(2))]);
    job.milvus.await_count(&job.collection, 1, SOON);
    eprintln!("{}", sink.wait_for_line("does not exist", SOON));
    std::thread::sleep(Duration::from_secs(7));
    let topic = suite::kafka().topic_named(&name, 1, &[]);
    topic.produce([Record::json(&article(1))]);
    let start = Instant::now();
    job.milvus.await_count(&job.collection, 2, SOON);
    eprintln!("took {:?}", start.elapsed());
    eprintln!("{}", sink.output());
}
