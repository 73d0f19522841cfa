//! Rules about Rust files.

use std::collections::BTreeSet;

use super::{Faults, File, check};

const MAX_LINES: usize = 400;

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let broken = [
        ("src/a.rs", "//! A thing.\n"),
        ("src/b.rs", "use x;\n"),
        ("src/c.rs", ""),
    ];
    check(headers, &broken, &["src/b.rs:1:", "src/c.rs:1:"]);
}

fn headers(files: &[File]) -> Faults {
    let wrong = |file: &&File| !file.text.starts_with("//! ");
    let files = files.iter().filter(|file| file.is_rust()).filter(wrong);
    files
        .map(|file| file.fault(1, "wants a //! line first"))
        .collect()
}

#[test]
fn a_file_is_short() {
    let long = "//! x\n".repeat(MAX_LINES + 1);
    check(
        sizes,
        &[("src/a.rs", &long), ("docs/a.md", &long)],
        &["src/a.rs:401:"],
    );
}

fn sizes(files: &[File]) -> Faults {
    let rust = files.iter().filter(|file| file.is_rust());
    let lines = rust.map(|file| (file, file.lines().count()));
    let long = lines.filter(|(_, lines)| *lines > MAX_LINES);
    let fault = |(file, lines): (&File, usize)| {
        let what = format!("more than {MAX_LINES} lines: split it by what it does");
        file.fault(lines, &what)
    };
    long.map(fault).collect()
}

#[test]
fn every_file_is_part_of_something() {
    let broken = [
        ("src/lib.rs", "pub mod a;\nmod b;"),
        ("src/a.rs", ""),
        ("src/b/mod.rs", "#[cfg(test)]\nmod c;"),
        ("src/b/c.rs", "mod b;"),
        ("src/b/d.rs", ""),
        ("tests/it/main.rs", "mod a;\n// mod b;"),
        ("tests/it/a.rs", "mod c;"),
        ("tests/it/a/c.rs", ""),
        ("tests/it/b.rs", ""),
    ];
    check(declared, &broken, &["src/b/d.rs:1:", "tests/it/b.rs:1:"]);
}

/// A file that no other one declares is not compiled, and its tests are not run.
fn declared(files: &[File]) -> Faults {
    let is_declared = |file: &&File| {
        let Some((folder, name)) = file.module().rsplit_once('/') else {
            return true;
        };
        let homes = ["/main.rs", "/lib.rs", "/mod.rs", ".rs"].map(|home| format!("{folder}{home}"));
        let line = format!("mod {name};");
        let declares = |text: &str| !text.starts_with('/') && text.ends_with(&line);
        let mut homes = files.iter().filter(|file| homes.contains(&file.path));
        matches!(name, "main" | "lib") || homes.any(|home| home.text.lines().any(declares))
    };
    let roots = ["src/", "tests/it/", "testkit/src/"];
    let is_one = |file: &&File| {
        let is_under = |root: &&str| file.path.starts_with(*root);
        file.is_rust() && roots.iter().any(is_under) && !file.path.contains("/bin/")
    };
    let lost = files
        .iter()
        .filter(is_one)
        .filter(|file| !is_declared(file));
    lost.map(|file| file.fault(1, "no file declares it as a module"))
        .collect()
}

#[test]
fn client_libraries_are_named_only_in_their_folders() {
    let broken = [
        ("src/kafka/a.rs", "use rdkafka::Message;"),
        ("src/milvus/a.rs", "use tonic::Code;\nuse rdkafka::Message;"),
        (
            "src/a.rs",
            "//! librdkafka, tonic_prost\nfn f(m: rdkafka::M) {}",
        ),
        ("src/kafka/b.rs", "tonic::Code"),
        ("testkit/src/a.rs", "use rdkafka::x; use tonic::y;"),
    ];
    let places = ["src/milvus/a.rs:2:", "src/a.rs:2:", "src/kafka/b.rs:1:"];
    check(libraries, &broken, &places);
}

fn libraries(files: &[File]) -> Faults {
    let rust = files
        .iter()
        .filter(|file| file.is_rust() && !file.is_tidy());
    let ours = rust.filter(|file| !file.path.starts_with("testkit/"));
    let faults = |file: &File| {
        let mut faults = Faults::new();
        for (library, home) in [("rdkafka", "src/kafka/"), ("tonic", "src/milvus/")] {
            if !file.path.starts_with(home) {
                let what = format!("{library} is named only in {home}");
                faults.extend(file.each_line(&what, |line| has_word(line, library)));
            }
        }
        faults
    };
    ours.flat_map(faults).collect()
}

