//! The token as Milvus wants it: `authorization` metadata, base64 without a scheme. A token file is followed.

use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{Ascii, MetadataValue};
use tracing::{info, warn};

use super::client::ClientError;
use crate::config::Token;
use crate::config::secret::Secret;

/// How often a token file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What Milvus creates its first user with. It is in every manual, and the word is in many of Milvus's own messages.
const PUBLISHED_PASSWORD: &str = "Milvus";

/// One token, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// Marked sensitive: prints as such, and is never indexed by HTTP/2 header compression.
    pub(super) header: Option<MetadataValue<Ascii>>,
    /// What may not appear in any message.
    pub(super) secrets: Vec<Secret>,
}

impl Login {
    fn new(token: &str) -> Self {
        if token.is_empty() {
            return Self::default();
        }
        let encoded = STANDARD.encode(token);
        let header = MetadataValue::try_from(encoded.as_str()).ok().map(
            |mut value: MetadataValue<Ascii>| {
                value.set_sensitive(true);
                value
            },
        );
        let mut secrets = vec![Secret::new(token), Secret::new(encoded)];
        match token.split_once(':') {
            Some((_, password)) if !password.is_empty() && password != PUBLISHED_PASSWORD => {
                secrets.push(Secret::new(password));
            }
            _ => {}
        }
        Self { header, secrets }
    }
}

/// Where the token comes from.
#[derive(Debug)]
pub(super) enum Credentials {
    Fixed(Arc<Login>),
    File(TokenFile),
}

impl Credentials {
    /// Reads a token file once; one that cannot be read or holds nothing is an error.
    pub(super) fn new(token: &Token) -> Result<Self, ClientError> {
        Ok(match token {
            Token::None => Self::Fixed(Arc::default()),
            Token::Inline(secret) => Self::Fixed(Arc::new(Login::new(secret.expose()))),
            Token::File(path) => Self::File(TokenFile::new(path)?),
        })
    }

    /// The token to send with a call made at `now`.
    pub(super) fn current(&self, now: Instant) -> Arc<Login> {
        match self {
            Self::Fixed(login) => Arc::clone(login),
            Self::File(file) => file.current(now),
        }
    }

    /// Reads the token file at once, however it looks; whether there is another token.
    pub(super) fn look_again(&self) -> bool {
        let Self::File(file) = self else {
            return false;
        };
        let now = Instant::now();
        let before = Arc::clone(&file.lock().login);
        self.refused();
        before.header != file.current(now).header
    }

    /// The server refused a token: the next call is made with what the file holds by then, however it looks.
    pub(super) fn refused(&self) {
        if let Self::File(file) = self {
            file.lock().refused = true;
        }
    }
}

#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    looked: Instant,
    stamp: Stamp,
    login: Arc<Login>,
    readable: bool,
    refused: bool,
}

/// A file that changes changes one of these.
type Stamp = (Option<SystemTime>, u64);

impl TokenFile {
    fn new(path: &Path) -> Result<Self, ClientError> {
        let (stamp, login) = stamp(path)
            .and_then(|stamp| Ok((stamp, read(path)?)))
            .map_err(|source| ClientError::TokenFile {
                path: path.to_owned(),
                source,
            })?;
        let seen = Seen {
            looked: Instant::now(),
            stamp,
            login,
            readable: true,
            refused: false,
        };
        Ok(Self {
            path: path.to_owned(),
            seen: Mutex::new(seen),
        })
    }

