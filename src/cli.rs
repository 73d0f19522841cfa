//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::config::Sources;
use crate::verify::{self, Bound, Bounds};

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
    Check,
    Verify(verify::Options),
}

/// Reads the arguments, the program's name first.
///
/// # Errors
/// Also for `--help` and `--version`: clap's error prints itself and knows its exit status (0 or 2).
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: Vec<(String, String)>,
) -> Result<Cli, clap::Error> {
    let mut args = Args::try_parse_from(args)?;
    let command = args.chosen()?;
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

const ABOUT: &str = "Reads Kafka topics into Milvus (or Zilliz Cloud) collections. An offset is committed only when Milvus has the row.";

const USAGE: &str = "kafka-milvus-sink [run] [OPTIONS] [FILE]...
       kafka-milvus-sink check [OPTIONS] [FILE]...
       kafka-milvus-sink verify [OPTIONS] [FILE]...";

const COMMANDS: &str = "\
Commands:
  run     Run the sink (also without the word)
  check   Read the configuration, connect, describe, print what would happen; writes nothing
  verify  Read the topics once more, compare the rows of Milvus with what they say; writes nothing

Files:
  Java .properties files with the sink's keys. The two files of a Kafka Connect worker and
  connector work as they are. Later files win over earlier ones.";

const AFTER: &str = "\
Environment:
  Every key is also a variable: MILVUS_SINK_ and the key in upper case, '.' as '_'
  (linger.ms: MILVUS_SINK_LINGER_MS). Variables win over files, --set wins over variables.
  Give secrets as variables (MILVUS_SINK_TOKEN) or in files, not on the command line.

Examples:
  kafka-milvus-sink milvus-sink.properties
  kafka-milvus-sink connect-standalone.properties milvus-sink-connector.properties
  kafka-milvus-sink check milvus-sink.properties
  kafka-milvus-sink verify --since 1h milvus-sink.properties
  kafka-milvus-sink --set name=news --set topics=news --set public.endpoint=http://localhost:19530

Exit status:
  0  asked to stop, or the end reached: everything read is in Milvus and committed
  1  a failure, or not everything could be finished: starting again is safe and may help;
     verify: rows differ, or not all could be compared
  2  the command line or the configuration is wrong: starting again ends here again
  3  every partition stands at a record or a condition that needs a person";

const TEMPLATE: &str = "{about}\n\nUsage: {usage}\n\n{before-help}Options:\n{options}{after-help}";

#[derive(Debug, Parser)]
#[command(
    name = "kafka-milvus-sink",
    version,
    about = ABOUT,
    override_usage = USAGE,
    before_help = COMMANDS,
    after_help = AFTER,
    help_template = TEMPLATE
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
    #[arg(long, value_name = "WHERE", value_parser = verify::bound)]
    from: Vec<Bound>,

    /// verify: end here; also latest, and committed, which is the default
    #[arg(long, value_name = "WHERE", value_parser = verify::bound)]
    to: Vec<Bound>,

    /// verify: begin with the records of a time: RFC 3339, or 15m, 2h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = verify::since, conflicts_with = "from")]
    since: Option<Bound>,

    /// verify: print one JSON object a line
    #[arg(long)]
    json: bool,

    /// How log lines look, as --set log.format=
    #[arg(long, value_name = "text|json")]
    log_format: Option<String>,

    /// How much is logged, as --set log.level=
    #[arg(long, value_name = "error|warn|info|debug|trace")]
    log_level: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    Run,
    Check,
    Verify,
}

impl Args {
    /// What is to be done, and whether every option belongs to it.
    fn chosen(&mut self) -> Result<Command, clap::Error> {
        let conflict = |message| Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        let word = take_command(&mut self.words)?;
        let since = self.since.take();
        let of_verify =
            since.is_some() || self.json || !(self.from.is_empty() && self.to.is_empty());
        match word {
            Word::Check if self.until_end => {
                conflict("--until-end belongs to run: check reads no records")
            }
            Word::Verify if self.until_end => {
                conflict("--until-end belongs to run: verify ends by itself (--to)")
            }
            Word::Run | Word::Check if of_verify => {
                conflict("--from, --to, --since and --json belong to verify")
            }
            Word::Run => Ok(Command::Run {
                until_end: self.until_end,
            }),
            Word::Check => Ok(Command::Check),
            Word::Verify => {
                let from = since.into_iter().chain(std::mem::take(&mut self.from));
                Ok(Command::Verify(verify::Options {
                    bounds: Bounds {
                        from: from.collect(),
                        to: std::mem::take(&mut self.to),
                    },
                    json: self.json,
                }))
            }
        }
    }
}

