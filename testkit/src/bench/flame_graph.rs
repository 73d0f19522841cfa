//! Where the time of the sink goes from end to end, as a picture: by `perf`, and by inferno's two programs.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Bench;
use super::sink::Job;
use crate::null_milvus::Options;
use crate::services;
use crate::workload::Workload;

const RECORDS: u64 = 150_000;
/// Once it runs evenly.
const FIRST_ROWS: u64 = 20_000;
/// Samples a second: no divisor of what else happens regularly.
const FREQUENCY: &str = "397";

/// Stacks as they lie in memory: neither librdkafka nor libc keeps frame pointers.
const DRAW: &str = r#"perf script --input "$0" 2> /dev/null | inferno-collapse-perf | inferno-flamegraph \
--title 'W768 from Kafka to Milvus, one core' > "$1""#;

impl Bench {
    /// Writes the picture of W768, end to end on one core.
    pub fn flame_graph(&mut self, svg: &Path) {
        let topic = self.topic(Workload::W768, RECORDS, 1);
        let running = self.start_sink(&Job::new(&topic, Options::new(Workload::W768)));
        running.await_rows(FIRST_ROWS);
        let samples = services::scratch("perf").join("perf.data");
        let mut perf = Command::new("perf");
        perf.args(["record", "--freq", FREQUENCY, "--call-graph", "dwarf,16384"]);
        perf.arg("--output").arg(&samples);
        perf.args(["--pid", &running.sink.pid().to_string()]);
        perf.stdout(Stdio::null()).stderr(Stdio::null());
        let mut perf = perf.spawn().expect("perf is installed");
        running.await_rows(RECORDS);
        drop(running); // and with the sink perf ends
        assert!(perf.wait().is_ok(), "perf");
        let mut draw = Command::new("bash");
        draw.args(["-o", "pipefail", "-c", DRAW])
            .arg(&samples)
            .arg(svg);
        let drawn = draw.status().expect("bash");
        assert!(
            drawn.success(),
            "is inferno installed? cargo install inferno"
        );
    }
}
