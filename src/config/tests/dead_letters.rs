//! `errors.deadletterqueue.*` and the two clients behind it.

use super::mistakes::check as refuse;
use super::*;

const ON: &str = "errors.tolerance=all\nerrors.deadletterqueue.topic.name=dead\n";

fn on(more: &str) -> DeadLetters {
    let config = load_more(&format!("{ON}{more}")).unwrap();
    config.dead_letters.expect("a topic is named")
}

fn setting(settings: &[(String, Setting)], name: &str) -> Option<String> {
    let (_, setting) = settings.iter().find(|(key, _)| key == name)?;
    Some(match setting {
        Setting::Plain(value) => value.clone(),
        Setting::Secret(secret) => secret.to_string(),
    })
}

/// Settings of the producer beside [`ON`] and more lines.
fn check(more: &str, expected: &[(&str, Option<&str>)]) {
    let producer = on(more).producer;
    for (name, value) in expected {
        assert_eq!(
            setting(&producer, name).as_deref(),
            *value,
            "{more}: {name}"
        );
    }
}

fn check_admin(more: &str, expected: &[(&str, Option<&str>)]) {
    let admin = on(more).admin;
    for (name, value) in expected {
        assert_eq!(setting(&admin, name).as_deref(), *value, "{more}: {name}");
    }
}

/// The one notice that lines beyond the least configuration bring.
fn notice(more: &str, warn: bool, words: &str) {
    let notices = load_more(more).unwrap().notices;
    let said = notices.iter().filter(|n| n.text.contains(words)).count();
    let as_wanted = notices
        .iter()
        .any(|n| n.warn == warn && n.text.contains(words));
    assert!(said == 1 && as_wanted, "{more}: {notices:?}");
}

#[test]
fn they_are_off_without_a_topic_and_have_connects_keys() {
    assert!(
        load_more("errors.tolerance=all")
            .unwrap()
            .dead_letters
            .is_none()
    );
    let least = on("");
    assert_eq!(least.topic, "dead");
    assert_eq!(
        (least.replication_factor, least.context_headers),
        (-1, false)
    );
    let more = on(
        "errors.deadletterqueue.topic.replication.factor=3\nerrors.deadletterqueue.context.headers.enable=TRUE",
    );
    assert_eq!((more.replication_factor, more.context_headers), (3, true));
}

#[test]
fn what_has_no_effect_is_said() {
    let halting = load_more("errors.deadletterqueue.topic.name=dead").unwrap();
    assert!(halting.dead_letters.is_none());
    notice(
        "errors.deadletterqueue.topic.name=dead",
        true,
        "errors.deadletterqueue.topic.name has no effect with errors.tolerance=none",
    );
    notice(
        "errors.deadletterqueue.context.headers.enable=true",
        true,
        "without errors.deadletterqueue.topic.name these have no effect: errors.deadletterqueue.context.headers.enable",
    );
    let defaults = "errors.deadletterqueue.topic.name=\nerrors.deadletterqueue.context.headers.enable=False\nerrors.deadletterqueue.topic.replication.factor=-1";
    let before = load_more("").unwrap().notices;
    assert_eq!(load_more(defaults).unwrap().notices, before);
}

#[test]
fn the_topic_of_dead_letters_is_not_read() {
    refuse(
        &format!("{ON}topics=a, dead"),
        "1:5: errors.deadletterqueue.topic.name: 'dead' is among `topics`, and its dead letters would be read as records; name a topic that is not read, or take it out of `topics` (Kafka Connect: \"The DLQ topic 'dead' may not be included in the list of topics ('topics=[a, dead]') consumed by the connector\")",
    );
    let matching = format!("{ON}topics=\ntopics.regex=d.*");
    let Topics::Matching(pattern) = load_more(&matching).unwrap().topics else {
        panic!("a pattern")
    };
    assert!(pattern.matches("deal") && !pattern.matches("dead"));
    notice(
        &matching,
        false,
        "topics.regex matches 'dead', the topic of the dead letters",
    );
}

#[test]
fn values_that_do_not_fit() {
    refuse(
        "errors.deadletterqueue.topic.name=a b",
        "1:4: errors.deadletterqueue.topic.name: found \"a b\", wanted a topic name",
    );
    refuse(
        "errors.deadletterqueue.topic.replication.factor=0",
        "1:4: errors.deadletterqueue.topic.replication.factor: found \"0\", wanted -1 for the broker's default",
    );
}

