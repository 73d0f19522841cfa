//! `make bench`: the release binary from a topic that is full to a Milvus that keeps nothing, beside its parts alone.

mod columns;
mod fill;
mod flame_graph;
pub mod report;
mod rows;
mod sink;
pub mod stages;
mod usage;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

pub use self::fill::Bodies;
use self::report::Report;
use self::rows::ROWS;
use crate::kafka::{Broker, BrokerOptions, Topic};
use crate::null_milvus::{NullMilvus, Options};
use crate::services;
use crate::sink::pinned;
use crate::workload::Workload;

const MIB: u32 = 1 << 20;

/// What all measurements share: a broker, and topics by what is in them.
#[derive(Debug)]
pub struct Bench {
    kafka: Broker,
    cores: Cores,
    binaries: PathBuf,
    topics: HashMap<String, Topic>,
    /// Rows a second of W768, where that has been measured.
    w768_rate: Option<f64>,
}

/// Who runs where: the sink on the first core, its servers on the others.
#[derive(Debug)]
struct Cores {
    one: String,
    others: String,
    all: String,
}

impl Bench {
    /// Starts the broker. The sink lies beside the running program.
    pub fn start() -> Bench {
        let count = usage::cores();
        assert!(count >= 2, "one core for the sink, one for its servers");
        let here = std::env::current_exe().expect("a path");
        let kafka = Broker::start(&BrokerOptions::default());
        let cores = Cores {
            one: "0".to_owned(),
            others: format!("1-{}", count - 1),
            all: format!("0-{}", count - 1),
        };
        pin_running(kafka.pid(), &cores.others);
        Bench {
            kafka,
            cores,
            binaries: here.parent().expect("a folder").to_owned(),
            topics: HashMap::new(),
            w768_rate: None,
        }
    }

    /// The names of what can be measured.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|(name, _)| *name)
    }

    pub fn measure(&mut self, name: &str, report: &mut Report) {
        let found = ROWS.iter().find(|(known, _)| *known == name);
        let (_, measure) = found.unwrap_or_else(|| panic!("there is no measurement {name}"));
        measure(self, report);
    }

    /// `records` of the workload, in 1 MiB batches, filled when first asked for.
    fn topic(&mut self, workload: Workload, records: u64, partitions: i32) -> Topic {
        self.topic_in(workload, records, partitions, MIB)
    }

    fn topic_in(&mut self, workload: Workload, records: u64, partitions: i32, batch: u32) -> Topic {
        let name = format!("{workload}-{records}-{partitions}-{batch}");
        if let Some(topic) = self.topics.get(&name) {
            return topic.clone();
        }
        let config = [("max.message.bytes", "2097152")];
        let topic = self.kafka.topic_with("bench", partitions, &config);
        fill::fill(&topic, &Bodies::new(workload), records, batch);
        self.topics.insert(name, topic.clone());
        topic
    }

    fn null_milvus(&self, options: &Options) -> NullMilvus {
        let mut command = Command::new(self.binaries.join("bench"));
        command.arg("null-milvus");
        NullMilvus::start(pinned(&self.cores.others, &command), options)
    }

    /// A stage of this program, on the core that is otherwise the sink's.
    fn stage(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.args(arguments);
        pinned(&self.cores.one, &command)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.kafka.kill();
        services::remove_scratch(); // gigabytes
    }
}

/// All threads of a process that runs, and those to come.
fn pin_running(pid: u32, cores: &str) {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", cores]);
    let output = taskset.arg(pid.to_string()).output();
    let output = output.expect("taskset (util-linux) is installed");
    assert!(output.status.success(), "taskset failed");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
