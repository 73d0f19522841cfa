//! The files in `config/`: the commented sample and the two of Kafka Connect.

use super::*;
use crate::config::keys::{KEYS, Key, Kind};

const SAMPLE: &str = "config/milvus-sink.properties";

/// The sample file as the table says it should be.
fn rendered() -> String {
    let mut text = String::from(
        "# kafka-milvus-sink: every key with its default. Those without a # are the ones to start with.\n\
         # The syntax is that of Java's .properties files; ${env:NAME} in a value is the environment variable NAME.\n",
    );
    for key in KEYS {
        if let Some((_, heading)) = HEADINGS.iter().find(|(first, _)| *first == key.name) {
            text += &format!("\n### {heading}\n");
        }
        text += &format!("\n# {}{}{}\n", key.meaning, range(key), later(key));
        for line in lines(key) {
            text += &format!("{line}\n");
        }
    }
    text
}

pub(super) const HEADINGS: [(&str, &str); 8] = [
    ("name", "From Kafka to Milvus"),
    ("insert.mode", "Records to rows"),
    ("batch.max.rows", "Batches and memory"),
    ("errors.tolerance", "Bad records"),
    ("milvus.request.timeout.ms", "Connection to Milvus"),
    ("offset.flush.interval.ms", "Running"),
    ("security.protocol", "Security of the connection to Kafka"),
    ("consumer.*", "Further settings of the Kafka clients"),
];

fn range(key: &Key) -> String {
    match key.kind {
        Kind::Int { min, max, .. } => format!(" ({min} to {max})"),
        _ => String::new(),
    }
}

pub(super) fn later(key: &Key) -> &'static str {
    match (key.built, key.default) {
        (true, _) => "",
        (false, Some(_)) => " (other values are not built yet)",
        (false, None) => " (not built yet)",
    }
}

fn lines(key: &Key) -> Vec<String> {
    let lines: &[&str] = match key.name {
        "name" => &["name=milvus-sink"],
        "bootstrap.servers" => &["bootstrap.servers=localhost:9092"],
        "topics" => &["topics=topic_0"],
        "public.endpoint" => &["public.endpoint=http://localhost:19530"],
        "sasl.*" => &[
            "#sasl.mechanism=PLAIN",
            "#sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"me\" password=\"${env:KAFKA_PASSWORD}\";",
        ],
        "ssl.*" => &[
            "#ssl.truststore.type=PEM",
            "#ssl.truststore.location=/etc/ssl/kafka-ca.pem",
        ],
        "consumer.*" => &["#consumer.fetch.max.wait.ms=500"],
        "producer.*" => &["#producer.compression.type=zstd"],
        "admin.*" => &["#admin.request.timeout.ms=30000"],
        name => return vec![format!("#{name}={}", key.default.unwrap_or_default())],
    };
    lines.iter().map(|&line| line.to_owned()).collect()
}

#[test]
fn the_sample_file_shows_every_key_with_its_default() {
    let expected = rendered();
    let found = std::fs::read_to_string(repository(SAMPLE)).unwrap();
    assert!(found == expected, "{SAMPLE} should be:\n{expected}");
}

#[test]
fn the_sample_file_loads_as_it_is_and_with_every_default_spelled_out() {
    let text = rendered();
    let as_it_is = load_texts(&[&text], &[], &[]).unwrap();
    assert_eq!(as_it_is.name, "milvus-sink");
    assert_eq!(as_it_is.notices, []);
    let spelled_out: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(char::is_alphabetic) => setting,
            _ => line,
        })
        .filter(|line| {
            !["sasl.", "ssl."]
                .iter()
                .any(|family| line.starts_with(family))
        })
        // A blank value is not every key's way of being absent.
        .filter(|line| line.starts_with('#') || !line.ends_with('='))
        .map(|line| format!("{line}\n"))
        .collect();
    // Schemas are spelled out with the converter, or Connect's default would count.
    let spelled_out = load_texts(&[&spelled_out], &[], &[]).unwrap();
    let values = |config: &Config| {
        let rows = config
            .effective
            .iter()
            .filter(|row| !row.key.ends_with('*'));
        rows.map(|row| (row.key, row.value.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&spelled_out), values(&as_it_is));
    assert_eq!(consumer(&spelled_out, "fetch.wait.max.ms").unwrap(), "500");
}

fn connect_files() -> Vec<PathBuf> {
    ["connect-standalone", "milvus-sink-connector"]
        .map(|name| repository(&format!("config/{name}.properties")))
        .to_vec()
}

#[test]
fn the_two_connect_files_name_the_placeholder_endpoint() {
    let sources = Sources {
        files: connect_files(),
        ..Sources::default()
    };
    let errors = load(&sources).unwrap_err().to_string();
    assert!(
        errors.starts_with("the configuration has 1 mistake\n"),
        "{errors}"
    );
    let place = "milvus-sink-connector.properties:3: public.endpoint: found \"https://<public.endpoint>:port\": this is the placeholder";
    assert!(errors.contains(place), "{errors}");
}

#[test]
fn the_two_connect_files_load_with_endpoint_and_token_of_ones_own() {
    let endpoint = ("public.endpoint", "http://localhost:19530");
    let token = ("MILVUS_SINK_TOKEN", "root:Milvus");
    let sources = Sources {
        files: connect_files(),
        env: pairs(&[token]),
        set: pairs(&[endpoint]),
    };
    let config = load(&sources).unwrap();
    assert_eq!(config.name, "zilliz-kafka-connect-milvus");
    assert_eq!(config.kafka.group_id, "connect-zilliz-kafka-connect-milvus");
    assert!(matches!(&config.topics, Topics::Listed(topics) if topics == &["topic_0"]));
    assert_eq!(config.router.collection_name, "topic_0");
    assert_eq!(config.commit_interval, Duration::from_secs(10));
    assert_eq!(config.milvus.endpoint.to_string(), "http://localhost:19530");
    assert!(
        matches!(&config.milvus.token, Token::Inline(token) if token.expose() == "root:Milvus")
    );
    let infos: Vec<_> = config
        .notices
        .iter()
        .map(|notice| notice.text.as_str())
        .collect();
    let expected = "Kafka Connect keys without a meaning here (converters are built in, there are no plugins, no offset file and no REST interface): offset.storage.file.filename, plugin.path";
    assert_eq!(infos, [expected]);
}

#[test]
fn with_the_endpoint_in_the_environment_the_asterisks_are_no_token() {
    let sources = Sources {
        files: connect_files(),
        env: pairs(&[(
            "MILVUS_SINK_PUBLIC_ENDPOINT",
            "https://in01.zillizcloud.com",
        )]),
        set: Vec::new(),
    };
    let config = load(&sources).unwrap();
    assert!(matches!(config.milvus.token, Token::None));
    let warnings: Vec<_> = config.notices.iter().filter(|notice| notice.warn).collect();
    assert!(
        warnings.len() == 1 && warnings[0].text.contains("no token is sent"),
        "{warnings:?}"
    );
}
