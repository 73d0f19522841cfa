//! Milvus 2.3.5 standalone, started without the launcher of its package: that one leaves its child behind when killed,
//! unpacks the server anew for every data folder, and keeps etcd on two fixed ports of the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::client::MilvusClient;
use crate::process::{Process, Signal};
use crate::{ports, services};

/// The token of the user that is always there.
pub const ROOT_TOKEN: &str = "root:Milvus";

// A graceful stop waits half an hour for streams that never end; after this second it aborts.
const GRACEFUL_STOP_SECONDS: &str = "1";
// A server that was killed is forgotten after this time, and its successor begins to serve queries.
const SESSION_SECONDS: &str = "10";

/// How a standalone is set up.
#[derive(Debug, Clone)]
pub struct StandaloneOptions {
    /// Asks for a token.
    pub authorization: bool,
    /// Settings by the keys of milvus.yaml, as `quotaAndLimits.dml.enabled`.
    pub settings: Vec<(String, String)>,
}

impl Default for StandaloneOptions {
    fn default() -> Self {
        StandaloneOptions {
            authorization: true,
            settings: Vec::new(),
        }
    }
}

/// A running 2.3.5. Dropping it kills it.
#[derive(Debug)]
pub struct Standalone {
    process: Process,
    command: Command,
    port: u16,
    options: StandaloneOptions,
}

impl Standalone {
    /// Starts it on a new data folder.
    pub fn start(options: &StandaloneOptions) -> Standalone {
        let dir = services::scratch("milvus");
        let port = ports::free();
        let command = command(&dir, port, options);
        let standalone = Standalone {
            process: Process::start("milvus", &command),
            command,
            port,
            options: options.clone(),
        };
        standalone.await_ready();
        standalone
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What lets a client in.
    pub fn token(&self) -> Option<&'static str> {
        self.options.authorization.then_some(ROOT_TOKEN)
    }

    pub fn client(&self) -> MilvusClient {
        MilvusClient::new(&self.endpoint(), self.token())
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&self) {
        self.process.stop(Duration::from_secs(20));
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// A setting for the next start.
    pub fn set(&mut self, key: &str, value: &str) {
        set(&mut self.command, key, value);
    }

    /// Starts it on the same port and data. Writes work when this returns; the first query waits about ten seconds more
    /// ([`MilvusClient::query`] does).
    pub fn start_again(&mut self) {
        let log = self.process.log().to_owned();
        self.process = Process::start_logging_to("milvus", log, &self.command);
        self.await_ready();
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers. It ends itself when that lasts ten seconds.
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

fn command(dir: &Path, port: u16, options: &StandaloneOptions) -> Command {
    let server = services::home("milvus").join("server");
    let mut command = Command::new(server.join("bin/milvus"));
    command.args(["run", "standalone"]).current_dir(dir);
    command.env("DEPLOY_MODE", "STANDALONE");
    command.env("LD_LIBRARY_PATH", server.join("bin"));
    command.env("MILVUS_RUN_DIR", dir.join("run"));
    command.env("METRICS_PORT", ports::free().to_string());
    let etcd = configure(dir, &server, port);
    let mut set = |key: &str, value: &str| set(&mut command, key, value);
    set("etcd.config.path", &etcd.to_string_lossy());
    set("common.gracefulStopTimeout", GRACEFUL_STOP_SECONDS);
    set("common.session.ttl", SESSION_SECONDS);
    let authorization = options.authorization.to_string();
    set("common.security.authorizationEnabled", &authorization);
    for (key, value) in &options.settings {
        set(key, value);
    }
    command
}

/// A variable named like a key of milvus.yaml wins over the file.
fn set(command: &mut Command, key: &str, value: &str) {
    command.env(key.to_uppercase().replace('.', "_"), value);
}

/// Writes the configuration files below `dir`; gives the one of the embedded etcd.
fn configure(dir: &Path, server: &Path, port: u16) -> PathBuf {
    let configs = dir.join("configs");
    fs::create_dir_all(&configs).expect("a folder for the configuration");
    fs::create_dir_all(dir.join("logs")).expect("a folder for glog");
    fs::copy(server.join("glog.conf"), configs.join("glog.conf")).expect("glog.conf");
    let etcd_port = ports::free();
    let etcd = configs.join("etcd.yaml");
    fs::write(&etcd, etcd_config(etcd_port, ports::free())).expect("etcd.yaml");
    let template = fs::read_to_string(server.join("config.yaml.template"));
    let milvus = fill(&template.expect("the template of milvus.yaml"), |name| {
        let below = |path: &str| Some(dir.join(path).to_string_lossy().into_owned());
        match name {
            "proxy_port" => Some(port.to_string()),
            "etcd_port" => Some(etcd_port.to_string()),
            name if name.ends_with("_port") => Some(ports::free().to_string()),
            "etcd_log_level" => Some("warn".to_owned()),
            "etcd_log_path" => below("logs/etcd.log"),
            "etcd_data_dir" => below("data/etcd"),
            "local_storage_dir" => below("data"),
            "rocksmq_data_dir" => below("data/rocksmq"),
            "system_log_path" => Some(String::new()),
            _ => None,
        }
    });
    fs::write(configs.join("milvus.yaml"), milvus).expect("milvus.yaml");
    etcd
}

/// Fills in `{{ name(type): default }}`, where `value` gives nothing with the default.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (placeholder, rest) = part.split_once("}}").expect("a closed placeholder");
        let (name, default) = placeholder.split_once(':').unwrap_or((placeholder, ""));
        let name = name.split('(').next().unwrap_or_default().trim();
        text += &value(name).unwrap_or_else(|| default.trim().to_owned());
        text += rest;
    }
    text
}

// Not synchronizing is what makes etcd quick; a test machine that loses power loses nothing.
fn etcd_config(client: u16, peer: u16) -> String {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    format!(
        "name: default\n\
         listen-client-urls: {client}\n\
         advertise-client-urls: {client}\n\
         listen-peer-urls: {peer}\n\
         initial-advertise-peer-urls: {peer}\n\
         initial-cluster: default={peer}\n\
         unsafe-no-fsync: true\n"
    )
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn placeholders_take_the_given_value_or_their_default() {
        let template = "a: {{ a_port(int): 1 }} # x\nb: {{ b }}\nc: {{ c: local }}";
        let given = |name: &str| (name == "a_port" || name == "b").then(|| format!("<{name}>"));
        assert_eq!(fill(template, given), "a: <a_port> # x\nb: <b>\nc: local");
    }
}
