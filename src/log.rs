//! The log: coloured text on a terminal, fields in the journal, text or JSON lines elsewhere; a panic is one line of it and
//! the end of the process.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing::Level;
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::LogConfig;

type Filtered = Layered<reload::Layer<Targets, Registry>, Registry>;

/// What can be done with a log that runs.
#[derive(Debug)]
pub struct Log {
    level: reload::Handle<Targets, Registry>,
    /// Nowhere but on a terminal. Lines of the log come above them.
    pub bars: MultiProgress,
}

impl Log {
    pub fn set_level(&self, level: Level) {
        // Without a subscriber there is nothing to set.
        self.level.reload(targets(level)).ok();
    }
}

/// Starts logging. A second call changes nothing.
pub fn start(config: &LogConfig) -> Log {
    let form = Form::of(config);
    let target = match form {
        Form::Text { .. } => ProgressDrawTarget::stderr(),
        Form::Json | Form::Journal => ProgressDrawTarget::hidden(),
    };
    let bars = MultiProgress::with_draw_target(target);
    let (filter, level) = reload::Layer::new(targets(config.level));
    let lines = form.layer(&bars);
    let registry = tracing_subscriber::registry().with(filter).with(lines);
    if registry.try_init().is_err() {
        tracing::debug!("logging has been started before");
    }
    Log { level, bars }
}

/// What the libraries have to say is of use only to who asks for it.
fn targets(level: Level) -> Targets {
    Targets::new()
        .with_target("kafka_milvus_sink", level)
        .with_default(level.min(Level::WARN))
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text {
        colours: bool,
    },
    Json,
    /// systemd's, which has a field for each of ours.
    Journal,
}

impl Form {
    fn of(config: &LogConfig) -> Self {
        let variable = |name| std::env::var_os(name);
        if config.json {
            Self::Json
        } else if is_journal(variable("JOURNAL_STREAM").as_deref(), stderr_file()) {
            Self::Journal
        } else {
            let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colours = io::stderr().is_terminal() && !no_color;
            Self::Text { colours }
        }
    }

    fn layer(self, bars: &MultiProgress) -> Box<dyn Layer<Filtered> + Send + Sync> {
        let bars = bars.clone();
        let text = fmt::layer()
            .with_writer(move || AboveBars(bars.clone()))
            .with_target(false);
        match self {
            Self::Json => text.json().boxed(),
            Self::Text { colours } => text.with_ansi(colours).boxed(),
            Self::Journal => match tracing_journald::layer() {
                Ok(journal) => journal
                    .with_field_prefix(Some("SINK".to_owned()))
                    .with_priority_mappings(PRIORITIES)
                    .boxed(),
                // Lines come there, too.
                Err(_) => text.with_ansi(false).boxed(),
            },
        }
    }
}

/// systemd's own words: a notice is more than information.
const PRIORITIES: PriorityMappings = PriorityMappings {
    error: Priority::Error,
    warn: Priority::Warning,
    info: Priority::Informational,
    debug: Priority::Debug,
    trace: Priority::Debug,
};

/// Device and inode of what the standard error is.
fn stderr_file() -> Option<(u64, u64)> {
    let file = io::stderr().as_fd().try_clone_to_owned().ok()?;
    let metadata = File::from(file).metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// systemd says which stream leads to the journal; somebody may have put another one in its place since.
fn is_journal(stream: Option<&OsStr>, stderr: Option<(u64, u64)>) -> bool {
    let said = stream.and_then(OsStr::to_str).zip(stderr);
    said.is_some_and(|(stream, (device, inode))| stream == format!("{device}:{inode}"))
}

/// The standard error, where bars make room for each line.
#[derive(Debug)]
struct AboveBars(MultiProgress);

impl io::Write for AboveBars {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Nothing catches a panic: one line, then the process is gone.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(
            place,
            "panicked: {said}; please report this; restarting is safe"
        );
        std::process::abort();
    }));
}

/// What went wrong, and behind it why.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_told_by_its_stream() {
        let check = |stream: Option<&str>, stderr, expected: bool| {
            let said = is_journal(stream.map(OsStr::new), stderr);
            assert_eq!(said, expected, "{stream:?} {stderr:?}");
        };
        check(Some("8:42"), Some((8, 42)), true);
        check(Some("8:42"), Some((8, 43)), false);
        check(Some("9:42"), Some((8, 42)), false);
        check(Some(""), Some((8, 42)), false);
        check(Some("8:42"), None, false);
        check(None, Some((8, 42)), false);
    }
}
