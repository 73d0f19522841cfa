//! The fenced blocks of a page: each says what it is, and is that.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use kafka_milvus_sink::cli;
use kafka_milvus_sink::config::{Sources, load};
use serde_json::Value;
use testkit::services;

/// Other people's commands, of which only the name is looked at.
const OTHERS: [&str; 7] = [
    "cargo",
    "curl",
    "export",
    "journalctl",
    "kill",
    "printf",
    "systemctl",
];
const SINK: &str = "kafka-milvus-sink";
/// Where pages keep secrets.
const SECRETS: &str = "/etc/kafka-milvus-sink";

/// What it is, the line of its fence, its text.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) line: usize,
    pub(super) text: String,
}

pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence = None;
    for (at, line) in page.lines().enumerate() {
        let trimmed = line.trim_start();
        match (trimmed.strip_prefix("```"), fence) {
            (Some(kind), None) => {
                fence = Some(line.len() - trimmed.len());
                blocks.push(Block {
                    kind: kind.to_owned(),
                    line: at + 1,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => fence = None,
            (None, Some(indent)) => {
                let block = blocks.last_mut().expect("the fence has begun it");
                block.text += line.get(indent..).unwrap_or_default();
                block.text += "\n";
            }
            (None, None) => {}
        }
    }
    blocks
}

impl Block {
    /// `sh` is typed as it stands and `text` is what is seen then; all else is read.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.kind.as_str() {
            "sh" | "console" => commands(&self.text).iter().try_for_each(|c| command(c)),
            "text" => Ok(()),
            "properties" => properties(&self.text),
            "ini" => unit(&self.text),
            "yaml" => yaml(&self.text),
            "json" => self.text.lines().try_for_each(json),
            other => Err(format!(
                "{other:?} is no kind: wanted sh, console, text, properties, ini, yaml or json"
            )),
        }
    }
}

/// What continues on the next line is one, and what is handed to a command as its input is none.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    let mut begun = String::new();
    let mut input_ends: Option<String> = None;
    for line in text.lines() {
        if let Some(end) = &input_ends {
            input_ends = (line != end).then(|| end.clone());
            continue;
        }
        begun += line.trim();
        if begun.matches('\'').count().is_multiple_of(2) {
            let end = begun.split_once("<<").map(|(_, end)| end);
            input_ends = end.map(|end| end.trim_matches('\'').to_owned());
            commands.push(std::mem::take(&mut begun));
        }
    }
    commands.retain(|line| !line.is_empty() && !line.starts_with('#'));
    commands
}

/// Each command of a line; of the sink's own every word, of `make` the target, of Kafka's that it is there.
fn command(line: &str) -> Result<(), String> {
    let is_variable = |word: &&str| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let is_end = |word: &&str| !["&", "||", "|", "#"].contains(word) && !word.starts_with('>');
    let words = line.split_whitespace().skip_while(is_variable);
    let words: Vec<&str> = words.take_while(is_end).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(format!("no command: {line}"));
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    let kafkas = services::repository().join("tools/kafka").join(name);
    let is_known = match name {
        SINK => return sink(arguments),
        "make" => {
            let target = arguments.first().unwrap_or(&"help");
            let makefile = services::repository().join("Makefile");
            let makefile = fs::read_to_string(makefile).unwrap();
            makefile.contains(&format!("\n{target}: "))
        }
        _ => OTHERS.contains(&name) || kafkas.exists() || line_of_a_shell(name),
    };
    if is_known {
        Ok(())
    } else {
        Err(format!("what is this? {line}"))
    }
}

/// Where a block is typed, the shell says whether it is right.
fn line_of_a_shell(name: &str) -> bool {
    ["cat", "chmod", "cp", "echo", "sed", "python"].contains(&name)
}

fn sink(arguments: &[&str]) -> Result<(), String> {
    let words = std::iter::once(&SINK).chain(arguments);
    let parsed = cli::parse(words.map(OsString::from), Vec::new());
    let files = parsed.map_err(|error| error.to_string())?.sources.files;
    // A command that is none is taken for a file.
    let stranger = files.iter().find(|file| {
        let kind = file.extension();
        kind.is_none_or(|kind| kind != "properties")
    });
    match stranger {
        Some(file) => Err(format!("neither a command nor a file: {}", file.display())),
        None => Ok(()),
    }
}

