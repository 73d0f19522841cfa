//! How old a row is when Milvus has it, at a tenth of what the sink can do.
//!
//! Its key is the time at which its record was given to the producer, and the null Milvus keeps how long ago that was when
//! it acknowledges the row. So the producer's own wait for company (1 ms) is in it, and the broker.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::super::report::{Report, Target};
use super::super::sink::Job;
use super::super::{Bench, Bodies, fill};
use crate::null_milvus::Options;
use crate::wait;
use crate::workload::Workload;

const SECONDS: u32 = 15;
const ROWS_TO_KNOW_THE_RATE: u64 = 50_000;
/// Records are given in portions, so many in a second.
const PORTIONS: u32 = 100;

const P99: Target = Target {
    measure: "row latency at 10 % load, linger.ms=5: 99 of 100",
    unit: "ms",
    floor: 40.0,
    stretch: 20.0,
};

pub(super) fn measure(bench: &mut Bench, report: &mut Report) {
    let rate = match bench.w768_rate {
        Some(rate) => rate,
        None => rate_of(bench),
    };
    let topic = bench.kafka.topic("bench_latency", 1);
    let job = Job {
        settings: &[("linger.ms", "5")],
        ..Job::new(
            &topic,
            Options {
                keys_are_times: true,
                ..Options::new(Workload::W768)
            },
        )
    };
    let running = bench.start_sink(&job);
    running.sink.await_readyz(200, Duration::from_secs(60));
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few hundred"
    )]
    let portion = (rate / 10.0 / f64::from(PORTIONS)) as u64;
    let bodies = Bodies::new(Workload::W768);
    let producer = fill::producer(&topic, 1 << 20, 1);
    let mut text = String::new();
    let mut last = 0;
    let start = Instant::now();
    for number in 0..SECONDS * PORTIONS {
        let due = Duration::from_secs(1) / PORTIONS * number;
        wait::until(2 * due + Duration::from_secs(1), "a portion", || {
            start.elapsed() >= due
        });
        for _ in 0..portion {
            // Two of one microsecond would be one row.
            last = now_micros().max(last + 1);
            bodies.write(last, &mut text);
            fill::send(&producer, &topic, 0, &text);
        }
    }
    running.await_rows(portion * u64::from(SECONDS * PORTIONS));
    let (counts, others) = (running.milvus.counts(), running.others());
    report.figure("latency: load", rate / 10.0, "records/s", others);
    report.figure("latency: median", counts.median_ms, "ms", others);
    report.figure("latency: 99 of 100", counts.p99_ms, "ms", others);
    report.figure("latency: the most", counts.most_ms, "ms", others);
    report.row(P99, counts.p99_ms, others);
}

fn rate_of(bench: &mut Bench) -> f64 {
    let topic = bench.topic(Workload::W768, 150_000, 1);
    let job = Job::new(&topic, Options::new(Workload::W768));
    let run = bench.run_sink(&job, ROWS_TO_KNOW_THE_RATE);
    run.counts.rows_per_second()
}

fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.expect("a clock after 1970").as_micros();
    u64::try_from(micros).expect("fits for a long time")
}
