//! The sink itself, as its own process, from the beginning of its topics until a null Milvus has their rows.

use std::time::{Duration, Instant};

use super::{Bench, usage};
use crate::kafka::Topic;
use crate::null_milvus::{Counts, NullMilvus, Options};
use crate::sink::Sink;
use crate::{services, wait};

const LONG: Duration = Duration::from_secs(300);

/// How to run it; by default on one core with default settings.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) topics: &'a [Topic],
    pub(super) milvus: Options,
    /// On the cores of the others, too.
    pub(super) on_all_cores: bool,
    pub(super) settings: &'a [(&'a str, &'a str)],
}

impl<'a> Job<'a> {
    pub(super) fn new(topic: &'a Topic, milvus: Options) -> Job<'a> {
        Job {
            topics: std::slice::from_ref(topic),
            milvus,
            on_all_cores: false,
            settings: &[],
        }
    }
}

/// The sink at work, in a group of its own.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) sink: Sink,
    pub(super) milvus: NullMilvus,
    others: usage::Others,
    start: Instant,
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) counts: Counts,
    pub(super) cpu_per_million: f64,
    pub(super) peak_rss_mib: f64,
    /// How many requests were under way on average.
    pub(super) in_flight: f64,
    /// The part of the machine that others had meanwhile.
    pub(super) others: f64,
}

impl Bench {
    pub(super) fn start_sink(&self, job: &Job<'_>) -> Running {
        let milvus = self.null_milvus(&job.milvus);
        let mut sink = self.sink_command(job.topics, &milvus.endpoint());
        for (key, value) in job.settings {
            sink = sink.set(key, value);
        }
        let tried = std::env::var("SET").unwrap_or_default();
        for (key, value) in tried.split(',').filter_map(|set| set.split_once('=')) {
            sink = sink.set(key, value);
        }
        let cores = match job.on_all_cores {
            true => &self.cores.all,
            false => &self.cores.one,
        };
        let sink = sink.pinned(cores).start();
        let pids = [self.kafka.pid(), milvus.pid(), sink.pid()];
        Running {
            others: usage::Others::than(pids),
            sink,
            milvus,
            start: Instant::now(),
        }
    }

    pub(super) fn sink_command(
        &self,
        topics: &[Topic],
        endpoint: &str,
    ) -> crate::sink::SinkCommand {
        let names: Vec<&str> = topics.iter().map(Topic::name).collect();
        Sink::new(self.binaries.join("kafka-milvus-sink")).config(&format!(
            "name={}\nbootstrap.servers={}\ntopics={}\npublic.endpoint={endpoint}\n",
            services::unique("bench"),
            self.kafka.bootstrap(),
            names.join(","),
        ))
    }

    /// Runs it until `rows` have been written.
    pub(super) fn run_sink(&self, job: &Job<'_>, rows: u64) -> Measured {
        let running = self.start_sink(job);
        running.await_rows(rows);
        running.measured()
    }
}

impl Running {
    pub(super) fn await_rows(&self, rows: u64) {
        let what = format_args!("{rows} rows; the sink is {:?}", self.sink);
        wait::until(LONG, what, || self.milvus.counts().rows >= rows);
    }

    pub(super) fn cpu(&self) -> Duration {
        usage::of_process(self.sink.pid())
    }

    pub(super) fn peak_rss_mib(&self) -> f64 {
        mib(self.sink.peak_rss_kib())
    }

    pub(super) fn others(&self) -> f64 {
        self.others.share()
    }

    /// Of all of it until now, its start included; the rate is without that.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a count of rows is far below 2^53"
    )]
    pub(super) fn measured(&self) -> Measured {
        let cpu = self.cpu();
        let seconds = self.start.elapsed();
        let counts = self.milvus.counts();
        Measured {
            cpu_per_million: cpu.as_secs_f64() * 1e6 / counts.rows as f64,
            peak_rss_mib: self.peak_rss_mib(),
            in_flight: self.request_seconds() / seconds.as_secs_f64(),
            others: self.others(),
            counts,
        }
    }

    /// The times of all requests together, by its own count.
    fn request_seconds(&self) -> f64 {
        let page = self.sink.metrics();
        let name = "milvus_sink_request_duration_seconds_sum ";
        let mut sums = page.lines().filter_map(|line| line.strip_prefix(name));
        sums.next().and_then(|sum| sum.parse().ok()).unwrap_or(0.0)
    }
}

pub(super) fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}
