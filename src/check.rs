//! `check`: reads, connects, describes and prints what would happen. Writes nothing and joins no group.

mod dead_letters;
mod partitions;
mod topics;

use std::collections::BTreeSet;
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cause::Cause;
use crate::config::{Config, Protocol};
use crate::milvus::Milvus;
use crate::milvus::client::Client;
use crate::milvus::schema::Schema;
use crate::milvus::status::{Action, MilvusError};
use crate::pipeline::{PATIENCE, PipelineError};
use crate::plan;
use crate::routing::Topics;
use topics::Route;

/// A server that does not answer is asked this often.
const PAUSE: Duration = Duration::from_millis(500);
/// Silence for longer is explained.
const HUSH: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Clean,
    /// The world is in the way: the sink would wait.
    WouldFail,
    /// Only the configuration or the collection can mend it.
    Configuration,
}

/// Prints the verdict on each part to `out`.
///
/// # Errors
/// What would keep the sink from starting at all, or `out` not taking the text.
pub async fn check(config: &Config, out: &mut impl Write) -> Result<Verdict, CheckError> {
    check_within(PATIENCE, config, out).await
}

/// [`check`] with another patience: a server that does not answer is waited for that long. What one answers is final.
///
/// # Errors
/// As [`check`].
pub async fn check_within(
    patience: Duration,
    config: &Config,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    let known = match &config.topics {
        Topics::Listed(topics) => Some(config.router.routes(topics)),
        Topics::Matching(_) => None,
    };
    let known = known.transpose().map_err(PipelineError::from)?;
    let milvus = Arc::new(Client::new(&config.milvus).map_err(PipelineError::from)?);
    configuration(config, out)?;
    // Both are asked at the same time, so that one deadline does for both; only which topics match has to come first.
    let mut asking = JoinSet::new();
    let ask = |asking: &mut JoinSet<_>, routes: &[Route]| {
        let until = Instant::now() + patience;
        asking.spawn(describe(Arc::clone(&milvus), collections(routes), until));
    };
    if let Some(routes) = &known {
        ask(&mut asking, routes);
    }
    let (mut verdict, routes) = topics::topics(config, patience, out).await?;
    if known.is_none() {
        ask(&mut asking, &routes);
    }
    verdict = verdict.max(dead_letters::dead_letters(config, out).await?);
    writeln!(out, "\nMilvus at {}", milvus.endpoint())?;
    let mut found = Verdict::Clean;
    if let Some(described) = patiently(patience, out, asking.join_next()).await? {
        for (name, schema) in described.map_err(PipelineError::from)? {
            found = found.max(collection(config, &name, schema, out)?);
        }
    }
    if found == Verdict::Clean {
        found = partitions::partitions(&milvus, &routes, out).await?;
    }
    verdict = verdict.max(found);
    let conclusion = match verdict {
        Verdict::Clean => "everything is there: `run` would start to write at once",
        Verdict::WouldFail => "`run` would wait: see the lines marked with ✗",
        Verdict::Configuration => {
            "`run` would end with status 2, or halt the partitions of one collection among several: see the lines marked with ✗"
        }
    };
    writeln!(out, "\n{conclusion}")?;
    Ok(verdict)
}

