//! `check`: reads, connects, describes and prints what would happen. Writes nothing and joins no group.
//!
//! Everything is gathered first, into one [`report::Report`]; its text and its JSON are made from that.

mod dead_letters;
mod example;
mod first;
#[cfg(test)]
mod fixture;
mod keys;
mod milvus;
mod outlook;
mod plugin;
mod promises;
mod report;
mod sample;
mod topics;
mod view;

use std::collections::BTreeSet;
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::cause::Cause;
use crate::config::{Config, ConfigErrors};
use crate::milvus::Milvus;
use crate::milvus::client::Client;
use crate::milvus::schema::Schema;
use crate::milvus::status::MilvusError;
use crate::pipeline::{PATIENCE, PipelineError};
use crate::routing::Topics;
use report::Report;
use view::View;

/// A server that does not answer is asked this often.
const PAUSE: Duration = Duration::from_millis(500);
/// Silence for longer is explained.
const HUSH: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Clean,
    /// The world is in the way: the sink would wait, or halt.
    WouldFail,
    /// Only the configuration or the collection can mend it.
    Configuration,
}

/// What is asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// One JSON object.
    pub json: bool,
    /// The last records of each topic that are judged.
    pub sample: usize,
    pub compare_plugin: bool,
}

/// Records of a topic that are judged where nobody says how many.
pub const SAMPLE: usize = 100;

impl Default for Options {
    fn default() -> Self {
        Self {
            json: false,
            sample: SAMPLE,
            compare_plugin: false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Start(#[from] PipelineError),
    #[error("the result cannot be printed")]
    Print(#[from] io::Error),
}

/// Prints what would happen to `out`.
///
/// # Errors
/// What would keep the sink from starting at all, or `out` not taking the text.
pub async fn check(
    config: &Config,
    options: Options,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    check_within(PATIENCE, config, options, out).await
}

/// [`check`] with another patience: a server that does not answer is waited for that long. What one answers is final.
///
/// # Errors
/// As [`check`].
pub async fn check_within(
    patience: Duration,
    config: &Config,
    options: Options,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    let gathering = gather(patience, config, options);
    let report = patiently(patience, options, out, gathering).await??;
    print(&report, options, out)?;
    Ok(report.result)
}

/// Prints a configuration that is refused, as a whole, to `out`.
///
/// # Errors
/// `out` does not take the text.
pub fn refused(
    errors: &ConfigErrors,
    options: Options,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    let mut report = Report::new(keys::refused(errors));
    report.conclude();
    print(&report, options, out)?;
    Ok(report.result)
}

fn print(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    if options.json {
        serde_json::to_writer(&mut *out, report)?;
        return writeln!(out);
    }
    let colours = view::colours();
    View { out, colours }.report(report)
}

async fn gather(
    patience: Duration,
    config: &Config,
    options: Options,
) -> Result<Report, CheckError> {
    let known = match &config.topics {
        Topics::Listed(topics) => Some(config.router.routes(topics)),
        Topics::Matching(_) => None,
    };
    let known = known.transpose().map_err(PipelineError::from)?;
    let milvus = Arc::new(Client::new(&config.milvus).map_err(PipelineError::from)?);
    let mut report = Report::new(keys::taken(config));
    // Both are asked at the same time, so that one deadline does for both; only which topics match has to come first.
    let (found, described) = match &known {
        Some(routes) => {
            let describing = milvus::described(&milvus, routes, patience);
            let (found, described) = tokio::join!(topics::gather(config, patience), describing);
            (found?, described)
        }
        None => {
            let found = topics::gather(config, patience).await?;
            let described = milvus::described(&milvus, &found.routes, patience).await;
            (found, described)
        }
    };
    report.dead_letters = dead_letters::gather(config).await?;
    let routes = known.as_deref().unwrap_or(&found.routes);
    let (section, planned) = milvus::gather(config, &milvus, described, routes).await;
    report.milvus = Some(section);
    let plans = planned.iter().map(|planned| &*planned.plan);
    report.promises = promises::promises(config, plans);
    let outlook = outlook::gather(config, options, planned, found, patience).await?;
    report.plans = outlook.plans;
    report.plugin = outlook.plugin;
    report.kafka = Some(outlook.kafka);
    report.conclude();
    Ok(report)
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
    options: Options,
    out: &mut impl Write,
    answer: impl Future<Output = T>,
) -> io::Result<T> {
    let mut answer = pin!(answer);
    if let Ok(answer) = tokio::time::timeout(HUSH, &mut answer).await {
        return Ok(answer);
    }
    if !options.json {
        let patience = patience.as_secs();
        writeln!(
            out,
            "… still asking Kafka and Milvus, waiting up to {patience} s for what does not answer"
        )?;
        out.flush()?;
    }
    Ok(answer.await)
}
