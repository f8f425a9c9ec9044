//! Why there is no TLS connection, for people.

use std::io;

use rustls::{CertificateError, Error, InvalidMessage};

/// The error of TLS in an error of reading or writing.
pub(super) fn within(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// The sentence.
pub(super) fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => of_certificate(reason),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS; try http:// instead of https://".to_owned()
        }
        Error::AlertReceived(alert) => format!("it refuses TLS ({alert:?})"),
        Error::PeerIncompatible(_) => "it speaks no version of TLS that is safe today".to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is the clock right?".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name than that after -H".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "no authority that is trusted here issued its certificate; give that of the authority with --tls-ca"
                .to_owned()
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        CertificateError::BadSignature => "its certificate was forged or is damaged".to_owned(),
        // The error of webpki, of which rustls shows only the name.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is one of an authority, as `openssl req -x509` makes it; \
             make one with -addext basicConstraints=critical,CA:FALSE"
                .to_owned()
        }
        other => format!("its certificate is not valid: {other}"),
    }
}
