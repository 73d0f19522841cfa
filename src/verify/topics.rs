//! What there is to compare: topics, where each goes, and the plans by which their records become rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::VerifyError;
use super::digest::Layout;
use super::reading::{Expectations, Expected};
use crate::cause::Cause;
use crate::check;
use crate::config::Config;
use crate::kafka::probe;
use crate::milvus::client::Client;
use crate::milvus::schema::Schema;
use crate::pipeline::PipelineError;
use crate::plan::{self, Operation};
use crate::routing::{Destination, Topics};
use crate::topic_partition::TopicPartition;

/// Topics with their partitions, and what is to be said of them.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) topics: Vec<(String, usize)>,
    pub(super) notes: Vec<String>,
}

impl Found {
    /// Of one topic at most.
    pub(super) fn most_partitions(&self) -> usize {
        self.topics
            .iter()
            .map(|(_, count)| *count)
            .max()
            .unwrap_or(0)
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        let of = |(topic, count): &(String, usize)| {
            let topic: Arc<str> = topic.as_str().into();
            let partitions = (0..).take(*count);
            partitions.map(move |partition| TopicPartition::new(Arc::clone(&topic), partition))
        };
        self.topics.iter().flat_map(of).collect()
    }
}

/// Looks for the topics. Blocks its thread.
pub(super) fn find(config: &Config, patience: Duration) -> Result<Found, VerifyError> {
    match &config.topics {
        Topics::Listed(topics) => {
            let found =
                probe::topics(&config.kafka, topics, patience).map_err(PipelineError::from)?;
            let topic = |(topic, count): (String, Result<usize, Cause>)| Ok((topic, count?));
            let topics: Result<_, Cause> = found.into_iter().map(topic).collect();
            Ok(Found {
                topics: topics?,
                notes: Vec::new(),
            })
        }
        Topics::Matching(pattern) => {
            let found = probe::matching(&config.kafka, pattern, patience)
                .map_err(PipelineError::from)??;
            if found.is_empty() {
                let pattern = pattern.to_string();
                return Err(Cause::NoTopicMatches { pattern }.into());
            }
            let names: BTreeSet<String> = found.iter().map(|(topic, _)| topic.clone()).collect();
            let choice = config.router.choose(&names, &[]);
            let note = |(topic, meeting)| Cause::TopicsMeet { topic, meeting }.to_string();
            Ok(Found {
                topics: found
                    .into_iter()
                    .filter(|(topic, _)| choice.topics.contains(topic))
                    .collect(),
                notes: choice.meetings.into_iter().map(note).collect(),
            })
        }
    }
}

/// Makes the plans. What rows cannot be told apart by their records' keys is refused.
pub(super) async fn expect(
    config: &Config,
    milvus: &Arc<Client>,
    found: &mut Found,
    patience: Duration,
) -> Result<Expectations, VerifyError> {
    let mut destinations: Vec<Destination> = Vec::new();
    let mut routes = Vec::new();
    for (topic, _) in &found.topics {
        let destination = config.router.destination(topic);
        let known = destinations.iter().position(|known| *known == destination);
        routes.push((topic.as_str().into(), known.unwrap_or(destinations.len())));
        if known.is_none() {
            destinations.push(destination);
        }
    }
    let names = destinations
        .iter()
        .map(|to| Arc::clone(&to.collection))
        .collect();
    let until = Instant::now() + patience;
    let mut schemas = HashMap::new();
    for (name, schema) in check::describe(Arc::clone(milvus), names, until).await {
        schemas.insert(name, schema?);
    }
    let mut all = Vec::new();
    for destination in destinations {
        if let Some(schema) = schemas.get(&destination.collection) {
            all.push(expected(config, schema, destination, &mut found.notes)?);
        }
    }
    Ok(Expectations::new(all, routes, found.partitions()))
}

fn expected(
    config: &Config,
    schema: &Schema,
    destination: Destination,
    notes: &mut Vec<String>,
) -> Result<Expected, VerifyError> {
    let name = &destination.collection;
    let plan = plan::make(schema, &plan::Rules::of(config, name)).map_err(|error| {
        VerifyError::Refused(Cause::PlanImpossible {
            collection: name.to_string(),
            reason: error.to_string(),
        })
    })?;
    let layout = Layout::of(&plan).ok_or_else(|| VerifyError::WithoutKey {
        collection: name.to_string(),
    })?;
    if plan.operation == Operation::Insert {
        notes.push(format!(
            "collection '{name}' is written by insert: Milvus keeps older rows of a key beside the last one, and which of them it shows is not certain"
        ));
    }
    Ok(Expected::new(destination, plan, layout))
}
