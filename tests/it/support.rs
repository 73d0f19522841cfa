//! What the tests of the whole daemon share: the collection of the walk-through, its records, and a sink for them.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::client::{Collection, MilvusClient};
use testkit::kafka::{Broker, Topic};
use testkit::sink::{Sink, SinkCommand};
use testkit::{services, suite};

pub const SINK: &str = env!("CARGO_BIN_EXE_kafka-milvus-sink");
/// Long enough for a machine that does something else besides.
pub const SOON: Duration = Duration::from_secs(60);

/// How much of a fault there is: little in `make test`, as much as users may meet in `make matrix`.
pub fn full<T>(short: T, long: T) -> T {
    match std::env::var_os("MATRIX_FULL") {
        Some(_) => long,
        None => short,
    }
}

/// A topic, a collection of its own, and a sink between them that is not started yet.
pub struct Job {
    pub topic: Topic,
    pub collection: String,
    pub milvus: MilvusClient,
    pub name: String,
    endpoint: String,
    token: Option<&'static str>,
}

impl Job {
    /// On the suite's Kafka and its Milvus 2.3.5.
    pub fn new(test: &str, partitions: i32) -> Self {
        let milvus = suite::milvus();
        let job = Self::with(
            suite::kafka(),
            test,
            partitions,
            milvus.endpoint(),
            milvus.token(),
        );
        job.create(&articles(&job.collection));
        job
    }

    /// On the suite's Kafka and Milvus Lite.
    pub fn on_lite(test: &str, partitions: i32) -> Self {
        let job = Self::with(
            suite::kafka(),
            test,
            partitions,
            suite::lite().endpoint(),
            None,
        );
        job.create(&articles(&job.collection));
        job
    }

    /// Without a collection yet.
    pub fn with(
        kafka: &Broker,
        test: &str,
        partitions: i32,
        endpoint: String,
        token: Option<&'static str>,
    ) -> Self {
        Self::between(kafka.topic(test, partitions), test, endpoint, token)
    }

    /// On a topic of whichever broker, without a collection yet.
    pub fn between(
        topic: Topic,
        test: &str,
        endpoint: String,
        token: Option<&'static str>,
    ) -> Self {
        Self {
            collection: services::unique_collection(test),
            milvus: MilvusClient::new(&endpoint, token),
            name: services::unique(test),
            endpoint,
            token,
            topic,
        }
    }

    /// For the official client, and for a sink that is configured in another way.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn token(&self) -> Option<&'static str> {
        self.token
    }

    /// On a topic with settings, as `cleanup.policy`.
    pub fn topic_config(mut self, config: &[(&str, &str)]) -> Self {
        let (name, partitions) = (self.topic.name().to_owned(), self.topic.partitions());
        self.topic = suite::kafka().topic_with(&name, partitions, config);
        self
    }

    pub fn create(&self, collection: &Collection) {
        self.milvus.create(collection);
    }

    pub fn group(&self) -> String {
        format!("connect-{}", self.name)
    }

    /// The configuration as one plain file.
    pub fn config(&self) -> String {
        let token = self
            .token
            .map_or(String::new(), |token| format!("token={token}\n"));
        format!(
            "name={}\nbootstrap.servers={}\ntopics={}\npublic.endpoint={}\ncollection.name={}\n{token}",
            self.name,
            self.topic.bootstrap(),
            self.topic.name(),
            self.endpoint,
            self.collection,
        )
    }

    pub fn sink(&self) -> SinkCommand {
        Sink::new(SINK).config(&self.config())
    }

    /// The sink reaches Milvus by another way than the test does: a proxy that breaks.
    pub fn through(mut self, endpoint: String) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// The sink has its token from elsewhere.
    pub fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    /// One that does not keep a test waiting: for company, for the next commit, for a dead member.
    pub fn quick(&self) -> SinkCommand {
        self.prompt()
            .set("consumer.session.timeout.ms", "6000")
            .set("consumer.heartbeat.interval.ms", "300")
    }

    /// The same without a session of its own: the newer group protocol has the broker's.
    pub fn prompt(&self) -> SinkCommand {
        [
            ("linger.ms", "10"),
            ("offset.flush.interval.ms", "100"),
            ("milvus.request.timeout.ms", "2000"),
            ("milvus.retry.backoff.max.ms", "500"),
            ("tasks.max", "2"),
        ]
        .into_iter()
        .fold(self.sink(), |sink, (key, value)| sink.set(key, value))
    }

    pub fn start(&self) -> Sink {
        self.sink().start()
    }

    /// One record comes through: nothing is in the way, or no longer, and nobody had to help.
    pub fn assert_goes_on(&self, sink: &Sink) {
        self.topic.produce_json(&article(7));
        self.milvus.await_count(&self.collection, 1, SOON);
        assert_eq!(sink.await_readyz(200, SOON), "ready\n");
        assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
    }

    pub fn await_committed(&self) {
        self.topic.await_committed_to_end(&self.group(), SOON);
    }
}

/// The collection of the walk-through: `id`, `title`, `title_vector` of 8, `link`.
pub fn articles(name: &str) -> Collection {
    Collection::new(name)
        .int64_key("id")
        .varchar("title", 512)
        .float_vector("title_vector", 8)
        .varchar("link", 512)
}

pub fn article(id: i64) -> Value {
    json!({
        "id": id,
        "title": format!("Article {id}"),
        "title_vector": [0.125, -0.5, 0.25, 1.0, 0.0, 2.0, -3.5, 0.75],
        "link": format!("https://example.org/{id}"),
    })
}

/// The collection is held with this cause: the log says so once, with all these words, and `/readyz` has the same.
#[track_caller]
pub fn assert_held(sink: &Sink, cause: &str, words: &[&str]) {
    let begins = format!("cause=\"{cause}\"");
    let said = sink.wait_for_line(&begins, SOON);
    let answer = sink.await_readyz(503, SOON);
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
        assert!(answer.contains(word), "{word:?} is missing in: {answer}");
    }
    let output = sink.output();
    let times = |what: &str| output.lines().filter(|line| line.contains(what)).count();
    assert_eq!(
        times(&format!(" {begins}")) - times("still held"),
        1,
        "said once:\n{output}"
    );
}

/// The sink does not start: status 2, and all these words.
#[track_caller]
pub fn assert_refused(sink: SinkCommand, words: &[&str]) {
    let (code, output) = sink.run(SOON);
    assert_eq!(code, 2, "{output}");
    for word in words {
        assert!(output.contains(word), "{word:?} is missing in:\n{output}");
    }
}

/// What the log says of each partition that was given up before everything of it was written and committed.
pub fn given_up(sink: &Sink) -> Vec<String> {
    let output = sink.output();
    let said = "given up before everything read was written and committed; the rest is read again partition=";
    let lines = output.lines().filter_map(|line| line.split_once(said));
    lines.map(|(_, left)| left.to_owned()).collect()
}
