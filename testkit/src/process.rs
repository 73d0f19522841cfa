//! A child process with its output in a log file. It cannot outlive the test process, not even when that is killed.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::{services, wait};

/// Becomes the command it is given, and leaves a watcher behind that kills the whole process group when the pipe on
/// standard input closes. The kernel closes it when the test process ends, whatever ended it.
const WATCHED: &str = r#"
exec 3<&0
(read -r _ <&3; kill -9 -$$) &
exec "$@" </dev/null 3<&-
"#;

/// Signals that tests send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Term,
    Int,
    Kill,
    Stop,
    Cont,
    Hup,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Signal::Term => "TERM",
            Signal::Int => "INT",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Cont => "CONT",
            Signal::Hup => "HUP",
        }
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    // What the log held before this start.
    log_start: usize,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `command` with a log of its own.
    pub fn start(name: &str, command: &Command) -> Process {
        Self::start_logging_to(name, services::log_file(name), command)
    }

    /// Starts `command`, adding to `log`.
    pub fn start_logging_to(name: &str, log: PathBuf, command: &Command) -> Process {
        let output = OpenOptions::new().create(true).append(true).open(&log);
        let output = output.expect("the log file can be opened");
        let log_start = usize::try_from(output.metadata().map_or(0, |m| m.len())).unwrap();
        let child = watched(command, output).spawn().expect("sh starts");
        Process {
            name: name.to_owned(),
            log,
            log_start,
            child: Mutex::new(child),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it has written since this start.
    pub fn output(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let mine = bytes.get(self.log_start..).unwrap_or_default();
        String::from_utf8_lossy(mine).into_owned()
    }

    /// `Some` when it has ended.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap().try_wait().unwrap()
    }

    /// Waits for its end; panics with the end of its log when it does not come.
    #[track_caller]
    pub fn wait_exit(&self, timeout: Duration) -> ExitStatus {
        wait::some(timeout, format_args!("the end of {self}"), || {
            self.exit_status()
        })
    }

    /// Waits until `ready` gives a value; panics with the end of the log when the process ends before, or too late.
    #[track_caller]
    pub fn await_ready<T>(&self, timeout: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
        let what = format_args!("an answer of {self}");
        let found = wait::some(timeout, what, || match ready() {
            Some(value) => Some(Ok(value)),
            None => self.exit_status().map(Err),
        });
        found.unwrap_or_else(|status| panic!("not ready but ended with {status}: {self}"))
    }

    /// Waits for a line that contains `text` and returns it.
    #[track_caller]
    pub fn wait_for_line(&self, text: &str, timeout: Duration) -> String {
        wait::some(timeout, format_args!("{text:?} from {self}"), || {
            self.find_line(text)
        })
    }

    pub fn find_line(&self, text: &str) -> Option<String> {
        let output = self.output();
        output
            .lines()
            .find(|line| line.contains(text))
            .map(str::to_owned)
    }

    /// Sends a signal to the process itself (not to its group); one that has ended gets none.
    pub fn signal(&self, signal: Signal) {
        if self.exit_status().is_some() {
            return;
        }
        let kill = Command::new("sh")
            .args(["-c", r#"kill -s "$1" "$2""#, "sh", signal.name()])
            .arg(self.pid().to_string())
            .status();
        assert!(kill.is_ok_and(|status| status.success()), "kill failed");
    }

    /// SIGTERM, then SIGKILL when that was not enough in `patience`.
    pub fn stop(&self, patience: Duration) {
        self.signal(Signal::Term);
        let deadline = std::time::Instant::now() + patience;
        let over = || self.exit_status().is_some() || std::time::Instant::now() > deadline;
        wait::until(patience * 2, "a stop", over);
        self.kill();
    }

    /// SIGKILL, for it and for all that it started.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        // An error says that it has ended already.
        drop(child.kill());
        drop(child.stdin.take());
        child.wait().expect("a child can be waited for");
    }

    /// A number of kilobytes from its `/proc` status: `VmRSS`, `VmHWM` (the peak).
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|line| line.trim_matches([':', ' ', '\t']).split(' ').next());
        number.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// For messages: its name, its log and what it said last.
impl Display for Process {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        let last = lines.get(lines.len().saturating_sub(15)..);
        let (name, log) = (&self.name, self.log.display());
        let last = last.unwrap_or_default().join("\n");
        write!(f, "{name} (log: {log}), which said last:\n{last}\n")
    }
}

#[allow(
    clippy::print_stderr,
    reason = "beside the panic of the test that failed"
)]
impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of {}: {}", self.name, self.log.display());
        }
    }
}

fn watched(command: &Command, output: File) -> Command {
    let mut sh = Command::new("sh");
    sh.args(["-c", WATCHED, "sh"]).arg(command.get_program());
    sh.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => sh.env(name, value),
            None => sh.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        sh.current_dir(dir);
    }
    let errors = output.try_clone().expect("a second handle of the log");
    // A group of its own: the watcher's aim, and out of reach of a Ctrl-C on the terminal.
    sh.process_group(0);
    sh.stdin(Stdio::piped()).stdout(output).stderr(errors);
    sh
}
