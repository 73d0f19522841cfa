//! How often memory is asked for: counted by a binary of its own, `bench-allocations`.

use std::process::Command;

use testkit::workload::Workload;

use crate::corpus::Corpus;
use crate::sink::Sink;

/// Per record, by the binary beside this one.
pub fn count(workload: Workload, records: usize) -> f64 {
    let binary = std::env::current_exe()
        .expect("this binary")
        .with_file_name("bench-allocations");
    let mut command = Command::new(binary);
    let output = command
        .args([workload.name(), &records.to_string()])
        .output();
    let output = output.expect("bench-allocations is built by make");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("a number")
}

/// What that binary does: requests one after the other, of `records` or a few more, behind a first one that is not counted.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
pub fn per_record(
    workload: Workload,
    records: usize,
    counted: impl FnOnce(&mut dyn FnMut()) -> u64,
) -> f64 {
    let corpus = Corpus::full(workload);
    let mut sink = Sink::new(&corpus);
    let mut request = Vec::new();
    sink.run(&mut request);
    let requests = records.div_ceil(corpus.records());
    let allocations = counted(&mut || (0..requests).for_each(|_| sink.run(&mut request)));
    allocations as f64 / (requests * corpus.records()) as f64
}
