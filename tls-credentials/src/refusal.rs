//! Why there is no TLS connection, for people.

use std::fmt::{self, Display, Formatter};
use std::io;

use rustls::{CertificateError, Error, InvalidMessage};

/// The options that mend what is wrong.
#[derive(Clone, Copy, Debug)]
pub struct OptionNames {
    /// Names the file of authorities.
    pub authorities: &'static str,
    /// Names the server.
    pub server: &'static str,
}

/// A handshake that failed; its text is one sentence about the server, which it calls "it".
#[derive(Clone, Copy, Debug)]
pub struct TlsRefusal<'a> {
    error: &'a Error,
    options: OptionNames,
}

impl<'a> TlsRefusal<'a> {
    /// The reason is this error.
    pub fn new(error: &'a Error, options: OptionNames) -> Self {
        Self { error, options }
    }

    /// The error of TLS in an error of reading or writing; `None` if it is another one.
    pub fn within(error: &'a io::Error, options: OptionNames) -> Option<Self> {
        Some(Self::new(error.get_ref()?.downcast_ref()?, options))
    }

    fn certificate(&self, error: &CertificateError, f: &mut Formatter<'_>) -> fmt::Result {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                f.write_str("its certificate has expired")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                f.write_str("its certificate is not valid yet; is the clock right?")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                write!(f, "its certificate is for another name than that after {}", self.options.server)
            }
            CertificateError::UnknownIssuer => write!(
                f,
                "no authority that is trusted here issued its certificate; give that of the authority with {}",
                self.options.authorities
            ),
            CertificateError::Revoked => f.write_str("its certificate was revoked"),
            CertificateError::BadSignature => f.write_str("its certificate was forged or is damaged"),
            // The error of webpki, of which rustls shows only the name.
            CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => f.write_str(
                "its certificate is one of an authority, as `openssl req -x509` makes it; \
                 make one with -addext basicConstraints=critical,CA:FALSE",
            ),
            other => write!(f, "its certificate is not valid: {other}"),
        }
    }
}

impl Display for TlsRefusal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.error {
            Error::InvalidCertificate(reason) => self.certificate(reason, f),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                f.write_str("it does not speak TLS; try http:// instead of https://")
            }
            Error::AlertReceived(alert) => write!(f, "it refuses TLS ({alert:?})"),
            Error::PeerIncompatible(_) => f.write_str("it speaks no version of TLS that is safe today"),
            other => write!(f, "TLS failed: {other}"),
        }
    }
}
