//! One thread of another process stands still while its others go on, as under a debugger.

use std::fmt::{self, Debug, Formatter};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::services;

/// What a debugger does, by the calls that the standard library of Python can reach. A thread whose debugger has ended
/// goes on.
const DEBUGGER: &str = r#"
import ctypes, os, pathlib, sys
SEIZE, INTERRUPT, ALL = 0x4206, 0x4207, 0x40000000
pid, name = sys.argv[1:]
tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
thread, = (int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)
libc = ctypes.CDLL(None, use_errno=True)
for request in (SEIZE, INTERRUPT):
    if libc.ptrace(request, thread, None, None) != 0:
        sys.exit(f"cannot stop thread {name} of {pid}: {os.strerror(ctypes.get_errno())}")
os.waitpid(thread, ALL)
print("stopped", flush=True)
sys.stdin.read()
"#;

/// Dropping it lets the thread go on. Takes root, or a kernel that lets everybody debug their own processes.
pub struct StoppedThread {
    debugger: Child,
}

impl StoppedThread {
    /// Stops the one thread of the process that has this name.
    pub fn of(pid: u32, name: &str) -> StoppedThread {
        let mut python = services::python();
        python.args(["-c", DEBUGGER, &pid.to_string(), name]);
        python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut debugger = python.spawn().expect("python starts");
        let said = debugger.stdout.take().expect("a pipe");
        let mut line = String::new();
        let read = BufReader::new(said).read_line(&mut line);
        assert!(
            read.is_ok() && line == "stopped\n",
            "thread {name} of {pid} runs on"
        );
        StoppedThread { debugger }
    }
}

impl Drop for StoppedThread {
    fn drop(&mut self) {
        // Its standard input ends, and it with that.
        drop(self.debugger.stdin.take());
        self.debugger.wait().expect("a child can be waited for");
    }
}

impl Debug for StoppedThread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoppedThread").finish_non_exhaustive()
    }
}
