//! docs/configuration.md, whose tables are those of the keys.

use super::sample::{HEADINGS, later};
use super::*;
use crate::config::keys::{KEYS, Key, Kind};

const PAGE: &str = "docs/configuration.md";
const BEGIN: &str =
    "<!-- made from the table of keys; UPDATE=1 cargo test --lib reference writes it anew -->\n";
const END: &str = "<!-- end of what is made -->";

fn tables() -> String {
    let mut text = String::new();
    for key in KEYS {
        if let Some((_, heading)) = HEADINGS.iter().find(|(first, _)| *first == key.name) {
            text += &format!(
                "\n### {heading}\n\n| key | default | values | meaning |\n|---|---|---|---|\n"
            );
        }
        let default = key
            .default
            .map_or(String::new(), |value| format!("`{value}`"));
        let secret = if key.secret { " (a secret)" } else { "" };
        text += &format!(
            "| `{}` | {default} | {}{secret} | {}{} |\n",
            key.name,
            plain(&values(key)),
            plain(key.meaning),
            later(key),
        );
    }
    text + "\n"
}

/// What may be given, in few words; the meaning says the rest.
fn values(key: &Key) -> String {
    match key.kind {
        Kind::Int { min, max, unit } => format!("{min} to {max} {unit}").trim_end().to_owned(),
        Kind::Choice(choices) => choices.join(", "),
        Kind::Family => "settings of these names".to_owned(),
        kind => kind.wanted().into_owned(),
    }
}

/// As text that Markdown takes for nothing else.
fn plain(text: &str) -> String {
    let escaped = |c| match c {
        '|' | '<' | '*' | '_' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[test]
fn the_reference_has_every_key_as_the_table_has_it() {
    let path = repository(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let expected = tables();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, [before, BEGIN, &expected, END, after].concat()).unwrap();
        return;
    }
    assert!(
        found == expected,
        "write {PAGE} anew, by UPDATE=1; it should have:\n{expected}"
    );
}

#[test]
fn what_markdown_would_take_for_markup_is_text() {
    let found = plain("a|b <name> __x:true, y.*");
    assert_eq!(found, r"a\|b \<name> \_\_x:true, y.\*");
}
