//! Parsers of single values.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use pktvisor_common::classify::{DnsPorts, DnsPortsError};
use pktvisor_metrics::ClientPrefix;

/// Periods that can be kept: a day of minutes.
const PERIODS_MAX: usize = 1440;

/// The length of ::ffff:0:0/96.
const MAPPED_PREFIX_LEN: u8 = 96;
/// A parsed HOSTSPEC.
pub(super) type HostSpec = std::sync::Arc<[IpNet]>;

/// A part of HOSTSPEC that is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{part:?} is not a network: write CIDRs or addresses, separated by commas, like 192.0.2.0/24,2001:db8::1"
)]
pub struct HostSpecError {
    part: String,
}

/// Parses comma-separated CIDRs. A bare address is a network of one address. IPv4-mapped networks
/// (RFC 4291 section 2.5.5.2) become IPv4 networks.
pub(super) fn host_spec(text: &str) -> Result<HostSpec, HostSpecError> {
    let network = |part: &str| {
        let part = part.trim();
        let address = || part.parse::<IpAddr>().map(IpNet::from);
        part.parse::<IpNet>()
            .or_else(|_| address())
            .map_err(|_| HostSpecError { part: part.to_owned() })
            .map(unmapped)
    };
    text.split(',').map(network).collect()
}

/// The IPv4 network of an IPv4-mapped one. Other networks stay as they are.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let address = mapped.addr().to_ipv4_mapped();
    let prefix_len = mapped.prefix_len().checked_sub(MAPPED_PREFIX_LEN);
    let v4 = address.zip(prefix_len).and_then(|(address, len)| Ipv4Net::new(address, len).ok());
    v4.map_or(network, IpNet::V4)
}

/// Parses a number of periods.
pub(super) fn periods(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(periods @ 1..=PERIODS_MAX) => Ok(periods),
        _ => Err(format!("give a whole number of minutes to keep, from 1 to {PERIODS_MAX}")),
    }
}

/// Parses any whole number, however large. The caller clamps it, because the caller can warn.
pub(super) fn percentage(text: &str) -> Result<i64, &'static str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) => Ok(number),
        Err(_) if is_number && text.starts_with('-') => Ok(i64::MIN),
        Err(_) if is_number => Ok(i64::MAX),
        Err(_) => Err("give a whole number of percent, from 0 to 100"),
    }
}

/// A part of a list of ports is not a port, or the list is wrong as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PortListError {
    #[error("{0:?} is not a port: write numbers from 1 to 65535, separated by commas, like 53,5353")]
    NoPort(String),
    #[error("{0}")]
    List(DnsPortsError),
}

/// Parses comma-separated ports.
pub(super) fn dns_ports(text: &str) -> Result<DnsPorts, PortListError> {
    let port = |part: &str| {
        let part = part.trim();
        part.parse().map_err(|_| PortListError::NoPort(part.to_owned()))
    };
    let ports: Vec<u16> = text.split(',').map(port).collect::<Result<_, _>>()?;
    DnsPorts::new(&ports).map_err(PortListError::List)
}

/// Parses the prefix lengths of clients' networks: of IPv4, of IPv6.
pub(super) fn client_prefix(text: &str) -> Result<ClientPrefix, &'static str> {
    let bits = |part: &str, bits_max| part.trim().parse().ok().filter(|bits| *bits <= bits_max);
    let lengths = text.split_once(',').and_then(|(v4, v6)| Some((bits(v4, 32)?, bits(v6, 128)?)));
    let (v4_bits, v6_bits) =
        lengths.ok_or("give two prefix lengths, of IPv4 (0 to 32) and of IPv6 (0 to 128), like 24,56")?;
    Ok(ClientPrefix { v4_bits, v6_bits })
}

/// Longest name in DNS, without its final dot (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// A part of `--allow-host` is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is not a host name: write names without port or wildcard, separated by commas, \
     like metrics.example.com; addresses are always allowed"
)]
pub(super) struct HostNameError {
    name: String,
}

