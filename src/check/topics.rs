//! What `check` says of Kafka: the topics that are read, and where each goes.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use super::{CheckError, Verdict, patiently};
use crate::cause::Cause;
use crate::config::Config;
use crate::kafka::{KafkaError, probe};
use crate::pipeline::PipelineError;
use crate::routing::{Destination, Pattern, Topics};

/// A topic and where it goes.
pub(super) type Route = (String, Destination);

/// Prints them, and says where their records would go.
pub(super) async fn topics(
    config: &Config,
    patience: Duration,
    out: &mut impl Write,
) -> Result<(Verdict, Vec<Route>), CheckError> {
    writeln!(out, "\nKafka at {}", config.kafka.bootstrap_servers)?;
    let found = match &config.topics {
        Topics::Listed(topics) => listed(config, topics.clone(), patience, out).await,
        Topics::Matching(pattern) => matching(config, pattern.clone(), patience, out).await,
    };
    match found {
        Ok(found) => {
            writeln!(out, "  the group would be '{}'", config.kafka.group_id)?;
            Ok(found)
        }
        Err(CheckError::Start(PipelineError::Kafka(error @ KafkaError::Login(_)))) => {
            writeln!(out, "  ✗ {error}")?;
            Ok((Verdict::Configuration, Vec::new()))
        }
        Err(error) => Err(error),
    }
}

async fn listed(
    config: &Config,
    topics: Vec<String>,
    patience: Duration,
    out: &mut impl Write,
) -> Result<(Verdict, Vec<Route>), CheckError> {
    let kafka = config.kafka.clone();
    let asking = tokio::task::spawn_blocking(move || probe::topics(&kafka, &topics, patience));
    let found = patiently(patience, out, asking).await?;
    let found = found.map_err(PipelineError::from)?;
    let mut verdict = Verdict::Clean;
    let mut routes = Vec::new();
    for (topic, partitions) in found.map_err(PipelineError::from)? {
        let destination = config.router.destination(&topic);
        match partitions {
            Ok(count) => there(out, &topic, count, &destination)?,
            Err(cause) => {
                writeln!(out, "  ✗ {cause}")?;
                verdict = Verdict::WouldFail;
            }
        }
        routes.push((topic, destination));
    }
    Ok((verdict, routes))
}

/// The topics that match now.
async fn matching(
    config: &Config,
    pattern: Pattern,
    patience: Duration,
    out: &mut impl Write,
) -> Result<(Verdict, Vec<Route>), CheckError> {
    let (kafka, shown) = (config.kafka.clone(), pattern.to_string());
    let asking = tokio::task::spawn_blocking(move || probe::matching(&kafka, &pattern, patience));
    let found = patiently(patience, out, asking).await?;
    let found = found.map_err(PipelineError::from)?;
    let found = match found.map_err(PipelineError::from)? {
        Ok(found) => found,
        Err(cause) => {
            writeln!(out, "  ✗ {cause}")?;
            return Ok((Verdict::WouldFail, Vec::new()));
        }
    };
    if found.is_empty() {
        let cause = Cause::NoTopicMatches { pattern: shown };
        writeln!(out, "  ✗ {cause}")?;
        return Ok((Verdict::WouldFail, Vec::new()));
    }
    let names: BTreeSet<String> = found.iter().map(|(topic, _)| topic.clone()).collect();
    let choice = config.router.choose(&names, &[]);
    let mut routes = Vec::new();
    for (topic, count) in found {
        if choice.topics.contains(&topic) {
            let destination = config.router.destination(&topic);
            there(out, &topic, count, &destination)?;
            routes.push((topic, destination));
        }
    }
    let mut verdict = Verdict::Clean;
    for (topic, meeting) in choice.meetings {
        writeln!(out, "  ✗ {}", Cause::TopicsMeet { topic, meeting })?;
        verdict = Verdict::WouldFail;
    }
    Ok((verdict, routes))
}

fn there(
    out: &mut impl Write,
    topic: &str,
    partitions: usize,
    destination: &Destination,
) -> io::Result<()> {
    let plural = if partitions == 1 { "" } else { "s" };
    writeln!(
        out,
        "  ✓ topic '{topic}', {partitions} partition{plural} → {destination}"
    )
}
