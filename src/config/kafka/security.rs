//! TLS and login of a Kafka client: Java's trust stores and JAAS lines into librdkafka's settings.

use super::client::{Settings, Users, Written};
use super::{jaas, pem};
use crate::config::Setting;
use crate::config::endpoint::is_loopback;
use crate::config::fate::Fate;
use crate::config::report::Report;
use crate::config::secret::Secret;

const MECHANISMS: &str = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";

/// What the rest of the configuration says that matters here.
pub(super) struct Surroundings<'a> {
    pub(super) bootstrap_servers: &'a str,
    pub(super) allow_insecure: bool,
}

/// Takes the keys with rules of their own out of `users`; the others follow their kinds.
pub(super) fn apply(
    users: &mut Users<'_>,
    settings: &mut Settings,
    surroundings: &Surroundings<'_>,
    report: &mut Report,
) {
    let protocol = users
        .get("security.protocol")
        .map_or_else(String::new, |w| w.given.value.to_ascii_uppercase());
    if protocol.starts_with("SASL_") {
        login(users, settings, report);
    } else {
        drop_unused(
            users,
            "sasl.",
            "a login takes SASL_SSL or SASL_PLAINTEXT",
            report,
        );
    }
    if protocol.ends_with("SSL") {
        trust(users, settings, report);
        verification(users, surroundings, report);
    } else {
        drop_unused(users, "ssl.", "TLS takes SSL or SASL_SSL", report);
        users.remove("enable.ssl.certificate.verification");
    }
    if protocol == "SASL_PLAINTEXT" {
        plaintext_login(users, settings, surroundings, report);
    }
}

/// Keys that a protocol does not use are most likely a protocol forgotten.
fn drop_unused(users: &mut Users<'_>, prefix: &str, remedy: &str, report: &mut Report) {
    let unused: Vec<_> = users
        .extract_if(.., |name, _| name.starts_with(prefix))
        .collect();
    for (_, written) in &unused {
        let why = format!("no effect with this security.protocol; {remedy}");
        report.fate(written.key, Fate::ignored(why));
    }
    if let Some((_, first)) = unused.first() {
        report.warn(format!(
            "{}: {} has no effect with this security.protocol; {remedy}",
            first.given.origin, first.key
        ));
    }
}

/// `sasl.mechanism`, and user and password from the JAAS line or by librdkafka's names.
fn login(users: &mut Users<'_>, settings: &mut Settings, report: &mut Report) {
    let mechanism = mechanism(users, settings, report);
    let Some(line) = users.remove("sasl.jaas.config") else {
        if !(users.contains_key("sasl.username") && users.contains_key("sasl.password")) {
            report.missing(
                "sasl.jaas.config",
                "the login that security.protocol asks for: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"USER\" password=\"PASSWORD\"; (or sasl.username and sasl.password)",
            );
        }
        return;
    };
    for name in ["sasl.username", "sasl.password"] {
        if let Some(other) = users.remove(name) {
            let why = format!(
                "says the same as {} ({}); keep one",
                line.key, line.given.origin
            );
            report.refused(other.key, other.given, why);
        }
    }
    if let Err(why) = user_and_password(&line, mechanism.as_deref(), settings) {
        report.refused(line.key, line.given, why);
    }
}

fn mechanism(
    users: &mut Users<'_>,
    settings: &mut Settings,
    report: &mut Report,
) -> Option<String> {
    let Some(written) = users.remove("sasl.mechanism") else {
        let wanted = format!("{MECHANISMS} (Java's default, GSSAPI, is not built yet)");
        report.missing("sasl.mechanism", wanted);
        return None;
    };
    let mechanism = written.given.value.to_ascii_uppercase();
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => {
            let setting = Setting::Plain(mechanism.clone());
            settings.insert("sasl.mechanism".to_owned(), setting);
            return Some(mechanism);
        }
        "GSSAPI" | "OAUTHBEARER" | "AWS_MSK_IAM" => {
            let instead = format!("{MECHANISMS} can be used");
            report.not_built(written.key, written.given, &instead);
        }
        _ => report.invalid(written.key, written.given, format!("one of {MECHANISMS}")),
    }
    None
}

