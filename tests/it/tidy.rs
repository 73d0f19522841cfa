//! The house rules that a machine can hold, over every file of the repository; each rule is tried on files that break it.

mod architecture;
mod code;
mod documents;
mod secrets;

use std::fs;
use std::path::Path;

use kafka_milvus_sink::config::{Sources, load};

/// A text file of the repository, by its path in it.
struct File {
    path: String,
    text: String,
}

/// What is wrong, as `path:line: message`.
type Faults = Vec<String>;
type Rule = fn(&[File]) -> Faults;

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    /// The path of a Rust file as a module's: without `.rs`, and a folder for its `mod.rs`.
    fn module(&self) -> &str {
        let path = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        path.strip_suffix("/mod").unwrap_or(path)
    }

    /// The rules' own files name what they forbid.
    fn is_tidy(&self) -> bool {
        self.path.starts_with("tests/it/tidy")
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    fn fault(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// One fault for each line that is wrong.
    fn each_line(&self, what: &str, is_wrong: impl Fn(&str) -> bool) -> Faults {
        let wrong = self.lines().filter(|(_, line)| is_wrong(line));
        wrong.map(|(at, _)| self.fault(at, what)).collect()
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file but what is made (target) and what git keeps; one that is no text counts as empty.
fn tree() -> Vec<File> {
    let mut files = Vec::new();
    collect(repository(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "src/main.rs"));
    files
}

fn collect(dir: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name == "target" || name == ".git" {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let path = path.strip_prefix(repository()).unwrap();
            let path = path.to_str().unwrap().to_owned();
            files.push(File { path, text });
        }
    }
}

fn find<'a>(files: &'a [File], path: &str) -> &'a File {
    let found = files.iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("{path} is missing"))
}

/// The repository keeps the rule, and these files, which break it, are found: the faults begin with these places.
fn check(rule: Rule, broken: &[(&str, &str)], places: &[&str]) {
    let faults = rule(&tree());
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    let broken: Vec<File> = broken
        .iter()
        .map(|(path, text)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let faults = rule(&broken);
    let mut pairs = faults.iter().zip(places);
    assert!(
        faults.len() == places.len() && pairs.all(|(fault, place)| fault.starts_with(place)),
        "{faults:#?} instead of {places:#?}"
    );
}

#[test]
fn every_sample_configuration_loads() {
    let config = |name: &str| repository().join("config").join(name);
    let connect = [
        "connect-standalone.properties",
        "milvus-sink-connector.properties",
    ];
    let loads = |files: Vec<_>, set: &[(&str, &str)]| {
        let set = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (env, set) = (Vec::new(), set.collect());
        let loaded = load(&Sources { files, env, set });
        loaded.unwrap_or_else(|errors| panic!("{errors}"));
    };
    // Its endpoint is the documentation's placeholder.
    let endpoint = [("public.endpoint", "https://example.org:443")];
    loads(connect.map(config).to_vec(), &endpoint);
    for entry in fs::read_dir(config("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !connect.contains(&name.as_str()) {
            loads(vec![config(&name)], &[]);
        }
    }
}
