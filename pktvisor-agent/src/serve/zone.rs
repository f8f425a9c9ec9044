//! Link-local IPv6 addresses, which are valid only together with an interface: `fe80::1%eth0` (RFC
//! 4007 section 11).

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use nix::net::if_::if_nameindex;

/// The address and the interface do not go together. The messages continue "cannot serve HTTP on
/// ADDRESS: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The interface does not exist.
    #[error("no interface has the name or number {zone:?}; give one that `ip link` shows")]
    Unknown {
        /// The text behind `%`.
        zone: String,
    },
    /// A link-local address without an interface: every interface can have it.
    #[error("a link-local address needs its interface, as in -l '{address}%eth0'")]
    Missing {
        /// The address.
        address: Ipv6Addr,
    },
    /// An interface behind another kind of address or a name.
    #[error("only an IPv6 address may be followed by % and an interface")]
    NotIpv6,
}

/// Parses an IP address, with or without brackets. An IPv6 address may have `%` and an interface's
/// name or number, and `%25` as in a URL (RFC 6874). `None` if the text is a name.
pub(super) fn literal(text: &str) -> Result<Option<SocketAddr>, ZoneError> {
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let Some((address, zone)) = text.split_once('%') else {
        return match text.parse() {
            Ok(IpAddr::V6(address)) if address.is_unicast_link_local() => Err(ZoneError::Missing { address }),
            Ok(address) => Ok(Some(SocketAddr::new(address, 0))),
            Err(_) => Ok(None),
        };
    };
    let address: Ipv6Addr = address.parse().map_err(|_| ZoneError::NotIpv6)?;
    let unknown = || ZoneError::Unknown { zone: zone.to_owned() };
    // An interface may be called 25eth0, or have the number 253.
    let index = index(zone).or_else(|| zone.strip_prefix("25").and_then(index)).ok_or_else(unknown)?;
    Ok(Some(SocketAddrV6::new(address, 0, 0, index).into()))
}

/// The number of the interface with this name, or this number.
fn index(zone: &str) -> Option<u32> {
    let interfaces = if_nameindex().ok()?;
    let named = interfaces.iter().find(|interface| interface.name().to_bytes() == zone.as_bytes());
    let number = zone.parse().ok().filter(|_| zone.bytes().all(|byte| byte.is_ascii_digit()));
    let numbered = || interfaces.iter().find(|interface| Some(interface.index()) == number);
    named.or_else(numbered).map(nix::net::if_::Interface::index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_zone_in_each_notation() {
        let lo = index("lo").unwrap();
        let expected = SocketAddr::from(SocketAddrV6::new("fe80::1".parse().unwrap(), 0, 0, lo));
        let notations = [
            "fe80::1%lo",
            "[fe80::1%lo]",
            "fe80::1%25lo",
            "[fe80::1%25lo]",
            &format!("fe80::1%{lo}"),
            "fe80::1%251",
        ];
        for text in notations {
            assert_eq!(literal(text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn any_other_text_is_a_name() {
        assert_eq!(literal("localhost"), Ok(None));
        assert_eq!(literal("[::1]"), Ok(Some("[::1]:0".parse().unwrap())));
        assert_eq!(literal("192.0.2.1"), Ok(Some("192.0.2.1:0".parse().unwrap())));
    }

    #[test]
    fn a_wrong_zone_is_reported_in_one_sentence() {
        for zone in ["nope", "", "4294967295", "99999999999", "+1"] {
            let error = literal(&format!("fe80::1%{zone}")).unwrap_err();
            assert_eq!(error, ZoneError::Unknown { zone: zone.to_owned() });
        }
        assert_eq!(
            literal("fe80::1").unwrap_err(),
            ZoneError::Missing { address: "fe80::1".parse().unwrap() }
        );
        assert_eq!(literal("127.0.0.1%lo"), Err(ZoneError::NotIpv6));
        assert_eq!(literal("host%lo"), Err(ZoneError::NotIpv6));
    }
}
