//! What the sink is made of, each alone and in a process of its own: to consume, to decode, to send.

pub mod consume;
pub mod send;

use std::process::Command;
use std::time::{Duration, Instant};

use super::usage;
use crate::process::Process;

const LONG: Duration = Duration::from_secs(300);
const TOOK: &str = "took ";

/// What a stage needed.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub records: u64,
    pub seconds: f64,
    /// User and system time.
    pub cpu_seconds: f64,
    /// With what it made ready.
    pub(super) all_cpu: Duration,
}

impl Took {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a count of records is far below 2^53"
    )]
    pub fn records_per_second(self) -> f64 {
        self.records as f64 / self.seconds
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "a count of records is far below 2^53"
    )]
    pub fn cpu_per_million(self) -> f64 {
        self.cpu_seconds * 1e6 / self.records as f64
    }
}

/// A stage's own clock: what it makes ready before is not counted.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    cpu: Duration,
}

impl Clock {
    pub fn start() -> Clock {
        Clock {
            start: Instant::now(),
            cpu: usage::of_this_process(),
        }
    }

    /// Tells who started the process what `records` took.
    #[allow(clippy::print_stdout, reason = "tells who started it")]
    pub fn stop(self, records: u64) {
        let seconds = self.start.elapsed().as_secs_f64();
        let all = usage::of_this_process();
        let cpu = (all - self.cpu).as_secs_f64();
        println!("{TOOK}{records} {seconds} {cpu} {}", all.as_secs_f64());
    }
}

/// Runs a stage to its end.
pub(super) fn run(name: &str, command: &Command) -> Took {
    let process = Process::start(name, command);
    let status = process.wait_exit(LONG);
    assert!(status.success(), "{process}");
    let line = process.find_line(TOOK);
    let line = line.unwrap_or_else(|| panic!("nothing was told by {process}"));
    let mut words = line.split(' ').skip(1);
    let mut next = || words.next().expect("four numbers");
    Took {
        records: next().parse().expect("a count"),
        seconds: next().parse().expect("seconds"),
        cpu_seconds: next().parse().expect("seconds"),
        all_cpu: Duration::from_secs_f64(next().parse().expect("seconds")),
    }
}
