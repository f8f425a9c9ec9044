//! Which way a packet goes, seen from HOST and from an interface.

use crate::address::Address;
use crate::classify::Class;

/// Decided on the outermost IP header: destination in HOST: received; else source in HOST: sent;
/// else unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// Neither end is HOST, or the packet has no (whole) IP header.
    #[default]
    Unknown = 0,
    /// To HOST.
    Received = 1,
    /// From HOST.
    Sent = 2,
}

impl Direction {
    /// The address at the other end than HOST; `None` where the direction is unknown.
    #[inline(always)]
    pub const fn remote(self, class: &Class) -> Option<Address<'_>> {
        match self {
            Self::Received => class.source(),
            Self::Sent => class.destination(),
            Self::Unknown => None,
        }
    }
}

/// Which way a packet passes an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkDirection {
    /// The interface received it.
    Ingress,
    /// The host is about to send it.
    Egress,
}

/// The networks that are HOST.
pub trait HostNetworks {
    /// Whether `address` is HOST.
    fn contains(&self, address: Address<'_>) -> bool;
}

/// The direction of a packet; both ends in HOST: received.
#[inline(always)]
pub fn direction<H: HostNetworks + ?Sized>(class: &Class, host: &H) -> Direction {
    let (Some(source), Some(destination)) = (class.source(), class.destination()) else {
        return Direction::Unknown;
    };
    if host.contains(destination) {
        Direction::Received
    } else if host.contains(source) {
        Direction::Sent
    } else {
        Direction::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{IpVersion, widened};
    use crate::classify::flags;

    /// 192.0.2.0/24, or everything.
    struct Host {
        is_all: bool,
    }

    impl HostNetworks for Host {
        fn contains(&self, address: Address<'_>) -> bool {
            self.is_all || address.octets().starts_with(&[192, 0, 2])
        }
    }

    fn v4(a: u8, b: u8, c: u8, d: u8) -> [u8; 16] {
        widened([a, b, c, d])
    }

    fn class(source: [u8; 16], destination: [u8; 16]) -> Class {
        Class { source, destination, ip_version: Some(IpVersion::V4), ..Class::default() }
    }

    #[test]
    fn the_destination_decides_before_the_source() {
        let host = Host { is_all: false };
        let (inside, outside) = (v4(192, 0, 2, 1), v4(198, 51, 100, 1));
        assert_eq!(direction(&class(outside, inside), &host), Direction::Received);
        assert_eq!(direction(&class(inside, outside), &host), Direction::Sent);
        assert_eq!(direction(&class(inside, inside), &host), Direction::Received);
        assert_eq!(direction(&class(outside, outside), &host), Direction::Unknown);
    }

    #[test]
    fn without_addresses_the_direction_is_unknown_even_if_everything_is_host() {
        let all = Host { is_all: true };
        let mut packet = class(v4(1, 2, 3, 4), v4(5, 6, 7, 8));
        assert_eq!(direction(&packet, &all), Direction::Received);
        packet.flags = flags::MALFORMED;
        assert_eq!(direction(&packet, &all), Direction::Received);
        packet.flags = flags::MALFORMED | flags::NO_ADDRESSES;
        assert_eq!(direction(&packet, &all), Direction::Unknown);
        assert_eq!(direction(&Class::default(), &all), Direction::Unknown);
    }
}
