//! `offsets`: what the sink's group has committed and what is left to read; and setting it while nobody reads.

mod plan;
mod report;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;

use crate::bound::{self, Bound};
use crate::cause::Cause;
use crate::config::Config;
use crate::kafka::group::{Group, Member, SetError};
use crate::kafka::reread::RereadError;
use crate::kafka::{KafkaError, probe};
use crate::pipeline::{PATIENCE, PipelineError};
use crate::routing::Topics;
use crate::topic_partition::TopicPartition;
use plan::Row;
pub use plan::{Named, named};
use report::{Done, Report};

/// What is asked for on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Where to set the offsets; without one they are shown.
    pub to: Vec<Bound>,
    /// Of all, only these.
    pub partitions: Vec<Named>,
    pub execute: bool,
    /// One JSON object a line.
    pub json: bool,
}

/// Why offsets are not shown, or not set.
#[derive(Debug, thiserror::Error)]
pub enum OffsetsError {
    #[error(transparent)]
    Start(#[from] PipelineError),
    #[error("{0}")]
    InTheWay(Cause),
    #[error("--partition names {0}, which is not among the partitions that are read")]
    NoSuchPartition(Named),
    #[error(
        "--to names partition {0}, which is not among those that are read, or not in --partition"
    )]
    Stranger(TopicPartition),
    #[error(
        "nothing was set: the group '{group}' has members, which would go on where they are and commit over it; stop them first: {}",
        report::list(.members)
    )]
    HasMembers { group: String, members: Vec<Member> },
    #[error(
        "nothing was set: the group '{group}' has members, of which Kafka does not say who they are; stop them first"
    )]
    HasUnnamedMembers { group: String },
    #[error("Kafka has another offset of {0} than was set; look at the offsets again")]
    NotTaken(TopicPartition),
    #[error(
        "Kafka did not say within {} s that the offsets are set; look at them again", PATIENCE.as_secs()
    )]
    Unconfirmed,
    #[error("the result cannot be printed")]
    Print(#[from] io::Error),
}

impl OffsetsError {
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Start(error) => error.is_configuration(),
            Self::NoSuchPartition(_) | Self::Stranger(_) => true,
            _ => false,
        }
    }
}

impl From<RereadError> for OffsetsError {
    fn from(error: RereadError) -> Self {
        match error {
            RereadError::Client(error) => error.into(),
            RereadError::InTheWay(cause) => Self::InTheWay(cause),
        }
    }
}

impl From<KafkaError> for OffsetsError {
    fn from(error: KafkaError) -> Self {
        Self::Start(error.into())
    }
}

impl From<JoinError> for OffsetsError {
    fn from(error: JoinError) -> Self {
        Self::Start(error.into())
    }
}

/// Prints where the group stands to `out`, and sets its offsets where that is asked for.
///
/// # Errors
/// Whatever keeps it from being done as a whole: nothing is set in part.
pub async fn offsets(
    config: &Config,
    options: &Options,
    out: &mut impl Write,
) -> Result<(), OffsetsError> {
    let (asked, wanted) = (config.clone(), options.clone());
    let looking = tokio::task::spawn_blocking(move || look(&asked, &wanted, PATIENCE));
    let Found {
        group,
        members,
        rows,
    } = looking.await??;
    let name = &config.kafka.group_id;
    let done = if options.to.is_empty() {
        Done::Shown
    } else if options.execute {
        if !members.is_empty() {
            let group = name.clone();
            return Err(OffsetsError::HasMembers { group, members });
        }
        set(group, &rows, name).await?;
        Done::Set
    } else {
        Done::Planned
    };
    let report = Report {
        kafka: &config.kafka.bootstrap_servers,
        group: name,
        members: &members,
        rows: &rows,
        done,
    };
    Ok(report.print(options.json, out)?)
}

/// Where the group stands, and where it is to be set.
struct Found {
    group: Group,
    members: Vec<Member>,
    rows: Vec<Row>,
}

/// Blocks its thread.
fn look(config: &Config, options: &Options, patience: Duration) -> Result<Found, OffsetsError> {
    let mut partitions = partitions(config, patience)?;
    let is_unknown = |named: &&Named| !partitions.iter().any(|partition| named.means(partition));
    if let Some(named) = options.partitions.iter().find(is_unknown) {
        return Err(OffsetsError::NoSuchPartition(named.clone()));
    }
    if !options.partitions.is_empty() {
        partitions.retain(|at| options.partitions.iter().any(|named| named.means(at)));
    }
    if let Some(stranger) = bound::stranger(&options.to, &partitions) {
        return Err(OffsetsError::Stranger(stranger.clone()));
    }
    let group = Group::new(&config.kafka, patience)?;
    let members = group.members()?;
    let looks = group.looks(&partitions)?;
    let mut rows = Vec::with_capacity(partitions.len());
    for (partition, look) in partitions.into_iter().zip(looks) {
        let mut row = Row::new(partition, look, config.kafka.auto_offset_reset);
        row.set(&options.to, |partition, time| {
            let found = group.since(std::slice::from_ref(partition), time)?;
            Ok::<_, OffsetsError>(found.into_iter().flatten().next())
        })?;
        rows.push(row);
    }
    Ok(Found {
        group,
        members,
        rows,
    })
}

/// Those of the topics that are read, in their order.
fn partitions(config: &Config, patience: Duration) -> Result<Vec<TopicPartition>, OffsetsError> {
    let found = match &config.topics {
        Topics::Listed(topics) => {
            let found = probe::topics(&config.kafka, topics, patience)?;
            let topic = |(topic, count): (String, Result<usize, Cause>)| Ok((topic, count?));
            let found: Result<Vec<_>, Cause> = found.into_iter().map(topic).collect();
            found.map_err(OffsetsError::InTheWay)?
        }
        Topics::Matching(pattern) => {
            let found = probe::matching(&config.kafka, pattern, patience)?;
            let mut found = found.map_err(OffsetsError::InTheWay)?;
            let names: BTreeSet<String> = found.iter().map(|(topic, _)| topic.clone()).collect();
            let choice = config.router.choose(&names, &[]);
            found.retain(|(topic, _)| choice.topics.contains(topic));
            if found.is_empty() {
                let pattern = pattern.to_string();
                return Err(OffsetsError::InTheWay(Cause::NoTopicMatches { pattern }));
            }
            found
        }
    };
    let of = |(topic, count): (String, usize)| {
        let topic: Arc<str> = topic.into();
        let partitions = (0..).take(count);
        partitions.map(move |partition| TopicPartition::new(Arc::clone(&topic), partition))
    };
    Ok(found.into_iter().flat_map(of).collect())
}

/// A commit has no time-out of its own: nobody waits for it without a deadline.
async fn set(group: Group, rows: &[Row], name: &str) -> Result<(), OffsetsError> {
    let wanted = rows.iter().filter_map(|row| {
        let to = row.to?;
        Some((row.partition.clone(), to, row.origin()))
    });
    let wanted: Vec<_> = wanted.collect();
    let setting = tokio::task::spawn_blocking(move || group.set(&wanted));
    let Ok(set) = tokio::time::timeout(PATIENCE, setting).await else {
        return Err(OffsetsError::Unconfirmed);
    };
    set?.map_err(|error| match error {
        SetError::Asked(error) => error.into(),
        SetError::Joined => OffsetsError::HasUnnamedMembers {
            group: name.to_owned(),
        },
        SetError::NotTaken(at) => OffsetsError::NotTaken(at),
    })
}
