//! Who talks: remote addresses, where they are, and how many.

use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;

use super::Cardinality;
use super::frequent::{FrequentItems, Key, Limits, Mark};

/// What an address of a [`Class`] is counted under.
#[inline]
pub fn address_key(address: &[u8; 16], ip_version: u8) -> Key<'_> {
    match ip_version {
        4 => Key::new(4, &address[..4]),
        _ => Key::new(6, address),
    }
}

/// The addresses of one period. Only packets of known direction have a remote end.
#[derive(Clone, Debug)]
pub(super) struct NetworkMetrics {
    /// Sources of packets to HOST.
    pub sources_in: Cardinality,
    /// Destinations of packets from HOST.
    pub destinations_out: Cardinality,
    /// Remote IPv4 addresses, 4 bytes each, by packets.
    pub ipv4: FrequentItems,
    /// Remote IPv6 addresses, 16 bytes each, by packets.
    pub ipv6: FrequentItems,
    /// Places of the remote addresses, as text, by packets.
    pub places: FrequentItems,
    /// Networks of the remote addresses, as text, by packets.
    pub networks: FrequentItems,
}

impl NetworkMetrics {
    pub(super) fn new() -> Self {
        let items = || FrequentItems::new(Limits::LIVE);
        Self {
            sources_in: Cardinality::default(),
            destinations_out: Cardinality::default(),
            ipv4: items(),
            ipv6: items(),
            places: items(),
            networks: items(),
        }
    }

    /// Asks for the memory where the remote end of a packet will be counted.
    #[inline]
    pub(super) fn expect(&self, class: &Class, direction: Direction) {
        let remote = match direction {
            Direction::Received => &class.source,
            Direction::Sent => &class.destination,
            Direction::Unknown => return,
        };
        let items = if class.ip_version == 4 { &self.ipv4 } else { &self.ipv6 };
        items.expect(address_key(remote, class.ip_version));
    }

    /// Counts the remote end of a packet.
    #[inline]
    pub(super) fn packet(&mut self, class: &Class, direction: Direction) {
        let (remote, mark) = match direction {
            Direction::Received => (&class.source, Mark::First),
            Direction::Sent => (&class.destination, Mark::Second),
            Direction::Unknown => return,
        };
        let key = address_key(remote, class.ip_version);
        // Whoever is listed and has the mark of this direction has been counted there.
        if self.addresses(class.ip_version).add_and_mark(key, mark) {
            return;
        }
        let distinct = if mark == Mark::First { &mut self.sources_in } else { &mut self.destinations_out };
        distinct.add_address(remote, class.ip_version);
    }

    /// The remote addresses of one IP version.
    #[inline]
    pub(super) fn addresses(&mut self, ip_version: u8) -> &mut FrequentItems {
        if ip_version == 4 { &mut self.ipv4 } else { &mut self.ipv6 }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sources_in.merge(&other.sources_in);
        self.destinations_out.merge(&other.destinations_out);
        self.ipv4.merge(&other.ipv4);
        self.ipv6.merge(&other.ipv6);
        self.places.merge(&other.places);
        self.networks.merge(&other.networks);
    }

    pub(super) fn shrink(&mut self, limits: Limits) {
        for items in [&mut self.ipv4, &mut self.ipv6, &mut self.places, &mut self.networks] {
            items.shrink(limits);
        }
    }
}
