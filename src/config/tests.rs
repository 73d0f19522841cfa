//! Whole configurations, from sources to what the program sees.

mod clients;
mod dead_letters;
mod fates;
mod mistakes;
mod notices;
mod reference;
mod sample;
mod security;
mod shaping;
mod typed;

use std::path::PathBuf;

use super::*;

/// What a configuration needs at least.
const LEAST: &str = "name=n\ntopics=t\npublic.endpoint=http://localhost:19530\n";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    pairs.iter().map(own).collect()
}

/// Files named `1`, `2`, … in a folder that messages do not show.
fn load_texts(
    texts: &[&str],
    env: &[(&str, &str)],
    set: &[(&str, &str)],
) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = |at: usize| folder.path().join(format!("{}", at + 1));
    for (at, text) in texts.iter().enumerate() {
        std::fs::write(path(at), text).unwrap();
    }
    let sources = Sources {
        files: (0..texts.len()).map(path).collect(),
        env: pairs(env),
        set: pairs(set),
    };
    let prefix = format!("{}/", folder.path().display());
    let mut config = load(&sources).map_err(|errors| errors.to_string().replace(&prefix, ""))?;
    for notice in &mut config.notices {
        notice.text = notice.text.replace(&prefix, "");
    }
    for row in &mut config.effective {
        row.origin = row.origin.replace(&prefix, "");
    }
    Ok(config)
}

/// One file with [`LEAST`] and more lines; the first of these is line 4.
fn load_more(more: &str) -> Result<Config, String> {
    load_texts(&[&format!("{LEAST}{more}")], &[], &[])
}

/// A setting of the consumer, secrets as `****`.
fn consumer(config: &Config, name: &str) -> Option<String> {
    let (_, setting) = config.kafka.consumer.iter().find(|(key, _)| key == name)?;
    Some(match setting {
        Setting::Plain(value) => value.clone(),
        Setting::Secret(secret) => secret.to_string(),
    })
}

fn repository(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), path].iter().collect()
}
