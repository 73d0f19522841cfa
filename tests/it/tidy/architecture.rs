//! Rules about ARCHITECTURE.md.

use std::collections::BTreeSet;

use super::code::program;
use super::{Faults, File, check, find};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const MAX_LINES: usize = 150;

#[test]
fn the_architecture_is_short() {
    let long = "x\n".repeat(MAX_LINES + 1);
    check(length, &[(ARCHITECTURE, &long)], &["ARCHITECTURE.md:151:"]);
}

fn length(files: &[File]) -> Faults {
    let file = find(files, ARCHITECTURE);
    let lines = file.lines().count();
    let what = format!("longer than {MAX_LINES} lines");
    if lines > MAX_LINES {
        vec![file.fault(lines, &what)]
    } else {
        Faults::new()
    }
}

#[test]
fn every_invariant_names_a_test_that_exists_or_says_that_it_is_not_built() {
    let broken = [
        (
            ARCHITECTURE,
            "## Invariants\n1. A. Shown by `a::runs` and\n   `b::c::walks`.\n2. B. Not built yet: x.\n3. C.\n4. D. Shown by `a::sits`.\n## Else\n5. E",
        ),
        ("src/a.rs", "#[test]\nfn runs() {}\nfn sits() {}"),
        (
            "src/b/c.rs",
            "#[tokio::test(start_paused = true)]\nasync fn walks() {}",
        ),
    ];
    check(
        invariants,
        &broken,
        &["ARCHITECTURE.md:5:", "ARCHITECTURE.md:6:"],
    );
}

fn invariants(files: &[File]) -> Faults {
    let file = find(files, ARCHITECTURE);
    let section = file
        .lines()
        .skip_while(|(_, line)| *line != "## Invariants")
        .skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with("## "));
    let mut items: Vec<(usize, String)> = Vec::new();
    for (at, line) in section {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            items.push((at, String::new()));
        }
        if let Some((_, text)) = items.last_mut() {
            *text += line;
        }
    }
    let mut faults = Faults::new();
    for (at, text) in items {
        let tests: Vec<&str> = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|t| t.contains("::"))
            .collect();
        if tests.is_empty() && !text.contains("Not built yet") {
            faults.push(file.fault(at, "names no test, nor says that it is not built yet"));
        }
        let missing = tests.iter().filter(|test| !is_test(files, test));
        faults.extend(missing.map(|test| file.fault(at, &format!("there is no test {test}"))));
    }
    faults
}

/// `modules::name`: a test function of a file whose path ends in these modules.
pub(super) fn is_test(files: &[File], test: &str) -> bool {
    let Some((modules, name)) = test.rsplit_once("::") else {
        return false;
    };
    let modules = format!("/{}", modules.replace("::", "/"));
    let declared = format!("fn {name}(");
    let is_home =
        |file: &&File| file.is_rust() && format!("/{}", file.module()).ends_with(&modules);
    let is_test = |file: &File| {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        let mut pairs = lines.windows(2);
        pairs.any(|pair| {
            let attribute = pair[0].starts_with("#[") && pair[0].contains("test");
            attribute && pair[1].contains(&declared)
        })
    };
    files.iter().filter(is_home).any(is_test)
}

#[test]
fn the_code_map_names_every_file_and_no_other() {
    let broken = [
        (
            ARCHITECTURE,
            "## Code map\n```\nsrc/  a.rs the a · b.rs\n      c.rs and the rest\nsrc/d/  e.rs\n```",
        ),
        ("src/a.rs", ""),
        ("src/c.rs", "#[cfg(test)]\nmod tests;"),
        ("src/c/tests.rs", ""),
        ("src/d/e.rs", ""),
        ("src/d/f.rs", ""),
    ];
    let places = ["ARCHITECTURE.md:3: src/b.rs", "src/d/f.rs:1:"];
    check(code_map, &broken, &places);
}

/// A line is a folder and its files, separated by ` · `, each a name and what it is; the files may go on below.
fn code_map(files: &[File]) -> Faults {
    let map = find(files, ARCHITECTURE);
    let section = map.lines().skip_while(|(_, line)| *line != "## Code map");
    let block = section.skip_while(|(_, line)| *line != "```").skip(1);
    let mut folder = "";
    let mut named = BTreeSet::new();
    let mut faults = Faults::new();
    for (at, line) in block.take_while(|(_, line)| *line != "```") {
        let mut rest = line.trim();
        if !line.starts_with(' ') {
            (folder, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        }
        for name in rest
            .split(" · ")
            .filter_map(|item| item.split(' ').find(|word| !word.is_empty()))
        {
            let path = format!("{folder}{name}");
            if !files.iter().any(|file| file.path == path) {
                faults.push(map.fault(at, &format!("{path} is not there")));
            }
            named.insert(path);
        }
    }
    let unnamed = program(files).filter(|file| !named.contains(&file.path));
    faults
        .extend(unnamed.map(|file| file.fault(1, "is missing in the code map of ARCHITECTURE.md")));
    faults
}
