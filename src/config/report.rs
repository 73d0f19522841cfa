//! What is found while a configuration is read: all mistakes at once, and notices for the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use super::fate::{Fate, KeyRow, rows};
use super::layers::{Given, Givens};
use super::properties::FaultKind;
use super::{Notice, keys};

/// Every mistake of a configuration; `Display` gives one a line under a line that counts them.
#[derive(Debug)]
pub struct ConfigErrors {
    mistakes: Vec<Mistake>,
    keys: Vec<KeyRow>,
    notices: Vec<Notice>,
}

impl ConfigErrors {
    /// Every key that was given, and what became of it.
    pub fn keys(&self) -> &[KeyRow] {
        &self.keys
    }

    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// One sentence each.
    pub fn mistakes(&self) -> impl Iterator<Item = String> {
        self.mistakes.iter().map(ToString::to_string)
    }
}

/// One mistake: where, which key, what is wrong. Never a secret.
#[derive(Debug)]
struct Mistake {
    /// `FILE:LINE`, `FILE`, a variable or `--set`; empty where nothing was written at all.
    origin: String,
    /// Empty where it is not about a key.
    key: String,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("{0}")]
    Syntax(FaultKind),
    #[error("missing; {wanted}")]
    Missing { wanted: String },
    #[error("{}wanted {wanted}", found_prefix(.found))]
    Invalid { found: Found, wanted: String },
    #[error("not a known key; did you mean {nearest}?")]
    Typo { nearest: String },
    #[error("not built yet{instead}")]
    NotBuilt { instead: String },
    /// Well formed, and not acceptable here.
    #[error("{why}")]
    Refused { why: String },
}

/// What was found in place of what is wanted.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Text(String),
    Secret,
}

fn found_prefix(found: &Found) -> String {
    match found {
        Found::Nothing => "found nothing, ".to_owned(),
        Found::Text(text) => format!("found {text}, "),
        Found::Secret => String::new(),
    }
}

/// Collects mistakes and notices.
#[derive(Debug, Default)]
pub(super) struct Report {
    mistakes: Vec<Mistake>,
    notices: Vec<Notice>,
    /// Of keys that are not simply honoured, nor mistakes.
    fates: BTreeMap<String, Fate>,
}

impl Report {
    pub(super) fn add(&mut self, origin: &str, key: &str, problem: Problem) {
        self.mistakes.push(Mistake {
            origin: origin.to_owned(),
            key: key.to_owned(),
            problem,
        });
    }

    /// The value of `key` is not what is wanted.
    pub(super) fn invalid(&mut self, key: &str, given: &Given, wanted: impl Into<String>) {
        let found = if given.value.is_empty() {
            Found::Nothing
        } else if keys::is_secret(key) {
            Found::Secret
        } else {
            Found::Text(quote(&given.value))
        };
        let wanted = wanted.into();
        self.add(&given.origin, key, Problem::Invalid { found, wanted });
    }

    /// The value of `key` is shown, with what is wrong about it.
    pub(super) fn unfit(&mut self, key: &str, given: &Given, why: impl fmt::Display) {
        let why = format!("found {}: {why}", quote(&given.value));
        self.refused(key, given, why);
    }

    pub(super) fn missing(&mut self, key: &str, wanted: impl Into<String>) {
        let wanted = wanted.into();
        self.add("", key, Problem::Missing { wanted });
    }

    pub(super) fn refused(&mut self, key: &str, given: &Given, why: impl Into<String>) {
        self.add(&given.origin, key, Problem::Refused { why: why.into() });
    }

    pub(super) fn typo(&mut self, key: &str, given: &Given, nearest: &str) {
        let nearest = nearest.to_owned();
        self.add(&given.origin, key, Problem::Typo { nearest });
    }

    /// `instead`: empty, or what to do meanwhile.
    pub(super) fn not_built(&mut self, key: &str, given: &Given, instead: &str) {
        let instead = if instead.is_empty() {
            String::new()
        } else {
            format!("; {instead}")
        };
        self.add(&given.origin, key, Problem::NotBuilt { instead });
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.notices.push(Notice {
            warn: true,
            text: text.into(),
        });
    }

    pub(super) fn info(&mut self, text: impl Into<String>) {
        self.notices.push(Notice {
            warn: false,
            text: text.into(),
        });
    }

    /// What becomes of `key`, where that is something else than being honoured. The last word counts.
    pub(super) fn fate(&mut self, key: &str, fate: Fate) {
        self.fates.insert(key.to_owned(), fate);
    }

