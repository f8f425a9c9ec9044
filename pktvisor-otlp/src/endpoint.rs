//! Where the collector is, from the URL that the operator gives.

use std::fmt::{self, Display, Formatter};

use hyper::Uri;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};

/// The path of the metrics service over HTTP (OTLP specification, "OTLP/HTTP Request").
const METRICS_PATH: &str = "/v1/metrics";

/// How requests are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC over HTTP/2.
    #[default]
    Grpc,
    /// Protobuf in the body of a POST, over HTTP/1.1.
    Http,
}

impl Protocol {
    /// The port of a URL that names none: without TLS the one that the specification gives to the
    /// protocol.
    const fn default_port(self, security: Security) -> u16 {
        match (security, self) {
            // Services on the internet leave it out of their URLs.
            (Security::Tls, _) => 443,
            (Security::Plain, Self::Grpc) => 4317,
            (Security::Plain, Self::Http) => 4318,
        }
    }
}

/// What protects a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    Plain,
    Tls,
}

impl Security {
    fn scheme(self) -> Scheme {
        match self {
            Self::Plain => Scheme::HTTP,
            Self::Tls => Scheme::HTTPS,
        }
    }
}

/// A collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorEndpoint {
    protocol: Protocol,
    security: Security,
    /// A name or an address, without the brackets of IPv6.
    host: String,
    port: u16,
    /// Scheme, host and port as requests name them.
    origin: Uri,
    /// Of requests over HTTP.
    path: PathAndQuery,
}

/// The URL is not one of a collector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectorUrlError {
    /// Not a URL with scheme and host.
    #[error("{0:?} is not the URL of a collector: write it like http://collector.example:4317")]
    NoUrl(String),
    /// Another scheme.
    #[error("{0}:// is not supported: give an http:// or https:// URL")]
    Scheme(String),
    /// Something that would have no effect.
    #[error("a gRPC endpoint has no path: give http://HOST:PORT, or --otlp-protocol http")]
    PathOfGrpc,
    /// A password in a command line can be read by every user of the machine.
    #[error("the URL must not contain a user or password")]
    Credentials,
}

impl CollectorEndpoint {
    /// Reads a URL. Without a port it takes the usual one of the protocol. Over HTTP, `/v1/metrics` is
    /// appended unless the path ends in it.
    ///
    /// # Errors
    ///
    /// One sentence for the operator.
    pub fn parse(url: &str, protocol: Protocol) -> Result<Self, CollectorUrlError> {
        let no_url = || CollectorUrlError::NoUrl(url.to_owned());
        let uri: Uri = url.trim().parse().map_err(|_| no_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err(no_url()) };
        let security = match scheme.as_str() {
            "http" => Security::Plain,
            "https" => Security::Tls,
            other => return Err(CollectorUrlError::Scheme(other.to_owned())),
        };
        if authority.as_str().contains('@') {
            return Err(CollectorUrlError::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port = match after_host.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(no_url)?,
            None => protocol.default_port(security),
        };
        if host.is_empty() {
            return Err(no_url());
        }
        let path = match protocol {
            Protocol::Grpc if !matches!(uri.path(), "" | "/") || uri.query().is_some() => {
                return Err(CollectorUrlError::PathOfGrpc);
            }
            Protocol::Grpc => PathAndQuery::from_static("/"),
            Protocol::Http => metrics_path(&uri).ok_or_else(no_url)?,
        };
        let origin = origin(security, authority, port).ok_or_else(no_url)?;
        Ok(Self { protocol, security, host, port, origin, path })
    }

    /// How requests are sent.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether it speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.security == Security::Tls
    }

    /// A name or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> &Uri {
        &self.origin
    }

    pub(crate) fn path(&self) -> &PathAndQuery {
        &self.path
    }
}

impl Display for CollectorEndpoint {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let authority = self.origin.authority().map_or("", Authority::as_str);
        match self.protocol {
            Protocol::Grpc => write!(formatter, "{}://{authority} (gRPC)", self.security.scheme()),
            Protocol::Http => write!(formatter, "{}://{authority}{}", self.security.scheme(), self.path),
        }
    }
}

fn metrics_path(uri: &Uri) -> Option<PathAndQuery> {
    let base = uri.path().trim_end_matches('/');
    let suffix = if base.ends_with(METRICS_PATH) { "" } else { METRICS_PATH };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{base}{suffix}{query}").parse().ok()
}

fn origin(security: Security, authority: &Authority, port: u16) -> Option<Uri> {
    let with_port = format!("{}:{port}", authority.host());
    Uri::builder().scheme(security.scheme()).authority(with_port).path_and_query("/").build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str, protocol: Protocol) -> String {
        match CollectorEndpoint::parse(url, protocol) {
            Ok(endpoint) => format!("{endpoint} at {} port {}", endpoint.host(), endpoint.port()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_url_names_host_port_and_path() {
        for (url, protocol, expected) in [
            ("http://c:4317", Protocol::Grpc, "http://c:4317 (gRPC) at c port 4317"),
            ("http://c/", Protocol::Grpc, "http://c:4317 (gRPC) at c port 4317"),
            ("http://c", Protocol::Http, "http://c:4318/v1/metrics at c port 4318"),
            ("http://c:80/otlp/", Protocol::Http, "http://c:80/otlp/v1/metrics at c port 80"),
            ("http://c/v1/metrics?k=1", Protocol::Http, "http://c:4318/v1/metrics?k=1 at c port 4318"),
            ("http://[::1]:9", Protocol::Grpc, "http://[::1]:9 (gRPC) at ::1 port 9"),
            ("https://c", Protocol::Grpc, "https://c:443 (gRPC) at c port 443"),
            ("https://c:4318/otlp", Protocol::Http, "https://c:4318/otlp/v1/metrics at c port 4318"),
            ("http://192.0.2.1", Protocol::Grpc, "http://192.0.2.1:4317 (gRPC) at 192.0.2.1 port 4317"),
        ] {
            assert_eq!(shown(url, protocol), expected);
        }
    }

    #[test]
    fn a_wrong_url_is_refused_with_one_sentence() {
        for (url, part) in [
            ("collector:4317", "is not the URL of a collector"),
            ("collector", "is not the URL of a collector"),
            ("", "is not the URL of a collector"),
            ("http://c:0", "is not the URL of a collector"),
            ("http://c:99999", "is not the URL of a collector"),
            ("ftp://c", "ftp:// is not supported"),
            ("http://c/v1/metrics", "a gRPC endpoint has no path"),
            ("http://u:p@c", "must not contain a user or password"),
        ] {
            let said = shown(url, Protocol::Grpc);
            assert!(said.contains(part), "{url}: {said}");
            assert!(!said.contains('\n'));
        }
    }
}
