//! Sources → [`Config`], or every mistake in them.

use std::fmt;
use std::path::PathBuf;

use super::fate::Fate;
use super::files;
use super::keys::foreign::{self, Foreign};
use super::keys::nearest::nearest;
use super::keys::{self, KEYS, Key, Kind};
use super::layers::{self, Given, Givens};
use super::report::{ConfigErrors, Problem, Report};
use super::values::{Values, parse_bool};
use super::{Config, Effective, assemble, converters, kafka, references};

/// Where a configuration comes from. The weakest first: files, environment, command line.
#[derive(Clone, Default)]
pub struct Sources {
    pub files: Vec<PathBuf>,
    /// All environment variables, for ours among them and for `${env:NAME}`.
    pub env: Vec<(String, String)>,
    /// `--set KEY=VALUE`.
    pub set: Vec<(String, String)>,
}

/// Without the environment and the values set: secrets are among them.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<_> = self.set.iter().map(|(key, _)| key).collect();
        f.debug_struct("Sources")
            .field("files", &self.files)
            .field("set", &set)
            .finish_non_exhaustive()
    }
}

/// Reads, layers and checks a configuration.
///
/// # Errors
/// All mistakes at once, each with its place.
pub fn load(sources: &Sources) -> Result<Config, ConfigErrors> {
    let mut report = Report::default();
    let mut files = files::read(&sources.files, &mut report);
    let from_connect = files.iter().any(|file| file.is_connector);
    let worker = files.iter().any(|file| !file.is_connector);
    converters::apply_scope(&mut files, &mut report);
    refuse_secrets(&sources.set, &mut report);
    let mut givens = match layers::merge(&files, &sources.env, &sources.set) {
        Ok(givens) => givens,
        Err(error) => {
            // Cannot come from what users write: all values are text under names of one level.
            let why = error.to_string();
            report.add("", "", Problem::Refused { why });
            Givens::new()
        }
    };
    references::resolve(&mut givens, &sources.env, &mut report);
    sort_out(&givens, &mut report);
    if worker
        && givens
            .get("bootstrap.servers")
            .is_some_and(Given::is_default)
    {
        report.warn("no file has bootstrap.servers; localhost:9092 is used");
    }
    let mut values = Values::new(&givens, &mut report);
    let config = assemble::config(&mut values, &givens, from_connect);
    let (notices, keys) = report.finish(&givens)?;
    Ok(Config {
        notices,
        keys,
        effective: effective(&givens),
        ..config
    })
}

/// The command line of a process is there for every user of the machine to read.
fn refuse_secrets(set: &[(String, String)], report: &mut Report) {
    for (key, _) in set.iter().filter(|(key, _)| keys::is_secret(key)) {
        let why = format!(
            "a secret on the command line can be seen by every user of this machine; use the environment variable {}",
            keys::variable(key)
        );
        report.add("--set", key, Problem::Refused { why });
    }
}

/// What becomes of every key that was given: ours, a Kafka client's, another program's, unknown.
fn sort_out(givens: &Givens, report: &mut Report) {
    let mut of_connect = Vec::new();
    for (key, given) in givens {
        if let Some(row) = keys::find(key) {
            refuse_unbuilt(row, given, report);
        } else if is_of_client(key) {
            // Checked with the client's other settings.
        } else {
            match foreign::find(key) {
                Some(Foreign::Connect) => of_connect.push(key.as_str()),
                Some(Foreign::Only(value)) if given.value.eq_ignore_ascii_case(value) => {
                    of_connect.push(key.as_str());
                }
                Some(Foreign::Only(value)) => {
                    report.not_built(key, given, &format!("only {value} is"))
                }
                Some(Foreign::Refused(_)) if given.value.is_empty() => {
                    report.fate(key, Fate::ignored("it is empty"));
                }
                Some(Foreign::Refused(why)) => report.refused(key, given, why),
                Some(Foreign::Ours(ours)) => {
                    let why = format!("another program's key; here it is {ours}");
                    report.fate(key, Fate::ignored(why));
                    report.warn(format!(
                        "{}: {key} is another program's key and is ignored; here it is {ours}",
                        given.origin
                    ));
                }
                None => unknown(key, given, report),
            }
        }
    }
    for key in &of_connect {
        let why = "Kafka Connect's key, without a meaning here; nothing is to be done";
        report.fate(key, Fate::ignored(why));
    }
    if !of_connect.is_empty() {
        report.info(format!(
            "Kafka Connect keys without a meaning here (converters are built in, there are no plugins, no offset file and no REST interface): {}",
            of_connect.join(", ")
        ));
    }
}

fn is_of_client(key: &str) -> bool {
    ["consumer.", "producer.", "admin."]
        .iter()
        .any(|prefix| key.starts_with(prefix))
        || kafka::is_security(key)
}

fn refuse_unbuilt(row: &Key, given: &Given, report: &mut Report) {
    if row.built {
        return;
    }
    let is_default = match (row.kind, row.default) {
        (Kind::Bool, Some(default)) => parse_bool(&given.value) == parse_bool(default),
        (Kind::Int { .. }, Some(default)) => {
            given.value.parse::<i64>().ok() == default.parse().ok()
        }
        (_, Some(default)) => given.value.eq_ignore_ascii_case(default),
        (_, None) => given.value.is_empty(),
    };
    if !is_default {
        let instead = row.default.map_or_else(
            || "remove it".to_owned(),
            |default| format!("only the default {default} is"),
        );
        report.not_built(row.name, given, &instead);
    }
}

fn unknown(key: &str, given: &Given, report: &mut Report) {
    let known = KEYS.iter().map(|row| row.name);
    if kafka::is_setting(key) {
        let why = format!("a Kafka client's setting without its prefix; here it is consumer.{key}");
        report.fate(key, Fate::ignored(why));
        report.warn(format!(
            "{}: {key} is a Kafka client's setting and has no effect without the client's prefix; here it is consumer.{key}",
            given.origin
        ));
    } else if let Some(nearest) = nearest(key, known) {
        report.typo(key, given, nearest);
    } else {
        report.fate(key, Fate::Unknown { nearest: None });
        report.warn(format!(
            "{}: {key} is not a known key and is ignored",
            given.origin
        ));
    }
}

/// Every row of the table with its value, for the log and `check`.
fn effective(givens: &Givens) -> Vec<Effective> {
    KEYS.iter().map(|row| effective_row(row, givens)).collect()
}

fn effective_row(row: &'static Key, givens: &Givens) -> Effective {
    let (value, origin) = match (row.name.strip_suffix('*'), givens.get(row.name)) {
        (Some(prefix), _) => {
            let family: Vec<_> = givens
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
                .map(|(key, given)| (key.as_str(), given))
                .collect();
            let mut origins: Vec<_> = family
                .iter()
                .map(|(_, given)| given.origin.as_str())
                .collect();
            origins.dedup();
            (kafka::summary(family.iter().copied()), origins.join(" "))
        }
        (None, Some(given)) if row.secret && !given.value.is_empty() => {
            ("****".to_owned(), given.origin.clone())
        }
        (None, Some(given)) => (given.value.clone(), given.origin.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let origin = if origin.is_empty() {
        "default".to_owned()
    } else {
        origin
    };
    Effective {
        key: row.name,
        value,
        origin,
    }
}
