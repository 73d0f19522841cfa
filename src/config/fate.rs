//! What became of every key that was given: for `check`, which shows a configuration as a whole, a refused one too.

use std::collections::BTreeMap;

use serde::Serialize;

use super::keys::{self, KEYS};
use super::layers::{Given, Givens};

/// One key, ours or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    pub key: String,
    /// `****` where it is a secret. `None` where nobody knows whether it is one, or it was not taken.
    pub value: Option<String>,
    /// `default`, `FILE:LINE`, an environment variable's name, or `--set`; empty where the key is missing.
    pub origin: String,
    #[serde(flatten)]
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Nobody has set it.
    Default,
    Honoured,
    /// Taken under another name, or in another form.
    Translated {
        to: String,
    },
    Ignored {
        why: String,
    },
    /// Nobody's key. Where another one is near, that is a mistake.
    Unknown {
        nearest: Option<String>,
    },
    /// A mistake, with what to do.
    Refused {
        why: String,
    },
}

impl Fate {
    pub(super) fn ignored(why: impl Into<String>) -> Self {
        Self::Ignored { why: why.into() }
    }

    pub(super) fn translated(to: impl Into<String>) -> Self {
        Self::Translated { to: to.into() }
    }

    fn shows_value(&self) -> bool {
        matches!(
            self,
            Self::Default | Self::Honoured | Self::Translated { .. }
        )
    }
}

/// A row for every key, in the order of the table, strangers last. `noted` has what is not simply honoured.
pub(super) fn rows(givens: &Givens, noted: &BTreeMap<String, Fate>) -> Vec<KeyRow> {
    let mut rows: Vec<KeyRow> = givens
        .iter()
        .map(|(key, given)| row(key, given, noted.get(key)))
        .collect();
    let missing = noted.iter().filter(|(key, _)| !givens.contains_key(*key));
    rows.extend(missing.map(|(key, fate)| KeyRow {
        key: key.clone(),
        value: None,
        origin: String::new(),
        fate: fate.clone(),
    }));
    rows.retain(|row| {
        row.fate != Fate::Default || row.value.as_ref().is_some_and(|v| !v.is_empty())
    });
    rows.sort_by_key(|row| place(&row.key));
    rows
}

fn row(key: &str, given: &Given, noted: Option<&Fate>) -> KeyRow {
    let fate = match noted {
        Some(fate) => fate.clone(),
        None if given.is_default() => Fate::Default,
        None => Fate::Honoured,
    };
    let value = fate.shows_value().then(|| {
        if keys::is_secret(key) && !given.value.is_empty() {
            "****".to_owned()
        } else {
            given.value.clone()
        }
    });
    KeyRow {
        key: key.to_owned(),
        value,
        origin: given.origin.clone(),
        fate,
    }
}

/// Where the table has the key or its family.
fn place(key: &str) -> usize {
    let of_row = |row: &keys::Key| match row.name.strip_suffix('*') {
        Some(prefix) => key.starts_with(prefix),
        None => row.name == key,
    };
    KEYS.iter().position(of_row).unwrap_or(KEYS.len())
}
