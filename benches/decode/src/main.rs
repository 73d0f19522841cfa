//! `make bench-decode` and `make bench-check`: how fast the sink makes requests of records.
//!
//! ```text
//! bench-decode                          measure, print tables, write target/bench-decode.json
//! bench-decode check                    … and fail where docs/benchmarks.json says better
//! bench-decode update                   … and write that file, and tables and chart of docs/benchmarks.md
//! bench-decode run WORKLOAD RECORDS PASSES      decode so many records so often, print the CPU time
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bench_decode::agreement::assert_same;
use bench_decode::corpus::Corpus;
use bench_decode::figures::{Figures, WorkloadFigures, rounded};
use bench_decode::rounds::{cpu_time, measure};
use bench_decode::sink::Sink;
use bench_decode::{allocations, check, instructions, report};
use testkit::results;
use testkit::workload::Workload;

/// A million are decoded for the target; `RECORDS` says otherwise.
const COUNTED_RECORDS: usize = 100_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => measured(),
        ["check"] => return checked(),
        ["update"] => update(),
        ["run", workload, records, passes] => {
            let workload = workload.parse().expect("a workload");
            run(
                workload,
                records.parse().expect("a number"),
                passes.parse().expect("a number"),
            );
        }
        _ => {
            eprintln!("bench-decode [check | update | run WORKLOAD RECORDS PASSES]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn measured() {
    let figures = figures(false);
    println!("{}", report::tables(&figures));
    let binary = std::env::current_exe().expect("this binary");
    let target = binary
        .ancestors()
        .nth(2)
        .expect("target/release/bench-decode");
    let file = target.join("bench-decode.json");
    figures.write(&file);
    println!("written to {}", file.display());
}

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(file)
}

fn checked() -> ExitCode {
    let recorded = Figures::read(&docs("benchmarks.json"));
    let recorded =
        recorded.expect("figures in docs/benchmarks.json; make bench-check UPDATE=1 writes them");
    let now = figures(true);
    println!("{}", report::tables(&now));
    let losses = check::losses(&recorded, &now);
    if losses.is_empty() {
        println!("nothing is slower than docs/benchmarks.json says");
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "slower than docs/benchmarks.json says (measured on {}):",
        recorded.machine
    );
    losses.iter().for_each(|loss| eprintln!("  {loss}"));
    ExitCode::FAILURE
}

fn update() {
    let figures = figures(true);
    figures.write(&docs("benchmarks.json"));
    let document = docs("benchmarks.md");
    let text = fs::read_to_string(&document).expect("docs/benchmarks.md");
    fs::write(&document, report::inserted(&text, &figures)).expect("docs/benchmarks.md");
    report::draw(&docs("decoding.svg"), &figures);
    println!("{}", report::tables(&figures));
}

fn figures(with_instructions: bool) -> Figures {
    assert!(
        is_plain_serde_json(),
        "serde_json has float_roundtrip; build this package alone, as make does"
    );
    let workloads = Workload::ALL.map(|workload| {
        eprintln!("{workload}");
        of_workload(workload, with_instructions)
    });
    Figures {
        machine: results::machine(),
        workloads: workloads.into(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn of_workload(workload: Workload, with_instructions: bool) -> WorkloadFigures {
    let corpus = Corpus::full(workload);
    assert_same(&corpus);
    let times = measure(&corpus);
    let seconds_per_record = times.seconds / corpus.records() as f64;
    let bytes_per_record = corpus.bytes() as f64 / corpus.records() as f64;
    let floats = workload.floats();
    let counted =
        std::env::var("RECORDS").map(|records| records.parse().expect("RECORDS is a number"));
    let instructions = with_instructions.then(|| {
        let count = instructions::count(workload, bytes_per_record);
        rounded(count.expect("valgrind, which counts the instructions"), 0)
    });
    WorkloadFigures {
        workload: workload.name().to_owned(),
        bytes_per_record: rounded(bytes_per_record, 0),
        records_per_second: rounded(1.0 / seconds_per_record, 0),
        ns_per_float: (floats > 0).then(|| rounded(seconds_per_record * 1e9 / floats as f64, 1)),
        ratios: times.ratios,
        allocations_per_record: rounded(
            allocations::count(workload, counted.unwrap_or(COUNTED_RECORDS)),
            4,
        ),
        instructions_per_record: instructions,
    }
}

/// By default serde_json is one unit in the last place off here, and faster.
fn is_plain_serde_json() -> bool {
    let number = "48.198470861948636";
    let read: f64 = serde_json::from_str(number).expect("a number");
    Ok(read) != number.parse()
}

/// Nothing else beside the decoding, for tools that look at it: JSON on one line.
fn run(workload: Workload, records: u64, passes: u32) {
    let corpus = Corpus::of(workload, records);
    let mut sink = Sink::new(&corpus);
    let mut request = Vec::new();
    let mut seconds = Duration::ZERO;
    for _ in 0..passes {
        let start = cpu_time();
        sink.run(&mut request);
        seconds += cpu_time() - start;
    }
    let records = records * u64::from(passes);
    println!(
        "{}",
        serde_json::json!({
            "workload": workload.name(), "records": records, "cpu_seconds": seconds.as_secs_f64(),
            "json_bytes": corpus.bytes() * passes as usize, "request_bytes": request.len() * passes as usize,
        })
    );
}
