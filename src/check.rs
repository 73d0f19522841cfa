//! `check`: reads, connects, describes and prints what would happen. Writes nothing and joins no group.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::cause::Cause;
use crate::config::Config;
use crate::kafka::{KafkaError, probe};
use crate::milvus::Milvus;
use crate::milvus::client::Client;
use crate::milvus::status::MilvusError;
use crate::pipeline::{PATIENCE, PipelineError};
use crate::plan;
use crate::routing;

/// A collection that is not there yet is looked for this often.
const PAUSE: Duration = Duration::from_millis(500);

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
    let routes = routing::collections(&config.topics, &config.collection_name)
        .map_err(PipelineError::from)?;
    let milvus = Client::new(&config.milvus).map_err(PipelineError::from)?;
    configuration(config, out)?;
    let kafka = kafka(config, out).await?;
    writeln!(out, "\nMilvus at {}", milvus.endpoint())?;
    let mut verdict = kafka;
    let mut names: Vec<&str> = routes.iter().map(|(_, name)| name.as_str()).collect();
    names.dedup();
    for name in names {
        verdict = verdict.max(collection(config, &milvus, name, out).await?);
    }
    let conclusion = match verdict {
        Verdict::Clean => "everything is there: `run` would start to write at once",
        Verdict::WouldFail => "`run` would wait: see the lines marked with ✗",
        Verdict::Configuration => "`run` would end with status 2: see the lines marked with ✗",
    };
    writeln!(out, "\n{conclusion}")?;
    Ok(verdict)
}

#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Start(#[from] PipelineError),
    #[error("the result cannot be printed: {0}")]
    Print(#[from] io::Error),
}

fn configuration(config: &Config, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Configuration")?;
    let widest = config.effective.iter().map(|e| e.key.len()).max();
    for setting in &config.effective {
        let (key, width) = (setting.key, widest.unwrap_or_default());
        writeln!(
            out,
            "  {key:width$} = {}   ({})",
            setting.value, setting.origin
        )?;
    }
    for notice in &config.notices {
        let level = if notice.warn { "warning" } else { "note" };
        writeln!(out, "  {level}: {}", notice.text)?;
    }
    Ok(())
}

async fn kafka(config: &Config, out: &mut impl Write) -> Result<Verdict, CheckError> {
    writeln!(out, "\nKafka at {}", config.kafka.bootstrap_servers)?;
    let (kafka, topics) = (config.kafka.clone(), config.topics.clone());
    let found = tokio::task::spawn_blocking(move || probe::topics(&kafka, &topics, PATIENCE))
        .await
        .map_err(PipelineError::from)?;
    let found = match found {
        Ok(found) => found,
        Err(error @ KafkaError::Login(_)) => {
            writeln!(out, "  ✗ {error}")?;
            return Ok(Verdict::Configuration);
        }
        Err(error) => return Err(PipelineError::from(error).into()),
    };
    let mut verdict = Verdict::Clean;
    for (topic, partitions) in found {
        match partitions {
            Ok(count) => writeln!(out, "  ✓ topic '{topic}', {count} partitions")?,
            Err(cause) => {
                writeln!(out, "  ✗ {cause}")?;
                verdict = Verdict::WouldFail;
            }
        }
    }
    writeln!(out, "  the group would be '{}'", config.kafka.group_id)?;
    Ok(verdict)
}

async fn collection(
    config: &Config,
    milvus: &Client,
    name: &str,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    let schema = match describe(milvus, name).await {
        Ok(schema) => schema,
        Err(error) => {
            writeln!(out, "  ✗ {}", error.cause)?;
            return Ok(if error.is_login_refused() {
                Verdict::Configuration
            } else {
                Verdict::WouldFail
            });
        }
    };
    let rules = plan::Rules {
        database: config.milvus.database.clone(),
        insert_mode: config.insert_mode,
        unknown_fields: config.unknown_fields,
    };
    match plan::make(&schema, &rules) {
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

/// Waits a while for what the world can mend.
async fn describe(
    milvus: &Client,
    name: &str,
) -> Result<crate::milvus::schema::Schema, MilvusError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match milvus.describe(name).await {
            Err(error) if !error.is_login_refused() && Instant::now() < until => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
