//! What there is to know about configuration keys: ours (one table), and those of others that we recognise.

pub(super) mod foreign;
pub(super) mod nearest;
mod table;

use std::borrow::Cow;

pub use table::KEYS;

/// One key, or a family of keys whose name ends in `.*`.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in a file.
    pub default: Option<&'static str>,
    /// One line for a person who sees the key for the first time.
    pub meaning: &'static str,
    pub secret: bool,
    /// `false`: any value but the default is refused.
    pub built: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// Separated by commas.
    List,
    Path,
    Bool,
    Int {
        min: i64,
        max: i64,
        unit: &'static str,
    },
    /// In any case.
    Choice(&'static [&'static str]),
    /// Text with a form of its own, said in words.
    Form(&'static str),
    /// Keys that share a beginning.
    Family,
}

impl Key {
    pub fn is_family(&self) -> bool {
        matches!(self.kind, Kind::Family)
    }
}

impl Kind {
    /// Completes the sentence "wanted …".
    pub(super) fn wanted(self) -> Cow<'static, str> {
        match self {
            Self::Text | Self::Family => "text".into(),
            Self::List => "a list separated by commas".into(),
            Self::Path => "the path of a file".into(),
            Self::Bool => "true or false".into(),
            Self::Int { min, max, unit } => {
                let unit = if unit.is_empty() {
                    String::new()
                } else {
                    format!(" of {unit}")
                };
                format!("a whole number{unit} from {min} to {max}").into()
            }
            Self::Choice(choices) => format!("one of {}", choices.join(", ")).into(),
            Self::Form(form) => form.into(),
        }
    }
}

/// The table's row of a key of ours.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| !key.is_family() && key.name == name)
}

/// Whether a value may be shown. Keys that are not ours are judged by their names.
pub(super) fn is_secret(name: &str) -> bool {
    find(name).map_or_else(
        || {
            let name = name.to_ascii_lowercase();
            name.ends_with("jaas.config")
                || name.ends_with(".pem")
                || name.ends_with("keystore.key")
                || [
                    "password",
                    "passphrase",
                    "secret",
                    "token",
                    "credential",
                    "user.info",
                    "api.key",
                ]
                .iter()
                .any(|part| name.contains(part))
        },
        |key| key.secret,
    )
}

/// The environment variable of a key.
pub(super) fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.to_uppercase().replace('.', "_"))
}

/// The key that an environment variable stands for, known or not; `None` where it is not for us.
pub(super) fn of_variable(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(VARIABLE_PREFIX)?;
    let known = KEYS
        .iter()
        .find(|key| !key.is_family() && self::variable(key.name) == variable);
    Some(known.map_or_else(
        || rest.to_lowercase().replace('_', "."),
        |key| key.name.to_owned(),
    ))
}

const VARIABLE_PREFIX: &str = "MILVUS_SINK_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_stands_for_one_key() {
        for key in KEYS.iter().filter(|key| !key.is_family()) {
            assert_eq!(of_variable(&variable(key.name)).as_deref(), Some(key.name));
        }
        let check = |variable, key: Option<&str>| {
            assert_eq!(of_variable(variable).as_deref(), key, "{variable}");
        };
        check("MILVUS_SINK_LINGER_MS", Some("linger.ms"));
        check("MILVUS_SINK_CONSUMER_GROUP_ID", Some("consumer.group.id"));
        check("MILVUS_SINK_SASL_JAAS_CONFIG", Some("sasl.jaas.config"));
        check(
            "MILVUS_SINK_TOPIC2COLLECTION_MAP",
            Some("topic2collection.map"),
        );
        check("MILVUS_SINK_TRANSFORMS", Some("transforms"));
        check("PATH", None);
        check("milvus_sink_token", None);
    }

    #[test]
    fn names_are_unique_and_every_key_has_a_meaning() {
        for (at, key) in KEYS.iter().enumerate() {
            assert!(KEYS[at + 1..].iter().all(|other| other.name != key.name));
            assert!(
                !key.meaning.is_empty() && !key.meaning.contains('\n'),
                "{}",
                key.name
            );
            assert_eq!(key.is_family(), key.name.ends_with(".*"), "{}", key.name);
            assert!(!(key.secret && key.default.is_some()), "{}", key.name);
        }
    }

    #[test]
    fn secrets_are_known_by_name_in_every_client() {
        for name in [
            "token",
            "sasl.jaas.config",
            "consumer.sasl.jaas.config",
            "producer.sasl.password",
            "ssl.key.pem",
            "ssl.keystore.key",
            "value.converter.basic.auth.user.info",
            "connection.password",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "name",
            "token.file",
            "consumer.group.id",
            "ssl.truststore.location",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
