//! The topics of the list that are not there: said, and read from their beginning when they come.

use std::sync::Arc;

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use super::consumer::Consumer;
use super::fault::{Fault, judge};
use super::questions::Question;
use crate::cause::Cause;
use crate::ops::board::Scope;

#[derive(Debug, Default)]
pub(super) struct Missing(Vec<Arc<str>>);

impl Missing {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, topic: &str) -> bool {
        self.0.iter().any(|missing| **missing == *topic)
    }

    /// These are missing, and no others: those that have come.
    fn are(&mut self, topics: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let before = std::mem::replace(&mut self.0, topics);
        let came = before.into_iter().filter(|topic| !self.has(topic));
        came.collect()
    }

    /// This one is missing, whatever is so of the others.
    fn is_too(&mut self, topic: &Arc<str>) {
        if !self.has(topic) {
            self.0.push(Arc::clone(topic));
        }
    }
}

impl Consumer {
    /// The answer about all topics of the list.
    pub(super) fn topics_missing(&mut self, missing: Vec<(String, Code)>) {
        let names = missing.iter().map(|(topic, _)| Arc::from(topic.as_str()));
        let came = self.missing.are(names.collect());
        if !came.is_empty() {
            self.inquire(Question::Rejoin);
        }
        for topic in came {
            self.stations.board.clear(&Scope::Topic(Arc::clone(&topic)));
            self.ledger.appeared(topic);
        }
        for (topic, code) in missing {
            self.say_missing(topic, code);
        }
        self.ledger.topics_missing(!self.missing.is_empty());
    }

    /// One that is read has gone.
    pub(super) fn topic_missing(&mut self, topic: String) {
        self.missing.is_too(&Arc::from(topic.as_str()));
        self.say_missing(topic, Code::UnknownTopicOrPartition);
        self.ledger.topics_missing(true);
    }

    fn say_missing(&self, topic: String, code: Code) {
        let scope = Scope::Topic(Arc::from(topic.as_str()));
        let cause = match judge(&ClientError::MetadataFetch(code), "", "") {
            Fault::Held(cause) => cause,
            _ => Cause::TopicMissing { topic },
        };
        self.stations.board.hold(scope, cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(topics: &[&str]) -> Vec<Arc<str>> {
        topics.iter().map(|topic| Arc::from(*topic)).collect()
    }

    #[test]
    fn what_is_no_longer_missing_has_come() {
        let mut missing = Missing::default();
        assert_eq!(missing.are(names(&["a", "b"])), []);
        assert_eq!(missing.are(names(&["b", "c"])), names(&["a"]));
        assert_eq!(missing.are(names(&[])), names(&["b", "c"]));
    }

    #[test]
    fn that_one_topic_is_gone_says_nothing_of_the_others() {
        let mut missing = Missing::default();
        missing.are(names(&["a"]));
        missing.is_too(&Arc::from("b"));
        missing.is_too(&Arc::from("b"));
        assert_eq!(missing.0, names(&["a", "b"]));
        assert_eq!(missing.are(names(&["b"])), names(&["a"]));
    }
}