    /// The file's token. While a changed file cannot be read, the last token stays in use.
    fn current(&self, now: Instant) -> Arc<Login> {
        let mut seen = self.lock();
        let refused = mem::take(&mut seen.refused);
        if refused || now.saturating_duration_since(seen.looked) >= LOOK_EVERY {
            seen.looked = now;
            let known = (!refused).then_some(seen.stamp);
            match self.read_if_changed(known) {
                Ok(None) => seen.readable = true,
                Ok(Some((stamp, login))) => {
                    if login.header != seen.login.header {
                        info!(path = %self.path.display(), "token file read again");
                    }
                    (seen.stamp, seen.login, seen.readable) = (stamp, login, true);
                }
                Err(error) if seen.readable => {
                    seen.readable = false;
                    warn!(path = %self.path.display(), %error, "token file cannot be read: the last token stays in use");
                }
                Err(_) => {}
            }
        }
        Arc::clone(&seen.login)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stamp is taken before the text, so that a change in between shows at the next look.
    fn read_if_changed(&self, known: Option<Stamp>) -> io::Result<Option<(Stamp, Arc<Login>)>> {
        let stamp = stamp(&self.path)?;
        if known == Some(stamp) {
            return Ok(None);
        }
        Ok(Some((stamp, read(&self.path)?)))
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn read(path: &Path) -> io::Result<Arc<Login>> {
    let text = fs::read_to_string(path)?;
    let token = text.trim_end_matches(['\r', '\n']);
    if token.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(Arc::new(Login::new(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(login: &Login) -> &str {
        login.header.as_ref().unwrap().to_str().unwrap()
    }

    #[test]
    fn the_header_is_padded_base64_without_a_scheme_and_prints_as_sensitive() {
        let login = Login::new("root:Milvus");
        assert_eq!(header(&login), "cm9vdDpNaWx2dXM=");
        let printed = format!("{login:?}");
        assert!(
            !printed.contains("cm9vd") && !printed.contains("root:"),
            "{printed}"
        );
    }

    #[test]
    fn a_token_file_is_followed_and_the_last_token_outlives_a_bad_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "a:first\r\n").unwrap();
        let file = TokenFile::new(&path).unwrap();
        let start = Instant::now();
        let at = |seconds| header(&file.current(start + Duration::from_secs(seconds))).to_owned();
        assert_eq!(at(0), STANDARD.encode("a:first"));
        fs::write(&path, "a:second!\n").unwrap();
        assert_eq!(at(0), STANDARD.encode("a:first"), "looked at too often");
        assert_eq!(at(2), STANDARD.encode("a:second!"));
        fs::write(&path, "a:unseen").unwrap();
        assert_eq!(at(2), STANDARD.encode("a:second!"), "looked at too often");
        fs::write(&path, "\n").unwrap();
        assert_eq!(at(4), STANDARD.encode("a:second!"));
        fs::remove_file(&path).unwrap();
        assert_eq!(at(6), STANDARD.encode("a:second!"));
        fs::write(&path, "a:third").unwrap();
        assert_eq!(at(8), STANDARD.encode("a:third"));
    }

    #[test]
    fn a_refused_token_has_its_file_read_again_at_once_even_where_it_looks_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "a:first!").unwrap();
        let credentials = Credentials::new(&Token::File(path.clone())).unwrap();
        let now = Instant::now();
        let (modified, _) = stamp(&path).unwrap();
        fs::write(&path, "a:second").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(modified.unwrap()).unwrap();
        let current = |seconds| {
            let login = credentials.current(now + Duration::from_secs(seconds));
            header(&login).to_owned()
        };
        assert_eq!(current(10), STANDARD.encode("a:first!"));
        credentials.refused();
        assert_eq!(current(10), STANDARD.encode("a:second"));
        assert!(!credentials.look_again());
        fs::write(&path, "a:asked").unwrap();
        assert!(credentials.look_again());
        assert_eq!(current(10), STANDARD.encode("a:asked"));
        fs::write(&path, "a:third!").unwrap();
        assert_eq!(current(10), STANDARD.encode("a:asked"), "refused once");
    }

    #[test]
    fn a_token_file_that_holds_nothing_is_an_error_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        assert!(TokenFile::new(&path).is_err());
        fs::write(&path, "\n\n").unwrap();
        let error = TokenFile::new(&path).unwrap_err().to_string();
        assert!(error.contains("token.file"), "{error}");
    }
}
