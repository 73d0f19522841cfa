//! What `check` finds in Kafka: the topics that are read, where each goes, and where the group stands in them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::first::{self, Stand};
use super::report::{Findings, Kafka};
use super::{CheckError, Verdict};
use crate::cause::Cause;
use crate::config::Config;
use crate::kafka::group::{Group, Member};
use crate::kafka::reread::RereadError;
use crate::kafka::{KafkaError, probe};
use crate::pipeline::PipelineError;
use crate::routing::{Destination, Pattern, Topics};
use crate::topic_partition::TopicPartition;

/// A topic and where it goes.
pub(super) type Route = (String, Destination);

pub(super) struct Found {
    pub(super) section: Kafka,
    pub(super) routes: Vec<Route>,
    /// Of each partition of the topics that are there; none where the group could not be asked.
    pub(super) stands: Vec<Stand>,
}

/// # Errors
/// What would keep the sink from starting at all.
pub(super) async fn gather(config: &Config, patience: Duration) -> Result<Found, CheckError> {
    let asked = config.clone();
    let looking = tokio::task::spawn_blocking(move || look(&asked, patience));
    looking.await.map_err(PipelineError::from)?
}

/// Blocks its thread.
fn look(config: &Config, patience: Duration) -> Result<Found, CheckError> {
    let mut found = Found {
        section: Kafka {
            brokers: config.kafka.bootstrap_servers.clone(),
            group: config.kafka.group_id.clone(),
            members: Vec::new(),
            findings: Findings::default(),
            partitions: Vec::new(),
        },
        routes: Vec::new(),
        stands: Vec::new(),
    };
    let topics = match &config.topics {
        Topics::Listed(topics) => found.listed(config, topics, patience),
        Topics::Matching(pattern) => found.matching(config, pattern, patience),
    };
    let counted = match topics {
        Ok(counted) => counted,
        Err(KafkaError::Login(detail)) => {
            let cause = Cause::KafkaLoginRefused { detail };
            let findings = &mut found.section.findings;
            findings.bad(&cause, Verdict::Configuration);
            return Ok(found);
        }
        Err(error) => return Err(PipelineError::from(error).into()),
    };
    let partitions: Vec<_> = counted.iter().flat_map(partitions).collect();
    if !partitions.is_empty() {
        match found.stand(config, partitions, patience) {
            Ok(()) => {}
            Err(RereadError::InTheWay(cause)) => {
                found.section.findings.bad(&cause, Verdict::WouldFail);
            }
            Err(RereadError::Client(error)) => return Err(PipelineError::from(error).into()),
        }
    }
    Ok(found)
}

/// A topic that is there, and how many partitions it has.
type Counted = (String, usize);

fn partitions((topic, count): &Counted) -> impl Iterator<Item = TopicPartition> + use<> {
    let topic: Arc<str> = topic.as_str().into();
    let partitions = (0..).take(*count);
    partitions.map(move |partition| TopicPartition::new(Arc::clone(&topic), partition))
}

impl Found {
    fn listed(
        &mut self,
        config: &Config,
        topics: &[String],
        patience: Duration,
    ) -> Result<Vec<Counted>, KafkaError> {
        let mut counted = Vec::new();
        for (topic, partitions) in probe::topics(&config.kafka, topics, patience)? {
            let destination = config.router.destination(&topic);
            match partitions {
                Ok(count) => {
                    self.there(&topic, count, &destination);
                    counted.push((topic.clone(), count));
                }
                Err(cause) => self.section.findings.bad(&cause, Verdict::WouldFail),
            }
            self.routes.push((topic, destination));
        }
        Ok(counted)
    }

    /// The topics that match now.
    fn matching(
        &mut self,
        config: &Config,
        pattern: &Pattern,
        patience: Duration,
    ) -> Result<Vec<Counted>, KafkaError> {
        let mut found = match probe::matching(&config.kafka, pattern, patience)? {
            Ok(found) => found,
            Err(cause) => {
                self.section.findings.bad(&cause, Verdict::WouldFail);
                return Ok(Vec::new());
            }
        };
        if found.is_empty() {
            let pattern = pattern.to_string();
            let cause = Cause::NoTopicMatches { pattern };
            self.section.findings.bad(&cause, Verdict::WouldFail);
            return Ok(found);
        }
        let names: BTreeSet<String> = found.iter().map(|(topic, _)| topic.clone()).collect();
        let choice = config.router.choose(&names, &[]);
        found.retain(|(topic, _)| choice.topics.contains(topic));
        for (topic, count) in &found {
            let destination = config.router.destination(topic);
            self.there(topic, *count, &destination);
            self.routes.push((topic.clone(), destination));
        }
        for (topic, meeting) in choice.meetings {
            let cause = Cause::TopicsMeet { topic, meeting };
            self.section.findings.bad(&cause, Verdict::WouldFail);
        }
        Ok(found)
    }

    fn there(&mut self, topic: &str, partitions: usize, destination: &Destination) {
        let plural = if partitions == 1 { "" } else { "s" };
        self.section.findings.good(format!(
            "topic '{topic}', {partitions} partition{plural} → {destination}"
        ));
    }

    /// Where the group stands, and where it would begin.
    fn stand(
        &mut self,
        config: &Config,
        partitions: Vec<TopicPartition>,
        patience: Duration,
    ) -> Result<(), RereadError> {
        let group = Group::new(&config.kafka, patience)?;
        let looks = group.looks(&partitions)?;
        let section = &mut self.section;
        match group.members() {
            Ok(members) => {
                let name = |m: &Member| format!("{} at {}", m.client_id, m.host);
                section.members = members.iter().map(name).collect();
            }
            // A user who may not describe the group may still be in it.
            Err(error) => section
                .findings
                .unknown(format!("who is in the group was not told: {error}")),
        }
        self.stands = first::stands(config, partitions.into_iter().zip(looks));
        for stand in &self.stands {
            section.partitions.push(stand.position());
            if let Some(cause) = &stand.halts {
                section.findings.bad(cause, Verdict::WouldFail);
            }
        }
        Ok(())
    }
}
