//! Text that Milvus or the transport gave, made fit for a log line: no secret, no control character, no end of pages.

use std::error::Error;

use crate::config::secret::Secret;

const MAX_BYTES: usize = 512;

/// `text` with `secrets` struck out, control characters escaped, and cut at 512 bytes.
pub(super) fn sanitise(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.trim().to_owned();
    for secret in secrets {
        text = text.replace(secret.expose(), "****");
    }
    let mut clean = String::with_capacity(text.len().min(MAX_BYTES));
    for c in text.chars() {
        let escaped = match c {
            '\u{2028}' | '\u{2029}' => c.escape_unicode().to_string(),
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        };
        if clean.len() + escaped.len() > MAX_BYTES - '…'.len_utf8() {
            clean.push('…');
            break;
        }
        clean.push_str(&escaped);
    }
    clean
}

/// `text` about a write without what it may quote of a record. Milvus and Milvus Lite do that
///
/// - between quotation marks: kept is a name that `is_name` knows, else all up to the last such mark goes, since a value
///   may hold marks itself;
/// - between braces, as a map is printed;
/// - on lines of their own, where a parser of JSON or WKT shows what it read: only the first line stays;
/// - bare, after the words in [`BARE`], up to the end;
/// - as a number after `value` or before `out of range`.
///
/// Other numbers stay: they are lengths, limits, dimensions and places in the request.
pub(super) fn without_values(text: &str, is_name: impl Fn(&str) -> bool) -> String {
    let text = without_quotations(text.trim(), is_name);
    let line = text.lines().next().unwrap_or_default();
    let bare = BARE
        .iter()
        .filter_map(|word| line.find(word).map(|at| at + word.len()));
    match bare.min().and_then(|at| line.split_at_checked(at)) {
        Some((words, value)) if !is_count(value) => without_numbers(words) + "…",
        _ => without_numbers(line),
    }
}

/// Words of Milvus's that a value follows as it is.
const BARE: [&str; 4] = ["actual=", "value=", "value: ", "string: "];

/// As in `[expected=8][actual=7]`, at the end: a length.
fn is_count(value: &str) -> bool {
    let digits = value.strip_suffix(']').unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_quotations(text: &str, is_name: impl Fn(&str) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`', '{']) {
        let (words, quotation) = rest.split_at(at);
        kept.push_str(words);
        let mut characters = quotation.chars();
        let mark = characters.next().unwrap_or_default();
        rest = characters.as_str();
        // An apostrophe: `can't`.
        if mark == '\'' && kept.ends_with(char::is_alphanumeric) {
            kept.push(mark);
            continue;
        }
        let closing = if mark == '{' { '}' } else { mark };
        match rest.split_once(closing) {
            Some((name, after)) if is_name(name) => {
                kept.push(mark);
                kept.push_str(name);
                kept.push(closing);
                rest = after;
            }
            _ => {
                kept.push('…');
                rest = rest.rsplit_once(closing).map_or("", |(_, after)| after);
            }
        }
    }
    kept + rest
}

fn without_numbers(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let kept = words.iter().enumerate().map(|(at, word)| {
        let said = at.checked_sub(1).and_then(|before| words.get(before));
        let names_a_value = matches!(said, Some(&("value" | "number")));
        let next = words.get(at + 1..).unwrap_or_default();
        let is_value = names_a_value || next.starts_with(&["out", "of"]);
        let is_number = word.contains(|c: char| c.is_ascii_digit());
        if is_value && is_number { "…" } else { word }
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// What is said before the first list or quotation, which may be a record's key.
pub(super) fn before_quotes(text: &str) -> String {
    match text.split_once(['[', '"', '\'', '`', '…']) {
        Some((words, _)) => format!("{words}…"),
        None => text.to_owned(),
    }
}

/// What broke a connection, and where that has a usual reason, what to look at.
pub(super) fn transport(error: &(dyn Error + 'static)) -> String {
    let text = root(error);
    if text.contains("certificate") {
        text + "; see milvus.tls.ca.path and milvus.tls.server.name"
    } else if text.contains("InvalidContentType") {
        text + "; the port does not speak TLS, it may want http://"
    } else {
        text
    }
}

/// The last link of an error's chain: the operating system's or the TLS library's own words.
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Whether `error`, or what it came of, is an `E`.
pub(super) fn in_chain<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut link = Some(error);
    while let Some(error) = link {
        if error.is::<E>() {
            return true;
        }
        link = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
