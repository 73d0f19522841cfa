//! Rules about README.md, CHANGELOG.md, docs/, and about all text.

use std::path::{Component, Path, PathBuf};

use kafka_milvus_sink::config::keys::KEYS;

use super::architecture::is_test;
use super::{Faults, File, check, find, repository};

#[test]
fn links_lead_somewhere() {
    let broken = [
        (
            "README.md",
            "# A b-c\n[1](docs/x.md) [2](docs/x.md#one-two) [3](#a-b-c)\n[4](https://example.org)",
        ),
        (
            "docs/x.md",
            "## One, two!\n[5](../README.md)\n[6](x.md#three)\n[7](../nothing.md)\n[8](/README.md)",
        ),
    ];
    let places = ["docs/x.md:3:", "docs/x.md:4:", "docs/x.md:5:"];
    check(links, &broken, &places);
}

fn links(files: &[File]) -> Faults {
    let mut faults = Faults::new();
    for file in files.iter().filter(|file| has_extension(&file.path, "md")) {
        for (at, line) in file.lines() {
            for target in link_targets(line) {
                if !target.contains("://") && !leads_somewhere(files, file, target) {
                    faults.push(file.fault(at, &format!("the link {target} leads nowhere")));
                }
            }
        }
    }
    faults
}

fn link_targets(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("](").skip(1);
    after.filter_map(|rest| Some(rest.split_once(')')?.0))
}

fn leads_somewhere(files: &[File], from: &File, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        from.path.clone()
    } else {
        let dir = Path::new(&from.path).parent().unwrap_or(Path::new(""));
        normal(&dir.join(path))
    };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        let dir = format!("{}/", path.trim_end_matches('/'));
        return anchor.is_empty() && files.iter().any(|file| file.path.starts_with(&dir));
    };
    anchor.is_empty()
        || file
            .text
            .lines()
            .filter_map(slug)
            .any(|slug| slug == anchor)
}

/// Without `..` and `.`; a path from the root of the file system stays one, and is no file of ours.
fn normal(path: &Path) -> String {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal.to_string_lossy().into_owned()
}

/// A heading as links name it.
fn slug(line: &str) -> Option<String> {
    let heading = line.trim_start_matches('#');
    let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_';
    let text: String = heading.trim().to_lowercase().chars().filter(kept).collect();
    (heading.len() < line.len()).then(|| text.replace(' ', "-"))
}

#[test]
fn the_readme_names_keys_that_exist() {
    let table = "| key | default |\n|---|---|\n| `topics` | |\n| `linger.ms`, `linger` | |\n\n| other |\n| `x` |";
    check(keys, &[("README.md", table)], &["README.md:4:"]);
}

fn keys(files: &[File]) -> Faults {
    let readme = find(files, "README.md");
    let mut faults = Faults::new();
    let mut in_table = false;
    for (at, line) in readme.lines() {
        in_table = line.starts_with("| key |") || in_table && line.starts_with('|');
        let first = line.split('|').nth(1).unwrap_or_default();
        for name in first.split('`').skip(1).step_by(2).filter(|_| in_table) {
            if !KEYS.iter().any(|key| key.name == name) {
                faults.push(readme.fault(at, &format!("there is no key {name}")));
            }
        }
    }
    faults
}

#[test]
fn every_fault_that_was_tried_names_its_tests_and_every_test_of_a_fault_is_named() {
    let table = "| `a::b` |\n## Faults that were tried\n| fault | shown by |\n|---|---|\n\
        | **group** | |\n| one | `it::faults::a::runs` |\n| two | `it::faults::a::walks` |\n\
        | three | |\n| four | the same test |\n## Else\n| five | |";
    let broken = [
        ("docs/delivery.md", table),
        (
            "tests/it/faults/a.rs",
            "#[test]\nfn runs() {}\n#[test]\nfn sits() {}",
        ),
    ];
    let places = [
        "docs/delivery.md:7:",
        "docs/delivery.md:8:",
        "tests/it/faults/a.rs:4:",
    ];
    check(faults, &broken, &places);
}

fn faults(files: &[File]) -> Faults {
    let file = find(files, "docs/delivery.md");
    let section = file.lines();
    let section = section.skip_while(|(_, line)| *line != "## Faults that were tried");
    let section: Vec<_> = section
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("## "))
        .collect();
    let rows = section.iter().filter(|(_, line)| line.starts_with("| "));
    let mut faults = Faults::new();
    for (at, row) in rows.skip(1).filter(|(_, row)| !row.starts_with("| **")) {
        let shown_by = row.trim_end_matches([' ', '|']).rsplit_once('|');
        let (_, shown_by) = shown_by.unwrap_or_default();
        let tests: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() && !shown_by.contains("the same test") {
            faults.push(file.fault(*at, "a fault that no test shows"));
        }
        let missing = tests.iter().filter(|test| !is_test(files, test));
        faults.extend(missing.map(|test| file.fault(*at, &format!("there is no test {test}"))));
    }
    let named = |test: &str| section.iter().any(|(_, line)| line.contains(test));
    for file in files
        .iter()
        .filter(|f| f.path.starts_with("tests/it/faults"))
    {
        let lines: Vec<_> = file.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].1 == "#[test]") {
            let (at, line) = pair[1];
            let name = line.trim_start_matches("fn ").split('(').next();
            if !named(&format!("::{}`", name.unwrap_or_default())) {
                faults.push(file.fault(at, "is missing among the faults of docs/delivery.md"));
            }
        }
    }
    faults
}

#[test]
fn the_changelog_has_a_place_for_what_comes() {
    let broken = [("CHANGELOG.md", "# Changelog\n\n## [0.1.0]\n")];
    check(changelog, &broken, &["CHANGELOG.md:1:"]);
}

fn changelog(files: &[File]) -> Faults {
    let file = find(files, "CHANGELOG.md");
    let mut heads = file.text.lines().filter(|line| line.starts_with("## "));
    let what = "the first head is ## [Unreleased]";
    if heads.next() == Some("## [Unreleased]") {
        Faults::new()
    } else {
        vec![file.fault(1, what)]
    }
}

#[test]
fn nothing_names_one_machine_or_one_registry() {
    let here = format!("cd {}", repository().display());
    let broken = [
        ("a.sh", "cd /home/me/x"),
        ("b.sh", here.as_str()),
        ("c.toml", "x\nregistry = \"https://index.crates.io/\""),
        (
            "Cargo.lock",
            "registry+https://github.com/rust-lang/crates.io-index",
        ),
    ];
    check(places, &broken, &["a.sh:1:", "b.sh:1:", "c.toml:2:"]);
}

fn places(files: &[File]) -> Faults {
    let here = repository().to_string_lossy();
    let names = [
        &*here,
        "/home/",
        "/root/",
        "crates.io",
        "pypi.org",
        "pythonhosted",
        "maven.org",
        "repo.maven",
        "npmjs",
    ];
    // The lock file of cargo names its registry and has no other form.
    let ours = files
        .iter()
        .filter(|file| !file.path.ends_with("Cargo.lock") && !file.is_tidy());
    let is_wrong = |line: &str| names.iter().any(|name| line.contains(name));
    let what = "names a place that other machines do not have";
    ours.flat_map(|file| file.each_line(what, is_wrong))
        .collect()
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == extension)
}
