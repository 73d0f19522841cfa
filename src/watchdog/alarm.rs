//! What a watchdog has seen, in words.

use std::fmt;
use std::time::Duration;

use super::Watched;

/// Which watchdog it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    PollLoop,
    Runtime,
    Request,
    Commit,
    Progress,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::PollLoop,
        Self::Runtime,
        Self::Request,
        Self::Commit,
        Self::Progress,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::PollLoop => "poll_loop",
            Self::Runtime => "runtime",
            Self::Request => "request",
            Self::Commit => "commit",
            Self::Progress => "progress",
        }
    }
}

/// One standstill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub kind: Kind,
    stood: Duration,
    /// The partition, its lag, and the offsets that are settled and committed, where it is about one.
    of: String,
}

impl Alarm {
    pub(super) fn new(kind: Kind, stood: Duration, of: Option<&Watched>) -> Self {
        Self {
            kind,
            stood,
            of: of.map_or(String::new(), Watched::to_string),
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.stood.as_secs();
        match self.kind {
            Kind::PollLoop => write!(f, "the poll loop has not turned for {seconds} s"),
            Kind::Runtime => write!(f, "no task has run for {seconds} s"),
            Kind::Request => write!(
                f,
                "a request to Milvus is under way for {seconds} s, though milvus.request.timeout.ms should have ended it"
            ),
            Kind::Commit => write!(
                f,
                "Kafka has not been told of settled offsets for {seconds} s ({})",
                self.of
            ),
            Kind::Progress => write!(
                f,
                "nothing was read or settled for {seconds} s, though there is more and nothing is in the way ({})",
                self.of
            ),
        }
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.partition, self.position)
    }
}