/// Parses one host name.
pub(super) fn host_name(text: &str) -> Result<String, HostNameError> {
    let name = text.trim();
    let labels = name.strip_suffix('.').unwrap_or(name);
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_valid);
    if labels.len() <= NAME_BYTES_MAX && labels.split('.').all(is_label) {
        Ok(name.to_owned())
    } else {
        Err(HostNameError { name: name.to_owned() })
    }
}

/// A part of `--allow-origin` is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{origin:?} is not an origin: write scheme, host and port without a path or a wildcard, \
     like http://metrics.example.com:10853"
)]
pub(super) struct OriginError {
    origin: String,
}

/// Parses one origin and writes it as browsers do (RFC 6454 section 6.2): in lower case, without the
/// port that belongs to the scheme.
pub(super) fn origin(text: &str) -> Result<String, OriginError> {
    let lower = text.trim().to_ascii_lowercase();
    normal_origin(&lower).ok_or_else(|| OriginError { origin: text.trim().to_owned() })
}

fn normal_origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let (name, port) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
            (host_name(name).ok().filter(|host| host == name)?, port)
        }
    };
    if port.is_empty() {
        return Some(format!("{scheme}://{host}"));
    }
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let port = digits.parse::<u16>().ok().filter(|port| *port > 0)?;
    Some(if port == own_port { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_prefix_is_two_lengths() {
        assert_eq!(client_prefix("24, 56"), Ok(ClientPrefix { v4_bits: 24, v6_bits: 56 }));
        for text in ["", "24", "33,56", "24,129", "24,56,1", "a,b", "-1,2"] {
            assert!(client_prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_name_is_letters_digits_and_dots_without_a_port() {
        for name in ["a", "metrics.example.com", "Metrics.Example.com.", "my_host-1", "xn--bcher-kva.example"]
        {
            assert_eq!(host_name(name).as_deref(), Ok(name));
        }
        assert_eq!(host_name(" a.example ").as_deref(), Ok("a.example"));
        let long = "a.".repeat(127) + "b";
        for name in
            ["", ".", "a..b", ".a", "*.example.com", "a:80", "http://a", "[::1]", "bücher", "a b", &long]
        {
            assert!(host_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (written, meant) in [
            ("http://metrics.example.com:10853", "http://metrics.example.com:10853"),
            ("HTTP://Metrics.Example:080", "http://metrics.example"),
            ("https://a:443", "https://a"),
            ("https://a:80", "https://a:80"),
            (" http://192.0.2.1 ", "http://192.0.2.1"),
            ("http://[2001:DB8:0::1]:1", "http://[2001:db8::1]:1"),
        ] {
            assert_eq!(origin(written).as_deref(), Ok(meant), "{written}");
        }
        for text in [
            "",
            "*",
            "null",
            "a",
            "a:80",
            "http://",
            "http://*",
            "http://*.a",
            "http://a/",
            "http://a/b",
            "http://a?b",
            "http://a:",
            "http://a:0",
            "http://a:+1",
            "http://a:65536",
            "http://a:1:2",
            "http://u@a",
            "ftp://a",
            "file://",
            "http://::1",
            "http://[a]",
            "http://[::1]x",
            "http://a b",
            "http://bücher",
        ] {
            let error = origin(text).unwrap_err().to_string();
            assert!(error.contains("is not an origin: write scheme, host and port"), "{text:?}: {error}");
        }
    }

    #[test]
    fn an_ipv4_mapped_network_is_the_ipv4_network() {
        for (written, meant) in [
            ("::ffff:192.0.2.10", "192.0.2.10/32"),
            ("::FFFF:c000:20a", "192.0.2.10/32"),
            ("::ffff:192.0.2.10/128", "192.0.2.10/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            // These networks hold other addresses as well, or no mapped ones.
            ("::ffff:0:0/95", "::ffff:0:0/95"),
            ("::/0", "::/0"),
            ("::192.0.2.10", "::192.0.2.10/128"),
            ("64:ff9b::192.0.2.10", "64:ff9b::192.0.2.10/128"),
        ] {
            let meant: IpNet = meant.parse().unwrap();
            assert_eq!(host_spec(written).unwrap().to_vec(), [meant], "{written}");
        }
    }
}
