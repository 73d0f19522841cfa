//! PEM text and files, as far as they are handed on to OpenSSL.

use std::fs::File;
use std::io::{self, Read};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// PEM blocks with the line breaks that OpenSSL insists on; Java takes them on one line as well. `None` where there
/// is no whole block.
pub(super) fn rewrap(text: &str) -> Option<String> {
    let mut wrapped = String::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES)?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(&end)?;
        let body: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
        wrapped.extend([BEGIN, label, DASHES, "\n"]);
        for line in body.chunks(64) {
            wrapped.extend(line);
            wrapped.push('\n');
        }
        wrapped.extend([&end, "\n"]);
        rest = after;
    }
    (!wrapped.is_empty()).then_some(wrapped)
}

/// Whether a file holds PEM; Java's JKS and PKCS12 stores are binary.
pub(super) fn sniff(path: &str) -> io::Result<bool> {
    const ENOUGH: u64 = 1 << 20;
    let mut bytes = Vec::new();
    File::open(path)?.take(ENOUGH).read_to_end(&mut bytes)?;
    Ok(bytes
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_wrapped_at_64_characters() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(rewrap(text).as_deref(), expected, "{text}");
        };
        let long = "A".repeat(70);
        let wrapped = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n",
            "A".repeat(64),
            "A".repeat(6)
        );
        let one_line = format!("-----BEGIN CERTIFICATE----- {long} -----END CERTIFICATE-----");
        check(&one_line, Some(&wrapped));
        check(&wrapped, Some(&wrapped));
        check(&format!("{one_line}{one_line}"), Some(&wrapped.repeat(2)));
        check("", None);
        check("-----BEGIN CERTIFICATE-----AAAA", None);
        check("-----BEGIN CERTIFICATE-----AAAA-----END KEY-----", None);
    }

    #[test]
    fn pem_is_told_from_binary_stores() {
        let folder = tempfile::tempdir().unwrap();
        let check = |bytes: &[u8], expected: bool| {
            let path = folder.path().join("store");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(sniff(path.to_str().unwrap()).unwrap(), expected);
        };
        check(b"subject=/CN=x\n-----BEGIN CERTIFICATE-----\n", true);
        check(b"\xFE\xED\xFE\xED\0\0\0\x02", false);
        check(b"", false);
        assert!(sniff("/nowhere/at/all").is_err());
    }
}
