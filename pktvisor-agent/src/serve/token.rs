//! The token that clients have to show: `--auth-token-file`.
//!
//! A program sends it as `Authorization: Bearer TOKEN` (RFC 6750). A browser asks its user for a name
//! and a password, and sends both as `Authorization: Basic` (RFC 7617) with each request of the page:
//! the password is the token, the name does not matter.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use subtle::ConstantTimeEq;
use tls_credentials::{CredentialsError, GivenFile};

/// Fewer characters can be guessed.
const LENGTH_MIN: usize = 16;

/// More do not fit into a header with other fields.
const LENGTH_MAX: usize = 4096;

/// What a client without the token should send, for programs and for browsers.
pub(super) const CHALLENGES: [HeaderValue; 2] = [
    HeaderValue::from_static("Bearer realm=\"pktvisor\""),
    HeaderValue::from_static("Basic realm=\"pktvisor\", charset=\"UTF-8\""),
];

/// The token.
#[derive(Clone)]
pub struct AccessToken(Arc<str>);

impl AccessToken {
    /// Reads the first line of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or its first line is not fit for a token.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let file = GivenFile { option: "--auth-token-file", path };
        let content = file.read_secret()?;
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Self::parse(line).map_err(|reason| file.unusable(reason))
    }

    fn parse(line: &[u8]) -> Result<Self, &'static str> {
        let token = line.trim_ascii();
        if token.is_empty() {
            return Err("the first line is empty; `openssl rand -hex 32` makes a token");
        }
        if !token.iter().all(u8::is_ascii_graphic) {
            return Err("the first line has other characters than ASCII letters, digits and punctuation");
        }
        if token.len() < LENGTH_MIN {
            return Err("the token has fewer than 16 characters; `openssl rand -hex 32` makes a longer one");
        }
        if token.len() > LENGTH_MAX {
            return Err("the token has more than 4096 characters");
        }
        let token = std::str::from_utf8(token).map_err(|_| "the first line is not ASCII")?;
        Ok(Self(token.into()))
    }

    /// Whether a request shows the token. The time of a comparison depends on the length of the
    /// token, not on its characters.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let value = value.as_bytes();
        let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, credentials) = value.split_at(space);
        let credentials = credentials.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return self.is(credentials);
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return false;
        }
        let Ok(decoded) = STANDARD.decode(credentials) else { return false };
        let mut parts = decoded.splitn(2, |byte| *byte == b':');
        matches!((parts.next(), parts.next()), (Some(_name), Some(password)) if self.is(password))
    }

    fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef:/+";

    fn shows(authorization: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        AccessToken::parse(TOKEN.as_bytes()).unwrap().is_shown(&headers)
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn a_token_is_shown_as_bearer_or_as_password() {
        for shown in [format!("Bearer {TOKEN}"), format!("bearer   {TOKEN} "), format!("BEARER {TOKEN}")] {
            assert!(shows(&[&shown]), "{shown}");
        }
        for shown in [basic(&format!(":{TOKEN}")), basic(&format!("anybody:{TOKEN}"))] {
            assert!(shows(&[&shown]), "{shown}");
        }
    }

    #[test]
    fn nothing_else_shows_it() {
        let right = format!("Bearer {TOKEN}");
        for shown in [
            TOKEN.to_owned(),
            format!("Bearer{TOKEN}"),
            format!("Token {TOKEN}"),
            format!("{right}x"),
            right[..right.len() - 1].to_owned(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            String::new(),
            basic(TOKEN.split(':').next().unwrap()),
            basic(&format!("{TOKEN}:")),
            basic(""),
            format!("Basic :{TOKEN}"),
            "Basic %%%".to_owned(),
        ] {
            assert!(!shows(&[&shown]), "{shown}");
        }
        assert!(!shows(&[]));
        assert!(!shows(&[&right, &right]));
    }

    #[test]
    fn a_token_is_long_enough_to_resist_guessing_and_fits_into_a_header() {
        for (line, part) in [
            (&b""[..], "empty"),
            (b"  \r", "empty"),
            (b"short", "fewer than 16"),
            (b"two words in one line", "other characters"),
            (b"0123456789abcde\xff", "other characters"),
            (b"0123456789abcde\0f", "other characters"),
            (&[b'x'; 5000], "more than 4096"),
        ] {
            assert!(AccessToken::parse(line).unwrap_err().contains(part), "{line:?}");
        }
        assert!(AccessToken::parse(b" 0123456789abcdef \r").is_ok());
    }

    #[test]
    fn debug_output_does_not_have_the_token() {
        let token = AccessToken::parse(TOKEN.as_bytes()).unwrap();
        assert_eq!(format!("{token:?}"), "AccessToken(..)");
    }
}
