//! What is refused, where, and in which words.

use super::*;

/// The one mistake that lines beyond the least configuration make; its place and words begin so.
pub(super) fn check(more: &str, expected: &str) {
    let errors = load_more(more).expect_err(more);
    let mistakes: Vec<_> = errors.lines().skip(1).collect();
    assert!(
        mistakes.len() == 1 && mistakes[0].trim_start().starts_with(expected),
        "{more}\nexpected {expected}\n   found {errors}"
    );
}

#[test]
fn nothing_at_all_names_what_is_required() {
    let errors = load(&Sources::default()).unwrap_err().to_string();
    assert_eq!(
        errors,
        "the configuration has 3 mistakes\n  \
         name: missing; names the sink (required); the consumer group is connect-<name> unless consumer.group.id says otherwise\n  \
         public.endpoint: missing; Milvus or Zilliz Cloud (required): http(s)://host[:port]; without a port https is 443 and http is 19530\n  \
         topics: missing; exactly one of topics or topics.regex says what to read"
    );
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_lines() {
    let errors = load_texts(
        &["linger.ms=soon\nname=\\u12\ntopics=^t.*\n\nbatch.max.rows=0\n"],
        &[("MILVUS_SINK_INSERT_MODE", "merge")],
        &[("public.endpoint", "milvus:19530")],
    )
    .unwrap_err();
    let places: Vec<_> = errors
        .lines()
        .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        places,
        [
            "the configuration has 7 mistakes",
            "  name missing; names the sink (required); the consumer group is connect-<name> unless consumer.group.id says otherwise",
            "  --set public.endpoint",
            "  1:1 linger.ms",
            "  1:2 \\u must be followed by four hexadecimal digits (a plain backslash is written \\\\)",
            "  1:3 topics",
            "  1:5 batch.max.rows",
            "  MILVUS_SINK_INSERT_MODE insert.mode",
        ]
    );
}

#[test]
fn values_that_do_not_fit() {
    check(
        "linger.ms=1.5",
        "1:4: linger.ms: found \"1.5\", wanted a whole number of milliseconds from 0 to 60000",
    );
    check("linger.ms=", "1:4: linger.ms: found nothing, wanted");
    check(
        "errors.tolerance=some",
        "1:4: errors.tolerance: found \"some\", wanted one of none, all",
    );
    check(
        "allow.insecure=yes",
        "1:4: allow.insecure: found \"yes\", wanted true or false",
    );
    check(
        "tasks.max=0",
        "1:4: tasks.max: found \"0\", wanted a whole number from 1 to 1024, or cores",
    );
    check(
        "topics=a b",
        "1:4: topics: found \"a b\", wanted topic names",
    );
    check("topics=,", "topics: missing; exactly one of");
    check(
        "collection.name=",
        "1:4: collection.name: found nothing, wanted a name",
    );
    check(
        "collection.name=${topic}_${partition}",
        "1:4: collection.name: found",
    );
    check(
        "partition.name=${table}",
        "1:4: partition.name: found \"${table}\", wanted a name of letters, digits, '_' and '-', or a template over ${topic}",
    );
    check(
        "connector.class=com.acme.Sink",
        "1:4: connector.class: found \"com.acme.Sink\", wanted com.milvus",
    );
    check(
        "ops.listen=9464",
        "1:4: ops.listen: found \"9464\", wanted address:port",
    );
    check(
        "bootstrap.servers=kafka",
        "1:4: bootstrap.servers: found \"kafka\", wanted host:port",
    );
    check("bootstrap.servers=a:1,b:x", "1:4: bootstrap.servers: found");
    check(
        "milvus.tls.ca.path=/nowhere/ca.pem",
        "1:4: milvus.tls.ca.path: found \"/nowhere/ca.pem\", wanted a file that can be read",
    );
    check(
        "name=a\\tb",
        "1:4: name: found \"a\\tb\", wanted text without control characters",
    );
}

#[test]
fn keys_that_are_almost_ours() {
    check(
        "linger.m=1",
        "1:4: linger.m: not a known key; did you mean linger.ms?",
    );
    check(
        "Token=geheim",
        "1:4: Token: not a known key; did you mean token?",
    );
    check(
        "consumer.fetch.max.wait=1\nconsumer.sesion.timeout.ms=1",
        "1:5: consumer.sesion.timeout.ms: not a known key; did you mean consumer.session.timeout.ms?",
    );
    check(
        "security.protcol=SSL",
        "1:4: security.protcol: not a known key; did you mean security.protocol?",
    );
}

