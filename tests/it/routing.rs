//! Where topics go: a pattern that topics come to and leave, and the map.

mod destinations;

use testkit::kafka::{Broker, BrokerOptions, Record, Topic};
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite, wait};

use crate::support::{Job, SINK, SOON, article, articles, assert_held};

/// Topics whose names begin alike, and a sink that looks for new ones all the time.
struct Family {
    job: Job,
    base: String,
}

impl Family {
    fn on_lite(test: &str) -> Self {
        let job = Job::on_lite(test, 1);
        let base = services::unique(test);
        Self { job, base }
    }

    fn name(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.base)
    }

    fn topic(&self, suffix: &str, partitions: i32) -> Topic {
        suite::kafka().topic_named(&self.name(suffix), partitions, &[])
    }

    /// Its collection by the default template.
    fn collection(&self, suffix: &str) -> String {
        self.name(suffix).replace(['-', '.'], "_")
    }

    fn create(&self, suffix: &str) {
        self.job.create(&articles(&self.collection(suffix)));
    }

    /// Reads the topics whose names are the base and something that matches.
    fn matching(&self, suffix: &str) -> SinkCommand {
        self.job
            .quick()
            .set("topics", "")
            .set("topics.regex", &self.name(suffix))
            .set("collection.name", "${topic}")
            .set("consumer.metadata.max.age.ms", "500")
    }

    #[track_caller]
    fn await_rows(&self, suffix: &str, rows: i64) {
        let collection = self.collection(suffix);
        self.job.milvus.await_count(&collection, rows, SOON);
    }
}

/// Into all partitions by turns.
fn produce(topic: &Topic, ids: std::ops::Range<i64>) {
    let partitions = i64::from(topic.partitions());
    let partition = |id: i64| i32::try_from(id % partitions).unwrap();
    topic.produce(ids.map(|id| Record::json(&article(id)).partition(partition(id))));
}

fn assignment(sink: &Sink) -> i64 {
    sink.metric("milvus_sink_assigned_partitions")
}

