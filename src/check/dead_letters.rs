//! The part of `check` that says where dead letters go.

use std::io::Write;

use super::{CheckError, Verdict};
use crate::config::Config;
use crate::dead_letter::Trouble;
use crate::kafka::dead_letter;
use crate::pipeline::PipelineError;

pub(super) async fn dead_letters(
    config: &Config,
    out: &mut impl Write,
) -> Result<Verdict, CheckError> {
    let Some(letters) = config.dead_letters.clone() else {
        return Ok(Verdict::Clean);
    };
    writeln!(out, "\nDead letters at {}", letters.bootstrap_servers)?;
    let topic = letters.topic.clone();
    let look = move || dead_letter::look(&letters);
    let found: Result<Option<usize>, Trouble> = tokio::task::spawn_blocking(look)
        .await
        .map_err(PipelineError::from)?;
    match found {
        Ok(Some(_)) => writeln!(out, "  ✓ topic '{topic}'")?,
        Ok(None) => writeln!(
            out,
            "  ✓ topic '{topic}' does not exist yet; `run` would make it"
        )?,
        Err(trouble) => {
            writeln!(out, "  ✗ {trouble}")?;
            return Ok(Verdict::WouldFail);
        }
    }
    Ok(Verdict::Clean)
}
