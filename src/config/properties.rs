//! The grammar of Java's `.properties` files, as `java.util.Properties.load` reads it.
//!
//! Two deliberate differences: a UTF-8 byte order mark is dropped (Java keeps it as part of the first key), and an
//! escape that names half a character (a lone surrogate) is a fault (Java keeps it).

/// What a file holds. Faults do not stop the reading, so that all of them are reported at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    /// In the order of the file; of equal keys the last one counts.
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<Fault>,
    /// The file began with a UTF-8 byte order mark.
    pub(super) byte_order_mark: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// Where the entry starts; the first line is 1.
    pub(super) line: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FaultKind {
    #[error(r"\u must be followed by four hexadecimal digits (a plain backslash is written \\)")]
    Escape,
    #[error(r"a \u escape names half a character (a lone surrogate); write both halves")]
    Surrogate,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a worker or connector file: one byte is one character (ISO-8859-1).
pub(super) fn parse_latin1(bytes: &[u8]) -> Properties {
    let stripped = bytes.strip_prefix(BYTE_ORDER_MARK);
    let text: String = stripped
        .unwrap_or(bytes)
        .iter()
        .map(|&b| char::from(b))
        .collect();
    Properties {
        byte_order_mark: stripped.is_some(),
        ..parse(&text)
    }
}

fn parse(text: &str) -> Properties {
    let mut properties = Properties::default();
    for (line, logical) in logical_lines(text) {
        let (key, value) = split_key(&logical);
        match (unescape(key), unescape(value)) {
            (Ok(key), Ok(value)) => properties.entries.push(Entry { key, value, line }),
            (Err(kind), _) | (_, Err(kind)) => properties.faults.push(Fault { line, kind }),
        }
    }
    properties
}

/// Entries still escaped, continuation lines joined, comments and blank lines left out; with the line of their start.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let natural = natural_lines(text);
    let mut logical_lines = Vec::new();
    let mut at = 0;
    while let Some(first) = natural.get(at) {
        let start = at + 1;
        at += 1;
        let mut part = first.trim_start_matches(is_blank);
        if part.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = String::new();
        let mut cut_off = false;
        while continues(part) {
            logical.push_str(part.strip_suffix('\\').unwrap_or(part));
            // The end of the file right behind the backslash still makes an entry, even one without a single character.
            let Some(next) = natural.get(at) else {
                cut_off = true;
                break;
            };
            part = next.trim_start_matches(is_blank);
            at += 1;
        }
        if !cut_off {
            logical.push_str(part);
        }
        if cut_off || !logical.is_empty() {
            logical_lines.push((start, logical));
        }
    }
    logical_lines
}

/// Lines end at `\n`, `\r` or `\r\n`. Text that ends with a line end has an empty last line.
fn natural_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once(['\n', '\r']) {
        let carriage_return = rest.as_bytes().get(line.len()) == Some(&b'\r');
        lines.push(line);
        rest = match after.strip_prefix('\n') {
            Some(after) if carriage_return => after,
            _ => after,
        };
    }
    lines.push(rest);
    lines
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0C')
}

/// An odd number of backslashes at the end: the last one is not itself escaped.
fn continues(line: &str) -> bool {
    line.chars().rev().take_while(|&c| c == '\\').count() % 2 == 1
}

/// The key ends at the first unescaped `=`, `:` or blank; one separator and blanks around it belong to neither side.
fn split_key(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (c == '=' || c == ':' || is_blank(c));
        escaped = c == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim_start_matches(is_blank))
}

/// Java's characters are UTF-16 units, so a character beyond U+FFFF is written as two escapes.
fn unescape(text: &str) -> Result<String, FaultKind> {
    let mut units = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' {
            match chars.next() {
                Some('u') => {
                    units.push(hex_unit(&mut chars)?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0C',
                Some(other) => other,
                None => continue,
            }
        } else {
            c
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).map_err(|_| FaultKind::Surrogate)
}

fn hex_unit(chars: &mut std::str::Chars<'_>) -> Result<u16, FaultKind> {
    let digits: String = chars.take(4).collect();
    if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        u16::from_str_radix(&digits, 16).map_err(|_| FaultKind::Escape)
    } else {
        Err(FaultKind::Escape)
    }
}

#[cfg(test)]
mod tests;
