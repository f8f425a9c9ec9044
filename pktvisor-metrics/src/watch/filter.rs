//! Which messages a watch takes: a filter on the decoded message and its flow.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use pktvisor_analysis::Flow;
use pktvisor_analysis::message::Message;
use pktvisor_analysis::mnemonics::{qtype_name, rcode_name};
use pktvisor_analysis::name::presentation;
use pktvisor_common::address::Address;

use super::name::WireName;

/// Conditions on a message, all of which must hold. Without a condition every message matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageFilter {
    /// The end that sends queries and gets responses.
    pub client: Option<IpNet>,
    /// The end that gets queries and sends responses.
    pub server: Option<IpNet>,
    /// Either end.
    pub network: Option<IpNet>,
    /// QNAME, or a name above it.
    pub zone: Option<WireName>,
    /// QNAME.
    pub name: Option<WireName>,
    /// Response code, which only responses have.
    pub rcode: Option<u16>,
    /// QTYPE.
    pub qtype: Option<u16>,
}

impl MessageFilter {
    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a message matches.
    pub(super) fn matches(&self, flow: &Flow, message: &Message<'_>) -> bool {
        self.matches_flow(flow, message.is_response())
            && self.matches_question(message)
            && self.rcode.is_none_or(|rcode| message.is_response() && message.rcode() == rcode)
    }

    fn matches_flow(&self, flow: &Flow, is_response: bool) -> bool {
        let (source, destination) = (flow.addresses.source(), flow.addresses.destination());
        let (client, server) = if is_response { (destination, source) } else { (source, destination) };
        let is_in = |network: &Option<IpNet>, address: Address<'_>| {
            network.as_ref().is_none_or(|network| network.contains(&IpAddr::from(address)))
        };
        is_in(&self.client, client)
            && is_in(&self.server, server)
            && (is_in(&self.network, client) || is_in(&self.network, server))
    }

    fn matches_question(&self, message: &Message<'_>) -> bool {
        if self.zone.is_none() && self.name.is_none() && self.qtype.is_none() {
            return true;
        }
        let Some(question) = &message.question else { return false };
        let wire = question.name.as_wire();
        self.qtype.is_none_or(|qtype| question.qtype == qtype)
            && self.name.as_ref().is_none_or(|name| name.as_wire() == wire)
            && self.zone.as_ref().is_none_or(|zone| zone.contains(wire))
    }
}

/// As the parameters of a request.
impl fmt::Display for MessageFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = |network: &Option<IpNet>| network.map(|network| shortest(&network));
        let name =
            |name: &Option<WireName>| name.as_ref().map(|name| presentation(name.as_wire()).to_string());
        let conditions = [
            ("client", network(&self.client)),
            ("server", network(&self.server)),
            ("network", network(&self.network)),
            ("zone", name(&self.zone)),
            ("name", name(&self.name)),
            ("rcode", self.rcode.map(|rcode| rcode_name(rcode).into_owned())),
            ("qtype", self.qtype.map(|qtype| qtype_name(qtype).into_owned())),
        ];
        let given = conditions.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (n, (name, value)) in given.enumerate() {
            write!(f, "{}{name}={value}", if n > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

/// A network of one address as that address.
fn shortest(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => network.addr().to_string(),
        false => network.to_string(),
    }
}

/// Reads an address or a prefix (192.0.2.0/24). An IPv4-mapped IPv6 address is the IPv4 address.
pub fn parse_network(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address.to_canonical())),
        Err(_) => text.parse::<IpNet>().ok().map(|network| network.trunc()),
    }
}

/// Reads a record type by its name, as a number, or as TYPE with a number (RFC 3597 section 5).
pub fn parse_qtype(text: &str) -> Option<u16> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.strip_prefix("TYPE").unwrap_or(&upper);
    // The numbers of types with a name: RFC 6895 section 3.1 leaves the rest unassigned.
    decimal(digits).or_else(|| (0..512).chain(32_768..32_800).find(|&qtype| qtype_name(qtype) == upper))
}

/// Reads a response code by its name or as a number. SERVFAIL is SRVFAIL in pktvisor's lists.
pub fn parse_rcode(text: &str) -> Option<u16> {
    let upper = text.to_ascii_uppercase();
    let name = if upper == "SERVFAIL" { "SRVFAIL" } else { &upper };
    decimal(name).filter(|&code| code < 4096).or_else(|| (0..64).find(|&rcode| rcode_name(rcode) == name))
}

fn decimal(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_codes_are_read_by_name_and_number() {
        for (text, expected) in
            [("aaaa", 28), ("28", 28), ("TYPE28", 28), ("type65280", 65_280), ("DLV", 32_769)]
        {
            assert_eq!(parse_qtype(text), Some(expected), "{text}");
        }
        for (text, expected) in [("servfail", 2), ("SRVFAIL", 2), ("NXDomain", 3), ("3", 3), ("4095", 4095)] {
            assert_eq!(parse_rcode(text), Some(expected), "{text}");
        }
        for text in ["", "TYPE", "AAAAA", "-1", "65536", "+1", "TYPETYPE1"] {
            assert_eq!((parse_qtype(text), parse_rcode(text)), (None, None), "{text}");
        }
        assert_eq!(parse_rcode("4096"), None);
    }

    #[test]
    fn every_type_and_code_with_a_name_is_read_by_it() {
        for code in 0..=u16::MAX {
            assert_eq!(parse_qtype(&qtype_name(code)), Some(code));
        }
        for code in 0..4096 {
            assert_eq!(parse_rcode(&rcode_name(code)), Some(code));
        }
    }

    #[test]
    fn a_network_is_an_address_or_a_prefix() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1/32"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ] {
            assert_eq!(parse_network(text).unwrap().to_string(), expected);
        }
        for text in ["", "192.0.2.0/33", "192.0.2", "example.com", "AS64500", "192.0.2.0/", "fe80::1%eth0"] {
            assert_eq!(parse_network(text), None, "{text}");
        }
    }

    #[test]
    fn a_filter_reads_like_its_request() {
        let filter = MessageFilter {
            client: parse_network("192.0.2.1"),
            network: parse_network("2001:db8::/32"),
            zone: WireName::parse_zone(".Example.com"),
            rcode: Some(2),
            ..MessageFilter::default()
        };
        let expected = "client=192.0.2.1 network=2001:db8::/32 zone=example.com rcode=SRVFAIL";
        assert_eq!(filter.to_string(), expected);
        assert!(!filter.is_empty() && MessageFilter::default().is_empty());
    }
}
