//! Milvus Lite: quick to come back, no authorization, no TLS. 3.2.2 is a server in Python; 2.5.1 is Milvus's own C++
//! core, which has more vector types and dies of columns that do not fit its schema.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::client::MilvusClient;
use crate::process::{Process, Signal};
use crate::{ports, services};

/// Which Milvus Lite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteRelease {
    V2_5_1,
    V3_2_2,
}

/// A running Milvus Lite. Dropping it kills it.
#[derive(Debug)]
pub struct Lite {
    process: Process,
    command: Box<Command>,
    port: u16,
}

impl Lite {
    /// Starts 3.2.2 on a new data folder.
    pub fn start() -> Lite {
        Lite::start_release(LiteRelease::V3_2_2)
    }

    /// Starts it on a new data folder.
    pub fn start_release(release: LiteRelease) -> Lite {
        Lite::start_with(release, &[])
    }

    /// Starts 3.2.2 so that it works on one request at a time: two that come first to a new log each begin the file, and
    /// a kill then leaves only the later one.
    pub fn start_one_at_a_time() -> Lite {
        Lite::start_with(LiteRelease::V3_2_2, &["--max-workers", "1"])
    }

    fn start_with(release: LiteRelease, arguments: &[&str]) -> Lite {
        let dir = services::scratch("milvus-lite");
        let port = ports::free();
        let mut command = command(release, &dir, port);
        command.args(arguments);
        let lite = Lite {
            process: Process::start("milvus-lite", &command),
            command: Box::new(command),
            port,
        };
        lite.await_ready();
        lite
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn client(&self) -> MilvusClient {
        MilvusClient::new(&self.endpoint(), None)
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&self) {
        self.process.stop(Duration::from_secs(10));
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it on the same port and data.
    pub fn start_again(&mut self) {
        let log = self.process.log().to_owned();
        self.process = Process::start_logging_to("milvus-lite", log, &self.command);
        self.await_ready();
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        self.process.signal(Signal::Stop);
    }

    pub fn resume(&self) {
        self.process.signal(Signal::Cont);
    }

    fn await_ready(&self) {
        super::await_ready(&self.process, &self.client());
    }
}

fn command(release: LiteRelease, dir: &Path, port: u16) -> Command {
    match release {
        LiteRelease::V2_5_1 => {
            let server = services::home("milvus-lite25").join("server");
            let mut command = Command::new(server.join("milvus"));
            command.env("LD_LIBRARY_PATH", &server).current_dir(dir);
            let address = format!("127.0.0.1:{port}");
            command.arg(dir.join("data.db")).args([&address, "ERROR"]);
            command
        }
        LiteRelease::V3_2_2 => {
            let mut command = services::python();
            command.args(["-m", "milvus_lite", "server", "--data-dir"]);
            command.arg(dir.join("data")).current_dir(dir);
            command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
            command
        }
    }
}
