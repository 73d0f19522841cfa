//! The log: text or JSON lines on standard error; a panic is one line of it and the end of the process.

use std::error::Error;

use crate::config::LogConfig;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging. A second call changes nothing.
pub fn start(config: &LogConfig) {
    // What the libraries have to say is of use only to who asks for it.
    let filter = Targets::new()
        .with_target("kafka_milvus_sink", config.level)
        .with_default(config.level.min(tracing::Level::WARN));
    let text = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    let result = if config.json {
        registry.with(text.json()).try_init()
    } else {
        registry.with(text.with_ansi(false)).try_init()
    };
    if result.is_err() {
        tracing::debug!("logging has been started before");
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
