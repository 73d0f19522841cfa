//! Every writer's inlet, by topic; grows when a topic is met for the first time.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Destination, Router};
use crate::topic_partition::TopicPartition;
use crate::writer::Inlet;

/// Starts what writes into a destination, or finds it.
pub trait Opener: fmt::Debug + Send {
    /// The inlets of the destination's writers, the same ones at every call; not empty.
    fn open(&mut self, topic: &str, destination: &Destination) -> Vec<Inlet>;
}

/// What is here once stays for the life of the process, so a partition never has two writers.
#[derive(Debug)]
pub struct Lanes {
    router: Router,
    opener: Box<dyn Opener>,
    by_topic: HashMap<String, Vec<Inlet>>,
}

impl Lanes {
    pub fn new(router: Router, opener: Box<dyn Opener>) -> Self {
        Self {
            router,
            opener,
            by_topic: HashMap::new(),
        }
    }

    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Before a partition of `topic` can come.
    pub fn open(&mut self, topic: &str) {
        if !self.by_topic.contains_key(topic) {
            let destination = self.router.destination(topic);
            let inlets = self.opener.open(topic, &destination);
            self.by_topic.insert(topic.to_owned(), inlets);
        }
    }

    pub fn inlet(&self, partition: &TopicPartition) -> Option<&Inlet> {
        let inlets = self.by_topic.get(partition.topic.as_ref())?;
        let mut hasher = DefaultHasher::new();
        partition.hash(&mut hasher);
        let count = u64::try_from(inlets.len()).ok()?.max(1);
        inlets.get(usize::try_from(hasher.finish() % count).ok()?)
    }

    /// Has every writer send what it holds without waiting for company.
    pub fn flush(&self) {
        for inlet in self.by_topic.values().flatten() {
            inlet.flush();
        }
    }

    /// Tenures were closed: has every writer stop what it sends of them.
    pub fn closed(&self) {
        for inlet in self.by_topic.values().flatten() {
            inlet.closed();
        }
    }
}
