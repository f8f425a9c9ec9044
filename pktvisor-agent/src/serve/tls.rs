//! The certificate and key with which the server speaks TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::{Error as TlsError, ServerConfig};
use tls_credentials::{CredentialsError, GivenFile, certificates};
use tokio_rustls::TlsAcceptor;

const ENCRYPTED_KEY: &[u8] = b"BEGIN ENCRYPTED PRIVATE KEY";

/// What the server proves its name with.
#[derive(Clone, Debug)]
pub struct ServerIdentity(Arc<ServerConfig>);

impl ServerIdentity {
    /// Reads a certificate, followed by those that lead to its authority, and its private key, both
    /// in PEM.
    ///
    /// # Errors
    ///
    /// A file cannot be read or has something else in it, or the key is that of another certificate.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CredentialsError> {
        let certificate_file = GivenFile { option: "--tls-cert", path: certificate };
        let key_file = GivenFile { option: "--tls-key", path: key };
        let chain = certificates(certificate_file)?;
        let key = private_key(key_file)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| certificate_file.unusable(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            TlsError::InconsistentKeys(_) => {
                key_file.unusable("it is not the key of the first certificate in the file of --tls-cert")
            }
            TlsError::InvalidCertificate(reason) => {
                certificate_file.unusable(format!("the first certificate is not valid: {reason:?}"))
            }
            _ => key_file.unusable("the private key cannot be used; RSA, ECDSA and Ed25519 are supported"),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.clone())
    }
}

fn private_key(file: GivenFile<'_>) -> Result<PrivateKeyDer<'static>, CredentialsError> {
    let content = file.read_secret()?;
    PrivateKeyDer::from_pem_slice(&content).map_err(|error| match error {
        _ if content.windows(ENCRYPTED_KEY.len()).any(|window| window == ENCRYPTED_KEY) => {
            file.unusable("the key is encrypted; `openssl pkey -in FILE` prints it without a password")
        }
        PemError::NoItemsFound => {
            file.unusable("it has no private key; one begins with -----BEGIN PRIVATE KEY-----")
        }
        _ => file.unusable("a PEM block in it is damaged"),
    })
}
