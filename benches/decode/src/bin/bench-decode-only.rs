//! Decode only, as a stage of `make bench`: payloads into requests as the writer does it, which are then dropped.
#![allow(clippy::expect_used, reason = "a tool that ends where it cannot go on")]

use bench_decode::corpus::Corpus;
use bench_decode::sink::Sink;
use testkit::bench::stages::Clock;
use testkit::workload::Workload;

/// Requests that differ: more than a cache holds, or a predictor learns.
const DIFFERENT: u64 = 4;

/// Takes a workload and how many of its records to decode, at least.
fn main() {
    let mut arguments = std::env::args().skip(1);
    let workload: Workload = arguments.next().expect("a workload").parse().expect("one");
    let wanted: u64 = arguments.next().expect("a count").parse().expect("one");
    let each = Corpus::full(workload).records();
    let all = Corpus::of(workload, DIFFERENT * each as u64);
    let sinks = all.payloads.chunks(each).map(|payloads| {
        Sink::new(&Corpus {
            workload,
            payloads: payloads.to_vec(),
        })
    });
    let sinks: Vec<Sink> = sinks.collect();
    let mut records = 0;
    let clock = Clock::start();
    for sink in sinks.iter().cycle() {
        records += u64::from(sink.decode().rows());
        if records >= wanted {
            break;
        }
    }
    clock.stop(records);
}