#[test]
fn a_dead_letter_is_confirmed_by_all_replicas() {
    check(
        "",
        &[
            ("bootstrap.servers", Some("localhost:9092")),
            ("client.id", Some("kafka-milvus-sink-n-dead-letters")),
            ("acks", Some("all")),
            ("enable.idempotence", Some("true")),
            ("partitioner", Some("murmur2_random")),
            ("message.max.bytes", Some("100000000")),
            ("queue.buffering.max.kbytes", Some("98680")),
            ("delivery.timeout.ms", Some("15000")),
            ("allow.auto.create.topics", Some("false")),
            ("group.id", None),
        ],
    );
    check("producer.acks=-1", &[("acks", Some("-1"))]);
    refuse(
        &format!("{ON}producer.override.acks=1"),
        "1:6: producer.acks: a dead letter is confirmed by all replicas in sync",
    );
    notice(
        &format!("{ON}producer.enable.idempotence=false"),
        true,
        "producer.enable.idempotence=false: a dead letter may be written more than once",
    );
}

#[test]
fn an_attempt_has_an_end_and_the_largest_record_has_room() {
    check(
        "producer.delivery.timeout.ms=60000",
        &[("delivery.timeout.ms", Some("60000"))],
    );
    for endless in ["0", "2147483647"] {
        let more = format!("producer.delivery.timeout.ms={endless}");
        check(&more, &[("delivery.timeout.ms", Some("60000"))]);
        notice(
            &format!("{ON}{more}"),
            false,
            "delivery.timeout.ms is taken as 60000",
        );
    }
    check(
        "consumer.receive.message.max.bytes=200000000",
        &[
            ("message.max.bytes", Some("200000000")),
            ("queue.buffering.max.kbytes", Some("196336")),
        ],
    );
    check(
        "producer.max.request.size=1048576",
        &[
            ("message.max.bytes", Some("1048576")),
            ("queue.buffering.max.kbytes", Some("2048")),
        ],
    );
}

#[test]
fn the_clients_log_in_as_the_consumer_does_unless_they_have_logins_of_their_own() {
    const SHARED: &str = "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=all\nsasl.password=geheim\n";
    let user = |user| {
        [
            ("security.protocol", Some("SASL_SSL")),
            ("sasl.username", Some(user)),
        ]
    };
    check(SHARED, &user("all"));
    check(SHARED, &[("sasl.password", Some("****"))]);
    check_admin(SHARED, &user("all"));
    let own = |client: &str| {
        SHARED
            .lines()
            .map(|line| format!("{client}.{}\n", line.replace("=all", &format!("={client}"))))
            .collect::<String>()
    };
    let producers = format!("{SHARED}{}", own("producer"));
    check(&producers, &user("producer"));
    check_admin(&producers, &user("producer"));
    check_admin(&format!("{SHARED}{}", own("admin")), &user("admin"));
    // Said once, though three clients have it.
    refuse(
        &format!(
            "{ON}security.protocol=SASL_SSL\nsasl.mechanism=X\nsasl.username=u\nsasl.password=p"
        ),
        "1:7: sasl.mechanism: found \"X\"",
    );
}

#[test]
fn dead_letters_may_go_to_another_cluster() {
    let other = "producer.bootstrap.servers=other:1";
    assert_eq!(on(other).bootstrap_servers, "other:1");
    check(other, &[("bootstrap.servers", Some("other:1"))]);
    check_admin(other, &[("bootstrap.servers", Some("other:1"))]);
    check_admin(
        &format!("{other}\nadmin.bootstrap.servers=third:1\nadmin.request.timeout.ms=7000"),
        &[
            ("bootstrap.servers", Some("third:1")),
            ("socket.timeout.ms", Some("7000")),
        ],
    );
    let config = load_more(&format!("{ON}{other}")).unwrap();
    assert_eq!(config.kafka.bootstrap_servers, "localhost:9092");
}

#[test]
fn settings_of_another_kind_of_client_are_ignored_aloud() {
    notice(
        &format!("{ON}producer.group.id=g"),
        true,
        "producer.group.id is a setting of another kind of Kafka client",
    );
    notice(
        &format!("{ON}admin.acks=0"),
        true,
        "admin.acks is a setting of another kind of Kafka client",
    );
}

/// As `docs/delivery.md` says: it logs in as the consumer does unless it has a login of its own.
#[test]
fn the_login_of_the_consumer_alone_is_the_producers_too() {
    check(
        "consumer.security.protocol=SASL_PLAINTEXT\nconsumer.sasl.mechanism=PLAIN\nconsumer.sasl.username=u\nconsumer.sasl.password=p",
        &[
            ("security.protocol", Some("SASL_PLAINTEXT")),
            ("sasl.username", Some("u")),
        ],
    );
}

#[test]
fn without_brokers_for_all_the_letters_stay_with_the_consumers() {
    let letters = on("consumer.bootstrap.servers=far:9092");
    assert_eq!(letters.bootstrap_servers, "far:9092");
}
