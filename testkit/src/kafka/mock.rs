//! librdkafka's scripted broker: for answers to a commit that a real one gives by chance only, and for one that is slow.
//!
//! It knows produce, fetch, groups and offsets; it has no other settings of a topic, and no administration.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaApiKey;
pub use rdkafka::types::RDKafkaRespErr as Answer;

use super::Topic;
use crate::services;

/// Lives in this process and ends when dropped.
pub struct MockBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MockBroker {
    #[allow(clippy::new_without_default, reason = "reads as what it does")]
    pub fn start() -> Self {
        let cluster = MockCluster::new(1).expect("a scripted broker");
        Self { cluster }
    }

    /// A new topic with a name of its own.
    pub fn topic(&self, test: &str, partitions: i32) -> Topic {
        let name = services::unique(test);
        let made = self.cluster.create_topic(&name, partitions, 1);
        made.expect("the topic is new");
        Topic::existing(&self.cluster.bootstrap_servers(), &name, partitions)
    }

    /// The answers to the next commits, of whichever group; those after them succeed.
    pub fn answer_commits(&self, answers: &[Answer]) {
        let commits = RDKafkaApiKey::OffsetCommit;
        self.cluster.request_errors(commits, answers);
    }

    /// The answers to the next fetches; those after them succeed.
    pub fn answer_fetches(&self, answers: &[Answer]) {
        self.cluster.request_errors(RDKafkaApiKey::Fetch, answers);
    }

    /// The answers to the next questions about the ends of logs.
    pub fn answer_ends(&self, answers: &[Answer]) {
        let ends = RDKafkaApiKey::ListOffsets;
        self.cluster.request_errors(ends, answers);
    }

    /// Fetches that come from here on succeed.
    pub fn heal_fetches(&self) {
        self.cluster.clear_request_errors(RDKafkaApiKey::Fetch);
    }

    /// Every answer comes this much later.
    pub fn slow_down(&self, by: Duration) {
        let slower = self.cluster.broker_round_trip_time(-1, by);
        slower.expect("a broker");
    }

    /// Closes its connections and takes no others.
    pub fn go_away(&self) {
        self.cluster.broker_down(-1).expect("a broker");
    }

    pub fn come_back(&self) {
        self.cluster.broker_up(-1).expect("a broker");
    }
}

impl Debug for MockBroker {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let servers = self.cluster.bootstrap_servers();
        f.debug_struct("MockBroker")
            .field("bootstrap", &servers)
            .finish()
    }
}
