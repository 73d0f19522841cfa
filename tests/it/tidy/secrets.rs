//! A rule about secrets: none lies in the repository.

use super::{Faults, File, check};

#[test]
fn d24_key_of_a_service_committed() {
    let broken = [
        ("a.xml", "<key>\n01234567-89ab-cdef-0123-456789abcdef</key>"),
        ("a.md", "an id such as 01234567-89ab is fine"),
        ("a.pem", "-----BEGIN EC PRIVATE KEY-----"),
    ];
    check(secrets, &broken, &["a.xml:2:", "a.pem:1:"]);
}

fn secrets(files: &[File]) -> Faults {
    let files = files.iter().filter(|file| !file.is_tidy());
    let fault = |file: &File| {
        file.each_line("looks like a key: keep it out of the repository", |line| {
            line.contains("PRIVATE KEY-----") || has_uuid(line)
        })
    };
    files.flat_map(fault).collect()
}

/// The form that most services give their keys.
fn has_uuid(line: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let words = line.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let is_uuid = |word: &str| word.split('-').map(str::len).eq(GROUPS);
    words.into_iter().any(is_uuid)
}
