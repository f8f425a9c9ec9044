//! The address of an agent, as an operator types it after `-H`.

use std::net::Ipv6Addr;

/// The default port of agents.
pub const DEFAULT_PORT: u16 = 10853;

/// The address of an agent's web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEndpoint {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// Path before `/api`, without a slash at its end; empty unless a URL gave one (a reverse
    /// proxy).
    prefix: String,
}

/// How the agent is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// A name or an IPv4 address.
    Name(String),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A link-local IPv6 address and its interface.
    LinkLocal(Ipv6Addr, Zone),
}

/// The interface of a link-local address, by name or by number (RFC 4007, section 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(String);

/// Why a HOST cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is empty.
    #[error("HOST is empty: give a name, an address, host:port, or an http:// or https:// URL")]
    Empty,
    /// Another scheme.
    #[error(
        "{0}: only http:// and https:// are spoken; put a local proxy or an SSH tunnel in front of other transports"
    )]
    Scheme(String),
    /// The port is not a number.
    #[error("{0}: the port is not a number from 1 to 65535")]
    Port(String),
    /// Something that no host name or address contains.
    #[error("{0}: not a host name, an address, host:port, or an http:// or https:// URL")]
    Host(String),
    /// A zone with an address that has none.
    #[error("{0}: only a link-local address (fe80::/10) takes a zone; leave out the % and what follows it")]
    ZoneNotAllowed(String),
    /// A zone that cannot be the name of an interface.
    #[error(
        "{0}: after the % give the name or the number of an interface of this machine, as in fe80::1%eth0"
    )]
    Zone(String),
    /// A link-local address alone, which is ambiguous.
    #[error("{0}: a link-local address needs the interface that leads to it, as in fe80::1%eth0")]
    ZoneMissing(String),
}

/// The way in which the user wrote an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    Url,
    Plain,
}

impl AgentEndpoint {
    /// Reads `ns1`, `ns1:8080`, `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]:8080` or
    /// `http://ns1:8080/prefix`, or the same with `https`.
    ///
    /// A link-local address names its interface: `fe80::1%eth0`, `[fe80::1%eth0]:8080`. In a URL
    /// the per cent sign is written `%25` (RFC 6874); both forms are accepted everywhere.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, EndpointError> {
        let text = text.trim();
        let (scheme, rest, notation) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
                (Scheme::Http, rest, Notation::Url)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
                (Scheme::Https, rest, Notation::Url)
            }
            Some(_) => return Err(EndpointError::Scheme(text.to_owned())),
            None => (Scheme::Http, text, Notation::Plain),
        };
        let (authority, prefix) = match rest.split_once('/') {
            Some((authority, path)) if notation == Notation::Url || path.is_empty() => {
                (authority, path.trim_end_matches('/'))
            }
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
        let host = read_host(host, text, notation)?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        Ok(Self { scheme, host, port, prefix })
    }

    /// The URL of a page: `path` begins with a slash. A zone means nothing to the agent and is left
    /// out.
    pub fn url(&self, path: &str) -> String {
        let Self { scheme, host, port, prefix } = self;
        let scheme = match scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        match host {
            Host::Name(name) => format!("{scheme}://{name}:{port}{prefix}{path}"),
            Host::Ipv6(address) | Host::LinkLocal(address, _) => {
                format!("{scheme}://[{address}]:{port}{prefix}{path}")
            }
        }
    }

    /// Whether the agent speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Its name on the screen: as short as is unambiguous.
    pub fn label(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Ipv6(address) => format!("[{address}]"),
            Host::LinkLocal(address, zone) => format!("[{address}%{}]", zone.0),
        };
        match self.port {
            DEFAULT_PORT => format!("{host}{}", self.prefix),
            port => format!("{host}:{port}{}", self.prefix),
        }
    }

    /// The zone of a link-local address.
    pub fn zone(&self) -> Option<&Zone> {
        match &self.host {
            Host::LinkLocal(_, zone) => Some(zone),
            Host::Name(_) | Host::Ipv6(_) => None,
        }
    }
}

impl Zone {
    /// Longest name of an interface, in bytes (IFNAMSIZ without its terminator).
    const BYTES_MAX: usize = 15;

    /// Reads the text behind the `%` of an address; `None` if it cannot be the name of an
    /// interface.
    fn parse(text: &str, notation: Notation) -> Option<Self> {
        // `%25eth0` is `%eth0` with its per cent sign escaped. Outside of a URL, `%251` is
        // interface 251.
        let text = match text.strip_prefix("25") {
            Some(rest)
                if !rest.is_empty()
                    && (notation == Notation::Url || !rest.bytes().all(|b| b.is_ascii_digit())) =>
            {
                rest
            }
            _ => text,
        };
        let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':' | '%' | '[' | ']');
        (!text.is_empty() && text.len() <= Self::BYTES_MAX && text.chars().all(allowed))
            .then(|| Self(text.to_owned()))
    }

    /// The name or number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a host without its port; `text` is the whole argument, for messages.
fn read_host(host: &str, text: &str, notation: Notation) -> Result<Host, EndpointError> {
    let (address, zone) = match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (host, None),
    };
    let name_allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    match (address.parse::<Ipv6Addr>(), zone) {
        (Ok(address), None) if address.is_unicast_link_local() => {
            Err(EndpointError::ZoneMissing(text.to_owned()))
        }
        (Ok(address), None) => Ok(Host::Ipv6(address)),
        (Ok(address), Some(zone)) if address.is_unicast_link_local() => match Zone::parse(zone, notation) {
            Some(zone) => Ok(Host::LinkLocal(address, zone)),
            None => Err(EndpointError::Zone(text.to_owned())),
        },
        (Ok(_), Some(_)) => Err(EndpointError::ZoneNotAllowed(text.to_owned())),
        (Err(_), None) if !host.is_empty() && host.chars().all(name_allowed) => {
            Ok(Host::Name(host.to_owned()))
        }
        (Err(_), _) => Err(EndpointError::Host(text.to_owned())),
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
    let address = authority.split_once('%').map_or(authority, |(address, _)| address);
    if authority.len() == address.len() && address.parse::<Ipv6Addr>().is_ok() {
        return (authority, None);
    }
    // No interface has a colon in its name, so a colon behind a zone begins the port.
    if address.len() < authority.len()
        && !authority.get(address.len()..).is_some_and(|zone| zone.contains(':'))
    {
        return (authority, None);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests;
