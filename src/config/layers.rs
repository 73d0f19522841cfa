//! Which value of a key counts: default < files < environment < `--set`. Every value keeps its origin.

use std::collections::BTreeMap;

use config::{Config, ConfigError, Map, Source, Value};

use super::files::File;
use super::keys::{self, KEYS};

/// A value that counts, and where it was written.
/// No `Debug`: it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// Trimmed.
    pub(super) value: String,
    /// `default`, `FILE:LINE`, an environment variable's name, or `--set`.
    pub(super) origin: String,
}

impl Given {
    pub(super) fn is_default(&self) -> bool {
        self.origin == DEFAULT
    }
}

pub(super) type Givens = BTreeMap<String, Given>;

const DEFAULT: &str = "default";
const SET: &str = "--set";

/// All keys of all layers, the strongest layer's value each.
pub(super) fn merge(
    files: &[File],
    env: &[(String, String)],
    set: &[(String, String)],
) -> Result<Givens, ConfigError> {
    let mut builder = Config::builder().add_source(defaults());
    for file in files {
        builder = builder.add_source(of_file(file));
    }
    let merged = builder
        .add_source(of_environment(env))
        .add_source(of_command_line(set))
        .build()?;
    merged
        .get_table(TABLE)?
        .into_iter()
        .map(|(key, value)| {
            let origin = value.origin().unwrap_or(DEFAULT).to_owned();
            let value = value.into_string()?;
            Ok((key, Given { value, origin }))
        })
        .collect()
}

fn defaults() -> Layer {
    let with_default = |key: &keys::Key| Some((key.name.to_owned(), key.default?.to_owned()));
    Layer::new(KEYS.iter().filter_map(with_default), |_| DEFAULT.to_owned())
}

fn of_file(file: &File) -> Layer {
    let mut layer = Layer::default();
    // Stable: of equal keys the later line counts, and consumer.override.x over consumer.x.
    let mut entries: Vec<_> = file.entries.iter().collect();
    entries.sort_by_key(|entry| entry.key.contains(".override."));
    for entry in entries {
        layer.put(&entry.key, &entry.value, file.origin(entry));
    }
    layer
}

/// An empty variable counts as unset: compose files and manifests pass them so.
fn of_environment(env: &[(String, String)]) -> Layer {
    let mut layer = Layer::default();
    for (variable, value) in env.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(key) = keys::of_variable(variable) {
            layer.put(&key, value, variable.clone());
        }
    }
    layer
}

fn of_command_line(set: &[(String, String)]) -> Layer {
    Layer::new(set.iter().cloned(), |_| SET.to_owned())
}

/// Keys under one table, so that `config` takes their dots for part of the name and not for a path.
const TABLE: &str = "sink";

#[derive(Debug, Clone, Default)]
struct Layer {
    values: Map<String, Value>,
}

impl Layer {
    fn new(
        pairs: impl IntoIterator<Item = (String, String)>,
        origin: impl Fn(&str) -> String,
    ) -> Self {
        let mut layer = Self::default();
        for (key, value) in pairs {
            let origin = origin(&key);
            layer.put(&key, &value, origin);
        }
        layer
    }

    fn put(&mut self, key: &str, value: &str, origin: String) {
        let value = Value::new(Some(&origin), trim(value));
        self.values.insert(without_override(trim(key)), value);
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let table = Value::new(None, self.values.clone());
        Ok(Map::from_iter([(TABLE.to_owned(), table)]))
    }
}

/// As Java trims: no-break spaces stay.
fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Connect's `consumer.override.x` of a connector file is the worker's `consumer.x`.
fn without_override(key: &str) -> String {
    for client in ["consumer.", "producer.", "admin."] {
        if let Some(rest) = key.strip_prefix(client)
            && let Some(rest) = rest.strip_prefix("override.")
        {
            return format!("{client}{rest}");
        }
    }
    key.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::properties::parse_latin1;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            is_connector: false,
            entries: parse_latin1(text.as_bytes()).entries,
        }
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn the_strongest_layer_counts_and_origins_are_kept() {
        let files = [
            file(
                "a",
                "linger.ms=1\nconsumer.x=1\nname = n \nodd[0].key=o\nodd.a.b=c\nodd.a=d",
            ),
            file(
                "b",
                "linger.ms=2\n\nconsumer.override.x=2\nconsumer.x=3\nBatch.Max.Rows=7",
            ),
        ];
        let env = pairs(&[
            ("MILVUS_SINK_LINGER_MS", "3"),
            ("MILVUS_SINK_INSERT_MODE", "upsert"),
            ("MILVUS_SINK_NAME", ""),
            ("PATH", "x"),
        ]);
        let merged = merge(&files, &env, &pairs(&[("linger.ms", "4")])).unwrap();
        let check = |key: &str, value: &str, origin: &str| {
            let given = &merged[key];
            assert_eq!(
                (given.value.as_str(), given.origin.as_str()),
                (value, origin),
                "{key}"
            );
        };
        check("linger.ms", "4", "--set");
        check("insert.mode", "upsert", "MILVUS_SINK_INSERT_MODE");
        check("consumer.x", "2", "b:3");
        check("name", "n", "a:3");
        check("log.level", "info", "default");
        check("odd[0].key", "o", "a:4");
        check("odd.a.b", "c", "a:5");
        check("odd.a", "d", "a:6");
        check("Batch.Max.Rows", "7", "b:5");
        assert!(!merged.contains_key("consumer.override.x"));
        assert!(!merged.contains_key("path"));
    }
}
