//! SIGHUP: reads the configuration again, takes over what can be taken over, and says what cannot.

use std::fs;
use std::time::SystemTime;

use tokio::sync::mpsc;

use crate::config::{self, Config, Setting, Sources, Token};
use crate::log::Log;

/// Files that Kafka's clients read when they are made, by the settings that name them.
const OF_KAFKA: [&str; 4] = [
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.crl.location",
];

/// What runs, and where it came from.
#[derive(Debug)]
pub struct Reload {
    sources: Sources,
    running: Config,
    log: Log,
    /// Has the token file and Milvus's certificates looked at.
    look_again: mpsc::Sender<()>,
    files: Vec<Option<Stamp>>,
}

type Stamp = (Option<SystemTime>, u64);

impl Reload {
    pub fn new(sources: Sources, running: Config, log: Log, look_again: mpsc::Sender<()>) -> Self {
        Self {
            files: stamps(&running),
            sources,
            running,
            log,
            look_again,
        }
    }

    /// A configuration with mistakes changes nothing, but for the token and the certificates, which are files of their own.
    pub fn reload(&mut self) {
        // One that waits to be heard says the same.
        self.look_again.try_send(()).ok();
        let read = match config::load(&self.sources) {
            Ok(read) => read,
            Err(errors) => {
                tracing::error!(
                    "SIGHUP: the configuration is as before, since there are mistakes in it now: {errors}"
                );
                return;
            }
        };
        let level = read.log.level;
        let is_new = level != self.running.log.level;
        if is_new {
            tracing::info!(
                "SIGHUP: log.level was {}, and is {level}",
                self.running.log.level
            );
            self.log.set_level(level);
            self.running.log.level = level;
        }
        let waiting = waiting(&self.running, &read);
        for change in &waiting {
            tracing::warn!("SIGHUP: {change} has changed, which takes a restart");
        }
        let files = other_files(&self.files, &stamps(&self.running));
        for key in &files {
            tracing::warn!("SIGHUP: the file of {key} has changed, which takes a restart");
        }
        if !is_new && waiting.is_empty() && files.is_empty() {
            tracing::info!("SIGHUP: the configuration was read again and is as it was");
        }
    }
}

/// The keys that are other ones now, but for those that are taken over.
fn waiting(running: &Config, read: &Config) -> Vec<String> {
    let rows = running.effective.iter().zip(&read.effective);
    let changed = rows.filter(|(before, now)| before.value != now.value);
    let keys = changed.map(|(before, _)| before.key);
    let mut keys: Vec<String> = keys
        .filter(|key| *key != "log.level")
        .map(str::to_owned)
        .collect();
    // Secrets look alike.
    if let (Token::Inline(before), Token::Inline(now)) = (&running.milvus.token, &read.milvus.token)
        && before != now
    {
        keys.push("token (token.file needs none)".to_owned());
    }
    let secrets = |config: &Config| {
        let settings = config.kafka.consumer.iter();
        let secrets = settings.filter_map(|(key, setting)| match setting {
            Setting::Secret(secret) => Some((key.clone(), secret.clone())),
            Setting::Plain(_) => None,
        });
        secrets.collect::<Vec<_>>()
    };
    if secrets(running) != secrets(read) {
        keys.push("the login to Kafka".to_owned());
    }
    keys
}

/// How the files look that Kafka's clients have read.
fn stamps(config: &Config) -> Vec<Option<Stamp>> {
    let stamp = |key: &&str| {
        let path = config.kafka.plain(key)?;
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok(), metadata.len()))
    };
    OF_KAFKA.iter().map(stamp).collect()
}

/// The settings whose files look otherwise now.
fn other_files(before: &[Option<Stamp>], now: &[Option<Stamp>]) -> Vec<&'static str> {
    let pairs = OF_KAFKA.into_iter().zip(before.iter().zip(now));
    let changed = pairs.filter(|(_, (before, now))| before != now);
    changed.map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)], token: &str) -> Config {
        let always = [
            ("name", "n"),
            ("topics", "t"),
            ("public.endpoint", "http://localhost:1"),
        ];
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let sources = Sources {
            set: always.iter().chain(set).map(pair).collect(),
            env: vec![("MILVUS_SINK_TOKEN".to_owned(), token.to_owned())],
            ..Sources::default()
        };
        config::load(&sources).unwrap()
    }

    #[test]
    fn keys_that_take_a_restart_are_named_secrets_among_them() {
        let check = |set: &[(&str, &str)], token: &str, expected: &[&str]| {
            let before = read(&[("linger.ms", "5")], "u:one");
            assert_eq!(waiting(&before, &read(set, token)), expected, "{set:?}");
        };
        let same = ("linger.ms", "5");
        check(&[same], "u:one", &[]);
        check(&[same, ("log.level", "debug")], "u:one", &[]);
        check(&[("linger.ms", "7")], "u:one", &["linger.ms"]);
        check(&[same], "u:two", &["token (token.file needs none)"]);
    }

    #[test]
    fn a_certificate_of_kafka_that_was_replaced_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (certificate, key) = (path("certificate.pem"), path("key.pem"));
        fs::write(&certificate, "one").unwrap();
        fs::write(&key, "one").unwrap();
        let config = read(
            &[
                ("security.protocol", "SSL"),
                ("ssl.certificate.location", &certificate),
                ("ssl.key.location", &key),
            ],
            "u:one",
        );
        let before = stamps(&config);
        assert_eq!(other_files(&before, &stamps(&config)), [""; 0]);
        fs::write(&certificate, "another").unwrap();
        let other = other_files(&before, &stamps(&config));
        assert_eq!(other, ["ssl.certificate.location"]);
    }
}
