//! The sink itself, as a child process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::milvus_server::ROOT_TOKEN;
use crate::process::{Process, Signal};
use crate::{kafka, ports, services};

/// Shows systemd's socket where programs look for it, and says that the standard error leads there.
const JOURNAL: &str = r#"
mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal &&
JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec "$@"
"#;

const TERMINAL: &str =
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// How to start the sink: `Sink::new(BINARY).file(&path).set("tasks.max", "2").start()`.
#[derive(Debug)]
pub struct SinkCommand {
    command: Command,
    ops_port: u16,
    secrets: Vec<String>,
}

/// A running sink. Dropping it kills it, and fails the test when the sink has written a secret anywhere.
#[derive(Debug)]
pub struct Sink {
    process: Process,
    ops_port: u16,
    secrets: Vec<String>,
}

impl Sink {
    /// `binary` is `env!("CARGO_BIN_EXE_kafka-milvus-sink")`. Its ops surface listens on a free port.
    #[allow(clippy::new_ret_no_self, reason = "reads as what it begins")]
    pub fn new(binary: impl AsRef<Path>) -> SinkCommand {
        let ops_port = ports::free();
        let command = Command::new(binary.as_ref());
        let sink = SinkCommand {
            command,
            ops_port,
            secrets: vec![kafka::PASSWORD.to_owned()],
        };
        let sink = sink.token(ROOT_TOKEN);
        sink.set("ops.listen", &format!("127.0.0.1:{ops_port}"))
    }
}

impl SinkCommand {
    /// One more argument, as `check` (before the files) or `--until-end`.
    pub fn arg(mut self, argument: &str) -> SinkCommand {
        self.command.arg(argument);
        self
    }

    /// One more configuration file.
    pub fn file(mut self, path: &Path) -> SinkCommand {
        self.command.arg(path);
        self
    }

    /// One more configuration file, with this text. A token in it may not be seen in what the sink writes.
    pub fn config(mut self, text: &str) -> SinkCommand {
        for token in text.lines().filter_map(|line| line.strip_prefix("token=")) {
            self = self.token(token);
        }
        let path = write_config(text);
        self.file(&path)
    }

    fn token(mut self, token: &str) -> SinkCommand {
        if token.chars().all(|c| c == '*') {
            return self; // the documentation's placeholder, and what a secret prints as
        }
        self.secrets.push(token.to_owned());
        self.secrets.push(BASE64.encode(token));
        self
    }

    /// `--set KEY=VALUE`.
    pub fn set(mut self, key: &str, value: &str) -> SinkCommand {
        self.command.arg("--set").arg(format!("{key}={value}"));
        self
    }

    /// A variable of its environment. A token in it may not be seen in what the sink writes.
    pub fn env(mut self, name: &str, value: &str) -> SinkCommand {
        self.command.env(name, value);
        if name.ends_with("TOKEN") {
            return self.token(value);
        }
        self
    }

    /// Looks names up in this file instead of the machine's: in a mount namespace of its own, which takes root, or a
    /// kernel that gives everybody a user namespace.
    pub fn hosts(self, file: &Path) -> SinkCommand {
        let mut unshare = Command::new("unshare");
        if !is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--mount", "sh", "-c"]);
        unshare.arg(r#"mount --bind "$0" /etc/hosts && exec "$@""#);
        unshare.arg(file);
        self.behind(unshare)
    }

    /// Its standard error is systemd's journal, whose socket is in this folder; as for [`SinkCommand::hosts`].
    pub fn journal(self, folder: &Path) -> SinkCommand {
        let mut unshare = Command::new("unshare");
        if !is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--mount", "sh", "-c", JOURNAL]).arg(folder);
        self.behind(unshare)
    }

    /// Its output is that of a terminal.
    pub fn on_terminal(self) -> SinkCommand {
        let mut python = Command::new("python3");
        python.args(["-c", TERMINAL]);
        self.behind(python)
    }

    /// Run by another command, which is given it as its last arguments.
    fn behind(mut self, outer: Command) -> SinkCommand {
        self.command = behind(outer, &self.command);
        self
    }

    /// On these processor cores alone, as `0` or `1-3`.
    pub fn pinned(mut self, cores: &str) -> SinkCommand {
        self.command = pinned(cores, &self.command);
        self
    }

    pub fn start(self) -> Sink {
        Sink {
            process: Process::start("sink", &self.command),
            ops_port: self.ops_port,
            secrets: self.secrets,
        }
    }

    /// Starts it, waits for its end and gives the exit code and all that it wrote.
    #[track_caller]
    pub fn run(self, timeout: Duration) -> (i32, String) {
        let sink = self.start();
        let code = sink.wait_exit(timeout);
        (code, sink.output())
    }
}

impl Sink {
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// All that it wrote to stdout and stderr so far.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Waits for a line that contains `text` and returns it.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, timeout: Duration) -> String {
        self.process.wait_for_line(text, timeout)
    }