/// The first word where it is a command. One that comes later is most likely meant as one, too.
fn take_command(words: &mut Vec<OsString>) -> Result<Word, clap::Error> {
    let word = |word: &OsString| Word::from_str(word.to_str()?, false).ok();
    let first = words.first().and_then(word);
    if first.is_some() {
        words.remove(0);
    }
    if words.iter().any(|other| word(other).is_some()) {
        let message = "run, check and verify come before the files, and only one of them (write ./check for a file of that name)";
        return Err(Args::command().error(ErrorKind::ArgumentConflict, message));
    }
    Ok(first.unwrap_or(Word::Run))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        let args = std::iter::once("kafka-milvus-sink").chain(line.split_whitespace());
        parse(args.map(OsString::from), Vec::new())
    }

    #[track_caller]
    fn check(line: &str, command: &Command, files: &[&str], set: &[(&str, &str)]) {
        let cli = read(line).unwrap();
        assert_eq!(cli.command, *command, "{line}");
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        assert_eq!(cli.sources.files, files, "{line}");
        let pairs = cli.sources.set.iter();
        let pairs: Vec<_> = pairs.map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, set, "{line}");
    }

    #[test]
    fn commands_files_and_options_in_any_order() {
        let run = &Command::Run { until_end: false };
        check("", run, &[], &[]);
        check("run", run, &[], &[]);
        check("a b", run, &["a", "b"], &[]);
        check("run a", run, &["a"], &[]);
        check("check a", &Command::Check, &["a"], &[]);
        let set = [("a", "b=c")];
        check(
            "--set a=b=c check ./check",
            &Command::Check,
            &["./check"],
            &set,
        );
        let until_end = Command::Run { until_end: true };
        check("a --until-end", &until_end, &["a"], &[]);
        check(
            "--log-level debug a --set x= --log-format json",
            run,
            &["a"],
            &[("x", ""), ("log.format", "json"), ("log.level", "debug")],
        );
    }

    #[test]
    fn verify_has_bounds() {
        let verify = |from: &[&str], to: &[&str], json| {
            let bounds = |texts: &[&str]| {
                let texts = texts.iter().map(|text| verify::bound(text).unwrap());
                texts.collect()
            };
            let bounds = Bounds {
                from: bounds(from),
                to: bounds(to),
            };
            Command::Verify(verify::Options { bounds, json })
        };
        check("verify a", &verify(&[], &[], false), &["a"], &[]);
        let line = "verify a --from earliest --to committed --from t:0:5 --json";
        let ranged = verify(&["earliest", "t:0:5"], &["committed"], true);
        check(line, &ranged, &["a"], &[]);
        let since = verify(&["2025-01-01T00:00:00Z"], &[], false);
        check("verify --since 2025-01-01T00:00:00Z", &since, &[], &[]);
    }

    #[test]
    fn mistakes_end_with_2_and_help_with_0() {
        let check = |line, status, part: &str| {
            let error = read(line).unwrap_err();
            assert_eq!(error.exit_code(), status, "{line}");
            assert!(error.to_string().contains(part), "{line}: {error}");
        };
        check("a check", 2, "come before the files");
        check("run check", 2, "come before the files");
        check("check --until-end", 2, "belongs to run");
        check("verify --until-end", 2, "belongs to run");
        check("--json", 2, "belong to verify");
        check("check --since 1h", 2, "belong to verify");
        check("verify --since 1h --from 5", 2, "cannot be used with");
        check("verify --to soon", 2, "wanted earliest");
        check("verify --since 5", 2, "wanted a time");
        check("--set a", 2, "KEY=VALUE");
        check("--set =b", 2, "KEY=VALUE");
        check("--nonsense", 2, "--nonsense");
        check("--version", 0, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn help_says_what_a_newcomer_needs() {
        let help = read("--help").unwrap_err().to_string();
        for part in [
            "kafka-milvus-sink check [OPTIONS] [FILE]...",
            "kafka-milvus-sink verify [OPTIONS] [FILE]...",
            "--since <TIME>",
            "--set <KEY=VALUE>",
            "--until-end",
            "MILVUS_SINK_LINGER_MS",
            "Examples:",
            "  3  every partition",
        ] {
            assert!(help.contains(part), "{part} is missing in:\n{help}");
        }
        let longest = help.lines().skip(1).map(str::len).max();
        assert!(longest < Some(101), "{longest:?}:\n{help}");
    }
}
