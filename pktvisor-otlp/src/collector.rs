//! The collector: where it is, how it is known, and how the agent is known to it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tls_credentials::{CredentialsError, GivenFile, authorities};
use tokio_rustls::TlsConnector;

use crate::endpoint::{CollectorEndpoint, Protocol};

/// Headers that the transport sets itself.
const OWN: [HeaderName; 8] = [
    header::HOST,
    header::USER_AGENT,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TE,
    header::TRANSFER_ENCODING,
];

/// A collector, with all that requests to it need. Its files are read once.
#[derive(Clone)]
pub struct OtlpCollector {
    endpoint: CollectorEndpoint,
    /// Of an https:// endpoint.
    tls: Option<TlsConnector>,
    headers: HeaderMap,
}

impl OtlpCollector {
    /// Reads the certificates of the system if the endpoint speaks TLS, and the given files: one of
    /// authorities that are trusted too (PEM), one of headers for each request, `NAME: VALUE` in a
    /// line. In the latter, empty lines and lines that begin with `#` mean nothing.
    ///
    /// # Errors
    ///
    /// A file cannot be read or does not hold what it should. The error repeats none of it.
    pub fn read(
        endpoint: CollectorEndpoint,
        authorities: Option<&Path>,
        headers: Option<&Path>,
    ) -> Result<Self, CredentialsError> {
        let authorities = authorities.map(|path| GivenFile { option: "--otlp-ca", path });
        let headers = headers.map(|path| GivenFile { option: "--otlp-headers", path });
        let tls = endpoint.is_secure().then(|| connector(endpoint.protocol(), authorities)).transpose()?;
        let headers = headers.map(read_headers).transpose()?.unwrap_or_default();
        Ok(Self { endpoint, tls, headers })
    }

    /// Where it is.
    pub fn endpoint(&self) -> &CollectorEndpoint {
        &self.endpoint
    }

    /// Whether headers are sent that others on the way can read.
    pub fn shows_headers(&self) -> bool {
        self.tls.is_none() && !self.headers.is_empty()
    }

    pub(crate) fn tls(&self) -> Option<&TlsConnector> {
        self.tls.as_ref()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl fmt::Debug for OtlpCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values are sensitive, and show so.
        f.debug_struct("OtlpCollector")
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

fn connector(protocol: Protocol, file: Option<GivenFile<'_>>) -> Result<TlsConnector, CredentialsError> {
    let mut roots = RootCertStore::empty();
    // Some systems have authorities that nobody can use any more.
    roots.add_parsable_certificates(authorities(file)?);
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the suites of both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // RFC 7301. A server of gRPC asks for it.
    config.alpn_protocols = vec![match protocol {
        Protocol::Grpc => b"h2".to_vec(),
        Protocol::Http => b"http/1.1".to_vec(),
    }];
    Ok(Arc::new(config).into())
}

fn read_headers(file: GivenFile<'_>) -> Result<HeaderMap, CredentialsError> {
    let content = file.read_secret()?;
    let mut headers = HeaderMap::new();
    for line in content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (name, value) = header(line)
            .ok_or_else(|| file.unusable("a line in it is not a header: write each as NAME: VALUE"))?;
        if OWN.contains(&name) {
            return Err(
                file.unusable("it has a header that the agent sets itself, such as Host or User-Agent")
            );
        }
        headers.append(name, value);
    }
    if headers.is_empty() {
        return Err(file.unusable("it has no header: write each as NAME: VALUE"));
    }
    Ok(headers)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = HeaderName::from_bytes(name.trim_ascii_end()).ok()?;
    // gRPC encodes the values of such names (gRPC over HTTP/2, "Custom-Metadata").
    if name.as_str().ends_with("-bin") {
        return None;
    }
    let value = value.get(1..)?.trim_ascii();
    let mut value = HeaderValue::from_bytes(value).ok().filter(|value| value.to_str().is_ok())?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of this content; the names and values of its headers, or the error without the
    /// name of the file.
    fn read(content: &str) -> Result<Vec<(String, String)>, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("headers");
        std::fs::write(&path, content).expect("a file");
        let endpoint = CollectorEndpoint::parse("http://c", Protocol::Grpc).expect("a URL");
        let collector = OtlpCollector::read(endpoint, None, Some(&path));
        let collector =
            collector.map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))?;
        assert!(collector.shows_headers());
        assert!(!format!("{collector:?}").contains("secret"), "{collector:?}");
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        Ok(collector.headers().iter().map(text).collect())
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let headers = read("# of the collector\nAuthorization: Bearer secret: 1\r\n\nx-scope : a b \n");
        let expected = [("authorization", "Bearer secret: 1"), ("x-scope", "a b")];
        assert_eq!(headers, Ok(expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()));
    }

    #[test]
    fn a_line_that_is_no_header_is_refused_and_not_repeated() {
        for (content, reason) in [
            ("secret", "a line in it is not a header: write each as NAME: VALUE"),
            ("a b: secret", "a line in it is not a header: write each as NAME: VALUE"),
            ("x: sécret", "a line in it is not a header: write each as NAME: VALUE"),
            ("x-key-bin: secret", "a line in it is not a header: write each as NAME: VALUE"),
            ("Host: secret", "it has a header that the agent sets itself, such as Host or User-Agent"),
            ("# secret\n", "it has no header: write each as NAME: VALUE"),
        ] {
            assert_eq!(read(content), Err(format!("--otlp-headers FILE: {reason}")), "{content}");
        }
    }
}