/// Loads as a configuration; what such a piece leaves out is added.
fn properties(text: &str) -> Result<(), String> {
    let folder = services::scratch("pages");
    let here = folder.to_string_lossy();
    let secrets = "zilliz.token=key\nkafka.password=larch\n";
    fs::write(folder.join("secrets.properties"), secrets).unwrap();
    fs::write(folder.join("token"), "user:larch\n").unwrap();
    let file = folder.join("sink.properties");
    fs::write(&file, text.replace(SECRETS, &here)).unwrap();
    let least = [
        ("name", "n"),
        ("topics", "t"),
        ("bootstrap.servers", "localhost:9092"),
        ("public.endpoint", "http://localhost:19530"),
    ];
    // `topics.regex` is instead of `topics`.
    let is_given = |key: &str| text.lines().any(|line| line.starts_with(key));
    let left_out = least.into_iter().filter(|(key, _)| !is_given(key));
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let sources = Sources {
        files: vec![file],
        env: ["TOKEN", "ZILLIZ_TOKEN", "KAFKA_PASSWORD"]
            .map(|name| own((name, "larch")))
            .to_vec(),
        set: left_out.map(own).collect(),
    };
    let loaded = load(&sources).map_err(|errors| errors.to_string())?;
    let mut warnings = loaded.notices.iter().filter(|notice| notice.warn);
    match warnings.next() {
        Some(warning) => Err(warning.text.clone()),
        None => Ok(()),
    }
}

/// A unit of systemd: sections, keys with values, and a command that parses.
fn unit(text: &str) -> Result<(), String> {
    let mut keys = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((key, value)) => drop(keys.insert(key, value)),
            None if line.starts_with('[') && line.ends_with(']') => {}
            None => return Err(format!("neither a section nor a key: {line}")),
        }
    }
    keys.get("ExecStart").map_or(Ok(()), |start| command(start))
}

fn yaml(text: &str) -> Result<(), String> {
    let file = services::scratch("yaml").join("block.yaml");
    fs::write(&file, text).unwrap();
    let script =
        "import sys; from ruamel.yaml import YAML; YAML(typ='safe').load(open(sys.argv[1]))";
    let mut python = services::python();
    let output = python.args(["-c", script]).arg(file).output().unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn json(line: &str) -> Result<(), String> {
    let parsed = serde_json::from_str::<Value>(line);
    parsed.map(|_| ()).map_err(|error| error.to_string())
}

#[track_caller]
fn check(kind: &str, text: &str, expected: Option<&str>) {
    let block = Block {
        kind: kind.to_owned(),
        line: 1,
        text: text.to_owned(),
    };
    match (block.check(), expected) {
        (Ok(()), None) => {}
        (Err(error), Some(part)) => assert!(error.contains(part), "{text}: {error}"),
        (found, _) => panic!("{kind} {text}: {found:?}"),
    }
}

#[test]
fn a_command_that_is_none_is_found() {
    check("console", "A_B=c target/debug/kafka-milvus-sink &", None);
    check(
        "console",
        "kafka-milvus-sink check \\\n  --jsn a",
        Some("--jsn"),
    );
    check("console", "A=b kafka-milvus-sink --to 5 a", Some("--to"));
    check(
        "console",
        "kafka-milvus-sink chek a.properties",
        Some("chek"),
    );
    check(
        "console",
        "# only said\nmake demo KEEP=1   # and more",
        None,
    );
    check("console", "make rocket", Some("what is this?"));
    check("sh", "kafka-topics.sh --list --x='\n'\nmake demo", None);
    check("sh", "kafka-tropics.sh --list", Some("what is this?"));
    check("sh", "cat <<'EOF'\nmake rocket\nEOF\nmake demo", None);
    check(
        "sh",
        "cat <<EOF\nx\nEOF\nmake rocket",
        Some("what is this?"),
    );
}

#[test]
fn text_that_its_reader_refuses_is_found() {
    check("", "kafka-milvus-sink", Some("is no kind"));
    check(
        "properties",
        "token=${file:/etc/kafka-milvus-sink/secrets.properties:zilliz.token}\npublic.endpoint=https://a.b",
        None,
    );
    check("properties", "topics.regex=a.*", None);
    check("properties", "linger.ms=soon", Some("linger.ms"));
    check("properties", "lingr.ms=5", Some("linger.ms"));
    check("properties", "batch.size=5", Some("batch.max.rows"));
    check(
        "ini",
        "[Service]\nExecStart=/usr/bin/kafka-milvus-sink a.properties\n",
        None,
    );
    check(
        "ini",
        "[Service]\nExecStart=/usr/bin/kafka-milvus-sink --fast",
        Some("--fast"),
    );
    check("ini", "Type: notify", Some("neither"));
    check("yaml", "a: [b]", None);
    check("yaml", "a: [b", Some("while parsing"));
    check("json", "{\"a\": 1}\n{}\n", None);
    check("json", "{", Some("EOF"));
}
