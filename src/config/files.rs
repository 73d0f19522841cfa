//! The files of the command line: read, told apart (worker, connector), with what is wrong in them.

use std::path::{Path, PathBuf};

use super::keys;
use super::properties::{self, Entry};
use super::report::{Problem, Report};

/// One file that could be read.
pub(super) struct File {
    pub(super) path: String,
    /// It names `connector.class`; all others are worker files.
    pub(super) is_connector: bool,
    pub(super) entries: Vec<Entry>,
}

impl File {
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// `FILE:LINE`.
    pub(super) fn origin(&self, entry: &Entry) -> String {
        format!("{}:{}", self.path, entry.line)
    }
}

/// Worker files in the order given, then the connector's.
pub(super) fn read(paths: &[PathBuf], report: &mut Report) -> Vec<File> {
    let mut files: Vec<File> = paths
        .iter()
        .filter_map(|path| read_one(path, report))
        .collect();
    files.sort_by_key(|file| file.is_connector);
    if let [.., first, second] = files.as_slice()
        && first.is_connector
    {
        let why = format!(
            "is a connector file like {} (both have connector.class), and one process is one sink; start a process for each",
            first.path
        );
        report.add(&second.path, "", Problem::Refused { why });
    }
    files
}

fn read_one(path: &Path, report: &mut Report) -> Option<File> {
    let name = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.add(&name, "", Problem::Unreadable(error));
            return None;
        }
    };
    let read = properties::parse_latin1(&bytes);
    for fault in read.faults {
        let origin = format!("{name}:{}", fault.line);
        report.add(&origin, "", Problem::Syntax(fault.kind));
    }
    if read.byte_order_mark {
        report.warn(format!(
            "{name} begins with a UTF-8 byte order mark, which is ignored (Java would not ignore it)"
        ));
    } else if !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok() {
        report.warn(format!(
            "{name} looks like UTF-8 and is read as ISO-8859-1, as Java does; write other characters as \\u escapes"
        ));
    }
    let mut file = File {
        path: name,
        is_connector: false,
        entries: read.entries,
    };
    file.is_connector = file.has("connector.class");
    warn_of_open_secrets(path, &file, report);
    Some(file)
}

/// A secret that every user of the machine can read is worth a word.
fn warn_of_open_secrets(path: &Path, file: &File, report: &mut Report) {
    let secret = file.entries.iter().find(|entry| {
        let literal =
            !entry.value.contains("${") && !entry.value.trim().trim_matches('*').is_empty();
        literal && keys::is_secret(&entry.key)
    });
    if let Some(entry) = secret
        && is_world_readable(path)
    {
        report.warn(format!(
            "{}: {} is a secret in a file that every user can read; chmod 600 it, or use {}",
            file.origin(entry),
            entry.key,
            keys::variable(&entry.key)
        ));
    }
}

#[cfg(unix)]
fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_world_readable(_: &Path) -> bool {
    false
}
