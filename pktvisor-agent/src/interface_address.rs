//! The interface that owns an address.

use std::net::IpAddr;

use pktvisor_capture::interfaces::Interface;

/// An address, with the zone that a link-local one can have (`fe80::1%eth0`, RFC 4007 section 11).
pub(crate) fn parse(text: &str) -> Option<(IpAddr, Option<&str>)> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    // ::ffff:192.0.2.1 is 192.0.2.1 (RFC 4291 section 2.5.5.2).
    Some((address.parse::<IpAddr>().ok()?.to_canonical(), zone))
}

/// The interface with the address `text`. An interface that is up comes before others.
pub(crate) fn owner_of<'a>(text: &str, interfaces: &'a [Interface]) -> Option<&'a Interface> {
    let (address, zone) = parse(text)?;
    let owns = |interface: &&Interface| {
        interface.addresses.contains(&address) && zone.is_none_or(|zone| zone == interface.name)
    };
    let owners = || interfaces.iter().filter(owns);
    owners().find(|interface| interface.is_up).or_else(|| owners().next())
}
