//! Where `make services` puts the servers, and where their logs and data go.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);
static SWEEP: Once = Once::new();

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("testkit lies in the repository")
}

/// `target/services/<name>`; panics when it has not been fetched.
pub fn home(name: &str) -> PathBuf {
    let home = repository().join("target/services").join(name);
    assert!(
        home.join(".stamp").exists(),
        "target/services/{name} is missing: run `make services`"
    );
    home
}

/// The Python that has the official Milvus client, Milvus Lite and the schema checker.
pub fn python() -> Command {
    Command::new(home("milvus-lite").join("bin/python"))
}

/// `java`, from `JAVA_HOME` if that is set.
pub(crate) fn java() -> Command {
    match std::env::var_os("JAVA_HOME") {
        Some(home) => Command::new(Path::new(&home).join("bin/java")),
        None => Command::new("java"),
    }
}

/// A name that no other test of this run or of an earlier one uses: `<what>-<pid>-<counter>`.
pub fn unique(what: &str) -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{number}", std::process::id())
}

/// A collection's form of [`unique`]: Milvus takes letters, digits and `_`.
pub fn unique_collection(what: &str) -> String {
    unique(what).replace('-', "_")
}

/// A new folder for a server's or a test's files, kept until a later run finds this process gone.
pub fn scratch(what: &str) -> PathBuf {
    let all = repository().join("target/it-data");
    SWEEP.call_once(|| sweep(&all));
    let mine = all.join(std::process::id().to_string());
    let dir = mine.join(unique(what));
    fs::create_dir_all(&dir).expect("a folder below target/it-data");
    dir
}

/// Removes all folders of [`scratch`] that this process has made, once nothing uses them.
pub(crate) fn remove_scratch() {
    let mine = repository().join("target/it-data");
    // What cannot be removed now is found by a later run.
    drop(fs::remove_dir_all(
        mine.join(std::process::id().to_string()),
    ));
}

/// The log file of a process that is about to start.
pub(crate) fn log_file(name: &str) -> PathBuf {
    let logs = repository().join("target/it-logs");
    fs::create_dir_all(&logs).expect("target/it-logs");
    logs.join(format!("{}.log", unique(name)))
}

/// Removes the folders of test processes that are gone.
fn sweep(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else {
        return;
    };
    for entry in entries.flatten() {
        let alive = Path::new("/proc").join(entry.file_name()).exists();
        if !alive {
            // Another run may be sweeping too; what is left is found next time.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
