//! `${env:NAME}`, `${file:PATH:KEY}` and `${dir:PATH:FILE}` within values, as Connect's providers of these names.

use std::borrow::Cow;
use std::path::Path;

use super::layers::Givens;
use super::properties;
use super::report::{Problem, Report};

/// Replaces every reference in every value; one that does not resolve is a mistake.
pub(super) fn resolve(givens: &mut Givens, env: &[(String, String)], report: &mut Report) {
    for (key, given) in givens {
        match resolve_text(&given.value, env) {
            Ok(value) => given.value = value,
            Err(problem) => report.add(&given.origin, key, problem),
        }
    }
}

/// A reference is `${provider:[path:]name}`. Text without a colon, such as `${topic}`, is none.
fn resolve_text(text: &str, env: &[(String, String)]) -> Result<String, Problem> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        resolved.push_str(before);
        let Some((inner, behind)) = after.split_once('}') else {
            resolved.push_str("${");
            rest = after;
            continue;
        };
        match inner.split_once(':') {
            Some((provider, name)) => resolved.push_str(&look_up(provider, name, env)?),
            None => resolved.extend(["${", inner, "}"]),
        }
        rest = behind;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn look_up<'a>(
    provider: &str,
    name: &str,
    env: &'a [(String, String)],
) -> Result<Cow<'a, str>, Problem> {
    let found = match provider {
        "env" => env
            .iter()
            .find(|(variable, _)| variable == name)
            .map(|(_, value)| Cow::from(value))
            .ok_or_else(|| format!("there is no environment variable {name}")),
        "file" => of_path(name, "PATH:KEY").and_then(|(path, key)| property(path, key)),
        "dir" => of_path(name, "PATH:FILE").and_then(|(path, file)| whole(path, file)),
        // Not quoted: it may be a piece of a password.
        _ => {
            return Err(Problem::Refused {
                why: "holds a ${…:…} that does not resolve: ${env:NAME}, ${file:PATH:KEY} and ${dir:PATH:FILE} are built in"
                    .to_owned(),
            });
        }
    };
    found.map_err(|why| Problem::Refused {
        why: format!("${{{provider}:{name}}} does not resolve: {why}"),
    })
}

fn of_path<'n>(name: &'n str, wanted: &str) -> Result<(&'n str, &'n str), String> {
    let parts = name
        .split_once(':')
        .filter(|(path, name)| !path.is_empty() && !name.is_empty());
    parts.ok_or_else(|| format!("wanted {wanted}"))
}

/// A key of another properties file. What it refers to itself is not looked up.
fn property(path: &str, key: &str) -> Result<Cow<'static, str>, String> {
    let bytes = read(Path::new(path))?;
    let entries = properties::parse_latin1(&bytes).entries.into_iter();
    let mut found = entries.filter(|entry| entry.key == key);
    // As Java: of equal keys the last one counts.
    let value = found.next_back().map(|entry| Cow::from(entry.value));
    value.ok_or_else(|| "the file has no such key".to_owned())
}

/// A whole file of a folder, as secrets are mounted; the end of its last line is not part of it.
fn whole(folder: &str, file: &str) -> Result<Cow<'static, str>, String> {
    if file.contains('/') || file == ".." {
        return Err("wanted the name of a file in that folder".to_owned());
    }
    let text = String::from_utf8(read(&Path::new(folder).join(file))?);
    let text = text.map_err(|_| "the file is not UTF-8".to_owned())?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let env = [("A", "1"), ("B", "two"), ("C", "${env:A}"), ("E", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let resolved = resolve_text(text, &env).map_err(|problem| problem.to_string());
        match (&resolved, expected) {
            (Ok(value), Ok(wanted)) => assert_eq!(value, wanted, "{text}"),
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            _ => panic!("{text}: {resolved:?}"),
        }
    }

    #[test]
    fn references_resolve_anywhere_or_say_why_not() {
        check("plain", Ok("plain"));
        check("${env:A}", Ok("1"));
        check("x ${env:A}-${env:B} y", Ok("x 1-two y"));
        check("${env:C}", Ok("${env:A}"));
        check("[${env:E}]", Ok("[]"));
        check("${topic}_${env:A}", Ok("${topic}_1"));
        check("${env:A", Ok("${env:A"));
        check("$${env:A}}", Ok("$1}"));
        check("${env:NONE}", Err("no environment variable NONE"));
        check("${env:path:A}", Err("no environment variable path:A"));
        check("${vault:x:k}", Err("${env:NAME}, ${file:PATH:KEY} and"));
    }

    #[test]
    fn a_reference_may_be_a_key_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.properties");
        let text = "token=first\ntoken=root\\:x y\nother=${env:A}\nempty=\na\\:b=colon\n";
        std::fs::write(&path, text).unwrap();
        let of = |key: &str| format!("${{file:{}:{key}}}", path.display());
        check(&of("token"), Ok("root:x y"));
        check(&format!("<{}>", of("token")), Ok("<root:x y>"));
        check(&of("other"), Ok("${env:A}"));
        check(&of("empty"), Ok(""));
        check(&of("a:b"), Ok("colon"));
        check(&of("none"), Err("has no such key"));
        check("${file:/nowhere/at/all:k}", Err("No such file"));
        check("${file:/nowhere}", Err("wanted PATH:KEY"));
        check("${file::k}", Err("wanted PATH:KEY"));
    }

    #[test]
    fn a_reference_may_be_a_file_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("token", &b"root:x\n"[..]),
            ("a:b", b"two\nlines\r\n"),
            ("bytes", b"\xff"),
        ] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let of = |name: &str| format!("${{dir:{}:{name}}}", folder.path().display());
        check(&of("token"), Ok("root:x"));
        check(&of("a:b"), Ok("two\nlines"));
        check(&of("bytes"), Err("not UTF-8"));
        check(&of("none"), Err("No such file"));
        check(&of("../token"), Err("a file in that folder"));
        check(&of(".."), Err("a file in that folder"));
        check("${dir:/run}", Err("wanted PATH:FILE"));
    }
}
