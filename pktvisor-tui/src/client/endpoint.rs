//! Where an agent is: what an operator types after `-H`.

use std::net::Ipv6Addr;

/// Where agents listen unless told otherwise.
pub const DEFAULT_PORT: u16 = 10853;

/// The address of an agent's web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; IPv6 addresses in brackets.
    authority: String,
    port: u16,
    /// Path before `/api`, without a slash at its end; empty unless a URL gave one (a reverse proxy).
    prefix: String,
}

/// Why a HOST cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing there.
    #[error("HOST is empty: give a name, an address, host:port or an http:// URL")]
    Empty,
    /// TLS, or something else.
    #[error("{0}: only http:// is spoken; put a local proxy or an SSH tunnel in front of other transports")]
    Scheme(String),
    /// The port is no number.
    #[error("{0}: the port is not a number from 1 to 65535")]
    Port(String),
    /// Something that no host name or address contains.
    #[error("{0}: not a host name, an address, host:port or an http:// URL")]
    Host(String),
}

impl Endpoint {
    /// Reads `ns1`, `ns1:8080`, `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]:8080` or `http://ns1:8080/prefix`.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, EndpointError> {
        let text = text.trim();
        let (rest, is_url) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, true),
            Some(_) => return Err(EndpointError::Scheme(text.to_owned())),
            None => (text, false),
        };
        let (authority, prefix) = match rest.split_once('/') {
            Some((authority, path)) if is_url || path.is_empty() => (authority, path.trim_end_matches('/')),
            Some(_) => return Err(EndpointError::Host(text.to_owned())),
            None => (rest, ""),
        };
        if authority.is_empty() {
            return Err(EndpointError::Empty);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => default_port,
            Some(port) => match port.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(EndpointError::Port(text.to_owned())),
            },
        };
        let path_allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
        if !prefix.chars().all(path_allowed) {
            return Err(EndpointError::Host(text.to_owned()));
        }
        let name_allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let authority = match host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) if !host.is_empty() && host.chars().all(name_allowed) => host.to_owned(),
            Err(_) => return Err(EndpointError::Host(text.to_owned())),
        };
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        Ok(Self { authority, port, prefix })
    }

    /// The URL of a page: `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}:{}{}{path}", self.authority, self.port, self.prefix)
    }

    /// How it is called on screen: as short as it is unmistakable.
    pub fn label(&self) -> String {
        match self.port {
            DEFAULT_PORT => format!("{}{}", self.authority, self.prefix),
            port => format!("{}:{port}{}", self.authority, self.prefix),
        }
    }
}

/// Splits `host:port`; a bare IPv6 address has no port. Brackets are taken off.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    if let Some(rest) = authority.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, port)) => (host, port.strip_prefix(':').filter(|port| !port.is_empty())),
            None => (authority, None),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return (authority, None);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_be_a_name_an_address_or_a_url() {
        for (text, url) in [
            ("ns1.example", "http://ns1.example:10853/x"),
            ("ns1:99", "http://ns1:99/x"),
            ("192.0.2.1", "http://192.0.2.1:10853/x"),
            ("192.0.2.1:99", "http://192.0.2.1:99/x"),
            ("::1", "http://[::1]:10853/x"),
            ("2001:db8::1", "http://[2001:db8::1]:10853/x"),
            ("[2001:DB8::1]:99", "http://[2001:db8::1]:99/x"),
            ("[::1]", "http://[::1]:10853/x"),
            ("http://ns1", "http://ns1:10853/x"),
            ("HTTP://ns1:99/", "http://ns1:99/x"),
            ("http://ns1/edge/7/", "http://ns1:10853/edge/7/x"),
            (" ns1 ", "http://ns1:10853/x"),
        ] {
            assert_eq!(Endpoint::parse(text, 10853).map(|e| e.url("/x")), Ok(url.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_reason() {
        for text in ["", "  ", "http://", "http:///x"] {
            assert_eq!(Endpoint::parse(text, 1), Err(EndpointError::Empty), "{text}");
        }
        for text in ["https://ns1", "ftp://ns1"] {
            assert!(matches!(Endpoint::parse(text, 1), Err(EndpointError::Scheme(_))), "{text}");
        }
        for text in ["ns1:http", "ns1:", "ns1:0", "ns1:65536", "[::1]:x"] {
            assert!(matches!(Endpoint::parse(text, 1), Err(EndpointError::Port(_))), "{text}");
        }
        for text in ["ns1/path", "a b", "user@ns1", "[::1", "ns\u{1b}[2J", ":53", "http://ns1/a b"] {
            assert!(matches!(Endpoint::parse(text, 1), Err(EndpointError::Host(_))), "{text}");
        }
    }
}
