//! Certificates for servers on this machine, and their private keys, which protect nothing. Each one
//! is its own authority.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its private key, in PEM.
#[derive(Clone, Copy, Debug)]
pub struct TestCertificate {
    /// The certificate.
    pub certificate: &'static str,
    /// Its private key.
    pub key: &'static str,
}

macro_rules! certificate {
    ($name:literal) => {
        TestCertificate {
            certificate: include_str!(concat!("certificates/", $name, ".pem")),
            key: include_str!(concat!("certificates/", $name, "-key.pem")),
        }
    };
}

impl TestCertificate {
    /// Valid for `localhost`, 127.0.0.1 and ::1.
    pub const LOCAL: Self = certificate!("local");
    /// The same from another authority.
    pub const STRANGER: Self = certificate!("stranger");
    /// Valid for ns1.example.
    pub const ELSEWHERE: Self = certificate!("elsewhere");
    /// For this machine, expired in 2021.
    pub const EXPIRED: Self = certificate!("expired");
    /// For this machine, marked as one of an authority, as `openssl req -x509` makes it.
    pub const AUTHORITY: Self = certificate!("authority");
    /// For this machine, not valid before 2110.
    pub const FUTURE: Self = certificate!("future");

    /// The settings of a server with this certificate, which speaks one of these protocols (ALPN, RFC
    /// 7301); any if there are none.
    ///
    /// # Panics
    ///
    /// Never: the certificates are valid PEM, each with its key.
    pub fn server_config(self, protocols: &[&str]) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("safe versions");
        let config = config.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.expect("the key fits");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
