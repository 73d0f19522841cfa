//! Which topics are read: those of the list, or those that match, looked for again and again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use super::KafkaError;
use super::consumer::Consumer;
use super::questions::Question;
use crate::cause::Cause;
use crate::ops::board::Scope;
use crate::routing::{Meeting, Topics};

/// While a topic is missing or no partition is here, Kafka is asked for the topics this often.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// However often the user wants it.
const LEAST_REFRESH: Duration = Duration::from_millis(500);

impl Consumer {
    /// Reads exactly these topics from here on; the group's next assignment follows.
    pub(super) fn subscribe(&mut self, topics: Vec<String>) -> Result<(), KafkaError> {
        for topic in &topics {
            self.station.lanes.open(topic);
        }
        self.report_needs(&topics);
        if topics.is_empty() {
            self.client.unsubscribe();
        } else {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            let subscribed = self.client.subscribe(&names);
            subscribed.map_err(|error| match self.answered {
                true => KafkaError::Fatal(format!("subscribe: {error}")),
                false => KafkaError::Settings(error.to_string()),
            })?;
        }
        self.subscribed = topics;
        Ok(())
    }

    /// A collection that only topics of before went to is not waited for.
    fn report_needs(&self, topics: &[String]) {
        let (router, board) = (self.station.lanes.router(), &self.stations.board);
        let scope = |topic: &String| Scope::Collection(router.destination(topic).collection);
        let needed: BTreeSet<Scope> = topics.iter().map(scope).collect();
        for scope in &needed {
            board.heed(scope);
        }
        for scope in self.subscribed.iter().map(scope) {
            if !needed.contains(&scope) {
                board.ignore(scope);
            }
        }
    }

    /// Asks which topics are there: while one of the list is missing or no partition is here (no fetch would tell of a
    /// topic that is deleted then), and where some are to match, for as long as it runs.
    pub(super) fn ask_for_topics(&mut self, now: Instant) {
        let due = self.ask_topics_at.is_some_and(|at| now >= at);
        if !due || self.topics_asked {
            return;
        }
        let question = match &self.station.topics {
            Topics::Listed(_) if self.missing.is_empty() && !self.queues.is_empty() => return,
            Topics::Listed(topics) => Question::Topics(topics.clone()),
            Topics::Matching(_) => Question::Listing,
        };
        self.ask_topics_at = Some(now + ASK_AGAIN);
        self.topics_asked = true;
        self.inquire(question);
    }

    /// Nothing stands in the way: there is time until the next question. With `--until-end` there is none, since what
    /// comes later is not read.
    fn ask_later(&mut self) {
        let refresh = self.station.config.topic_refresh;
        let refresh = refresh.filter(|_| !self.station.rules.until_end);
        self.ask_topics_at = refresh.map(|every| Instant::now() + every.max(LEAST_REFRESH));
    }

    /// Kafka's topics, all of them.
    pub(super) fn listed(&mut self, names: Vec<String>) -> Result<(), KafkaError> {
        let Topics::Matching(pattern) = &self.station.topics else {
            return Ok(());
        };
        let found: BTreeSet<String> = names.into_iter().filter(|n| pattern.matches(n)).collect();
        let router = self.station.lanes.router();
        let choice = router.choose(&found, &self.subscribed);
        if found.is_empty() {
            let pattern = pattern.to_string();
            let cause = Cause::NoTopicMatches { pattern };
            self.stations.board.hold(Scope::Topics, cause);
        } else {
            self.stations.board.clear(&Scope::Topics);
        }
        self.report_meetings(choice.meetings);
        let unread = choice.topics.is_empty() || !self.meeting.is_empty();
        self.ledger.topics_missing(unread);
        if !unread {
            self.ask_later();
        }
        if std::mem::replace(&mut self.listed_once, true) {
            let is_new = |topic: &&String| !self.subscribed.contains(topic);
            for topic in choice.topics.iter().filter(is_new) {
                self.ledger.appeared(Arc::from(topic.as_str()));
            }
        }
        if choice.topics == self.subscribed {
            return Ok(());
        }
        for gone in &self.subscribed {
            if !choice.topics.contains(gone) {
                tracing::info!("topic '{gone}' is gone and no longer read");
            }
        }
        self.subscribe(choice.topics)
    }

    fn report_meetings(&mut self, meetings: Vec<(String, Meeting)>) {
        let mut meeting = Vec::new();
        for (topic, met) in meetings {
            let name: Arc<str> = Arc::from(topic.as_str());
            let cause = Cause::TopicsMeet {
                topic,
                meeting: met,
            };
            let scope = Scope::Topic(Arc::clone(&name));
            self.stations.board.hold(scope, cause);
            meeting.push(name);
        }
        let over = |topic: &&Arc<str>| !meeting.contains(topic);
        for topic in self.meeting.iter().filter(over) {
            self.stations.board.clear(&Scope::Topic(Arc::clone(topic)));
        }
        self.meeting = meeting;
    }
}
