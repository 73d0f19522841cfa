//! The Kafka consumer's settings, from Java's names and librdkafka's.

use super::*;

/// `expected`: a setting of librdkafka, and its value.
pub(super) fn check(more: &str, expected: &[(&str, Option<&str>)]) {
    let config = load_more(more).unwrap();
    for (name, value) in expected {
        assert_eq!(consumer(&config, name).as_deref(), *value, "{more}: {name}");
    }
}

pub(super) fn refuse(more: &str, part: &str) {
    let errors = load_more(more).expect_err(more);
    assert!(
        errors.lines().count() == 2 && errors.contains(part),
        "{more}\nexpected {part}\n   found {errors}"
    );
}

#[test]
fn ours_without_anything_said() {
    check(
        "",
        &[
            ("bootstrap.servers", Some("localhost:9092")),
            ("group.id", Some("connect-n")),
            ("client.id", Some("kafka-milvus-sink-n")),
            ("enable.auto.commit", Some("false")),
            ("enable.auto.offset.store", Some("false")),
            ("auto.offset.reset", Some("error")),
            ("isolation.level", Some("read_committed")),
            ("check.crcs", Some("true")),
            ("allow.auto.create.topics", Some("false")),
            ("partition.assignment.strategy", Some("cooperative-sticky")),
            ("session.timeout.ms", Some("45000")),
            ("heartbeat.interval.ms", Some("3000")),
            ("max.poll.interval.ms", Some("300000")),
            ("queued.max.messages.kbytes", None),
            ("fetch.message.max.bytes", None),
            ("fetch.max.bytes", Some("8388608")),
            ("security.protocol", None),
            ("ssl.ca.location", None),
        ],
    );
    check(
        "connector.class=MilvusSink",
        &[("partition.assignment.strategy", Some("range"))],
    );
}

#[test]
fn settings_are_taken_under_both_names_and_within_librdkafkas_ranges() {
    check(
        "consumer.fetch.max.wait.ms=7",
        &[
            ("fetch.wait.max.ms", Some("7")),
            ("fetch.max.wait.ms", None),
        ],
    );
    check(
        "consumer.fetch.wait.max.ms=7",
        &[("fetch.wait.max.ms", Some("7"))],
    );
    check(
        "consumer.max.partition.fetch.bytes=7",
        &[("fetch.message.max.bytes", Some("7"))],
    );
    check(
        "consumer.request.timeout.ms=40000",
        &[
            ("socket.timeout.ms", Some("40000")),
            ("request.timeout.ms", None),
        ],
    );
    check(
        "consumer.request.timeout.ms=400000",
        &[("socket.timeout.ms", Some("300000"))],
    );
    check(
        "consumer.metadata.max.age.ms=60000",
        &[("topic.metadata.refresh.interval.ms", Some("60000"))],
    );
    check(
        "consumer.receive.buffer.bytes=-1",
        &[("socket.receive.buffer.bytes", Some("0"))],
    );
    check(
        "consumer.fetch.min.bytes=0",
        &[("fetch.min.bytes", Some("1"))],
    );
}

#[test]
fn users_settings_win_over_ours() {
    check(
        "consumer.isolation.level=READ_UNCOMMITTED",
        &[("isolation.level", Some("read_uncommitted"))],
    );
    check(
        "consumer.group.id=g\nconsumer.client.id=c",
        &[("group.id", Some("g")), ("client.id", Some("c"))],
    );
    check(
        "consumer.override.client.rack=r\nconsumer.client.rack=s",
        &[("client.rack", Some("r"))],
    );
    check(
        "consumer.bootstrap.servers=b:2\nbootstrap.servers=a:1",
        &[("bootstrap.servers", Some("b:2"))],
    );
    check(
        "consumer.enable.auto.commit=true",
        &[("enable.auto.commit", Some("false"))],
    );
    refuse(
        "consumer.fetch.max.wait.ms=7\nconsumer.fetch.wait.max.ms=7",
        "is the same setting as consumer.fetch.",
    );
    refuse(
        "consumer.fetch.min.bytes=x",
        "1:4: consumer.fetch.min.bytes: found \"x\", wanted a whole number from 1 to 100000000",
    );
    refuse(
        "consumer.session.timeout.ms=400000",
        "max.poll.interval.ms must be at least session.timeout.ms",
    );
}

