//! The host that a request names, and the hosts that a listener accepts.
//!
//! The owner of a web page can point the page's name to 127.0.0.1 (DNS rebinding). A browser then
//! lets the scripts of that page read the answers of an agent on localhost, but its requests still
//! name the page's host. So a listener on a loopback address accepts only addresses and names of
//! this machine.
//!
//! Other listeners accept every host: their operator made them reachable from other machines, under
//! names that the agent does not know.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Version};
use nix::unistd::gethostname;

use super::answer::Failure;

/// The names that the administrator gave to addresses, among them this machine's full name.
const HOSTS_FILE: &str = "/etc/hosts";

/// Names that are accepted besides addresses and `localhost`: lower case, no final dot.
#[derive(Clone, Debug, Default)]
pub(super) struct HostNames(BTreeSet<String>);

impl HostNames {
    /// The host name of this machine and its fully qualified form, without asking a resolver.
    pub(super) fn of_machine() -> Self {
        let hostname = gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        Self::of(&hostname, &fs::read_to_string(HOSTS_FILE).unwrap_or_default())
    }

    /// The host name with and without its domain, and every name in the hosts file (hosts(5)) that
    /// is the host name with a domain.
    fn of(hostname: &str, hosts_file: &str) -> Self {
        let mut names = Self::default();
        let Some(short) = hostname.split('.').next().filter(|short| !short.is_empty()) else {
            return names;
        };
        names.add(hostname);
        names.add(short);
        let prefix = format!("{}.", short.to_ascii_lowercase());
        for line in hosts_file.lines() {
            let entry = line.split('#').next().unwrap_or_default();
            for name in entry.split_whitespace().skip(1) {
                if name.to_ascii_lowercase().starts_with(&prefix) {
                    names.add(name);
                }
            }
        }
        names
    }

    /// Adds a name.
    pub(super) fn add(&mut self, name: &str) {
        self.0.insert(normal(name));
    }

    fn accept(&self, host: &RequestHost) -> bool {
        match host {
            RequestHost::Address => true,
            // RFC 6761 section 6.3: browsers send these names to loopback addresses only.
            RequestHost::Name(name) if name == "localhost" || name.ends_with(".localhost") => true,
            RequestHost::Name(name) => self.0.contains(name),
        }
    }
}

/// The hosts that requests on a listener may name.
#[derive(Clone, Debug)]
pub(super) enum HostPolicy {
    /// Any host.
    Any,
    /// An address, `localhost`, or one of these names.
    Known(Arc<HostNames>),
}

impl HostPolicy {
    /// The policy of a listener on this address.
    pub(super) fn of(address: IpAddr, names: &Arc<HostNames>) -> Self {
        // ::ffff:127.0.0.1 is a loopback address too.
        if address.to_canonical().is_loopback() { Self::Known(names.clone()) } else { Self::Any }
    }

    /// Checks the host that a request names.
    ///
    /// # Errors
    ///
    /// The request does not say which host it is for, or the listener does not accept that host.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Failure> {
        match (self, requested_host(request)?) {
            (Self::Known(names), Some(host)) if !names.accept(&host) => Err(Failure::ForeignHost),
            _ => Ok(()),
        }
    }
}

/// The host that a request is for. `None`: an HTTP/1.0 request without a host.
///
/// RFC 9112 section 3.2: a request has exactly one Host header with a valid value, or status 400.
/// Section 3.2.2: the authority of a target in absolute form replaces the header's value.
fn requested_host<B>(request: &Request<B>) -> Result<Option<RequestHost>, Failure> {
    let mut values = request.headers().get_all(HOST).iter();
    let header = match (values.next(), values.next()) {
        (None, _) if request.version() < Version::HTTP_11 => None,
        (Some(value), None) => Some(RequestHost::of_header(value).ok_or(Failure::HostHeader)?),
        _ => return Err(Failure::HostHeader),
    };
    let target = request.uri();
    // Without a scheme the authority is the target of CONNECT, which is refused anyway.
    match target.authority().filter(|_| target.scheme().is_some()) {
        Some(authority) => {
            let host = authority.as_str().rsplit('@').next().unwrap_or_default();
            RequestHost::parse(host).filter(|host| !host.is_empty()).ok_or(Failure::HostHeader).map(Some)
        }
        None => Ok(header),
    }
}

