//! What the UI trusts and what it shows: the authorities of TLS certificates, and its token.

use std::{fmt, path::Path, sync::Arc};

use rustls::crypto::ring;
use tls_credentials::{CredentialsError, GivenFile, authorities};
use ureq::{
    http::HeaderValue,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// How agents are known, and how the UI is known to them.
#[derive(Clone, Default)]
pub struct AgentAccess {
    /// The authorities whose certificates are trusted; `None` where no agent speaks TLS.
    roots: Option<Arc<Vec<Certificate<'static>>>>,
    /// The `Authorization` header.
    authorization: Option<HeaderValue>,
}

impl AgentAccess {
    /// Trusts the authorities of the system and those in a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no certificate.
    pub fn with_authorities(self, file: Option<&Path>) -> Result<Self, CredentialsError> {
        let authorities = authorities(file.map(|path| GivenFile { option: "--tls-ca", path }))?;
        let roots = authorities.iter().map(|root| Certificate::from_der(root).to_owned());
        Ok(Self { roots: Some(Arc::new(roots.collect())), ..self })
    }

    /// Shows agents the token in the first line of a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no token in its first line.
    pub fn with_token(self, path: &Path) -> Result<Self, CredentialsError> {
        let file = GivenFile { option: "--auth-token-file", path };
        let content = file.read()?;
        let token = content.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        if token.is_empty() {
            return Err(file.unusable("the first line is empty"));
        }
        let header = HeaderValue::from_bytes(&[b"Bearer ", token].concat());
        match header {
            Ok(mut header) if token.iter().all(u8::is_ascii_graphic) => {
                header.set_sensitive(true);
                Ok(Self { authorization: Some(header), ..self })
            }
            _ => Err(file
                .unusable("the first line has other characters than ASCII letters, digits and punctuation")),
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
