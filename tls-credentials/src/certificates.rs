//! Certificates in PEM, and the authorities that a client trusts.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::files::{CredentialsError, GivenFile};

/// The authorities of the system, and those in a PEM file. It takes milliseconds.
///
/// # Errors
///
/// The file cannot be read, or has no certificate. A system without authorities is no error.
pub fn authorities(given: Option<GivenFile<'_>>) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let mut authorities = rustls_native_certs::load_native_certs().certs;
    if let Some(file) = given {
        authorities.extend(certificates(file)?);
    }
    Ok(authorities)
}

/// The certificates in a PEM file, at least one.
///
/// # Errors
///
/// The file cannot be read, is damaged, or has no certificate.
pub fn certificates(file: GivenFile<'_>) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let content = file.read()?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(file.unusable("it has no certificate; one begins with -----BEGIN CERTIFICATE-----"))
        }
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(file.unusable("a PEM block in it is damaged")),
    }
}
