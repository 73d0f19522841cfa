//! The command line.

pub mod generated;
mod help;
#[cfg(test)]
mod tests;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::bound::{self, Bound};
use crate::check;
use crate::config::Sources;
use crate::offsets::{self, Named};
use crate::verify::{self, Bounds};
use words::Word;

const NAME: &str = "kafka-milvus-sink";

/// What the user asked for.
#[derive(Debug)]
pub struct Cli {
    pub command: Command,
    pub sources: Sources,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Run {
        /// Stop at the end offsets seen at start.
        until_end: bool,
    },
    Check(check::Options),
    Verify(verify::Options),
    Offsets(offsets::Options),
    /// Completions and man pages into this folder.
    Generate(PathBuf),
}

/// Reads the arguments, the program's name first.
///
/// # Errors
/// Also for `--help` and `--version`: clap's error prints itself and knows its exit status (0 or 2).
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: Vec<(String, String)>,
) -> Result<Cli, clap::Error> {
    let matches = Args::command().try_get_matches_from(args)?;
    let mut args = Args::from_arg_matches(&matches)?;
    let word = take_command(&mut args.words)?;
    if let Some(stranger) = word.stranger(&matches) {
        return Err(conflict(stranger));
    }
    let command = args.command_of(word)?;
    let mut set = args.set;
    set.extend(shorthand("log.format", args.log_format));
    set.extend(shorthand("log.level", args.log_level));
    let files = args.words.into_iter().map(PathBuf::from).collect();
    let sources = Sources { files, env, set };
    Ok(Cli { command, sources })
}

/// The process's environment, for [`parse`]; variables that are not text are nobody's configuration.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[derive(Debug, Parser)]
#[command(
    name = NAME,
    version,
    about = help::ABOUT,
    override_usage = help::USAGE,
    before_help = help::COMMANDS,
    after_help = help::AFTER,
    help_template = help::TEMPLATE
)]
struct Args {
    /// The command, where there is one, and the files.
    #[arg(value_name = "FILE", hide = true)]
    words: Vec<OsString>,

    /// Set a key over files and environment; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,

    /// Stop at the end offsets seen at start (back-fills, CI)
    #[arg(long)]
    until_end: bool,

    /// verify: begin here: earliest, OFFSET, TIME or TOPIC:PARTITION:OFFSET; can be repeated
    #[arg(long, value_name = "WHERE", value_parser = bound::bound)]
    from: Vec<Bound>,

    /// verify: end here (also latest, and committed, the default). offsets: set them to that
    #[arg(long, value_name = "WHERE", value_parser = bound::bound)]
    to: Vec<Bound>,

    /// verify: begin with the records of a time: RFC 3339, or 15m, 2h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = bound::since, conflicts_with = "from")]
    since: Option<Bound>,

    /// offsets: of all partitions only this one, N or TOPIC:N; can be repeated
    #[arg(long, value_name = "PARTITION", value_parser = offsets::named)]
    partition: Vec<Named>,

    /// offsets: set them; without it, only show what would be set
    #[arg(long, requires = "to")]
    execute: bool,

    /// check: judge so many of the last records of each topic; 0: none [default: 100]
    #[arg(long, value_name = "N", value_parser = sample)]
    sample: Option<usize>,

    /// check: count what the Connect plugin 1.0.1 would have lost; reads all that are left
    #[arg(long)]
    compare_plugin: bool,

    /// check: print one JSON object. verify, offsets: print one JSON object a line
    #[arg(long)]
    json: bool,

    /// How log lines look, as --set log.format=
    #[arg(long, value_name = "text|json")]
    log_format: Option<String>,

    /// How much is logged, as --set log.level=
    #[arg(long, value_name = "error|warn|info|debug|trace")]
    log_level: Option<String>,
}

impl Args {
    fn command_of(&mut self, word: Word) -> Result<Command, clap::Error> {
        Ok(match word {
            Word::Run => Command::Run {
                until_end: self.until_end,
            },
            Word::Check => Command::Check(check::Options {
                json: self.json,
                sample: self.sample.unwrap_or(check::SAMPLE),
                compare_plugin: self.compare_plugin,
            }),
            Word::Verify => {
                let from = self.since.take().into_iter();
                let from = from.chain(std::mem::take(&mut self.from));
                Command::Verify(verify::Options {
                    bounds: Bounds {
                        from: from.collect(),
                        to: std::mem::take(&mut self.to),
                    },
                    json: self.json,
                })
            }
            Word::Offsets => {
                if self.to.iter().any(Bound::is_committed) {
                    return Err(conflict(
                        "--to committed leaves the offsets where they are; wanted earliest, latest, an offset, a time or TOPIC:PARTITION:OFFSET",
                    ));
                }
                Command::Offsets(offsets::Options {
                    to: std::mem::take(&mut self.to),
                    partitions: std::mem::take(&mut self.partition),
                    execute: self.execute,
                    json: self.json,
                })
            }
            Word::Generate => match <[OsString; 1]>::try_from(std::mem::take(&mut self.words)) {
                Ok([folder]) => Command::Generate(folder.into()),
                Err(_) => return Err(conflict("generate wants one folder")),
            },
        })
    }
}

fn conflict(message: impl std::fmt::Display) -> clap::Error {
    Args::command().error(ErrorKind::ArgumentConflict, message)
}

/// The first word where it is a command. One that comes later is most likely meant as one, too.
fn take_command(words: &mut Vec<OsString>) -> Result<Word, clap::Error> {
    let word = |word: &OsString| Word::from_str(word.to_str()?, false).ok();
    let first = words.first().and_then(word);
    if first.is_some() {
        words.remove(0);
    }
    if words.iter().any(|other| word(other).is_some()) {
        let message = "run, check, verify and offsets come before the files, and only one of them (write ./check for a file of that name)";
        return Err(conflict(message));
    }
    Ok(first.unwrap_or(Word::Run))
}

fn sample(text: &str) -> Result<usize, String> {
    const MOST: usize = 1_000_000;
    let count = text.parse().ok().filter(|count| *count <= MOST);
    count.ok_or_else(|| format!("wanted a number of records up to {MOST}"))
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("wanted KEY=VALUE".to_owned()),
    }
}

fn shorthand(key: &str, value: Option<String>) -> Option<(String, String)> {
    Some((key.to_owned(), value?))
}
