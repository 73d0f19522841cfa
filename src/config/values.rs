//! Typed access to the merged values. A value that does not fit its row of the table is a mistake; reading goes on
//! with the smallest value of its kind, so that the other mistakes are found too.

use std::path::PathBuf;
use std::time::Duration;

use super::keys::{self, Kind};
use super::layers::{Given, Givens};
use super::report::Report;

pub(super) struct Values<'a> {
    givens: &'a Givens,
    pub(super) report: &'a mut Report,
}

impl<'a> Values<'a> {
    pub(super) fn new(givens: &'a Givens, report: &'a mut Report) -> Self {
        Self { givens, report }
    }

    /// The value of a key, default included; `None` where there is neither, or where it was left blank.
    pub(super) fn given(&self, key: &str) -> Option<&'a Given> {
        self.givens.get(key).filter(|given| !given.value.is_empty())
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        Some(self.given(key)?.value.clone())
    }

    /// A key that has to be there.
    pub(super) fn required(&mut self, key: &str) -> Option<&'a Given> {
        let given = self.given(key);
        if given.is_none() {
            let meaning = keys::find(key).map_or("", |key| key.meaning);
            self.report.missing(key, meaning);
        }
        given
    }

    /// A file that can be opened.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        let given = self.given(key)?;
        let path = PathBuf::from(&given.value);
        if let Err(error) = std::fs::File::open(&path) {
            let wanted = format!("a file that can be read ({error})");
            self.report.invalid(key, given, wanted);
        }
        Some(path)
    }

    pub(super) fn bool(&mut self, key: &str) -> bool {
        self.typed(key, parse_bool).unwrap_or(false)
    }

    /// Which of the choices of the table it is.
    pub(super) fn choice(&mut self, key: &str) -> &'static str {
        let Some(Kind::Choice(choices)) = keys::find(key).map(|key| key.kind) else {
            return "";
        };
        self.typed(key, |value| parse_choice(value, choices))
            .unwrap_or("")
    }

    pub(super) fn int(&mut self, key: &str) -> i64 {
        let Some(Kind::Int { min, max, .. }) = keys::find(key).map(|key| key.kind) else {
            return 0;
        };
        self.typed(key, |value| parse_int(value, min, max))
            .unwrap_or(min)
    }

    pub(super) fn size(&mut self, key: &str) -> usize {
        usize::try_from(self.int(key)).unwrap_or(usize::MAX)
    }

    pub(super) fn millis(&mut self, key: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.int(key)).unwrap_or(0))
    }

    /// Parses a value; a blank one does not fit either. `None` only where the key is absent or wrong.
    pub(super) fn typed<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let given = self.givens.get(key)?;
        let parsed = parse(&given.value);
        if parsed.is_none() {
            let wanted = keys::find(key).map_or_else(String::new, |key| key.kind.wanted().into());
            self.report.invalid(key, given, wanted);
        }
        parsed
    }
}

/// Java's rule: these two words in any case, and nothing else.
pub(super) fn parse_bool(value: &str) -> Option<bool> {
    parse_choice(value, &["true", "false"]).map(|word| word == "true")
}

pub(super) fn parse_choice<'a>(value: &str, choices: &[&'a str]) -> Option<&'a str> {
    choices
        .iter()
        .copied()
        .find(|choice| choice.eq_ignore_ascii_case(value))
}

pub(super) fn parse_int(value: &str, min: i64, max: i64) -> Option<i64> {
    value.parse().ok().filter(|n| (min..=max).contains(n))
}

/// Java's lists: blank parts do not count, and a part counts once.
pub(super) fn parse_list(value: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in value.split(',').map(str::trim) {
        if !part.is_empty() && parts.iter().all(|other| other != part) {
            parts.push(part.to_owned());
        }
    }
    parts
}