#[test]
fn a_list_of_offsets_is_committed_in_two_places() {
    let broken = [
        (
            "src/kafka/a.rs",
            "client.commit_consumer_state(Sync);\nclient.commit(&list, Sync);\nclient.commit_message(&m, Sync);",
        ),
        (
            "src/kafka/commit.rs",
            "client.commit(list, Sync);\nclient.commit(list, Sync);",
        ),
        ("src/kafka/group.rs", "client.commit(&list, Sync);"),
    ];
    let places = [
        "src/kafka/a.rs:2:",
        "src/kafka/a.rs:3:",
        "src/kafka/commit.rs:2:",
    ];
    check(commits, &broken, &places);
}

/// Once each: to follow a log that was cut off, and where a person sets the offsets of a group that nobody is in.
const COMMITS_A_LIST: [&str; 2] = ["src/kafka/commit.rs", "src/kafka/group.rs"];

fn commits(files: &[File]) -> Faults {
    let src = files.iter().filter(|file| file.path.starts_with("src/"));
    let what = "store offsets and use commit_consumer_state: it cannot commit for a partition that is gone";
    let calls = [".commit(", ".commit_message("];
    let faults = |file: &File| {
        let allowed = usize::from(COMMITS_A_LIST.contains(&&*file.path));
        let found = file.each_line(what, |line| calls.iter().any(|call| line.contains(call)));
        found.into_iter().skip(allowed)
    };
    src.flat_map(faults).collect()
}

/// Where there is no safe way to what the C library has, and the number kernel, which makes decoding vectors one and a half
/// times as fast; clippy asks for the proof at each use.
const UNSAFE: [&str; 5] = [
    "src/decode/floats/avx2.rs",
    "src/kafka/header_list.rs",
    "src/kafka/metadata.rs",
    "src/kafka/peek.rs",
    "src/kafka/topic_ids.rs",
];

#[test]
fn unsafe_code_is_only_in_the_files_named_here() {
    let broken = [(
        "src/a.rs",
        "//! unsafe is only a word here\nlet x = unsafe { y() };\n#![allow(unsafe_code)]\nunsafe fn z() {}",
    )];
    let places = ["src/a.rs:2:", "src/a.rs:3:", "src/a.rs:4:"];
    check(unsafe_code, &broken, &places);
}

fn unsafe_code(files: &[File]) -> Faults {
    let rust = files
        .iter()
        .filter(|file| file.is_rust() && !file.is_tidy() && !UNSAFE.contains(&&*file.path));
    let forms = [
        "unsafe {",
        "unsafe fn",
        "unsafe impl",
        "unsafe trait",
        "unsafe extern",
        "unsafe_code",
    ];
    let is_unsafe = |line: &str| forms.iter().any(|form| line.contains(form));
    rust.flat_map(|file| file.each_line("no unsafe code", is_unsafe))
        .collect()
}

#[test]
fn nothing_panics_by_choice() {
    let broken = [
        (
            "src/a.rs",
            "//! x.unwrap()\nx.unwrap();\n#[cfg(test)]\nmod tests {\n    x.unwrap();\n}",
        ),
        ("src/b.rs", "todo!()\n#[cfg(test)]\nmod story;"),
        ("src/b/story.rs", "x.expect(\"y\")"),
        (
            "src/c/mod.rs",
            "#[cfg(test)]\npub(crate) mod d;\npanic!(\"x\")",
        ),
        ("src/c/d.rs", "mod e;\npanic!(\"x\")"),
        ("src/c/d/e.rs", "panic!(\"x\")"),
        ("tests/it/e.rs", "panic!(\"x\")"),
    ];
    check(
        panics,
        &broken,
        &["src/a.rs:2:", "src/b.rs:1:", "src/c/mod.rs:3:"],
    );
}

fn panics(files: &[File]) -> Faults {
    let forms = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
    ];
    in_program(
        files,
        &forms,
        "return an error instead: a panic ends the process",
    )
}

#[test]
fn a_panic_is_not_caught() {
    let broken = [("src/a.rs", "\nstd::panic::catch_unwind(f);")];
    check(caught, &broken, &["src/a.rs:2:"]);
}

fn caught(files: &[File]) -> Faults {
    in_program(files, &["catch_unwind"], "nothing catches a panic")
}