    pub fn find_line(&self, text: &str) -> Option<String> {
        self.process.find_line(text)
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// SIGSTOP: it does nothing at all until [`Sink::thaw`].
    pub fn freeze(&self) {
        self.signal(Signal::Stop);
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::Cont);
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        self.process.exit_status().is_none()
    }

    /// Waits for its end; the exit code, or 128 + the signal that ended it.
    #[track_caller]
    pub fn wait_exit(&self, timeout: Duration) -> i32 {
        code(self.process.wait_exit(timeout))
    }

    /// SIGTERM, and the exit code.
    #[track_caller]
    pub fn terminate(&self, timeout: Duration) -> i32 {
        self.signal(Signal::Term);
        self.wait_exit(timeout)
    }

    /// SIGKILL.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Resident memory now.
    pub fn rss_kib(&self) -> u64 {
        self.process.memory_kib("VmRSS")
    }

    /// The most resident memory so far.
    pub fn peak_rss_kib(&self) -> u64 {
        self.process.memory_kib("VmHWM")
    }

    pub fn ops_port(&self) -> u16 {
        self.ops_port
    }

    /// Status and body of a GET on the ops surface; `None` while it does not answer.
    pub fn http_get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ops_port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        self.assert_no_secret(body);
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    /// The page of `/metrics`, without the label that says whose it is; empty while it does not answer.
    pub fn metrics(&self) -> String {
        let page = self.http_get("/metrics").unwrap_or_default().1;
        let Some(sink) = page.split_once("{sink=\"") else {
            return page;
        };
        let (name, _) = sink.1.split_once('"').expect("a label ends");
        let label = format!("{{sink=\"{name}\"");
        let page = page.replace(&format!("{label},"), "{");
        page.replace(&format!("{label}}}"), "")
    }

    /// The value on `/metrics` of a series, named with its labels, or of all with this name together; 0 where there is none.
    pub fn metric(&self, series: &str) -> i64 {
        let page = self.metrics();
        let values = page.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            let of_all = name.split('{').next() == Some(series);
            (of_all || name == series).then_some(value)
        });
        values
            .map(|value| value.parse::<i64>().expect("a whole number"))
            .sum()
    }

    /// Waits until `/readyz` answers with this status, and gives its text.
    #[track_caller]
    pub fn await_readyz(&self, status: u16, timeout: Duration) -> String {
        let what = format_args!("/readyz {status} from {}", self.process);
        crate::wait::some(timeout, what, || {
            let answer = self.http_get("/readyz")?;
            (answer.0 == status).then_some(answer.1)
        })
    }
}

impl Sink {
    fn assert_no_secret(&self, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret), "a secret is in:\n{text}");
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.process.kill();
            self.assert_no_secret(&self.output());
        }
    }
}

/// The same command on these processor cores alone.
pub(crate) fn pinned(cores: &str, command: &Command) -> Command {
    let mut taskset = Command::new("taskset");
    taskset.args(["--cpu-list", cores]);
    behind(taskset, command)
}

fn behind(mut outer: Command, inner: &Command) -> Command {
    outer.arg(inner.get_program()).args(inner.get_args());
    let envs = inner.get_envs();
    outer.envs(envs.filter_map(|(name, value)| Some((name, value?))));
    outer
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A configuration file with this text, readable by its owner alone.
pub fn write_config(text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = services::scratch("config").join("sink.properties");
    std::fs::write(&path, text).expect("the file can be written");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, private).expect("the file is ours");
    path
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(signal).expect("a code or a signal")
}
