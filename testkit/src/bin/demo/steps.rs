//! The six steps: topic, collection, two files, start, produce, look.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::process::{Process, Signal};
use testkit::{services, wait};

use crate::NAME;
use crate::article::{self, ARTICLE};
use crate::servers::Servers;
use crate::shell::{heading, run, say, start as start_command};

const WORKER: &str = "connect-standalone.properties";
const CONNECTOR: &str = "milvus-sink-connector.properties";
const SOON: Duration = Duration::from_secs(30);

pub(crate) fn topic(servers: &Servers) {
    heading("1. A Kafka with a topic");
    let kafka = servers.bootstrap();
    run(&format!(
        "kafka-topics.sh --bootstrap-server {kafka} --create --topic {NAME}"
    ));
}

pub(crate) fn collection(servers: &Servers) {
    heading("2. A collection whose field names are the record's");
    let (endpoint, token) = (servers.endpoint(), servers.token_word());
    let collection = servers.collection();
    run(&format!(
        "target/services/milvus-lite/bin/python tools/create_collection.py {endpoint} {token} {collection}"
    ));
    servers.collection_is_made();
}

/// The templates of `config/`, with nothing changed but where Kafka and Milvus are and the token.
pub(crate) fn files(servers: &Servers) {
    heading("3. The two files of the Connect plugin");
    let kafka = servers.bootstrap();
    write(WORKER, &[("bootstrap.servers", &kafka)]);
    let mut connector = vec![("public.endpoint", servers.endpoint())];
    if servers.are_users() {
        connector.push(("collection.name", servers.collection()));
    }
    let token = match servers.token() {
        "" => "",
        _ if servers.are_users() => "${env:TOKEN}",
        token => token,
    };
    if !token.is_empty() {
        connector.push(("token", token));
    }
    write(CONNECTOR, &connector);
}

pub(crate) fn start() -> Process {
    heading("4. Start with those two files");
    let sink = start_sink("");
    let assigned = sink.wait_for_line("assigned", SOON);
    for line in sink.output().lines() {
        if line.contains("reads topic") {
            say(line);
        }
    }
    say(&assigned);
    sink
}

pub(crate) fn produce(servers: &Servers) {
    heading("5. Produce one record");
    let article = demo_dir().join("article.json");
    fs::write(article, format!("{ARTICLE}\n")).expect("target/demo can be written");
    produce_file(servers, "article.json");
}

pub(crate) fn look(servers: &Servers) {
    heading("6. Look into the collection, with the official client (pymilvus)");
    let (official, name) = (servers.official(), servers.collection());
    wait::until(SOON, "the entity", || official.count(name) > 0);
    let (endpoint, token) = (servers.endpoint(), servers.token_word());
    say(&format!(
        "$ target/services/milvus-lite/bin/python tools/read_back.py {endpoint} {token} {name} get 0"
    ));
    let entity = official.get(name, "0");
    say(&article::compare(&entity));
    say("every value equal, the vector bit for bit");
}

/// For who wants to try more by hand.
pub(crate) fn go_on(servers: &Servers) {
    let (kafka, endpoint) = (servers.bootstrap(), servers.endpoint());
    let (token, collection) = (servers.token_word(), servers.collection());
    say("the sink, Kafka and Milvus run until Ctrl-C; in another terminal, in this folder:");
    say("");
    if servers.are_users() {
        say("export TOKEN=…   # yours");
    }
    say("export PATH=$PATH:$PWD/tools/kafka");
    say("# one more record, with another id:");
    say(&format!(
        "sed 's/\"id\": 0/\"id\": 1/' target/demo/article.json | kafka-console-producer.sh --bootstrap-server {kafka} --topic {NAME}"
    ));
    say("# what is there now, and how far the sink is:");
    say(&format!(
        "target/services/milvus-lite/bin/python tools/read_back.py {endpoint} {token} {collection} count"
    ));
    say(&format!(
        "{} offsets target/demo/{WORKER} target/demo/{CONNECTOR}",
        binary().display()
    ));
    if servers.are_users() {
        say("# at the end, after Ctrl-C here:");
        say(&servers.drop_command());
    }
}

/// As Ctrl-C would: everything read is written and committed first.
pub(crate) fn stop(sink: &Process) {
    say("stopping the sink, as Ctrl-C would");
    sink.signal(Signal::Int);
    let status = sink.wait_exit(SOON);
    say(sink.output().lines().last().unwrap_or_default());
    assert!(
        status.success(),
        "the sink did not end well: {status}, {sink}"
    );
}

/// Shows a file of `target/demo` and hands its lines to Kafka's own producer.
pub(crate) fn produce_file(servers: &Servers, name: &str) {
    run(&format!("cat target/demo/{name}"));
    let kafka = servers.bootstrap();
    run(&format!(
        "kafka-console-producer.sh --bootstrap-server {kafka} --topic {NAME} < target/demo/{name}"
    ));
}

/// The sink that was built beside this program. Its health page takes any free port, 9464 may be in use.
pub(crate) fn start_sink(options: &str) -> Process {
    start_command(&format!(
        "{} target/demo/{WORKER} target/demo/{CONNECTOR} --set ops.listen=127.0.0.1:0{options}",
        binary().display()
    ))
}

fn binary() -> PathBuf {
    let mut binary = std::env::current_exe().expect("this program has a path");
    binary.set_file_name("kafka-milvus-sink");
    assert!(binary.exists(), "the sink is not built: run `make demo`");
    let short = binary.strip_prefix(services::repository());
    short.map_or(binary.clone(), Path::to_owned)
}

pub(crate) fn demo_dir() -> PathBuf {
    let dir = services::repository().join("target/demo");
    fs::create_dir_all(&dir).expect("target/demo can be made");
    dir
}

/// Copies a file of `config/`, changes these keys in it, and shows it with a mark at what was changed.
fn write(name: &str, changes: &[(&str, &str)]) {
    let template = services::repository().join("config").join(name);
    let template = fs::read_to_string(template).expect("the file is in config/");
    let mut text = String::new();
    say(&format!(
        "target/demo/{name}   (> marks what differs from config/{name})"
    ));
    for line in template.lines() {
        let key = line.split('=').next().unwrap_or_default();
        let change = changes.iter().find(|(changed, _)| *changed == key);
        let (mark, line) = match change {
            Some((key, value)) => ('>', format!("{key}={value}")),
            None => (' ', line.to_owned()),
        };
        say(&format!("  {mark} {line}"));
        text += &format!("{line}\n");
    }
    write_private(&demo_dir().join(name), &text);
}

/// Readable by its owner alone: it may hold a token.
fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).expect("target/demo can be written");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path, private).expect("the file is ours");
}