#[test]
fn keys_whose_loss_would_change_something() {
    check(
        "transforms=a",
        "1:4: transforms: transforms and predicates are not built in",
    );
    check("predicates.p.type=x", "1:4: predicates.p.type: ");
    check(
        "sasl.no.such.thing=1",
        "1:4: sasl.no.such.thing: not a known setting of a Kafka client, and one about security",
    );
    check(
        "consumer.plugin.library.paths=x.so",
        "1:4: consumer.plugin.library.paths: code from a configuration file",
    );
    check(
        "consumer.enable.partition.eof=true",
        "1:4: consumer.enable.partition.eof: this belongs to the program",
    );
    check(
        "connector.client.config.override.policy=None",
        "1:4: connector.client.config.override.policy: not built yet; only All is",
    );
}

#[test]
fn keys_that_are_not_built_yet() {
    for more in [
        "milvus.tls.cert.path=x",
        "milvus.tls.key.path=x",
        "consumer.auto.offset.reset=by_duration:P1D",
    ] {
        let key = more.split('=').next().unwrap();
        check(more, &format!("1:4: {key}: not built yet"));
    }
    load_more("topics.regex=").unwrap();
}

#[test]
fn references_that_do_not_resolve() {
    let check = |value: &str, why: &str| {
        let expected = format!("1:4: database.name: {value} does not resolve: {why}");
        check(&format!("database.name={value}"), &expected);
    };
    check("${file:/nowhere:key}", "No such file");
    check("${dir:/nowhere:name}", "No such file");
    check("${env:NOWHERE}", "there is no environment variable");
}

#[test]
fn what_is_read_is_said_in_one_way() {
    check(
        "topics.regex=a.*",
        "1:4: topics.regex: topics is given as well; keep one of them",
    );
    check(
        "topics=\ntopics.regex=orders(",
        "1:5: topics.regex: found \"orders(\": not a regular expression (at byte 7: ",
    );
    check(
        "topics=\ntopics.regex=t.*\ntopic2collection.map=t1:a,u:b",
        "1:6: topic2collection.map: topic 'u' does not match topics.regex",
    );
    check(
        "topics=\ntopics.regex=",
        "topics: missing; exactly one of topics or topics.regex",
    );
}

#[test]
fn entries_of_the_map_that_never_apply() {
    let check = |map: &str, why: &str| {
        let expected = format!("1:4: topic2collection.map: {why}");
        check(&format!("topic2collection.map={map}"), &expected);
    };
    check("t", "\"t\" is not topic:collection");
    check("t:", "\"\" is not a collection name; Milvus takes letters");
    check("t:a-b", "\"a-b\" is not a collection name");
    check("t:a:b", "\"a:b\" is not a collection name");
    check("t t:a", "\"t t:a\" is not topic:collection");
    check(":a", "\":a\" is not topic:collection");
    check("t:a,t:b", "topic 't' is there twice; keep one entry");
    check("u:a", "topic 'u' is not in topics; add it there, or remove");
    let errors = load_more("topic2collection.map=t,t:1,u:a").unwrap_err();
    assert!(errors.contains("3 mistakes"), "{errors}");
}

#[test]
fn converters_that_are_not_built_in() {
    const JSON: &str = "value.converter=org.apache.kafka.connect.json.JsonConverter\n";
    check(
        "value.converter=io.confluent.connect.avro.AvroConverter",
        "1:4: value.converter: found \"io.confluent.connect.avro.AvroConverter\", wanted JsonConverter",
    );
    check(
        "value.converter=StringConverter",
        "1:4: value.converter: found \"StringConverter\", wanted",
    );
    check(
        JSON,
        "1:4: value.converter.schemas.enable: missing; Connect's default is true",
    );
    check(
        &format!("{JSON}value.converter.schemas.enable=true"),
        "1:5: value.converter.schemas.enable: not built yet",
    );
    check(
        "value.converter.schemas.enable=true",
        "1:4: value.converter.schemas.enable: not built yet",
    );
    check(
        &format!("{JSON}value.converter.schemas.enable=no"),
        "1:5: value.converter.schemas.enable: found \"no\", wanted true or false",
    );
    check(
        "key.converter=com.acme.KeyConverter",
        "1:4: key.converter: found",
    );
    for key in [
        "JsonConverter",
        "org.apache.kafka.connect.storage.StringConverter",
        "org.apache.kafka.connect.converters.ByteArrayConverter",
    ] {
        load_more(&format!(
            "key.converter={key}\nvalue.converter=Json\nvalue.converter.schemas.enable=False"
        ))
        .unwrap();
    }
}

