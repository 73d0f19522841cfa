//! What is said about a configuration that is taken.

use super::*;

/// `part` is in exactly one notice of the level, or, empty, there is none of either level.
fn check(texts: &[&str], warn: bool, part: &str) {
    let config = load_texts(texts, &[], &[]).unwrap();
    let notices = &config.notices;
    if part.is_empty() {
        assert_eq!(*notices, [], "{texts:?}");
    } else {
        let said = notices
            .iter()
            .filter(|n| n.warn == warn && n.text.contains(part));
        assert_eq!(said.count(), 1, "{part:?} in {notices:#?}");
    }
}

fn check_more(more: &str, warn: bool, part: &str) {
    check(
        &[&format!("{LEAST}bootstrap.servers=a:1\n{more}")],
        warn,
        part,
    );
}

#[test]
fn the_newer_group_protocol_is_experimental() {
    check_more(
        "consumer.group.protocol=consumer",
        true,
        "1:5: consumer.group.protocol=consumer is experimental",
    );
    check_more("consumer.group.protocol=classic", true, "");
}

#[test]
fn keys_that_are_not_ours() {
    check_more("", true, "");
    check_more(
        "batch.size=5",
        true,
        "1:5: batch.size is another program's key and is ignored; here it is batch.max.rows",
    );
    check_more("group.id=g", true, "here it is consumer.group.id");
    check_more("delete.enabled=true", true, "behavior.on.null.values");
    check_more(
        "something.else=geheim",
        true,
        "1:5: something.else is not a known key and is ignored",
    );
    check_more(
        "fetch.min.bytes=5",
        true,
        "here it is consumer.fetch.min.bytes",
    );
    check_more(
        "plugin.path=x\nrest.port=1\nheader.converter=y",
        false,
        ": header.converter, plugin.path, rest.port",
    );
    check_more(
        "connector.client.config.override.policy=All",
        false,
        "override.policy",
    );
    check_more("transforms=", true, "");
    check_more(
        "consumer.no.such.setting=1",
        true,
        "consumer.no.such.setting is not a known setting",
    );
    check_more(
        "consumer.max.poll.records=1\nconsumer.key.deserializer=x",
        false,
        "no counterpart here: consumer.key.deserializer, consumer.max.poll.records",
    );
    check_more(
        "producer.acks=all",
        false,
        "producer.* settings have no effect without errors.deadletterqueue.topic.name",
    );
}

#[test]
fn a_worker_file_without_brokers() {
    check(
        &[LEAST],
        true,
        "no file has bootstrap.servers; localhost:9092 is used",
    );
    check(&[&format!("{LEAST}connector.class=MilvusSink")], true, "");
}

#[test]
fn encodings() {
    check_more(
        "database.name=\u{e9}",
        true,
        "1 looks like UTF-8 and is read as ISO-8859-1",
    );
    check(
        &[&format!("\u{feff}{LEAST}bootstrap.servers=a:1")],
        true,
        "1 begins with a UTF-8 byte order mark",
    );
}

#[test]
fn converters_take_their_settings_from_the_file_that_names_them() {
    const CONNECTOR: &str = "connector.class=MilvusSink\n";
    const JSON: &str = "value.converter=org.apache.kafka.connect.json.JsonConverter\n";
    const PLAIN: &str = "value.converter.schemas.enable=false\n";
    let least = format!("{LEAST}{CONNECTOR}");
    let own = format!("{LEAST}{CONNECTOR}{JSON}{PLAIN}");
    let worker = |more: &str| format!("bootstrap.servers=a:1\n{more}");
    let both = worker(&format!("{JSON}{PLAIN}"));
    check(&[&both, &least], true, "");
    check(&[&both, &own], true, "");
    check(
        &[
            &worker(&format!("{JSON}value.converter.decimal.format=x\n")),
            &own,
        ],
        true,
        "1:3: value.converter.decimal.format has no effect",
    );
    check(
        &[&both, &format!("{least}value.converter.decimal.format=x")],
        true,
        "2:5: value.converter.decimal.format has no effect",
    );
    // Neither file names a converter: plain JSON, and the setting may be said.
    check(&[&worker(""), &format!("{least}{PLAIN}")], true, "");
}

#[test]
fn a_login_stays_quiet_where_nothing_crosses_the_network_in_the_open() {
    let login = "sasl.username=u\nsasl.password=p\nsecurity.protocol=SASL_PLAINTEXT\n";
    let check = |servers: &str, mechanism: &str, expected: usize| {
        let more = format!("{login}sasl.mechanism={mechanism}\nbootstrap.servers={servers}\n");
        assert_eq!(
            load_more(&more)
                .unwrap()
                .notices
                .iter()
                .filter(|n| n.text.contains("crosses the network"))
                .count(),
            expected,
            "{more}"
        );
    };
    check("localhost:9092,[::1]:9093", "PLAIN", 0);
    check("localhost:9092,kafka:9092", "PLAIN", 1);
    check("kafka:9092", "SCRAM-SHA-256", 0);
}

#[test]
fn credentials_in_the_open() {
    let remote = "public.endpoint=http://milvus\n";
    check_more(
        &format!("{remote}token=x"),
        true,
        "the Milvus token crosses the network unencrypted",
    );
    check_more(remote, true, "");
    check_more("token=****", true, "1:5: token is the placeholder");
    let login = "sasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=p\n";
    check_more(
        &format!("security.protocol=SASL_PLAINTEXT\n{login}"),
        true,
        "the Kafka password crosses the network",
    );
    check_more(
        login,
        true,
        "sasl.mechanism has no effect with this security.protocol",
    );
    check_more(
        "security.protocol=SSL\nssl.endpoint.identification.algorithm=",
        true,
        "the name in the broker's certificate is not checked",
    );
    check_more(
        "security.protocol=SSL\nenable.ssl.certificate.verification=false",
        true,
        "no effect without the client's prefix",
    );
    check_more(
        "consumer.security.protocol=SSL\nconsumer.enable.ssl.certificate.verification=false",
        true,
        "the broker's certificate is not checked",
    );
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_that_everybody_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let warned = |text: &str, mode: u32| {
        std::fs::write(&path, format!("{LEAST}bootstrap.servers=a:1\n{text}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let sources = Sources {
            files: vec![path.clone()],
            env: pairs(&[("T", "x")]),
            set: Vec::new(),
        };
        let notices = load(&sources).unwrap().notices;
        notices
            .iter()
            .any(|n| n.text.contains("every user can read") && n.text.contains("MILVUS_SINK_"))
    };
    assert!(warned("token=x", 0o644));
    assert!(warned("consumer.sasl.password=x", 0o604));
    assert!(!warned("token=x", 0o640));
    assert!(!warned("token=${env:T}", 0o644));
    assert!(!warned("token=***", 0o644));
    assert!(!warned("", 0o644));
}

#[test]
fn security_keys_and_who_inherits_them() {
    let ssl = "security.protocol=SSL\n";
    check_more(ssl, true, "");
    check_more(
        &format!("connector.class=MilvusSink\n{ssl}"),
        false,
        "Connect's consumers would not inherit them): security.protocol",
    );
    check_more(
        &format!("{ssl}consumer.security.protocol=PLAINTEXT\n"),
        false,
        "not for the consumer, which has security keys of its own: security.protocol",
    );
}