fn collections(routes: &[Route]) -> BTreeSet<Arc<str>> {
    let of = |(_, destination): &Route| Arc::clone(&destination.collection);
    routes.iter().map(of).collect()
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Start(#[from] PipelineError),
    #[error("the result cannot be printed")]
    Print(#[from] io::Error),
}

/// What is set. Keys that say nothing are left out.
fn configuration(config: &Config, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Configuration")?;
    let set = || config.effective.iter().filter(|e| !e.value.is_empty());
    let derived = derived(config);
    let keys = set().map(|e| e.key).chain(derived.iter().map(|row| row.0));
    let widest = keys.map(str::len).max().unwrap_or_default();
    for setting in set() {
        let (key, value, origin) = (setting.key, &setting.value, &setting.origin);
        writeln!(out, "  {key:widest$} = {value}   ({origin})")?;
    }
    for (key, value, from) in derived {
        writeln!(out, "  {key:widest$} = {value}   ({from})")?;
    }
    for notice in &config.notices {
        let level = if notice.warn { "warning" } else { "note" };
        writeln!(out, "  {level}: {}", notice.text)?;
    }
    Ok(())
}

/// What nobody has set and counts nevertheless, and where it comes from.
fn derived(config: &Config) -> Vec<(&'static str, String, &'static str)> {
    let kafka = &config.kafka;
    let grace = if config.late_landing_grace == config.milvus.request_timeout {
        "as milvus.request.timeout.ms"
    } else {
        "a third of consumer.max.poll.interval.ms, less than milvus.request.timeout.ms"
    };
    let session = if kafka.protocol == Protocol::Consumer {
        "the broker's, taken to have its default"
    } else {
        "default"
    };
    let strategy = kafka.plain("partition.assignment.strategy");
    let assignor = match strategy {
        Some("range") => "as Connect's members, since connector.class is given",
        Some(_) => "default",
        None => "under group.protocol=consumer",
    };
    let millis = |time: Duration| time.as_millis().to_string();
    let mut rows = vec![
        (
            "late.landing.grace.ms",
            millis(config.late_landing_grace),
            grace,
        ),
        (
            "consumer.session.timeout.ms",
            millis(kafka.session_timeout),
            session,
        ),
        (
            "consumer.partition.assignment.strategy",
            strategy.unwrap_or("the broker's").to_owned(),
            assignor,
        ),
    ];
    rows.retain(|(key, ..)| !config.is_given(key));
    rows
}

fn collection(
    config: &Config,
    name: &str,
    schema: Result<Schema, MilvusError>,
    out: &mut impl Write,
) -> io::Result<Verdict> {
    let schema = match schema {
        Ok(schema) => schema,
        Err(error) => {
            writeln!(out, "  ✗ {}", error.cause)?;
            return Ok(
                if error.is_login_refused() || error.action == Action::Halt {
                    Verdict::Configuration
                } else {
                    Verdict::WouldFail
                },
            );
        }
    };
    match plan::make(&schema, &plan::Rules::of(config, name)) {
        Ok(plan) => {
            writeln!(out, "  ✓ collection '{name}' by {:?}", plan.operation)?;
            for line in plan.describe_lines() {
                writeln!(out, "      {line}")?;
            }
            Ok(Verdict::Clean)
        }
        Err(error) => {
            let cause = Cause::PlanImpossible {
                collection: name.to_owned(),
                reason: error.to_string(),
            };
            writeln!(out, "  ✗ {cause}")?;
            Ok(Verdict::Configuration)
        }
    }
}

/// A collection and its schema, or what is in the way.
pub(crate) type Described = (Arc<str>, Result<Schema, MilvusError>);

/// Asks for each collection, until `until` where Milvus does not answer.
pub(crate) async fn describe(
    milvus: Arc<Client>,
    collections: BTreeSet<Arc<str>>,
    until: Instant,
) -> Vec<Described> {
    let mut described = Vec::new();
    for name in collections {
        let schema = loop {
            match milvus.describe(&name).await {
                Err(error) if is_no_answer(&error.cause) && Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                answer => break answer,
            }
        };
        described.push((name, schema));
    }
    described
}

pub(crate) fn is_no_answer(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::MilvusUnreachable { .. } | Cause::MilvusSlow { .. } | Cause::MilvusBusy { .. }
    )
}

/// Says after a while that there is something to wait for.
async fn patiently<T>(
    patience: Duration,
    out: &mut impl Write,
    answer: impl Future<Output = T>,
) -> io::Result<T> {
    let mut answer = pin!(answer);
    if let Ok(answer) = tokio::time::timeout(HUSH, &mut answer).await {
        return Ok(answer);
    }
    writeln!(
        out,
        "  … no answer yet; waiting up to {} s",
        patience.as_secs()
    )?;
    Ok(answer.await)
}
