//! What `check` finds of the topic that dead letters go into.

use super::report::{DeadLetters, Findings};
use super::{CheckError, Verdict};
use crate::cause::Cause;
use crate::config::Config;
use crate::dead_letter::Trouble;
use crate::kafka::dead_letter;
use crate::pipeline::PipelineError;

/// `None` where there are none.
pub(super) async fn gather(config: &Config) -> Result<Option<DeadLetters>, CheckError> {
    let Some(letters) = config.dead_letters.clone() else {
        return Ok(None);
    };
    let brokers = letters.bootstrap_servers.clone();
    let topic = letters.topic.clone();
    let look = move || dead_letter::look(&letters);
    let found: Result<Option<usize>, Trouble> = tokio::task::spawn_blocking(look)
        .await
        .map_err(PipelineError::from)?;
    let mut findings = Findings::default();
    match found {
        Ok(Some(_)) => findings.good(format!("topic '{topic}'")),
        Ok(None) => findings.good(format!(
            "topic '{topic}' does not exist yet; `run` would make it"
        )),
        Err(trouble) => findings.bad(&Cause::DeadLetter(trouble), Verdict::WouldFail),
    }
    Ok(Some(DeadLetters {
        brokers,
        topic,
        findings,
    }))
}