/// From the first login of the line, whose module must be the mechanism's.
fn user_and_password(
    line: &Written<'_>,
    mechanism: Option<&str>,
    settings: &mut Settings,
) -> Result<(), String> {
    let logins = jaas::parse(&line.given.value).map_err(|error| error.to_string())?;
    let login = logins
        .first()
        .ok_or_else(|| jaas::JaasError::Empty.to_string())?;
    let module = match login.module.rsplit('.').next() {
        Some("PlainLoginModule") => "PLAIN",
        Some("ScramLoginModule") => "SCRAM",
        Some("OAuthBearerLoginModule" | "Krb5LoginModule" | "IAMLoginModule") => {
            return Err(
                "this login module is not built yet; PlainLoginModule and ScramLoginModule are"
                    .to_owned(),
            );
        }
        _ => {
            return Err(
                "this login module is not known; PlainLoginModule and ScramLoginModule are"
                    .to_owned(),
            );
        }
    };
    if mechanism.is_some_and(|mechanism| !mechanism.starts_with(module)) {
        return Err("the login module is not the one of sasl.mechanism (PlainLoginModule: PLAIN, ScramLoginModule: SCRAM-SHA-256 and SCRAM-SHA-512)".to_owned());
    }
    if login
        .options
        .get("tokenauth")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Err("delegation tokens (tokenauth=true) are not built yet".to_owned());
    }
    for option in ["username", "password"] {
        let value = login.options.get(option).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| format!("the login has no {option}"))?;
        let setting = if option == "password" {
            Setting::Secret(Secret::new(value))
        } else {
            Setting::Plain(value.clone())
        };
        settings.insert(format!("sasl.{option}"), setting);
    }
    Ok(())
}

/// Whom to trust: PEM from Java's or librdkafka's keys, else whatever the system has.
fn trust(users: &mut Users<'_>, settings: &mut Settings, report: &mut Report) {
    let kind = users.remove("ssl.truststore.type");
    let mut put = |name: &str, value: String| {
        settings.insert(name.to_owned(), Setting::Plain(value));
    };
    if let Some(written) = users.remove("ssl.truststore.certificates") {
        match pem::rewrap(&written.given.value) {
            Some(certificates) => put("ssl.ca.pem", certificates),
            None => report.invalid(written.key, written.given, "certificates in PEM"),
        }
    } else if let Some(written) = users.remove("ssl.truststore.location") {
        let path = &written.given.value;
        match pem::sniff(path) {
            Ok(true) => put("ssl.ca.location", path.clone()),
            Ok(false) => report.not_built(
                written.key,
                written.given,
                "this trust store is not a PEM file; export its certificates to one (keytool -exportcert -rfc) and set ssl.truststore.type=PEM",
            ),
            Err(error) => {
                report.invalid(written.key, written.given, format!("a file that can be read ({error})"));
            }
        }
    } else if !users.contains_key("ssl.ca.location") && !users.contains_key("ssl.ca.pem") {
        put("ssl.ca.location", "probe".to_owned());
    }
    if let Some(written) = kind
        && !["PEM", "JKS", "PKCS12"].contains(&written.given.value.to_ascii_uppercase().as_str())
    {
        report.invalid(written.key, written.given, "PEM");
    }
}

/// An unverified server is taken only where the user says so, and never in silence.
fn verification(users: &mut Users<'_>, surroundings: &Surroundings<'_>, report: &mut Report) {
    let unverified = [
        (
            "ssl.endpoint.identification.algorithm",
            ["", "none"],
            "the name in the broker's certificate is not checked",
        ),
        (
            "enable.ssl.certificate.verification",
            ["false", "false"],
            "the broker's certificate is not checked",
        ),
    ];
    for (name, off, what) in unverified {
        let Some(&written) = users.get(name) else {
            continue;
        };
        let value = written.given.value.to_ascii_lowercase();
        if !off.contains(&value.as_str()) {
            continue;
        }
        if surroundings.allow_insecure {
            report.warn(format!("{}: {}: {what}", written.given.origin, written.key));
        } else {
            let why = format!("{what}, and allow.insecure=false refuses that");
            report.refused(written.key, written.given, why);
        }
    }
}

/// SCRAM keeps the password to itself; PLAIN sends it.
fn plaintext_login(
    users: &Users<'_>,
    settings: &Settings,
    surroundings: &Surroundings<'_>,
    report: &mut Report,
) {
    let plain =
        matches!(settings.get("sasl.mechanism"), Some(Setting::Plain(name)) if name == "PLAIN");
    let remote =
        super::servers::hosts(surroundings.bootstrap_servers).any(|host| !is_loopback(host));
    let Some(written) = users.get("security.protocol") else {
        return;
    };
    if !(plain && remote) {
        return;
    }
    if surroundings.allow_insecure {
        report.warn(format!(
            "{}: the Kafka password crosses the network unencrypted; use SASL_SSL",
            written.key
        ));
    } else {
        let why = "would send the Kafka password unencrypted, and allow.insecure=false refuses that; use SASL_SSL";
        report.refused(written.key, written.given, why);
    }
}