/// Under both ways of handing out partitions: one takes all away at every change, the other only what changes.
#[test]
fn topics_that_match_are_read_when_they_come_and_left_when_they_go() {
    for strategy in ["range", "cooperative-sticky"] {
        let family = Family::on_lite("regex");
        let not_whole = family.topic("-abc", 1);
        produce(&not_whole, 0..1);
        let sink = family
            .matching("-[ab]")
            .set("consumer.partition.assignment.strategy", strategy)
            .start();
        let sentence = format!(
            "no topic matches '{}-[ab]'; create one, or correct topics.regex",
            family.base
        );
        assert_held(&sink, "no_topic_matches", &[&sentence]);

        family.create("-a");
        let first = family.topic("-a", 2);
        produce(&first, 0..10);
        family.await_rows("-a", 10);
        sink.await_readyz(200, SOON);

        family.create("-b");
        let second = family.topic("-b", 1);
        produce(&second, 0..20);
        family.await_rows("-b", 20);
        produce(&first, 10..30);
        family.await_rows("-a", 30);
        for topic in [&first, &second] {
            topic.await_committed_to_end(&family.job.group(), SOON);
            let collection = topic.name().replace('-', "_");
            let said = format!("reads topic '{}' from", topic.name());
            let said = sink.wait_for_line(&said, SOON);
            assert!(
                said.contains(&format!("writes collection '{collection}'")),
                "{said}"
            );
        }
        assert_eq!(assignment(&sink), 3);

        first.delete();
        sink.wait_for_line(&format!("topic '{}' is gone", first.name()), SOON);
        produce(&second, 20..30);
        family.await_rows("-b", 30);
        second.await_committed_to_end(&family.job.group(), SOON);
        assert_eq!(assignment(&sink), 1);
        sink.await_readyz(200, SOON);
        assert!(sink.find_line("-abc").is_none(), "{}", sink.output());
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}

#[test]
fn members_with_the_same_pattern_share_what_comes() {
    let family = Family::on_lite("regex_members");
    family.create("-a");
    family.create("-b");
    let first = family.topic("-a", 2);
    let sinks = [(); 2].map(|()| family.matching("-.*").start());
    let shared = |total: i64| {
        wait::until(SOON, format_args!("{total} partitions shared"), || {
            let of = [assignment(&sinks[0]), assignment(&sinks[1])];
            of[0] + of[1] == total && of[0] == of[1]
        });
    };
    shared(2);
    let second = family.topic("-b", 2);
    shared(4);
    produce(&first, 0..50);
    produce(&second, 0..50);
    family.await_rows("-a", 50);
    family.await_rows("-b", 50);
    for sink in sinks {
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }
}

/// What was found last is read on.
#[test]
fn a_kafka_that_does_not_answer_or_starts_again_takes_no_topic_away() {
    let mut broker = Broker::start(&BrokerOptions::default());
    let name = services::unique("regex_silence");
    let endpoint = suite::lite().endpoint();
    let job = Job::with(&broker, "regex_silence", 1, endpoint, None);
    let collection = name.replace('-', "_");
    job.create(&articles(&collection));
    let topic = broker.topic_named(&name, 2, &[]);
    let sink = job
        .quick()
        .set("topics", "")
        .set("topics.regex", &name)
        .set("collection.name", "${topic}")
        .set("consumer.metadata.max.age.ms", "500")
        .start();
    produce(&topic, 0..10);
    job.milvus.await_count(&collection, 10, SOON);
    // A commit under way would stand before the question about topics.
    topic.await_committed_to_end(&job.group(), SOON);

    broker.pause();
    sink.wait_for_line("cause=\"kafka_unreachable\"", SOON);
    broker.resume();
    produce(&topic, 10..20);
    job.milvus.await_count(&collection, 20, SOON);

    broker.kill();
    broker.start_again();
    produce(&topic, 20..30);
    job.milvus.await_count(&collection, 30, SOON);
    topic.await_committed_to_end(&job.group(), SOON);
    sink.await_readyz(200, SOON);
    assert!(sink.find_line("is gone").is_none(), "{}", sink.output());
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_topic_that_would_meet_another_in_its_collection_is_not_read_and_stops_nobody() {
    let family = Family::on_lite("regex_meet");
    family.create("-a");
    let first = family.topic("-a", 1);
    produce(&first, 0..5);
    let sink = family.matching("[-.].*").start();
    family.await_rows("-a", 5);

    let newcomer = family.topic(".a", 1);
    produce(&newcomer, 100..101);
    let sentence = format!(
        "topic '{}' is not read: collection.name: topics '{}' and '{}' would both be written to collection '{}'",
        newcomer.name(),
        first.name(),
        newcomer.name(),
        family.collection("-a"),
    );
    assert_held(&sink, "topics_meet", &[&sentence]);
    produce(&first, 5..10);
    family.await_rows("-a", 10);
    first.await_committed_to_end(&family.job.group(), SOON);
    assert_eq!(newcomer.committed(&family.job.group()), [None]);

    newcomer.delete();
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_collection_whose_topic_is_gone_is_not_waited_for() {
    let family = Family::on_lite("regex_needs");
    family.create("-a");
    let topics = ["-a", "-b"].map(|suffix| family.topic(suffix, 1));
    let sink = family.matching("-.");
    let sink = sink.set("behavior.on.data.loss", "continue").start();
    let sentence = format!("collection '{}' does not exist", family.collection("-b"));
    assert_held(&sink, "collection_missing", &[&sentence]);
    topics[1].delete();
    sink.await_readyz(200, SOON);
    // Needed again.
    family.topic("-b", 1);
    wait::until(SOON, &sentence, || {
        let answer = sink.http_get("/readyz");
        answer.is_some_and(|(status, reasons)| status == 503 && reasons.contains(&sentence))
    });
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}

#[test]
fn a_back_fill_of_topics_that_match_ends_at_their_ends() {
    let family = Family::on_lite("regex_end");
    for suffix in ["-a", "-b"] {
        family.create(suffix);
        produce(&family.topic(suffix, 1), 0..10);
    }
    let (code, output) = family.matching("-.").arg("--until-end").run(SOON);
    assert_eq!(code, 0, "{output}");
    family.await_rows("-a", 10);
    family.await_rows("-b", 10);
}

#[test]
fn check_prints_what_matches_now_and_where_it_goes() {
    let family = Family::on_lite("regex_check");
    let check = |more: [(&str, &str); 2], status: i32, words: &[String]| {
        let command = Sink::new(SINK).arg("check").config(&family.job.config());
        let pattern = family.name("[-.].");
        let command = [("topics", ""), ("topics.regex", &pattern)]
            .into_iter()
            .chain([("collection.name", "${topic}")])
            .chain(more)
            .fold(command, |command, (key, value)| command.set(key, value));
        let (code, output) = command.run(SOON);
        assert_eq!(code, status, "{output}");
        for word in words {
            assert!(output.contains(word), "{word:?} is missing in:\n{output}");
        }
    };
    let none = [("linger.ms", "1"); 2];
    check(none, 1, &["✗ no topic matches".to_owned()]);
    family.create("-a");
    let (first, second) = (family.topic("-a", 1), family.topic("-b", 3));
    let goes = |topic: &Topic, partitions: &str, collection: &str| {
        let topic = topic.name();
        format!("✓ topic '{topic}', {partitions} → collection '{collection}'")
    };
    let collection = family.collection("-a");
    let map = format!("{}:{collection}", second.name());
    let words = [
        goes(&first, "1 partition", &collection),
        goes(&second, "3 partitions", &collection),
        format!("✓ collection '{collection}' by Upsert"),
    ];
    check([("topic2collection.map", &map), none[0]], 0, &words);
    family.topic(".a", 1);
    let words = [
        "would both be written".to_owned(),
        "`run` would wait".to_owned(),
    ];
    check(none, 1, &words);
}

#[test]
fn the_map_stands_over_the_template() {
    let job = Job::on_lite("map", 1);
    let other = suite::kafka().topic("unmapped", 1);
    let collection = other.name().replace('-', "_");
    job.create(&articles(&collection));
    let topics = format!("{},{}", job.topic.name(), other.name());
    let map = format!("{}:{}", job.topic.name(), job.collection);
    let sink = job
        .quick()
        .set("topics", &topics)
        .set("collection.name", "${topic}")
        .set("topic2collection.map", &map)
        .start();
    produce(&job.topic, 0..3);
    produce(&other, 0..5);
    job.milvus.await_count(&job.collection, 3, SOON);
    job.milvus.await_count(&collection, 5, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
