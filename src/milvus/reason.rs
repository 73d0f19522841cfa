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

/// What is said before the first list or quotation, which may be a record's.
pub(super) fn before_quotes(text: &str) -> String {
    match text.split_once(['[', '"', '\'', '`']) {
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
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, secrets: &[&str], expected: &str) {
        let secrets: Vec<_> = secrets.iter().map(|s| Secret::new(*s)).collect();
        assert_eq!(sanitise(text, &secrets), expected);
    }

    #[test]
    fn a_reason_keeps_its_words_and_loses_secrets_and_control_characters() {
        check(" rate limit exceeded\n", &[], "rate limit exceeded");
        check("a\nb\u{1b}[31m\u{2028}c", &[], "a\\nb\\u{1b}[31m\\u{2028}c");
        check("bad key u:pw, pw", &["u:pw", "pw"], "bad key ****, ****");
        check("größe 🦀", &[], "größe 🦀");
    }

    #[test]
    fn what_may_quote_a_record_is_cut_before_that() {
        let check = |text: &str, expected: &str| assert_eq!(before_quotes(text), expected);
        check("failed, expr = id in [\"k\"]", "failed, expr = id in …");
        check("value '5' in list cannot be cast", "value …");
        check("node is down", "node is down");
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character_and_never_inside_a_secret() {
        let clean = sanitise(&"é".repeat(400), &[]);
        assert!(clean.len() <= MAX_BYTES && clean.ends_with('…'));
        let at_the_cut = format!("{}secret", "x".repeat(MAX_BYTES - 6));
        let clean = sanitise(&at_the_cut, &[Secret::new("secret")]);
        assert!(!clean.contains("sec"), "{clean}");
    }
}
