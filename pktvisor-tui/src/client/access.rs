//! What the UI trusts and what it shows: the authorities of TLS certificates, and its token.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use ureq::{
    http::HeaderValue,
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::format::without_number;

/// Longer files hold something else.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It cannot be read.
    #[error("cannot read {option} {}: {}", path.display(), without_number(reason))]
    Unreadable {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// It does not hold what the option needs.
    #[error("{option} {}: {reason}", path.display())]
    Unusable {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
}

/// How agents are known, and how the UI is known to them.
#[derive(Clone, Default)]
pub struct AgentAccess {
    /// The authorities whose certificates are trusted; `None` where no agent speaks TLS.
    roots: Option<Arc<Vec<Certificate<'static>>>>,
    /// The `Authorization` header.
    authorization: Option<HeaderValue>,
}

impl AgentAccess {
    /// Trusts the authorities of the system and those in the file `authorities`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no certificate.
    pub fn with_authorities(self, authorities: Option<&Path>) -> Result<Self, AccessError> {
        let system = rustls_native_certs::load_native_certs().certs;
        let given = authorities.map(certificates).transpose()?.unwrap_or_default();
        let roots = system.iter().chain(&given).map(|root| Certificate::from_der(root).to_owned());
        Ok(Self { roots: Some(Arc::new(roots.collect())), ..self })
    }

    /// Shows agents the token in the first line of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no token in its first line.
    pub fn with_token(self, path: &Path) -> Result<Self, AccessError> {
        const OPTION: &str = "--auth-token-file";
        let content = read(OPTION, path)?;
        let token = content.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        let unusable = |reason| AccessError::Unusable { option: OPTION, path: path.to_owned(), reason };
        if token.is_empty() {
            return Err(unusable("the first line is empty"));
        }
        let header = HeaderValue::from_bytes(&[b"Bearer ", token].concat());
        match header {
            Ok(mut header) if token.iter().all(u8::is_ascii_graphic) => {
                header.set_sensitive(true);
                Ok(Self { authorization: Some(header), ..self })
            }
            _ => Err(unusable(
                "the first line has other characters than ASCII letters, digits and punctuation",
            )),
        }
    }

    pub(super) fn tls(&self) -> TlsConfig {
        let roots = self.roots.clone().unwrap_or_default();
        TlsConfig::builder()
            .root_certs(RootCerts::Specific(roots))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build()
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for AgentAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentAccess")
            .field("has_token", &self.authorization.is_some())
            .finish_non_exhaustive()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    const OPTION: &str = "--tls-ca";
    let content = read(OPTION, path)?;
    let unusable = |reason| AccessError::Unusable { option: OPTION, path: path.to_owned(), reason };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(unusable("it has no certificate; one begins with -----BEGIN CERTIFICATE-----"))
        }
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(unusable("a PEM block in it is damaged")),
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, AccessError> {
    let unreadable = |reason| AccessError::Unreadable { option, path: path.to_owned(), reason };
    let mut content = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(AccessError::Unusable {
            option,
            path: path.to_owned(),
            reason: "it is larger than 4 MiB",
        });
    }
    Ok(content)
}
