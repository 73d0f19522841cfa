//! Login and trust of the Kafka consumer, from Java's names and librdkafka's.

use super::clients::{check, refuse};
use super::*;

const PLAIN: &str = "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\\\\\\\\w\";\n";

#[test]
fn logins() {
    let protocol = "security.protocol=sasl_ssl\n";
    let plain = format!("{protocol}sasl.mechanism=PLAIN\n{PLAIN}");
    let expected = [
        ("security.protocol", Some("SASL_SSL")),
        ("sasl.mechanism", Some("PLAIN")),
        ("sasl.username", Some("u")),
        ("sasl.password", Some("****")),
        ("sasl.jaas.config", None),
        ("ssl.ca.location", Some("probe")),
    ];
    check(&plain, &expected);
    let prefixed = plain
        .replace("sasl.", "consumer.sasl.")
        .replace("security.", "consumer.override.security.");
    check(&prefixed, &expected);
    check(
        &format!("{protocol}sasl.mechanisms=plain\nsasl.username=u\nsasl.password=p"),
        &expected,
    );

    // Unescaped twice: by the file's grammar and by the line's.
    let config = load_more(&plain).unwrap();
    let password = config
        .kafka
        .consumer
        .iter()
        .find(|(name, _)| name == "sasl.password");
    assert!(matches!(password, Some((_, Setting::Secret(secret))) if secret.expose() == "p\\w"));

    let scram = plain
        .replace("=PLAIN", "=SCRAM-SHA-512")
        .replace("plain.Plain", "scram.Scram");
    check(
        &scram,
        &[
            ("sasl.mechanism", Some("SCRAM-SHA-512")),
            ("sasl.username", Some("u")),
        ],
    );
}

#[test]
fn logins_that_are_refused() {
    let protocol = "security.protocol=SASL_SSL\n";
    let plain = format!("{protocol}sasl.mechanism=PLAIN\n");
    refuse(
        &plain,
        "sasl.jaas.config: missing; the login that security.protocol asks for",
    );
    refuse(
        &format!("{protocol}{PLAIN}"),
        "sasl.mechanism: missing; PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    );
    refuse(
        &format!("{plain}{}", PLAIN.replace("plain.Plain", "scram.Scram")),
        "not the one of sasl.mechanism",
    );
    refuse(
        &format!("{plain}{}", PLAIN.replace("PlainLogin", "OAuthBearerLogin")),
        "not built yet",
    );
    refuse(
        &format!("{plain}{}", PLAIN.replace(';', "")),
        "1:6: sasl.jaas.config: no semicolon ends it",
    );
    refuse(
        &format!("{plain}{}", PLAIN.replace("username", "user")),
        "the login has no username",
    );
    refuse(
        &format!("{plain}{PLAIN}sasl.password=x"),
        "1:7: sasl.password: says the same as sasl.jaas.config",
    );
    refuse(
        &format!("{protocol}sasl.mechanism=GSSAPI\n{PLAIN}"),
        "1:5: sasl.mechanism: not built yet",
    );
    refuse(
        &format!("{protocol}sasl.mechanism=PLAIN\n{PLAIN}sasl.oauthbearer.scope=x"),
        "1:7: sasl.oauthbearer.scope: not built yet",
    );
    refuse(
        &format!("{protocol}sasl.mechanism=MAGIC\n{PLAIN}"),
        "wanted one of PLAIN",
    );
    refuse(
        "security.protocol=TLS",
        "1:4: security.protocol: found \"TLS\", wanted one of PLAINTEXT",
    );
    refuse(
        &format!(
            "allow.insecure=false\nbootstrap.servers=kafka:9092\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n{PLAIN}"
        ),
        "would send the Kafka password unencrypted",
    );
    refuse(
        "allow.insecure=false\nsecurity.protocol=SSL\nssl.endpoint.identification.algorithm=",
        "allow.insecure=false refuses that",
    );
}

#[test]
fn trust_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pem = path(
        "ca.pem",
        b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
    );
    let jks = path("ca.jks", b"\xFE\xED\xFE\xED\0\0\0\x02");
    let ssl = "security.protocol=SSL\n";
    check(
        &format!("{ssl}ssl.truststore.type=PEM\nssl.truststore.location={pem}"),
        &[
            ("ssl.ca.location", Some(&pem)),
            ("ssl.truststore.location", None),
            ("ssl.truststore.type", None),
        ],
    );
    check(
        &format!("{ssl}ssl.ca.location={pem}"),
        &[("ssl.ca.location", Some(&pem))],
    );
    check(
        &format!(
            "{ssl}ssl.truststore.certificates=-----BEGIN CERTIFICATE----- QUJD -----END CERTIFICATE-----"
        ),
        &[
            (
                "ssl.ca.pem",
                Some("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"),
            ),
            ("ssl.ca.location", None),
        ],
    );
    check(
        &format!("{ssl}ssl.endpoint.identification.algorithm="),
        &[("ssl.endpoint.identification.algorithm", Some("none"))],
    );
    refuse(
        &format!("{ssl}ssl.truststore.location={jks}"),
        "1:5: ssl.truststore.location: not built yet; this trust store is not a PEM file",
    );
    refuse(
        &format!("{ssl}ssl.truststore.location=/nowhere"),
        "wanted a file that can be read",
    );
    refuse(
        &format!("{ssl}ssl.truststore.certificates=x"),
        "wanted certificates in PEM",
    );
    refuse(
        &format!("{ssl}ssl.keystore.location={jks}"),
        "1:5: ssl.keystore.location: not built yet; give the certificate and key as PEM",
    );
}

#[test]
fn a_consumer_with_security_of_its_own_inherits_none() {
    check(
        "security.protocol=SSL\nconsumer.security.protocol=PLAINTEXT",
        &[
            ("security.protocol", Some("PLAINTEXT")),
            ("ssl.ca.location", None),
        ],
    );
}
