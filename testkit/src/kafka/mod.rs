//! Real Kafka brokers: one KRaft node on free ports, or a cluster of three. And a scripted one.

mod cluster;
mod group;
mod log;
mod mock;
mod properties;
mod raw;
mod reading;
mod topic;
mod transaction;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Process, Signal};
use crate::tls::TestCa;
use crate::{ports, services};

pub use cluster::Cluster;
pub use mock::{Answer, MockBroker};
pub use properties::Listener;
pub use topic::{Record, Topic};
pub use transaction::Transaction;

/// The one SASL user of every secure listener.
pub const USER: &str = "alice";
pub const PASSWORD: &str = "alice-secret";

const START: Duration = Duration::from_secs(60);
// A small heap, and no time spent on optimizing what runs for seconds.
const JVM: [&str; 3] = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const CLUSTER_ID: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

/// What a broker has besides its plain listener.
#[derive(Debug, Clone, Default)]
pub struct BrokerOptions {
    /// Listeners with TLS and SASL too: see [`Listener`].
    pub secure: bool,
    /// Lines of server.properties that win over ours.
    pub properties: Vec<(String, String)>,
}

/// A running broker. Dropping it kills it.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    home: Home,
}

type Ports = [u16; Listener::ALL.len()];

/// What outlives the process: folder, ports and CA.
#[derive(Debug)]
struct Home {
    dir: PathBuf,
    ports: Ports,
    ca: TestCa,
}

impl Broker {
    /// Formats a new log directory and starts a broker on it.
    pub fn start(options: &BrokerOptions) -> Broker {
        let ports = Listener::ALL.map(|_| ports::free());
        let mut started = Self::start_all([(ports, options.clone())]);
        started.remove(0)
    }

    /// Starts brokers side by side, for those that wait for each other.
    fn start_all<const N: usize>(wanted: [(Ports, BrokerOptions); N]) -> Vec<Broker> {
        let homes = wanted.map(|(ports, options)| Home::new(ports, &options));
        let formats = homes.each_ref().map(Home::start_format);
        for format in formats {
            let status = format.wait_exit(START);
            assert!(status.success(), "cannot format: {format}");
        }
        let brokers = homes.map(|home| Broker {
            process: Process::start("kafka", &broker_command(&home.dir)),
            home,
        });
        for broker in &brokers {
            broker.await_started();
        }
        brokers.into()
    }

    /// `host:port` of the plain listener.
    pub fn bootstrap(&self) -> String {
        self.bootstrap_of(Listener::Plain)
    }

    /// `host:port` of a listener; all but the plain one need [`BrokerOptions::secure`].
    pub fn bootstrap_of(&self, listener: Listener) -> String {
        format!("127.0.0.1:{}", self.home.ports[listener as usize])
    }

    /// The CA that signed the certificate of the TLS listeners.
    pub fn ca(&self) -> &TestCa {
        &self.home.ca
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A new topic with a name of its own: `<test>-<pid>-<counter>`.
    pub fn topic(&self, test: &str, partitions: i32) -> Topic {
        self.topic_with(test, partitions, &[])
    }

    /// A new topic with settings, as `cleanup.policy`.
    pub fn topic_with(&self, test: &str, partitions: i32, config: &[(&str, &str)]) -> Topic {
        self.topic_named(&services::unique(test), partitions, config)
    }

    /// A new topic of exactly this name.
    pub fn topic_named(&self, name: &str, partitions: i32, config: &[(&str, &str)]) -> Topic {
        Topic::create(&self.bootstrap(), name, partitions, config)
    }

    /// Changes one byte of the batch that holds `offset`; the broker must be stopped.
    pub fn corrupt(&self, topic: &str, partition: i32, offset: i64) {
        let dir = self
            .home
            .dir
            .join("data")
            .join(format!("{topic}-{partition}"));
        log::corrupt(&dir, offset);
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&self) {
        self.process.stop(Duration::from_secs(20));
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it on the same ports and data, after [`Broker::stop`] or [`Broker::kill`].
    pub fn start_again(&mut self) {
        self.spawn_again();
        self.await_started();
    }

    fn spawn_again(&mut self) {
        let log = self.process.log().to_owned();
        let command = broker_command(&self.home.dir);
        self.process = Process::start_logging_to("kafka", log, &command);
    }

    fn await_started(&self) {
        let is_up = || self.process.find_line("Kafka Server started");
        self.process.await_ready(START, is_up);
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        self.process.signal(Signal::Stop);
    }

    pub fn resume(&self) {
        self.process.signal(Signal::Cont);
    }
}

impl Home {
    /// A new folder with the configuration in it.
    fn new(ports: Ports, options: &BrokerOptions) -> Home {
        let dir = services::scratch("kafka");
        let ca = TestCa::new();
        let server = ca.issue_local().key_store();
        fs::write(dir.join("server.pem"), server).expect("server.pem can be written");
        fs::write(dir.join("log4j2.properties"), properties::LOG4J).expect("log4j2.properties");
        let text = properties::server(&dir, ca.path(), &ports, options);
        fs::write(dir.join("server.properties"), text).expect("server.properties");
        Home { dir, ports, ca }
    }

    fn start_format(&self) -> Process {
        let mut command = java("kafka.tools.StorageTool", &self.dir);
        command.args(["format", "-t", CLUSTER_ID, "-c"]);
        command.arg(self.dir.join("server.properties"));
        command.arg("--add-scram");
        command.arg(format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]"));
        Process::start("kafka-format", &command)
    }
}

fn broker_command(dir: &Path) -> Command {
    let mut command = java("kafka.Kafka", dir);
    command.arg(dir.join("server.properties"));
    command
}

fn java(class: &str, dir: &Path) -> Command {
    let mut command = services::java();
    let log4j = dir.join("log4j2.properties");
    command.args(JVM);
    command.arg(format!("-Dlog4j2.configurationFile={}", log4j.display()));
    command.arg("-cp");
    command.arg(services::home("kafka").join("lib/*"));
    command.arg(class);
    command
}