#[test]
fn a_connector_converter_does_not_inherit_the_worker_setting() {
    let connector = format!("{LEAST}connector.class=MilvusSink\nvalue.converter=JsonConverter\n");
    let errors = load_texts(
        &["value.converter.schemas.enable=false\n", &connector],
        &[],
        &[],
    )
    .unwrap_err();
    assert!(
        errors.contains("2:5: value.converter.schemas.enable: missing"),
        "{errors}"
    );
}

#[test]
fn credentials() {
    let remote = "public.endpoint=http://milvus\nallow.insecure=false\n";
    check(
        &format!("{remote}token=geheim"),
        "1:4: public.endpoint: would send the token unencrypted",
    );
    check(
        "token=a\ntoken.file=Cargo.toml",
        "1:4: token: token.file is given as well",
    );
    check(
        "token.file=/nowhere/token",
        "1:4: token.file: found \"/nowhere/token\", wanted a file that can be read",
    );
    check(
        "public.endpoint=http://root:geheim@milvus",
        "1:4: public.endpoint: a login does not belong into the endpoint",
    );
    load_more("public.endpoint=http://milvus\nallow.insecure=false").unwrap();
    load_more("public.endpoint=https://milvus\nallow.insecure=false\ntoken=x").unwrap();
}

#[test]
fn limits_that_depend_on_each_other() {
    check(
        "milvus.request.timeout.ms=22501",
        "1:4: milvus.request.timeout.ms: found \"22501\", wanted at most 22500, half of consumer.session.timeout.ms",
    );
    check(
        "consumer.session.timeout.ms=39999",
        "1:4: consumer.session.timeout.ms: found \"39999\", wanted at least twice milvus.request.timeout.ms, which is 20000",
    );
    check(
        "consumer.group.protocol=consumer\nmilvus.request.timeout.ms=22501",
        "1:5: milvus.request.timeout.ms: found \"22501\", wanted at most 22500, half of 45000, the broker's default for group.consumer.session.timeout.ms",
    );
    check(
        "late.landing.grace.ms=100001",
        "1:4: late.landing.grace.ms: found \"100001\", wanted at most 100000, a third of consumer.max.poll.interval.ms",
    );
    check(
        "consumer.max.poll.interval.ms=60000\nlate.landing.grace.ms=20001",
        "1:5: late.landing.grace.ms: found \"20001\", wanted at most 20000, a third of consumer.max.poll.interval.ms",
    );
    check(
        "batch.max.bytes=2000000\nbuffer.max.bytes=1999999",
        "1:5: buffer.max.bytes: found \"1999999\", wanted at least batch.max.bytes",
    );
    check(
        "milvus.retry.backoff.ms=30001",
        "1:4: milvus.retry.backoff.ms: found \"30001\", wanted at most milvus.retry.backoff.max.ms",
    );
    check(
        "milvus.retry.backoff.max.ms=99",
        "1:4: milvus.retry.backoff.max.ms: found \"99\", wanted at least milvus.retry.backoff.ms",
    );
    load_more("milvus.request.timeout.ms=22500").unwrap();
}

#[test]
fn files_and_the_command_line() {
    let connector = "connector.class=MilvusSink\n";
    let errors = load_texts(&[&format!("{LEAST}{connector}"), connector], &[], &[]).unwrap_err();
    assert!(
        errors.contains("\n  2: is a connector file like 1"),
        "{errors}"
    );

    let sources = Sources {
        files: vec![PathBuf::from("/nowhere/at.all")],
        ..Sources::default()
    };
    let errors = load(&sources).unwrap_err().to_string();
    assert!(
        errors.contains("\n  /nowhere/at.all: cannot be read: "),
        "{errors}"
    );

    let check = |key, variable: &str| {
        let errors = load_texts(&[LEAST], &[], &[(key, "geheim")]).unwrap_err();
        assert!(
            errors.contains(&format!("--set: {key}: a secret")) && errors.contains(variable),
            "{errors}"
        );
        assert!(!errors.contains("geheim"), "{errors}");
    };
    check("token", "MILVUS_SINK_TOKEN");
    check(
        "consumer.sasl.jaas.config",
        "MILVUS_SINK_CONSUMER_SASL_JAAS_CONFIG",
    );
}

#[test]
fn no_message_shows_a_secret() {
    let errors = load_more(
        "token=${geheim:geheim}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=PlainLoginModule required username=\"u\" password=geheim@1;\n\
         public.endpoint=http://u:geheim@h\nTokn=geheim\nconsumer.ssl.key.pasword=geheim\n",
    )
    .unwrap_err();
    assert!(
        errors.lines().count() > 4 && !errors.contains("geheim"),
        "{errors}"
    );
}