#[test]
fn no_tree_of_json_values_is_built() {
    let broken = [
        ("src/a.rs", "use serde_json::Value;\nlet v = json!({});"),
        ("src/b.rs", "use serde_json::{Map, value::RawValue};"),
        (
            "src/c.rs",
            "use serde_json::value::RawValue;\n#[cfg(test)]\nmod tests {\n    use serde_json::Value;",
        ),
    ];
    check(
        value_trees,
        &broken,
        &["src/a.rs:1:", "src/a.rs:2:", "src/b.rs:1:"],
    );
}

fn value_trees(files: &[File]) -> Faults {
    let forms = [
        "serde_json::Value",
        "serde_json::Map",
        "serde_json::{",
        "json!(",
    ];
    in_program(
        files,
        &forms,
        "payloads go from bytes into columns: name RawValue alone",
    )
}

#[test]
fn no_timer_follows_a_clock_that_can_be_set() {
    let broken = [
        (
            "src/a.rs",
            "use std::time::SystemTime;\nlet now = SystemTime::now();",
        ),
        ("src/b.rs", "let now = OffsetDateTime::now_utc();"),
        ("src/bound.rs", "let now = SystemTime::now();"),
    ];
    check(clocks, &broken, &["src/a.rs:2:", "src/b.rs:1:"]);
}

/// Whoever asks for records since a time of day says one, and who shows how old a record is needs one: that is no timer.
fn clocks(files: &[File]) -> Faults {
    let forms = [
        "SystemTime::now",
        "UNIX_EPOCH.elapsed",
        "now_utc(",
        "now_local(",
    ];
    let what = "a clock that is set must not move a time-out: use Instant";
    let faults = in_program(files, &forms, what);
    let shown = ["src/verify", "src/bound.rs", "src/ops/clock.rs"];
    let is_timer = |fault: &String| !shown.iter().any(|place| fault.starts_with(place));
    faults.into_iter().filter(is_timer).collect()
}

/// One fault for each line of the program, not of its tests, that has one of these forms outside a comment.
fn in_program(files: &[File], forms: &[&str], what: &str) -> Faults {
    let is_wrong = |line: &str| {
        !line.trim_start().starts_with("//") && forms.iter().any(|form| line.contains(form))
    };
    let faults = |file: &File| {
        let lines = file.lines().take(lines_before_tests(file));
        let wrong = lines.filter(|(_, line)| is_wrong(line));
        wrong
            .map(|(at, _)| file.fault(at, what))
            .collect::<Faults>()
    };
    program(files).flat_map(faults).collect()
}

#[test]
fn nothing_sleeps_on_a_thread() {
    let broken = [
        ("src/a.rs", "std::thread::sleep(x);"),
        ("testkit/src/wait.rs", "std::thread::sleep(x);"),
        ("tests/it/a.rs", "use std::thread;\n    thread::sleep(x);"),
    ];
    check(sleeps, &broken, &["src/a.rs:1:", "tests/it/a.rs:2:"]);
}

/// All waiting of tests goes through one place, which waits for a condition.
fn sleeps(files: &[File]) -> Faults {
    let rust = files
        .iter()
        .filter(|file| file.is_rust() && !file.is_tidy());
    let rust = rust.filter(|file| file.path != "testkit/src/wait.rs");
    let what = "wait for a condition, or park with a time-out";
    rust.flat_map(|file| file.each_line(what, |line| line.contains("thread::sleep")))
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|other| other == word)
}

const TEST_ONLY: &str = "#[cfg(test)]";

/// How many lines come before the module of tests that is written in the file itself.
fn lines_before_tests(file: &File) -> usize {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut pairs = lines.windows(2);
    let tests = pairs.position(|pair| pair[0] == TEST_ONLY && pair[1].ends_with('{'));
    tests.unwrap_or(lines.len())
}

/// Modules that their parent declares under `#[cfg(test)]`, as paths without `.rs`.
fn test_modules(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == TEST_ONLY) {
            let name = pair[1]
                .strip_suffix(';')
                .and_then(|line| line.split("mod ").nth(1));
            let module = file.module();
            let folder = module.strip_suffix("/lib").unwrap_or(module);
            found.extend(name.map(|name| format!("{folder}/{name}")));
        }
    }
    found
}

/// The files of `src/` that are part of the program.
pub(super) fn program(files: &[File]) -> impl Iterator<Item = &File> {
    let test_modules = test_modules(files);
    let is_test = move |file: &&File| {
        let module = file.module();
        test_modules.iter().any(|test| {
            let below = module.strip_prefix(test.as_str());
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        })
    };
    let src = files
        .iter()
        .filter(|file| file.path.starts_with("src/") && file.is_rust());
    src.filter(move |file| !is_test(file))
}
