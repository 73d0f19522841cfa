//! Converters: Connect's scope rule for their keys, and the ones that are built in.
//!
//! A converter takes its settings from the file that names it: a connector file with `value.converter` gets none of
//! the worker's `value.converter.*`, and without it none of its own `value.converter.*` count beside the worker's.

use super::files::File;
use super::layers::Given;
use super::properties::Entry;
use super::report::{Problem, Report};
use super::shaping::KeyFormat;
use super::values::Values;

const BUILT_IN: &str = "JsonConverter with value.converter.schemas.enable=false, the only one built in; send plain JSON";

/// Takes out the entries that the scope rule hides, with a warning.
pub(super) fn apply_scope(files: &mut [File], report: &mut Report) {
    for converter in ["key.converter", "value.converter"] {
        let named_by = |connector: bool| {
            files
                .iter()
                .any(|file| file.is_connector == connector && file.has(converter))
        };
        let hidden_in_connector = match (named_by(true), named_by(false)) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => continue,
        };
        let prefix = format!("{converter}.");
        let (hidden, effective): (Vec<_>, Vec<_>) = files
            .iter_mut()
            .partition(|file| file.is_connector == hidden_in_connector);
        for file in hidden {
            for entry in file
                .entries
                .extract_if(.., |entry| entry.key.starts_with(&prefix))
            {
                // Said by both files: nobody is misled.
                if !effective.iter().any(|file| file.has(&entry.key)) {
                    report.warn(without_effect(&file.path, &entry, converter));
                }
            }
        }
    }
}

fn without_effect(path: &str, entry: &Entry, converter: &str) -> String {
    format!(
        "{path}:{}: {} has no effect, since the other file names {converter} (as in Connect); put both into the same file",
        entry.line, entry.key
    )
}

/// Refuses what would read the values differently than it says.
pub(super) fn check_value(values: &mut Values<'_>) {
    const NAME: &str = "value.converter";
    let Some(converter) = values.given(NAME).cloned() else {
        return;
    };
    if simple_name(&converter.value) != "Json" {
        values.report.invalid(NAME, &converter, BUILT_IN);
        return;
    }
    plain_json(values, NAME, "value.converter.schemas.enable", &converter);
}

/// How record keys are read. What a converter says of keys that nobody reads is not in the way.
pub(super) fn key_format(values: &mut Values<'_>, is_key_read: bool) -> KeyFormat {
    const NAME: &str = "key.converter";
    const SCHEMAS: &str = "key.converter.schemas.enable";
    let Some(converter) = values.given(NAME).cloned() else {
        values.bool(SCHEMAS);
        return KeyFormat::Either;
    };
    match simple_name(&converter.value) {
        "Json" if is_key_read => plain_json(values, NAME, SCHEMAS, &converter),
        "Json" | "String" | "ByteArray" => {
            values.bool(SCHEMAS);
        }
        _ => {
            let wanted = "JsonConverter, StringConverter or ByteArrayConverter";
            values.report.invalid(NAME, &converter, wanted);
        }
    }
    match simple_name(&converter.value) {
        "Json" => KeyFormat::Json,
        "String" => KeyFormat::Text,
        _ => KeyFormat::Either,
    }
}

/// JsonConverter reads plain JSON only where it is told so.
fn plain_json(values: &mut Values<'_>, name: &str, schemas: &str, converter: &Given) {
    let with_schemas = values.bool(schemas);
    match values.given(schemas).cloned() {
        Some(given) if with_schemas => values.report.not_built(
            schemas,
            &given,
            "set it to false and send plain JSON, without schema and payload",
        ),
        Some(given) if !given.is_default() || converter.is_default() => {}
        _ => {
            let wanted = format!(
                "Connect's default is true, and JSON with schemas is not built yet; set it to false in the file that names {name}, and send plain JSON"
            );
            let problem = Problem::Missing { wanted };
            values.report.add(&converter.origin, schemas, problem);
        }
    }
}

/// `org.apache.kafka.connect.json.JsonConverter`, `JsonConverter` and `Json` are the same to Connect.
fn simple_name(class: &str) -> &str {
    const PACKAGES: [&str; 4] = [
        "org.apache.kafka.connect.json.",
        "org.apache.kafka.connect.storage.",
        "org.apache.kafka.connect.converters.",
        "io.confluent.connect.replicator.util.",
    ];
    let name = PACKAGES
        .iter()
        .find_map(|package| class.strip_prefix(package))
        .unwrap_or(class);
    name.strip_suffix("Converter").unwrap_or(name)
}