/// The host in a Host header or in the authority of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RequestHost {
    /// An IP address. No resolver was asked for it, so it cannot be rebound.
    Address,
    /// A name in lower case, without its final dot. Empty in a request for a target without host.
    Name(String),
}

impl RequestHost {
    fn of_header(value: &HeaderValue) -> Option<Self> {
        Self::parse(value.to_str().ok()?)
    }

    /// Parses `uri-host [":" port]` (RFC 9110 section 7.2). `None` if it is not of that form.
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                // Some clients send the interface of a link-local address too.
                let address = address.split('%').next().unwrap_or_default();
                let _: Ipv6Addr = address.parse().ok()?;
                (Self::Address, port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Self::of_name(name)?, port)
            }
        };
        let digits = if port.is_empty() { "" } else { port.strip_prefix(':')? };
        digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(host)
    }

    /// An IPv4 address or a `reg-name` (RFC 3986 section 3.2.2).
    fn of_name(text: &str) -> Option<Self> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
        let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        let is_name = text.bytes().all(is_valid) && text.split('%').skip(1).all(is_escape);
        let name = is_name.then(|| normal(text))?;
        Some(if name.parse::<Ipv4Addr>().is_ok() { Self::Address } else { Self::Name(name) })
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Name(name) if name.is_empty())
    }
}

/// A name in lower case, without the dot that ends a fully qualified name.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<RequestHost> {
        Some(RequestHost::Name(text.to_owned()))
    }

    #[test]
    fn an_address_is_recognised_with_and_without_port() {
        for text in [
            "127.0.0.1",
            "127.0.0.1:10853",
            "127.0.0.1.",
            "192.0.2.1:",
            "[::1]",
            "[::1]:10853",
            "[::ffff:127.0.0.1]:1",
            "[fe80::1%25eth0]:80",
        ] {
            assert_eq!(RequestHost::parse(text), Some(RequestHost::Address), "{text}");
        }
    }

    #[test]
    fn a_name_loses_port_case_and_final_dot() {
        for text in ["a.example", "A.Example", "a.example.", "a.example:80", "a.example.:80", "a.example:"] {
            assert_eq!(RequestHost::parse(text), name("a.example"), "{text}");
        }
        assert_eq!(RequestHost::parse(""), name(""));
        // Names to a browser, which resolves them.
        for text in ["1.2.3", "0x7f.1", "127.0.0.1.nip.io", "my_host", "%6cocalhost", "a,b"] {
            assert_eq!(RequestHost::parse(text), name(text), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_form_is_not_a_host() {
        for text in [
            "::1",
            "[::1",
            "[::1]x",
            "[]",
            "[a]",
            "a:b",
            "a:80:80",
            "a b",
            "a/b",
            "a@b",
            "a:+1",
            "a:-1",
            "é",
            "[127.0.0.1]",
            "a\tb",
            "a\"b",
            "a\\b",
            "http://a",
            "a%zz",
            "a%2",
            "%%20",
        ] {
            assert_eq!(RequestHost::parse(text), None, "{text}");
        }
    }

    #[test]
    fn localhost_and_the_names_below_it_are_accepted() {
        let names = HostNames::default();
        for text in ["localhost", "LOCALHOST.", "app.localhost", "a.b.localhost:80"] {
            assert!(names.accept(&RequestHost::parse(text).unwrap()), "{text}");
        }
        for text in ["notlocalhost", "localhost.example", "localhost.localdomain", "", "local"] {
            assert!(!names.accept(&RequestHost::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn the_names_of_a_machine_are_its_host_name_with_and_without_domain() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tNS1.Example.net ns1 # ns1.comment\n\
                     192.0.2.1 ns10.example.net ns1-b.example.net\n::1 ns1.v6.example.\n";
        let names = |hostname| HostNames::of(hostname, hosts).0.into_iter().collect::<Vec<_>>();
        assert_eq!(names("ns1"), ["ns1", "ns1.example.net", "ns1.v6.example"]);
        assert_eq!(names("Ns1.Other.net"), ["ns1", "ns1.example.net", "ns1.other.net", "ns1.v6.example"]);
        assert_eq!(names("elsewhere"), ["elsewhere"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn only_listeners_on_loopback_addresses_check_names() {
        for (address, is_checked) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("192.0.2.1", false),
            ("fe80::1", false),
        ] {
            let policy = HostPolicy::of(address.parse().unwrap(), &Arc::default());
            assert_eq!(matches!(policy, HostPolicy::Known(_)), is_checked, "{address}");
        }
    }
}