#[test]
fn limits_follow_each_other_as_librdkafka_wants_them() {
    let check = |more, name, value| check(more, &[(name, value)]);
    check(
        "consumer.fetch.max.bytes=200000000",
        "receive.message.max.bytes",
        Some("200000512"),
    );
    check(
        "consumer.fetch.max.bytes=1000000",
        "receive.message.max.bytes",
        None,
    );
    check(
        "consumer.fetch.max.bytes=1000000",
        "message.max.bytes",
        None,
    );
    check(
        "consumer.fetch.max.bytes=5000",
        "message.max.bytes",
        Some("5000"),
    );
    check(
        "consumer.fetch.max.bytes=0",
        "fetch.max.bytes",
        Some("1000"),
    );
    check(
        "consumer.reconnect.backoff.ms=20000",
        "reconnect.backoff.max.ms",
        Some("20000"),
    );
    check(
        "consumer.reconnect.backoff.max.ms=50",
        "reconnect.backoff.ms",
        Some("50"),
    );
    check(
        "consumer.reconnect.backoff.max.ms=1000",
        "reconnect.backoff.ms",
        None,
    );
}

#[test]
fn assignors_in_java_and_in_librdkafka() {
    const JAVA: &str = "org.apache.kafka.clients.consumer.";
    let check = |value: &str, expected| {
        let more = format!("consumer.partition.assignment.strategy={value}");
        check(&more, &[("partition.assignment.strategy", Some(expected))]);
    };
    check(&format!("{JAVA}RangeAssignor"), "range");
    check(
        &format!("{JAVA}CooperativeStickyAssignor"),
        "cooperative-sticky",
    );
    check(
        &format!("{JAVA}RangeAssignor,{JAVA}CooperativeStickyAssignor"),
        "range",
    );
    check(&format!("{JAVA}StickyAssignor"), "range");
    check("roundrobin,range", "roundrobin,range");
    refuse(
        "consumer.partition.assignment.strategy=com.acme.X",
        "wanted RangeAssignor",
    );
}

#[test]
fn under_the_newer_group_protocol_the_brokers_settings_are_left_out_or_refused() {
    let consumer = "consumer.group.protocol=consumer\n";
    for from in ["", "connector.class=MilvusSink\n"] {
        check(
            &format!("{consumer}{from}"),
            &[
                ("group.protocol", Some("consumer")),
                ("session.timeout.ms", None),
                ("heartbeat.interval.ms", None),
                ("partition.assignment.strategy", None),
            ],
        );
    }
    for (setting, instead) in [
        (
            "session.timeout.ms=50000",
            "group.consumer.session.timeout.ms",
        ),
        (
            "heartbeat.interval.ms=3000",
            "group.consumer.heartbeat.interval.ms",
        ),
        (
            "partition.assignment.strategy=range",
            "group.consumer.assignors",
        ),
    ] {
        let (name, _) = setting.split_once('=').unwrap();
        let why = format!(
            "1:5: consumer.{name}: not with group.protocol=consumer, where the broker's {instead} counts; remove it"
        );
        refuse(&format!("{consumer}consumer.{setting}"), &why);
        load_more(&format!("consumer.{setting}")).unwrap();
    }
    let config = load_more(consumer).unwrap();
    assert_eq!(config.kafka.session_timeout, Duration::from_secs(45));
    assert_eq!(config.kafka.protocol, Protocol::Consumer);
    load_more(&format!("{consumer}consumer.max.poll.interval.ms=40000")).unwrap();
}

#[test]
fn a_static_member_keeps_its_name_whatever_its_writers() {
    let static_member = "consumer.group.instance.id=sink-1\ntasks.max=4";
    check(static_member, &[("group.instance.id", Some("sink-1"))]);
}

#[test]
fn where_to_begin_is_ours_to_apply() {
    for (value, expected) in [
        ("earliest", OffsetReset::Earliest),
        ("Latest", OffsetReset::Latest),
        ("smallest", OffsetReset::Earliest),
        ("none", OffsetReset::Fail),
    ] {
        let more = format!("consumer.auto.offset.reset={value}");
        assert_eq!(load_more(&more).unwrap().kafka.auto_offset_reset, expected);
        check(&more, &[("auto.offset.reset", Some("error"))]);
    }
    refuse(
        "consumer.auto.offset.reset=soon",
        "wanted earliest, latest or none",
    );
}