    /// The notices and a row for every key, or all mistakes in the order of the files and their lines.
    pub(super) fn finish(
        self,
        givens: &Givens,
    ) -> Result<(Vec<Notice>, Vec<KeyRow>), ConfigErrors> {
        let mut notices = Vec::new();
        for notice in self.notices {
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        }
        let mut mistakes = self.mistakes;
        drop_consequences(&mut mistakes);
        mistakes.sort_by_key(Mistake::line);
        say_once(&mut mistakes);
        let mut fates = self.fates;
        for mistake in mistakes.iter().filter(|mistake| !mistake.key.is_empty()) {
            let fate = mistake.fate();
            fates.insert(mistake.key.clone(), fate);
        }
        let keys = rows(givens, &fates);
        if mistakes.is_empty() {
            return Ok((notices, keys));
        }
        Err(ConfigErrors {
            mistakes,
            keys,
            notices,
        })
    }
}

/// A key that several Kafka clients share is wrong for each of them.
fn say_once(mistakes: &mut Vec<Mistake>) {
    let mut said = BTreeSet::new();
    mistakes.retain(|mistake| said.insert(mistake.to_string()));
}

/// A key is not missing where it may stand in a file that cannot be read, or was meant by a mistyped one.
fn drop_consequences(mistakes: &mut Vec<Mistake>) {
    let unreadable = |mistake: &Mistake| matches!(mistake.problem, Problem::Unreadable(_));
    let unread = mistakes.iter().any(unreadable);
    let meant: Vec<String> = mistakes
        .iter()
        .filter_map(|mistake| match &mistake.problem {
            Problem::Typo { nearest } => Some(nearest.clone()),
            _ => None,
        })
        .collect();
    mistakes.retain(|mistake| {
        let missing = matches!(mistake.problem, Problem::Missing { .. });
        !missing || !(unread || meant.contains(&mistake.key))
    });
}

impl Mistake {
    fn fate(&self) -> Fate {
        match &self.problem {
            Problem::Typo { nearest } => Fate::Unknown {
                nearest: Some(nearest.clone()),
            },
            problem => Fate::Refused {
                why: problem.to_string(),
            },
        }
    }

    /// Sorts lines of one file by number; what has no line comes first in its place.
    fn line(&self) -> (String, usize) {
        match self.origin.rsplit_once(':') {
            Some((file, line)) => (file.to_owned(), line.parse().unwrap_or(0)),
            None => (self.origin.clone(), 0),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [&self.origin, &self.key] {
            if !place.is_empty() {
                write!(f, "{place}: ")?;
            }
        }
        write!(f, "{}", self.problem)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => write!(f, "the configuration has 1 mistake")?,
            n => write!(f, "the configuration has {n} mistakes")?,
        }
        for mistake in &self.mistakes {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// In quotes, on one line, short.
pub(super) fn quote(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &str, origin: &str) -> Given {
        Given {
            value: value.to_owned(),
            origin: origin.to_owned(),
        }
    }

    #[test]
    fn mistakes_are_counted_and_sorted_by_line() {
        let mut report = Report::default();
        report.invalid("linger.ms", &given("x\n", "a:10"), "a number");
        report.invalid("token", &given("geheim", "a:9"), "text");
        report.missing("name", "names the sink");
        report.invalid("linger.ms", &given("", "a:2"), "a number");
        let shown = report.finish(&Givens::new()).unwrap_err().to_string();
        assert_eq!(
            shown,
            "the configuration has 4 mistakes\n  \
             name: missing; names the sink\n  \
             a:2: linger.ms: found nothing, wanted a number\n  \
             a:9: token: wanted text\n  \
             a:10: linger.ms: found \"x\\n\", wanted a number"
        );
    }

    #[test]
    fn what_follows_from_another_mistake_is_not_one_of_its_own() {
        let shown = |report: Report| report.finish(&Givens::new()).unwrap_err().to_string();
        let mut typo = Report::default();
        typo.missing("name", "names the sink");
        typo.missing("topics", "what to read");
        typo.typo("nme", &given("x", "a:1"), "name");
        let shown_typo = shown(typo);
        assert!(!shown_typo.contains(" name: missing"), "{shown_typo}");
        assert!(shown_typo.contains(" topics: missing"), "{shown_typo}");
        let mut unread = Report::default();
        let error = io::Error::from(io::ErrorKind::NotFound);
        unread.add("a", "", Problem::Unreadable(error));
        unread.missing("name", "names the sink");
        assert_eq!(
            shown(unread),
            "the configuration has 1 mistake\n  a: cannot be read: entity not found"
        );
    }

    #[test]
    fn without_mistakes_the_notices_come_out() {
        let mut report = Report::default();
        report.warn("careful");
        let (notices, _) = report.finish(&Givens::new()).unwrap();
        assert_eq!(notices.len(), 1);
        assert!(notices[0].warn);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(quote("ab\"c"), "\"ab\\\"c\"");
        assert_eq!(quote(&"x".repeat(81)).chars().count(), 83);
    }
}
