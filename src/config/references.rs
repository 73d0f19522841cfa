//! `${env:NAME}` within values, and the references that are not built yet.

use super::keys;
use super::layers::Givens;
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
            Some((provider, name)) => resolved.push_str(look_up(provider, name, env)?),
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
) -> Result<&'a str, Problem> {
    match provider {
        "env" => env
            .iter()
            .find(|(variable, _)| variable == name)
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Problem::Refused {
                why: format!(
                    "${{env:{name}}} does not resolve: there is no environment variable {name}"
                ),
            }),
        "file" | "dir" => Err(Problem::NotBuilt {
            instead: format!(
                " (${{{provider}:…}}); use ${{env:NAME}}, token.file, or a {} variable",
                keys::variable("key")
            ),
        }),
        // Not quoted: it may be a piece of a password.
        _ => Err(Problem::Refused {
            why: "holds a ${…:…} that does not resolve: only ${env:NAME} is built in".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_anywhere_or_say_why_not() {
        let env = [("A", "1"), ("B", "two"), ("C", "${env:A}"), ("E", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let check = |text, expected: Result<&str, &str>| {
            let resolved = resolve_text(text, &env).map_err(|problem| problem.to_string());
            match (&resolved, expected) {
                (Ok(value), Ok(wanted)) => assert_eq!(value, wanted, "{text}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                _ => panic!("{text}: {resolved:?}"),
            }
        };
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
        check("${file:/run/x:k}", Err("not built yet"));
        check("${dir:/run:k}", Err("not built yet"));
        check("${vault:x:k}", Err("only ${env:NAME} is built in"));
    }
}
