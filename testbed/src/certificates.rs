//! Certificates for servers on this machine, and their private keys, which protect nothing. Each one
//! is its own authority.

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
}
